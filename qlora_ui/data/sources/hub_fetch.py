"""What is asked of the hub, and how its datasets come onto this machine."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qlora_ui.contract.references import HubReference, HubSplit
from qlora_ui.data.places import data_error
from qlora_ui.data.sources.cached import Prepared
from qlora_ui.data.sources.hub_card import refuse_other_places
from qlora_ui.data.sources.hub_errors import could_not_fetch, no_config, refused
from qlora_ui.data.sources.progress import OnNote, telling_bytes

if TYPE_CHECKING:
    from huggingface_hub.hf_api import DatasetInfo

HUB_SECONDS = 4.0
"""How long the hub has to answer the first question. Once it has, its client is as patient as it likes."""
_TABLES = {"json", "csv", "parquet", "arrow", "text"}
"""What `datasets` makes rows of text from; the rest is for pictures, sound, genes and so on."""
_REMEMBERED = 60.0
"""Seconds."""
_answers: dict[tuple[str, str], tuple[float, DatasetInfo | None]] = {}
"""Name and revision → when the hub was asked, and what it said."""
_MOST_FILES = 500
"""Whose sizes are asked for, in one question."""
_MOST_CONFIGS = 30
"""Whose files are looked up for `lay_out`; of further ones the sizes are not known."""


@dataclass(frozen=True)
class Layout:
    """What there is to choose of a dataset on the hub."""

    configs: dict[str, list[HubSplit]]
    default: str
    """The one that its author names as the default; empty for none."""


def is_offline() -> bool:
    """Whether the environment forbids to ask the hub."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def make_quiet() -> None:
    """Keep the libraries from writing bars and warnings into what the process prints, and from telling about us."""
    import datasets
    from huggingface_hub import constants
    from huggingface_hub.utils import disable_progress_bars, logging

    datasets.disable_progress_bars()
    disable_progress_bars()
    datasets.utils.logging.set_verbosity_error()
    logging.set_verbosity_error()
    datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = False
    constants.HF_HUB_DISABLE_TELEMETRY = True


def ask(reference: HubReference) -> DatasetInfo | None:
    """What the hub says of the dataset, which names the commit; None when it does not answer within four seconds.

    The answer, or that there was none, is remembered for a minute, so that turning a page neither asks nor waits again.
    Raises DataError when it has no such dataset or revision, or does not open it to us.
    """
    key = (reference.name, reference.revision)
    if key not in _answers or time.monotonic() - _answers[key][0] > _REMEMBERED:
        info = _ask(reference)
        _answers[key] = (time.monotonic(), info)
    return _answers[key][1]


def _ask(reference: HubReference) -> DatasetInfo | None:
    from huggingface_hub import HfApi, errors

    api, name = HfApi(), reference.name
    try:
        info = api.dataset_info(name, revision=reference.revision or None, timeout=HUB_SECONDS)
        if info.gated:
            api.auth_check(name, repo_type="dataset")
        return info
    except errors.HfHubHTTPError as error:
        if error.response.status_code >= 500:
            return None
        raise refused(reference, error) from None
    except Exception:  # whatever its transport raises: there was no answer
        return None


def fetch(reference: HubReference, info: DatasetInfo, on_note: OnNote) -> Prepared:
    """Have `datasets` fetch the files of one configuration and turn them into Arrow files. Raises DataError."""
    from datasets import load_dataset_builder

    on_note(f"Asking the hub for the files of {reference.name}.")
    refuse_other_places(reference, info)
    try:
        builder = load_dataset_builder(_address(reference), reference.config or None, revision=info.sha)
    except ValueError as error:
        raise _config_error(reference, info, error) from None
    except Exception as error:  # the libraries raise everything from KeyError to their own for a damaged card
        raise could_not_fetch(reference, error) from None
    _require_commit(reference, builder.hash, info.sha)
    if builder.name not in _TABLES | {"cache"}:
        problem = f"its files ({builder.name}) do not hold rows of text."
        raise data_error(str(reference), problem, "Choose a dataset in JSON, CSV, Parquet, Arrow or text files.")
    try:
        with telling_bytes(reference.name, _blobs(reference), _missing_bytes(reference, builder, info.sha), on_note):
            builder.download_and_prepare(verification_mode="no_checks")  # a card may be older than the data
    except Exception as error:  # as above, and whatever its transport raises
        raise could_not_fetch(reference, error) from None
    return Prepared(Path(builder.cache_dir), builder.config.name)


def lay_out(reference: HubReference, info: DatasetInfo) -> Layout:
    """The configurations and splits of a dataset, with sizes as far as the hub tells. Raises DataError."""
    from datasets.load import dataset_module_factory

    refuse_other_places(reference, info)
    try:
        module = dataset_module_factory(_address(reference), revision=info.sha)
        _require_commit(reference, module.hash, info.sha)
        found = module.builder_configs_parameters
        files = {config.name: _resolved(config, module) for config in found.builder_configs[:_MOST_CONFIGS]}
        paths = [_path(file) for by_split in files.values() for each in by_split.values() for file in each]
        sizes = _sizes(reference, info.sha, paths)
        rows = module.dataset_infos or {}
    except Exception as error:  # the libraries raise everything from KeyError to their own for a damaged card
        raise could_not_fetch(reference, error) from None
    configs = {}
    for config in found.builder_configs:
        counted = getattr(rows.get(config.name), "splits", None) or {}
        configs[config.name] = [
            HubSplit(
                name=str(split),
                rows=counted[split].num_examples if split in counted else None,
                bytes=_sum(sizes, files.get(config.name, {}).get(split)),
            )
            for split in config.data_files or {}
        ]
    return Layout(configs, found.default_config_name or "")


def _address(reference: HubReference) -> str:
    """With its prefix, no folder of the same name below the one we were started in is taken for the dataset."""
    return f"hf://datasets/{reference.name}"


def _require_commit(reference: HubReference, found: str, commit: str) -> None:
    """The library takes what is cached, of whatever commit, when the hub goes silent: not without saying so."""
    if found != commit:
        hint = "Try again later, or switch offline on to use what is cached."
        raise data_error(str(reference), "the hub stopped answering while it was asked.", hint)


def _config_error(reference: HubReference, info: DatasetInfo, error: ValueError) -> Exception:
    """The library says both that a configuration is missing and that it is unknown as a ValueError."""
    names = list(lay_out(reference, info).configs)
    if reference.config in names or (not reference.config and len(names) < 2):
        return could_not_fetch(reference, error)
    return no_config(reference, names)


def _blobs(reference: HubReference) -> Path:
    """Where the files of the dataset arrive."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    folder: str = repo_folder_name(repo_id=reference.name, repo_type="dataset")
    return Path(constants.HF_HUB_CACHE) / folder / "blobs"


def _missing_bytes(reference: HubReference, builder: Any, commit: str) -> int | None:
    """How much of the files is not on this machine yet; None where the hub does not tell."""
    from huggingface_hub import try_to_load_from_cache

    paths = [_path(str(file)) for files in (builder.config.data_files or {}).values() for file in files]
    missing = [
        path
        for path in paths
        if not isinstance(try_to_load_from_cache(reference.name, path, revision=commit, repo_type="dataset"), str)
    ]
    return _sum(_sizes(reference, commit, missing), missing)


def _sizes(reference: HubReference, commit: str, paths: list[str]) -> dict[str, int]:
    """Of these files on the hub; nothing when it does not tell, or they are too many to ask for."""
    from huggingface_hub import HfApi

    if not paths or len(paths) > _MOST_FILES:
        return {}
    try:
        found = HfApi().get_paths_info(reference.name, paths, revision=commit, repo_type="dataset")
        return {file.path: int(file.size) for file in found}
    except Exception:  # a size is good to know, but nothing depends on it
        return {}


def _sum(sizes: dict[str, int], files: list[str] | None) -> int | None:
    paths = [_path(file) for file in files or ()]
    return sum(sizes[path] for path in paths) if files is not None and all(path in sizes for path in paths) else None


def _resolved(config: Any, module: Any) -> dict[str, list[str]]:
    """Split → its files on the hub."""
    from datasets import DownloadConfig

    files = config.data_files or {}
    if hasattr(files, "resolve"):  # patterns as yet
        files = files.resolve(module.builder_kwargs["base_path"], DownloadConfig())
    return {str(split): [str(file) for file in each] for split, each in files.items()}


def _path(file: str) -> str:
    """`hf://datasets/owner/name@commit/data/train.jsonl` → `data/train.jsonl`."""
    return file.split("@", 1)[1].partition("/")[2] if file.startswith("hf://") else file
