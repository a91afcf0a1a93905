from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlora_ui import upload
from qlora_ui.contract.errors import DataError
from qlora_ui.contract.paths import Workspace
from qlora_ui.upload import DiskFullError, TooLargeError, clean_name, receive, remove_abandoned


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path)
    workspace.datasets.mkdir()
    return workspace


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def disk(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(free))


async def test_a_file_arrives_whole(workspace: Workspace) -> None:
    dataset = await receive(workspace, "rows.jsonl", chunks(b'{"a"', b"", b": 1}\n"))
    path = Path(dataset.path)
    assert path.read_bytes() == b'{"a": 1}\n'
    assert (dataset.name, dataset.bytes) == ("rows.jsonl", 9)
    assert path == workspace.datasets / dataset.id / "rows.jsonl"
    assert [folder.name for folder in workspace.datasets.iterdir()] == [dataset.id]
    assert path.stat().st_mode & 0o022 == 0


async def test_two_files_of_one_name_live_side_by_side(workspace: Workspace) -> None:
    first = await receive(workspace, "rows.txt", chunks(b"1"))
    second = await receive(workspace, "rows.txt", chunks(b"2"))
    assert Path(first.path).read_bytes() == b"1"
    assert Path(second.path).read_bytes() == b"2"


async def test_a_large_file_is_written_in_pieces(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "_BUFFER_BYTES", 1000)
    dataset = await receive(workspace, "rows.txt", chunks(*(b"%07d\n" % n for n in range(1000))))
    assert Path(dataset.path).read_text().splitlines()[::999] == ["0000000", "0000999"]
    assert dataset.bytes == 8000


async def test_a_broken_connection_leaves_nothing(workspace: Workspace) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half of it"
        raise ConnectionResetError

    with pytest.raises(Exception, match="could not be stored"):
        await receive(workspace, "rows.txt", broken())
    assert list(workspace.datasets.iterdir()) == []


async def test_an_empty_file_is_refused(workspace: Workspace) -> None:
    with pytest.raises(DataError, match=r"rows\.txt is empty"):
        await receive(workspace, "rows.txt", chunks())
    assert list(workspace.datasets.iterdir()) == []


async def test_what_is_announced_too_large_is_not_even_begun(workspace: Workspace) -> None:
    asked = False

    async def watched() -> AsyncIterator[bytes]:
        nonlocal asked
        asked = True
        yield b""

    with pytest.raises(TooLargeError, match="20 GB"):
        await receive(workspace, "rows.txt", watched(), length=upload.MAX_BYTES + 1)
    assert not asked


async def test_what_turns_out_too_large_is_given_up(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "MAX_BYTES", 10)
    with pytest.raises(TooLargeError):
        await receive(workspace, "rows.txt", chunks(b"12345", b"67890", b"1"), length=3)
    assert list(workspace.datasets.iterdir()) == []


async def test_room_for_checkpoints_is_kept(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    disk(monkeypatch, upload.RESERVE_BYTES + 10)
    assert (await receive(workspace, "rows.txt", chunks(b"1234567890"))).bytes == 10
    with pytest.raises(DiskFullError, match="does not fit"):
        await receive(workspace, "rows.txt", chunks(b"12345678901"))
    assert len(list(workspace.datasets.iterdir())) == 1


async def test_a_disk_that_fills_up_meanwhile_is_named(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(DiskFullError, match="full"):
        await receive(workspace, "rows.txt", chunks(b"1"))
    assert list(workspace.datasets.iterdir()) == []


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("rows.jsonl", "rows.jsonl"),
        ("../../etc/rows.csv", "rows.csv"),
        ("C:\\data\\my rows.TSV", "my rows.TSV"),
        ("größe 数据.parquet", "größe 数据.parquet"),
        (".hidden.txt", "hidden.txt"),
        ("a\x00b\n.json", "a_b_.json"),
        ("x" * 300 + ".jsonl", "x" * 114 + ".jsonl"),
    ],
)
def test_names_are_made_safe(given_name: str, kept: str) -> None:
    assert clean_name(given_name) == kept


@pytest.mark.parametrize("name", ["", "rows", "rows.exe", ".jsonl", "..", "../.jsonl", "rows.jsonl/", "rows.jsonl.sh"])
def test_names_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(DataError, match="cannot be taken in") as caught:
        clean_name(name)
    assert ".parquet" in caught.value.hint


@given(st.text(max_size=200), st.sampled_from(upload.ENDINGS))
def test_no_name_leaves_its_folder(text: str, ending: str) -> None:
    try:
        name = clean_name(text + ending)
    except DataError:
        return
    assert Path(name).name == name
    assert not name.startswith(".")
    assert name.endswith(ending)
    assert len(name.encode()) <= upload.MAX_NAME_BYTES
    assert clean_name(name) == name


def test_what_killed_servers_left_behind_is_removed_after_a_day(workspace: Workspace) -> None:
    old, fresh = workspace.datasets / ".upload-old", workspace.datasets / ".upload-fresh"
    for draft in (old, fresh):
        draft.mkdir()
        (draft / "rows.txt").write_text("half")
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(old, (two_days_ago, two_days_ago))
    remove_abandoned(workspace)
    assert list(workspace.datasets.iterdir()) == [fresh]


async def test_room_is_looked_at_again_while_a_file_arrives(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another upload, or a checkpoint, may have taken what was free at the beginning."""
    monkeypatch.setattr(upload, "_BUFFER_BYTES", 5)
    disk(monkeypatch, upload.RESERVE_BYTES + 1000)

    async def meanwhile() -> AsyncIterator[bytes]:
        yield b"12345"
        disk(monkeypatch, upload.RESERVE_BYTES + 4)
        yield b"67890"

    with pytest.raises(DiskFullError, match="does not fit"):
        await receive(workspace, "rows.txt", meanwhile())
    assert list(workspace.datasets.iterdir()) == []


async def test_what_was_begun_is_deleted_off_the_event_loop(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unlinking a file of many gigabytes takes seconds."""
    deleters: list[threading.Thread] = []
    rmtree = shutil.rmtree

    def watched(path: Path, *, ignore_errors: bool) -> None:
        deleters.append(threading.current_thread())
        rmtree(path, ignore_errors=ignore_errors)

    monkeypatch.setattr(shutil, "rmtree", watched)
    with pytest.raises(DataError, match="empty"):
        await receive(workspace, "rows.txt", chunks())
    assert deleters
    assert threading.main_thread() not in deleters


def test_an_odd_entry_among_the_abandoned_ones_is_passed_over(workspace: Workspace) -> None:
    (workspace.datasets / ".upload-loop").symlink_to(".upload-loop")
    remove_abandoned(workspace)
