"""The database file, opened for one look or one change at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from filelock import FileLock, Timeout
from tinydb import TinyDB

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.paths import Workspace
from qlora_ui.store.storage import CrashSafeStorage

LOCK_TIMEOUT_S = 10.0


class Database:
    """TinyDB over the workspace's file, for several threads and several servers on the same home.

    Nothing is kept in memory. A look reads the file as it is, which takes about a millisecond and waits for nobody,
    because files are replaced in one step. A change holds the lock while it reads, writes and waits for the disk, so no
    server writes over what another has written in between; make it in a thread.

    It does not cover a home folder on a network drive whose file locks do not work.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._storage = CrashSafeStorage(workspace.database, workspace.database_backup)
        self._threads = threading.RLock()
        self._servers = FileLock(workspace.database_lock, timeout=LOCK_TIMEOUT_S, mode=0o600)

    @property
    def recovery(self) -> str:
        """What had to be repaired, in a sentence for the person; empty when nothing had."""
        return self._storage.recovery

    def look(self, table: str) -> list[dict[str, Any]]:
        """All documents of a table. A damaged file is repaired on the way. Raises WorkspaceError."""
        tables = self._storage.peek()
        if tables is None:
            with self.change() as db:
                return [dict(document) for document in db.table(table).all()]
        return list(tables.get(table, {}).values())

    @contextmanager
    def change(self) -> Iterator[TinyDB]:
        """All tables, to be changed. Raises WorkspaceError when the file cannot be read or written."""
        with self._threads:
            try:
                self._servers.acquire()
            except Timeout:
                raise WorkspaceError(
                    f"The database has been locked by another program for {LOCK_TIMEOUT_S:g} seconds.",
                    "Close other qlora-ui servers that use the same home folder.",
                ) from None
            except OSError as error:
                raise WorkspaceError(
                    f"The file {self._servers.lock_file} cannot be opened: {error.strerror}.",
                    "Check the permissions of the home folder.",
                ) from error
            try:
                yield TinyDB(storage=lambda: self._storage)
            finally:
                self._servers.release()
