"""The index of the data in the workspace: `datasets/<id>/<file>`, or `datasets/<id>/<folder>` for several files."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from pathlib import Path

from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import Dataset
from qlora_ui.store.database import Database
from qlora_ui.store.repository import Repository

log = logging.getLogger(__name__)


class Datasets:
    """Data files, and folders of them, by id, oldest first."""

    def __init__(self, database: Database) -> None:
        self._records = Repository(database, "datasets", Dataset)

    def list(self) -> list[Dataset]:
        return sorted(self._records.list(), key=lambda dataset: dataset.added_at)

    def get(self, dataset_id: str) -> Dataset | None:
        return self._records.get(dataset_id)

    def put(self, dataset: Dataset) -> None:
        self._records.put(dataset.id, dataset)

    def delete(self, dataset_id: str) -> bool:
        """Forget the record; the file is the caller's business. Whether there was one."""
        return self._records.delete(dataset_id)

    def rebuild(self, workspace: Workspace) -> None:
        """Make the index agree with the folders: add what it does not know, forget those that are gone."""
        before = {dataset.id: dataset for dataset in self._records.list()}
        listed = {dataset.id: _where_it_is(dataset, workspace) for dataset in before.values()}
        moved = {dataset.id: dataset for dataset in listed.values() if dataset != before[dataset.id]}
        gone = {dataset.id for dataset in listed.values() if not Path(dataset.path).exists()}
        found = (
            dataset_in(folder) for folder in _folders(workspace.datasets) if folder.name not in listed.keys() - gone
        )
        new = {dataset.id: dataset for dataset in found if dataset is not None}
        self._records.change(moved | new, forgotten=gone)


def _where_it_is(dataset: Dataset, workspace: Workspace) -> Dataset:
    """The same data, in its folder here: the home folder may have been moved or copied since."""
    own = workspace.datasets / dataset.id / Path(dataset.path).name
    return dataset.model_copy(update={"path": str(own)}) if own.exists() else dataset


def dataset_in(folder: Path) -> Dataset | None:
    """The record of what lies in `datasets/<id>`: one data file, or else one folder with data files in it."""
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
        top = next((entry for entry in entries if entry.is_file()), None) or next(filter(Path.is_dir, entries), None)
        sizes = _sizes(top) if top is not None else []
        if top is None or not sizes:
            return None
        str(top).encode()
        added = datetime.fromtimestamp(top.stat().st_mtime, UTC)
    except (OSError, UnicodeEncodeError) as error:  # not ours to read, or a name that is no UTF-8
        log.warning("the folder %r holds no data file that can be listed: %s", str(folder), error)
        return None
    return Dataset(id=folder.name, name=top.name, path=str(top), bytes=sum(sizes), files=len(sizes), added_at=added)


def _sizes(top: Path) -> list[int]:
    """The bytes of a file, or of each file in a folder."""
    if top.is_file():
        return [top.stat().st_size]
    return [
        (Path(inner) / name).lstat().st_size
        for inner, _, names in os.walk(top)
        for name in names
        if not name.startswith(".")
    ]


def _folders(parent: Path) -> list[Path]:
    return sorted(f for f in parent.iterdir() if f.is_dir() and not f.name.startswith(".")) if parent.is_dir() else []
