"""The index of the data files in the workspace: `datasets/<id>/<file>`."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import Dataset
from qlora_ui.store.database import Database
from qlora_ui.store.repository import Repository

log = logging.getLogger(__name__)


class Datasets:
    """Data files by id, oldest first."""

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
        """Make the index agree with the folders: add files that it does not know, forget those that are gone."""
        listed = {dataset.id: dataset for dataset in self._records.list()}
        gone = {dataset.id for dataset in listed.values() if not Path(dataset.path).is_file()}
        found = (
            _dataset_in(folder) for folder in _folders(workspace.datasets) if folder.name not in listed.keys() - gone
        )
        self._records.change({dataset.id: dataset for dataset in found if dataset is not None}, forgotten=gone)


def _folders(parent: Path) -> list[Path]:
    return sorted(f for f in parent.iterdir() if f.is_dir() and not f.name.startswith(".")) if parent.is_dir() else []


def _dataset_in(folder: Path) -> Dataset | None:
    """The original file is the only one directly inside its folder; what was prepared from it lies deeper."""
    try:
        files = sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
        if not files:
            return None
        status = files[0].stat()
        str(files[0]).encode()
    except (OSError, UnicodeEncodeError) as error:  # not ours to read, or a name that is no UTF-8
        log.warning("the folder %r holds no data file that can be listed: %s", str(folder), error)
        return None
    return Dataset(
        id=folder.name,
        name=files[0].name,
        path=str(files[0]),
        bytes=status.st_size,
        added_at=datetime.fromtimestamp(status.st_mtime, UTC),
    )
