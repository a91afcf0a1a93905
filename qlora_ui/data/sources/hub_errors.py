"""What the hub and its libraries say when they give nothing → one sentence and what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from typing import Any

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.references import HubReference
from qlora_ui.data.places import data_error


def refused(reference: HubReference, error: Any) -> DataError:
    """For an answer of the hub that is a no; `error` is its client's HfHubHTTPError."""
    from huggingface_hub import errors

    place = str(reference)
    if isinstance(error, errors.RevisionNotFoundError):
        problem = f"the hub has no revision {reference.revision or 'main'} of it."
        return data_error(place, problem, "Write a branch, a tag or a commit of it, or leave the revision away.")
    if isinstance(error, errors.GatedRepoError):
        hint = "Accept its terms on its page on the hub, and enter a hub token in the settings (or `hf auth login`)."
        return data_error(place, "this dataset is open only to people who accepted its terms.", hint)
    if isinstance(error, errors.RepositoryNotFoundError):
        hint = "Check the name; a private dataset needs a hub token in the settings (or `hf auth login`)."
        return data_error(place, "the hub has no such dataset, or does not show it to you.", hint)
    status = error.response.status_code
    if status == 429:
        return data_error(place, "the hub asks to wait: it was asked too often.", "Try again in a few minutes.")
    if status in {401, 403}:
        hint = "Enter another hub token in the settings (or `hf auth login`)."
        return data_error(place, "the hub does not accept the token.", hint)
    return data_error(place, f"the hub refuses it (HTTP {status}).", "Try again later.")


def no_config(reference: HubReference, configs: Sequence[str], is_cached: bool = False) -> DataError:
    """For a dataset with several configurations, or as many as are cached, when none or an unknown one is named."""
    asked = reference.config
    names = ", ".join(configs[:30]) + (" …" if len(configs) > 30 else "")
    hint = f"Choose one: {HubReference(name=reference.name, config=configs[0])}."
    if is_cached and asked:
        problem = f"its configuration {asked} is not cached on this machine; there is {names}."
    elif is_cached:
        problem = f"several configurations are cached on this machine: {names}."
    elif asked:
        problem = f"it has no configuration {asked}; there is {names}."
    else:
        problem = f"it has several configurations: {names}."
    return data_error(str(reference), problem, hint)


def not_cached(reference: HubReference, configs: Sequence[str], offline: bool) -> DataError:
    """For a dataset that is not on this machine while the hub is not asked or does not answer."""
    if reference.config and configs:
        return no_config(reference, configs, is_cached=True)
    place = str(reference)
    if offline:
        problem = "it is not cached on this machine, and the hub is not asked while offline."
        return data_error(place, problem, "Switch offline off to fetch it, or choose a file on this machine.")
    problem = "it is not cached on this machine, and the hub does not answer."
    return data_error(place, problem, "Check the network, or choose a file on this machine.")


def could_not_fetch(reference: HubReference, error: BaseException) -> DataError:
    """For anything that the libraries raise while they fetch and unpack a dataset."""
    from datasets.data_files import EmptyDatasetError
    from datasets.exceptions import DatasetGenerationCastError
    from datasets.table import CastError
    from huggingface_hub import errors

    place = str(reference)
    for cause in _causes(error):
        if isinstance(cause, DataError):
            return cause
        if isinstance(cause, errors.HfHubHTTPError) and cause.response.status_code < 500:
            return refused(reference, cause)
        if isinstance(cause, OSError) and cause.errno in {errno.ENOSPC, errno.EDQUOT}:
            return data_error(place, "the disk is full.", "Free some room, then try again: what was fetched is kept.")
        if "Not enough disk space" in str(cause):
            return data_error(place, f"{_reason(cause)}.", "Free some room, or choose a smaller dataset.")
        if "Dataset scripts are no longer supported" in str(cause):
            hint = "Many have a copy in Parquet: add ?revision=refs/convert/parquet."
            return data_error(place, "it is made by a script, and no code that comes with data is run.", hint)
        if isinstance(cause, FileNotFoundError | EmptyDatasetError):
            hint = "Choose a dataset in JSON, CSV, Parquet, Arrow or text files."
            return data_error(place, "the hub has no files in it that can be read as rows.", hint)
        if isinstance(cause, CastError | DatasetGenerationCastError):
            hint = "Download those that belong together, and choose them here."
            return data_error(place, "the files of this dataset do not have the same columns.", hint)
        if _is_transport(cause):
            hint = "Try again: what was fetched is kept. Or choose a file on this machine."
            return data_error(place, "the connection to the hub broke off.", hint)
    root = list(_causes(error))[-1]
    return data_error(place, f"the dataset cannot be prepared: {_reason(root)}.", "Download its files and choose them.")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what it was raised from, and so on."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _is_transport(error: BaseException) -> bool:
    """Whether the network failed. The hub's libraries come with an HTTP client that changes from version to version."""
    return isinstance(error, ConnectionError | TimeoutError) or any(
        kind.__name__ == "TransportError" for kind in type(error).__mro__
    )


def _reason(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")[:300]
