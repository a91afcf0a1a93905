"""A dataset on the hub → its rows, and what there is to choose of it.

No code that comes with a dataset is run, and nothing but the hub is asked: not its viewer, not its download counter,
and no other address that the card of a dataset may name.
"""

from __future__ import annotations

import re
from typing import Any

from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.references import HUB, HubConfig, HubDataset, HubReference, HubSplit, parse_reference
from qlora_ui.data.readers.rows import DataFile
from qlora_ui.data.sources.cached import Prepared, open_prepared, prepared, prepared_splits
from qlora_ui.data.sources.hub_errors import no_config, not_cached
from qlora_ui.data.sources.hub_fetch import Layout, ask, fetch, is_offline, lay_out, make_quiet
from qlora_ui.data.sources.progress import OnNote

_DEFAULT = "default"
"""What `datasets` calls the configuration of a dataset without any; one of several so called is taken unasked."""


def open_dataset(reference: HubReference, offline: bool, on_note: OnNote) -> tuple[list[DataFile], str]:
    """The rows of a hub dataset as a DataFile, and a note on what was chosen for the person.

    Unless `offline` (or `HF_HUB_OFFLINE` is set), the hub is asked, with the token of the environment, which commit is
    the newest; what is not on this machine yet is fetched. Where the hub gives no answer within four seconds, what is
    cached is taken, and the note says so. Raises DataError for a dataset, configuration or split that is not there,
    is closed, holds no text or cannot be fetched.
    """
    make_quiet()
    offline = offline or is_offline()
    notes = []
    if not offline and (info := ask(reference)):
        table = _at_commit(reference, info.sha) or fetch(reference, info, on_note)
    else:
        table = _cached(reference, offline)
        notes += [] if offline else ["The hub does not answer."]
        notes.append(f"Taken from what is cached on this machine, downloaded on {table.since}.")
    if not reference.config and table.config != _DEFAULT:
        notes.append(f"Configuration {table.config}.")
    rows, chosen = open_prepared(table, reference)
    notes += chosen
    if re.fullmatch(r"[0-9a-f]{40}", table.revision):
        notes.append(f"Commit {table.revision[:7]}.")
    return [rows], " ".join(notes)


def hub_info(name: str, offline: bool = False) -> HubDataset:
    """The configurations and splits of the dataset `owner/name` (any form of a reference will do), for choosing one.

    Offline, or when the hub does not answer within four seconds: of what is cached on this machine, and the note says
    so. Raises ParameterError for what names no hub dataset, and DataError for one that is not there or closed.
    """
    reference = parse_reference(name if ":" in name else HUB + name)
    if not isinstance(reference, HubReference):
        raise ParameterError(f"{name!r} names no dataset on the hub.", "Write owner/name, as on its page.")
    make_quiet()
    offline = offline or is_offline()
    if not offline and (info := ask(reference)):
        layout = lay_out(reference, info)
        return HubDataset(
            name=reference.name,
            configs=[HubConfig(name=config, splits=splits) for config, splits in layout.configs.items()],
            default=_default(layout),
            revision=info.sha,
        )
    return _cached_info(reference, offline)


def _default(layout: Layout) -> str:
    names = list(layout.configs)
    return layout.default or (_DEFAULT if _DEFAULT in names else names[0] if len(names) == 1 else "")


def _at_commit(reference: HubReference, commit: str) -> Prepared | None:
    """What is asked for, where it was prepared at this very commit before: then the hub need not be asked any more."""
    asked = reference.config or _DEFAULT
    return next((t for t in prepared(reference.name) if (t.revision, t.config) == (commit, asked)), None)


def _cached(reference: HubReference, offline: bool) -> Prepared:
    """What is on this machine already. Raises DataError when it is not, or when there are several to choose from."""
    found = _of_revision(reference)
    configs = list(dict.fromkeys(table.config for table in found))
    asked = reference.config or (_DEFAULT if _DEFAULT in configs else "")
    if not asked and len(configs) > 1:
        raise no_config(reference, configs, is_cached=True)
    found = [table for table in found if not asked or table.config == asked]
    if not found:
        raise not_cached(reference, configs, offline)
    return found[0]


def _of_revision(reference: HubReference) -> list[Prepared]:
    """Which commit a branch or a tag stands for, only the hub knows: without it, commits alone can be told apart."""
    return [table for table in prepared(reference.name) if table.revision.startswith(reference.revision)]


def _cached_info(reference: HubReference, offline: bool) -> HubDataset:
    newest: dict[str, Prepared] = {}
    for table in _of_revision(reference):
        newest.setdefault(table.config, table)
    if not newest:
        raise not_cached(reference, [], offline)
    configs = [HubConfig(name=name, splits=_splits(table)) for name, table in sorted(newest.items())]
    note = "" if offline else "The hub does not answer. "
    note += "This is what is cached on this machine; there may be more on the hub."
    default = _DEFAULT if _DEFAULT in newest else configs[0].name if len(configs) == 1 else ""
    return HubDataset(name=reference.name, configs=configs, default=default, note=note)


def _splits(table: Prepared) -> list[HubSplit]:
    splits: dict[str, Any] = prepared_splits(table)
    return [HubSplit(name=name, rows=split.num_examples, bytes=split.num_bytes) for name, split in splits.items()]
