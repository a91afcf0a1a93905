from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.store.storage import SCHEMA_VERSION, CrashSafeStorage, Tables

TABLES: Tables = {"datasets": {"1": {"key": "a", "value": {"name": "größe.jsonl"}}}}


@pytest.fixture
def storage(tmp_path: Path) -> CrashSafeStorage:
    return open_storage(tmp_path)


def open_storage(folder: Path) -> CrashSafeStorage:
    return CrashSafeStorage(folder / "db.json", folder / "db.json.backup")


def set_aside(folder: Path) -> list[Path]:
    return sorted(folder.glob("db.corrupt-*Z.json"))


def test_a_new_folder_holds_nothing(storage: CrashSafeStorage) -> None:
    assert storage.read() is None
    assert storage.recovery == ""


def test_what_was_written_is_read_and_backed_up(storage: CrashSafeStorage) -> None:
    storage.write(TABLES)
    assert storage.read() == TABLES
    assert json.loads(storage.path.read_text(encoding="utf-8"))["schema_version"] == SCHEMA_VERSION
    assert storage.backup.read_bytes() == storage.path.read_bytes()
    assert storage.path.stat().st_mode & 0o077 == 0, "only its owner may read it"


@pytest.mark.parametrize("kept_share", [0.0, 0.1, 0.5, 0.9])
def test_a_truncated_file_is_set_aside_and_the_backup_takes_its_place(tmp_path: Path, kept_share: float) -> None:
    open_storage(tmp_path).write(TABLES)
    whole = (tmp_path / "db.json").read_bytes()
    cut = whole[: int(len(whole) * kept_share)]
    (tmp_path / "db.json").write_bytes(cut)

    storage = open_storage(tmp_path)

    assert storage.read() == TABLES
    assert [path.read_bytes() for path in set_aside(tmp_path)] == [cut]
    assert "backup took its place" in storage.recovery
    assert set_aside(tmp_path)[0].name in storage.recovery
    assert open_storage(tmp_path).read() == TABLES, "the repair lasts"


@pytest.mark.parametrize(
    "content",
    [
        b"\x00" * 100,
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"schema_version": 1}',
        b'{"schema_version": "1", "tables": {}}',
        b'{"schema_version": 0, "tables": {}}',
        b'{"schema_version": -3, "tables": {}}',
        b"[" * 200_000,
        b'{"schema_version": 1, "tables": []}',
        b'{"schema_version": 1, "tables": {"datasets": {"one": {}}}}',
        b'{"schema_version": 1, "tables": {"datasets": {"1": 5}}}',
    ],
)
def test_whatever_stands_in_the_file_it_is_survived(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "db.json").write_bytes(content)
    storage = open_storage(tmp_path)
    assert storage.read() == {}
    assert [path.read_bytes() for path in set_aside(tmp_path)] == [content]
    assert "made again from the folders" in storage.recovery
    assert "Preferences" in storage.recovery


def test_a_damaged_backup_is_not_used(tmp_path: Path) -> None:
    open_storage(tmp_path).write(TABLES)
    (tmp_path / "db.json").write_text("{")
    (tmp_path / "db.json.backup").write_text("{")
    assert open_storage(tmp_path).read() == {}


def test_a_missing_file_comes_back_from_its_backup(tmp_path: Path) -> None:
    open_storage(tmp_path).write(TABLES)
    (tmp_path / "db.json").unlink()
    storage = open_storage(tmp_path)
    assert storage.read() == TABLES
    assert "was missing" in storage.recovery
    assert set_aside(tmp_path) == []


def test_a_newer_schema_is_refused_and_left_untouched(tmp_path: Path) -> None:
    newer = json.dumps({"schema_version": SCHEMA_VERSION + 1, "tables": {"datasets": {}}})
    (tmp_path / "db.json").write_text(newer)
    with pytest.raises(WorkspaceError, match="newer qlora-ui"):
        open_storage(tmp_path).read()
    assert (tmp_path / "db.json").read_text() == newer
    assert set_aside(tmp_path) == []


def test_older_tables_are_brought_up_to_date_step_by_step(tmp_path: Path) -> None:
    open_storage(tmp_path).write({"old": {"1": {"n": 1}}})

    def rename(tables: Tables) -> Tables:
        return {"new": tables["old"]}

    def double(tables: Tables) -> Tables:
        return {"new": {number: {"n": row["n"] * 2} for number, row in tables["new"].items()}}

    storage = CrashSafeStorage(
        tmp_path / "db.json", tmp_path / "db.json.backup", version=3, migrations={1: rename, 2: double}
    )
    assert storage.read() == {"new": {"1": {"n": 2}}}


def test_a_full_disk_is_named_and_leaves_the_old_file_whole(
    storage: CrashSafeStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.write(TABLES)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def no_space(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", no_space)
        with pytest.raises(WorkspaceError, match="is full, so this change was not saved"):
            storage.write({})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert storage.read() == TABLES


def test_on_a_full_disk_a_damaged_file_does_not_keep_the_app_from_starting(
    storage: CrashSafeStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.write(TABLES)
    storage.path.write_text("{")

    def no_space(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", no_space)
        assert storage.read() == TABLES
        assert storage.read() == TABLES, "the backup goes on serving"
    assert storage.read() == TABLES


def test_a_writer_that_is_killed_leaves_a_whole_file(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from qlora_ui.store.storage import CrashSafeStorage\n"
        "folder = Path(sys.argv[1]); storage = CrashSafeStorage(folder / 'db.json', folder / 'db.json.backup')\n"
        "for n in range(10**9):\n"
        "    storage.write({'t': {str(i): {'n': n} for i in range(500)}})\n"
        "    if n == 3: print('writing', flush=True)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    with writer:
        assert writer.stdout.readline() == b"writing\n"
        writer.kill()
    storage = open_storage(tmp_path)
    tables = storage.read()
    assert tables is not None
    assert len(tables["t"]) == 500
    assert len({row["n"] for row in tables["t"].values()}) == 1, "all rows are of one write"
    assert storage.recovery == ""


def test_a_folder_in_its_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "db.json").mkdir()
    with pytest.raises(WorkspaceError, match=r"db\.json cannot be read"):
        open_storage(tmp_path).read()
