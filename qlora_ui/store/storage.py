"""A TinyDB storage that survives a power cut, a full disk and a damaged file."""

from __future__ import annotations

import contextlib
import errno
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tinydb.storages

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.files import write_atomically

Tables = dict[str, dict[str, Any]]
"""Table name → document number, as text → document."""

SCHEMA_VERSION = 1

MIGRATIONS: dict[int, Callable[[Tables], Tables]] = {}
"""Schema version → what makes tables of the next version out of tables of this one."""


class CrashSafeStorage(tinydb.storages.Storage):
    """Keeps `{"schema_version": 1, "tables": {…}}` in one file, with an equal file beside it as a backup.

    A write goes to a temporary file, is flushed to the disk and put in place in one step, so the file is always whole.
    A file that cannot be read as such is renamed to `db.corrupt-<UTC time>.json`; the backup, or nothing, takes its
    place and `recovery` holds the sentence that tells the person so.

    It does not lock: whoever reads in order to write holds the lock of `Database`.
    """

    def __init__(
        self,
        path: Path,
        backup: Path,
        *,
        version: int = SCHEMA_VERSION,
        migrations: Mapping[int, Callable[[Tables], Tables]] = MIGRATIONS,
    ) -> None:
        super().__init__()
        self.path = path
        self.backup = backup
        self.version = version
        self.migrations = migrations
        self.recovery = ""

    def read(self) -> Tables | None:
        """All tables; None when there is no file yet.

        Raises WorkspaceError when a newer qlora-ui wrote the file, or when the system does not let us read it.
        """
        content = _read(self.path)
        if content is None:
            return self._recover("was missing") if self.backup.exists() else None
        tables = self._parse(content)
        return self._recover("could not be read") if tables is None else tables

    def peek(self) -> Tables | None:
        """All tables without repairing anything: None when there is something to repair. Raises like `read`."""
        content = _read(self.path)
        if content is None:
            return None if self.backup.exists() else {}
        return self._parse(content)

    def write(self, data: Tables) -> None:
        """Replace all tables. Raises WorkspaceError when the disk is full or refuses; the old file then stays."""
        content = json.dumps({"schema_version": self.version, "tables": data}, ensure_ascii=False, indent=1)
        try:
            write_atomically(self.path, content)
        except OSError as error:
            raise _unwritable(self.path, error) from error
        # The write is done by now; without room for its copy the older backup stays, which is whole as well.
        with contextlib.suppress(OSError):
            write_atomically(self.backup, content)

    def _parse(self, content: bytes) -> Tables | None:
        """The tables in today's schema; None when the content is damaged."""
        try:
            document = json.loads(content)
            version, tables = document["schema_version"], document["tables"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        if not isinstance(version, int) or not _is_tables(tables):
            return None
        if version > self.version:
            raise WorkspaceError(
                f"The database {self.path} was written by a newer qlora-ui (schema {version}; this one knows "
                f"{self.version}).",
                "Update qlora-ui, or start it with another --home.",
            )
        steps = range(version, self.version)
        if not self.migrations.keys() >= set(steps):
            return None  # no version of ours wrote such a number
        for step in steps:
            tables = self.migrations[step](tables)
        return dict(tables)

    def _recover(self, damage: str) -> Tables:
        """Set the damaged file aside, put the backup (or nothing) in its place and say so in `recovery`."""
        kept = ""
        if self.path.exists():
            aside = self.path.with_name(f"db.corrupt-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z.json")
            try:
                self.path.replace(aside)
            except OSError as error:
                raise _unwritable(self.path, error) from error
            kept = f" The old file was kept as {aside.name}."
        saved = _read(self.backup)
        tables = self._parse(saved) if saved is not None else None
        source = "its backup took its place" if tables is not None else "its index was made again from the folders"
        lost = "" if tables is not None else " Preferences are back at their defaults."
        self.recovery = f"The database db.json {damage}, so {source}.{kept}{lost}"
        # On a full disk the backup goes on serving, and the next look tries again.
        with contextlib.suppress(WorkspaceError):
            self.write(tables or {})
        return tables or {}


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WorkspaceError(
            f"The database {path} cannot be read: {error.strerror}.", "Check the permissions of the home folder."
        ) from error


def _is_tables(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(table, dict) and all(number.isdecimal() and isinstance(row, dict) for number, row in table.items())
        for table in value.values()
    )


def _unwritable(path: Path, error: OSError) -> WorkspaceError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return WorkspaceError(
            f"The disk with {path.parent} is full, so this change was not saved.",
            "Everything saved before is still there. Free some space and try again.",
        )
    return WorkspaceError(
        f"The database {path} cannot be written: {error.strerror}. This change was not saved.",
        "Check the permissions of the home folder.",
    )
