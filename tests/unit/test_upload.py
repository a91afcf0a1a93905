from __future__ import annotations

import asyncio
import errno
import hashlib
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

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.uploads import ENDINGS, MAX_DEPTH, UploadedFile
from qlora_ui.store.datasets import dataset_in
from qlora_ui.upload import (
    ContentRange,
    DiskFullError,
    TooLargeError,
    UnknownUploadError,
    UploadConflictError,
    clean_name,
    clean_path,
    draft,
    names,
    parts,
    receive,
    receive_text,
    remove_abandoned,
    room,
    whole,
)


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
    monkeypatch.setattr(whole, "BUFFER_BYTES", 1000)
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
        await receive(workspace, "rows.txt", watched(), length=room.MAX_BYTES + 1)
    assert not asked


async def test_what_turns_out_too_large_is_given_up(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_BYTES", 10)
    with pytest.raises(TooLargeError):
        await receive(workspace, "rows.txt", chunks(b"12345", b"67890", b"1"), length=3)
    assert list(workspace.datasets.iterdir()) == []


async def test_room_for_checkpoints_is_kept(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    disk(monkeypatch, room.RESERVE_BYTES + 10)
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
        ("rows.jsonl.GZ", "rows.jsonl.GZ"),
        ("x" * 300 + ".ndjson.gz", "x" * 110 + ".ndjson.gz"),
        ("all.zip", "all.zip"),
        ("notes.md", "notes.md"),
        ("lone\ud800.txt", "lone_.txt"),
    ],
)
def test_names_are_made_safe(given_name: str, kept: str) -> None:
    assert clean_name(given_name) == kept


@pytest.mark.parametrize(
    "name", ["", "rows", "rows.exe", ".jsonl", "..", "../.jsonl", "rows.jsonl/", "rows.jsonl.sh", "rows.gz"]
)
def test_names_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(DataError, match="cannot be taken in") as caught:
        clean_name(name)
    assert ".parquet" in caught.value.hint


@given(st.text(max_size=200), st.sampled_from(ENDINGS))
def test_no_name_leaves_its_folder(text: str, ending: str) -> None:
    try:
        name = clean_name(text + ending)
    except DataError:
        return
    assert Path(name).name == name
    assert not name.startswith(".")
    assert name.endswith(ending)
    assert len(name.encode()) <= names.MAX_NAME_BYTES
    assert clean_name(name) == name


def test_what_killed_servers_left_behind_is_removed_after_a_day(workspace: Workspace) -> None:
    old, fresh = workspace.datasets / ".upload-old", workspace.datasets / ".upload-fresh"
    for folder in (old, fresh):
        folder.mkdir()
        (folder / "rows.txt").write_text("half")
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(old, (two_days_ago, two_days_ago))
    remove_abandoned(workspace)
    assert list(workspace.datasets.iterdir()) == [fresh]


async def test_room_is_looked_at_again_while_a_file_arrives(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another upload, or a checkpoint, may have taken what was free at the beginning."""
    monkeypatch.setattr(whole, "BUFFER_BYTES", 5)
    disk(monkeypatch, room.RESERVE_BYTES + 1000)

    async def meanwhile() -> AsyncIterator[bytes]:
        yield b"12345"
        disk(monkeypatch, room.RESERVE_BYTES + 4)
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


# ---- in parts ----

TOKEN = "k7Qf-2mXp_9dRa4sTu6vWx8y"
OTHER = "A" * 22


async def send(
    workspace: Workspace,
    content: bytes,
    start: int = 0,
    end: int | None = None,
    *,
    path: str = "rows.txt",
    token: str = TOKEN,
) -> UploadedFile:
    """Send `content[start:end]` as a part of all of it."""
    part = content[start:end]
    span = ContentRange(start, start + len(part) - 1, len(content))
    return await parts.write_part(workspace, token, path, span, chunks(part))


def drafts(workspace: Workspace) -> list[Path]:
    return list(workspace.datasets.glob(".upload-*"))


async def offset(workspace: Workspace) -> int:
    [file] = (await parts.state(workspace, TOKEN)).files
    return file.offset


async def test_parts_become_a_file(workspace: Workspace) -> None:
    content = b"0123456789"
    assert (await send(workspace, content, 0, 4)).offset == 4
    assert (await parts.state(workspace, TOKEN)).files == [UploadedFile(path="rows.txt", offset=4, total=10)]
    assert (await send(workspace, content, 4)).offset == 10
    dataset = await parts.finish(workspace, TOKEN, files=1, sha256={"rows.txt": hashlib.sha256(content).hexdigest()})
    assert Path(dataset.path).read_bytes() == content
    assert (dataset.name, dataset.bytes, dataset.files) == ("rows.txt", 10, 1)
    assert [entry.name for entry in Path(dataset.path).parent.iterdir()] == ["rows.txt"]
    assert dataset_in(Path(dataset.path).parent) == dataset
    assert drafts(workspace) == []


async def test_an_answer_that_was_lost_is_given_again(workspace: Workspace) -> None:
    await send(workspace, b"all of it")
    assert await parts.finish(workspace, TOKEN) == await parts.finish(workspace, TOKEN)
    with pytest.raises(UnknownUploadError):
        await parts.finish(workspace, OTHER)


@pytest.mark.parametrize("start", [3, 5, 9])
async def test_a_part_must_go_on_where_the_upload_stands(workspace: Workspace, start: int) -> None:
    content = b"0123456789"
    await send(workspace, content, 0, 4)
    with pytest.raises(UploadConflictError, match=rf"4 bytes of rows\.txt are here.*at byte {start}"):
        await send(workspace, content, start)
    assert await offset(workspace) == 4


async def test_what_came_before_a_connection_broke_is_kept(workspace: Workspace) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"0123"
        raise ConnectionResetError

    with pytest.raises(Exception, match="could not be stored"):
        await parts.write_part(workspace, TOKEN, "rows.txt", ContentRange(0, 9, 10), broken())
    assert await offset(workspace) == 4
    await send(workspace, b"0123456789", 4)
    assert Path((await parts.finish(workspace, TOKEN)).path).read_bytes() == b"0123456789"


async def test_what_was_not_yet_safe_when_the_server_ended_is_sent_again(workspace: Workspace) -> None:
    await send(workspace, b"0123456789", 0, 4)
    [folder] = drafts(workspace)
    with (folder / "rows.txt").open("ab") as file:
        file.write(b"XX")
    assert await offset(workspace) == 4
    await send(workspace, b"0123456789", 4)
    assert Path((await parts.finish(workspace, TOKEN)).path).read_bytes() == b"0123456789"


@pytest.mark.parametrize("note", [b"", b"\0\0\0", b'{"path": "ro'])
async def test_a_note_that_a_power_cut_tore_costs_the_file_only(workspace: Workspace, note: bytes) -> None:
    await send(workspace, b"0123456789", 0, 4)
    [folder] = drafts(workspace)
    for file in (folder / ".upload").glob("*.json"):
        file.write_bytes(note)
    assert (await parts.state(workspace, TOKEN)).files == []
    with pytest.raises(UploadConflictError, match="0 of the 1 files"):
        await parts.finish(workspace, TOKEN)
    await send(workspace, b"0123456789")
    assert Path((await parts.finish(workspace, TOKEN)).path).read_bytes() == b"0123456789"


async def test_a_silent_sender_lets_go_of_the_upload(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent() -> AsyncIterator[bytes]:
        yield b"0123"
        await asyncio.Event().wait()

    monkeypatch.setattr(parts, "STALL_S", 0.01)
    with pytest.raises(UploadConflictError, match="broke off after 4 of its 10 bytes"):
        await parts.write_part(workspace, TOKEN, "rows.txt", ContentRange(0, 9, 10), silent())
    assert await offset(workspace) == 4


async def test_two_tabs_cannot_write_one_upload_at_once(workspace: Workspace) -> None:
    begun, may_go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"01234"
        begun.set()
        await may_go_on.wait()
        yield b"56789"

    first = asyncio.create_task(parts.write_part(workspace, TOKEN, "rows.txt", ContentRange(0, 9, 10), slow()))
    await begun.wait()
    with pytest.raises(UploadConflictError, match="Another request"):
        await send(workspace, b"XXXXXXXXXX")
    with pytest.raises(UploadConflictError, match="Another request"):
        await parts.finish(workspace, TOKEN)
    await send(workspace, b"another upload", token=OTHER)
    may_go_on.set()
    assert (await first).offset == 10
    assert Path((await parts.finish(workspace, TOKEN)).path).read_bytes() == b"0123456789"


async def test_a_request_that_is_given_up_lets_go_of_the_upload(workspace: Workspace) -> None:
    begun = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"01234"
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(parts.write_part(workspace, TOKEN, "rows.txt", ContentRange(0, 9, 10), slow()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await offset(workspace) == 5
    await send(workspace, b"0123456789", 5)


async def test_a_block_that_is_being_written_is_neither_torn_nor_written_twice(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_go_on, write = threading.Event(), threading.Event(), parts._Writer.write

    def slow(writer: parts._Writer, block: bytes) -> None:
        if block:
            begun.set()
            assert may_go_on.wait(30)
        write(writer, block)

    monkeypatch.setattr(parts, "BUFFER_BYTES", 4)
    monkeypatch.setattr(parts._Writer, "write", slow)
    task = asyncio.create_task(send(workspace, b"0123456789", end=5))
    await asyncio.to_thread(begun.wait, 30)
    task.cancel()
    await asyncio.sleep(0)
    may_go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await offset(workspace) == 5
    await send(workspace, b"0123456789", 5)
    assert Path((await parts.finish(workspace, TOKEN)).path).read_bytes() == b"0123456789"


async def test_nothing_is_finished_before_all_bytes_are_there(workspace: Workspace) -> None:
    await send(workspace, b"0123456789", 0, 9)
    with pytest.raises(UploadConflictError, match=r"Only 9 of the 10 bytes of rows\.txt"):
        await parts.finish(workspace, TOKEN)
    await send(workspace, b"0123456789", 9)
    with pytest.raises(UploadConflictError, match="1 of the 2 files"):
        await parts.finish(workspace, TOKEN, files=2)
    with pytest.raises(UploadConflictError, match=r"no file other\.txt"):
        await parts.finish(workspace, TOKEN, sha256={"other.txt": "00"})
    assert [entry.name[:8] for entry in workspace.datasets.iterdir()] == [".upload-"]


async def test_what_was_damaged_on_its_way_is_sent_again(workspace: Workspace) -> None:
    await send(workspace, b"0123456789")
    right = hashlib.sha256(b"9876543210").hexdigest()
    with pytest.raises(DataError, match="damaged on its way"):
        await parts.finish(workspace, TOKEN, sha256={"rows.txt": right})
    assert await offset(workspace) == 0
    await send(workspace, b"9876543210")
    dataset = await parts.finish(workspace, TOKEN, sha256={"rows.txt": right.upper()})
    assert Path(dataset.path).read_bytes() == b"9876543210"


async def test_a_file_that_changed_is_a_new_upload(workspace: Workspace) -> None:
    await send(workspace, b"0123456789", 0, 4)
    with pytest.raises(UploadConflictError, match="announced with 10 bytes before, and with 12 bytes now"):
        await send(workspace, b"0123456789AB", 4)


async def test_a_part_that_is_longer_than_its_range_is_not_kept(workspace: Workspace) -> None:
    await send(workspace, b"0123456789", 0, 4)
    with pytest.raises(DataError, match="more than the 2 bytes of its range"):
        await parts.write_part(workspace, TOKEN, "rows.txt", ContentRange(4, 5, 10), chunks(b"4", b"56"))
    assert await offset(workspace) == 4
    await send(workspace, b"0123456789", 4)
    assert Path((await parts.finish(workspace, TOKEN)).path).read_bytes() == b"0123456789"


async def test_a_long_part_is_noted_on_its_way(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server may be killed in the middle of a part that is gigabytes long."""
    monkeypatch.setattr(parts, "BUFFER_BYTES", 10)
    monkeypatch.setattr(parts, "KEPT_BYTES", 20)
    noted: list[int] = []

    async def watched() -> AsyncIterator[bytes]:
        for _n in range(6):
            yield b"0123456789"
            noted.append(await offset(workspace))

    await parts.write_part(workspace, TOKEN, "rows.txt", ContentRange(0, 59, 60), watched())
    assert noted == [0, 20, 20, 40, 40, 60]


async def test_parts_keep_to_the_bounds(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_BYTES", 15)
    with pytest.raises(TooLargeError):
        await send(workspace, b"0" * 16, 0, 1)
    await send(workspace, b"0" * 10, path="d/a.txt")
    with pytest.raises(TooLargeError):
        await send(workspace, b"0" * 6, path="d/b.txt")
    disk(monkeypatch, room.RESERVE_BYTES + 4)
    with pytest.raises(DiskFullError, match="does not fit"):
        await send(workspace, b"0" * 5, 0, 1, path="d/c.txt")
    assert (await send(workspace, b"0" * 4, path="d/e.txt")).offset == 4


async def test_a_disk_that_fills_up_under_a_part_costs_the_rest_only(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "BUFFER_BYTES", 5)
    disk(monkeypatch, room.RESERVE_BYTES + 1000)

    async def meanwhile() -> AsyncIterator[bytes]:
        yield b"01234"
        disk(monkeypatch, room.RESERVE_BYTES + 4)
        yield b"56789"

    with pytest.raises(DiskFullError, match="does not fit"):
        await parts.write_part(workspace, TOKEN, "rows.txt", ContentRange(0, 9, 10), meanwhile())
    assert await offset(workspace) == 5
    disk(monkeypatch, room.RESERVE_BYTES + 1000)
    await send(workspace, b"0123456789", 5)


async def test_cancelling_removes_what_arrived(workspace: Workspace) -> None:
    await send(workspace, b"0123456789", 0, 4)
    await parts.cancel(workspace, TOKEN)
    assert list(workspace.datasets.iterdir()) == []
    await parts.cancel(workspace, TOKEN)
    with pytest.raises(UnknownUploadError):
        await parts.state(workspace, TOKEN)


@pytest.mark.parametrize("token", ["", "short", "a" * 21, "a" * 129, "../" * 10, "a" * 30 + "\n", "ä" * 30])
async def test_a_token_that_could_be_guessed_or_is_none_is_refused(workspace: Workspace, token: str) -> None:
    with pytest.raises(DataError, match="22 to 128"):
        await send(workspace, b"x", token=token)
    assert list(workspace.datasets.iterdir()) == []


async def test_the_token_is_not_on_the_disk(workspace: Workspace) -> None:
    await send(workspace, b"0123456789", 0, 4)
    [folder] = drafts(workspace)
    assert not any(
        TOKEN in str(path) or (path.is_file() and TOKEN.encode() in path.read_bytes()) for path in folder.rglob("*")
    )


@pytest.mark.parametrize("header", ["bytes 0-99/200", " bytes 0-99/200 "])
def test_ranges_are_read(header: str) -> None:
    assert ContentRange.parse(header) == (0, 99, 200)
    assert ContentRange.parse(header).length == 100


@pytest.mark.parametrize(
    "header",
    ["", "bytes", "0-9/10", "bytes 0-10/10", "bytes 5-4/10", "bytes 0-9/*", "bytes -1-9/10", "bytes 0-9/" + "9" * 16],
)
def test_ranges_that_are_none_are_refused(header: str) -> None:
    with pytest.raises(DataError, match=r"range of bytes"):
        ContentRange.parse(header)


async def test_uploads_that_somebody_goes_on_with_are_not_abandoned(workspace: Workspace) -> None:
    await send(workspace, b"0123456789", 0, 4)
    [folder] = drafts(workspace)
    long_ago = time.time() - 2 * draft.ABANDONED_S
    os.utime(folder, (long_ago, long_ago))
    remove_abandoned(workspace)
    assert drafts(workspace) == [folder]
    os.utime(folder / ".upload", (long_ago, long_ago))
    remove_abandoned(workspace)
    assert drafts(workspace) == []


async def test_a_clock_that_is_put_forward_takes_no_upload_that_arrives_now(workspace: Workspace) -> None:
    await send(workspace, b"0123456789", 0, 4)
    [folder] = drafts(workspace)

    async def meanwhile() -> AsyncIterator[bytes]:
        yield b"45"
        long_ago = time.time() - 2 * draft.ABANDONED_S
        for path in (folder, folder / ".upload"):
            os.utime(path, (long_ago, long_ago))
        await asyncio.to_thread(remove_abandoned, workspace)
        yield b"6789"

    await parts.write_part(workspace, TOKEN, "rows.txt", ContentRange(4, 9, 10), meanwhile())
    dataset = await parts.finish(workspace, TOKEN)
    assert Path(dataset.path).read_bytes() == b"0123456789"


async def test_nor_one_that_comes_at_once(workspace: Workspace) -> None:
    async def meanwhile() -> AsyncIterator[bytes]:
        yield b"0123"
        [folder] = drafts(workspace)
        long_ago = time.time() - 2 * draft.ABANDONED_S
        for path in (folder, folder / ".upload"):
            os.utime(path, (long_ago, long_ago))
        await asyncio.to_thread(remove_abandoned, workspace)
        yield b"456789"

    dataset = await receive(workspace, "rows.txt", meanwhile())
    assert Path(dataset.path).read_bytes() == b"0123456789"
    assert [entry.name for entry in Path(dataset.path).parent.iterdir()] == ["rows.txt"]


# ---- folders ----


async def test_a_folder_becomes_one_dataset(workspace: Workspace) -> None:
    for path, content in (("mine/a.jsonl", b"{}\n"), ("mine/deep/er/b.csv", b"a,b\n"), ("mine/deep/c.txt", b"c")):
        await send(workspace, content, path=path)
    dataset = await parts.finish(workspace, TOKEN, files=3)
    folder = Path(dataset.path)
    assert (dataset.name, dataset.bytes, dataset.files, folder.is_dir()) == ("mine", 8, 3, True)
    assert folder.parent == workspace.datasets / dataset.id
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == [
        "a.jsonl",
        "deep/c.txt",
        "deep/er/b.csv",
    ]
    assert dataset_in(folder.parent) == dataset


@pytest.mark.parametrize(
    "path",
    [
        "../rows.txt",
        "a/../../rows.txt",
        "/etc/rows.txt",
        "a//rows.txt",
        "a/./rows.txt",
        ".git/rows.txt",
        "a/.rows.txt",
        "C:/../rows.txt",
        "a\\..\\rows.txt",
        "a/ /rows.txt",
        "a/rows.exe",
        "a/" * (MAX_DEPTH + 1) + "rows.txt",
    ],
)
async def test_a_path_that_leads_elsewhere_is_refused(workspace: Workspace, path: str) -> None:
    with pytest.raises(DataError):
        await send(workspace, b"x", path=path)
    assert not any(entry.suffix == ".txt" for entry in workspace.home.rglob("*"))


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(ENDINGS))
def test_no_path_leaves_its_folder(folder: str, name: str, ending: str) -> None:
    try:
        path = clean_path(f"{folder}/{name}{ending}")
    except DataError:
        return
    assert not path.is_absolute()
    assert not any(part.startswith(".") for part in path.parts)
    str(path).encode()


async def test_files_that_would_be_stored_as_one_are_told_apart(workspace: Workspace) -> None:
    await send(workspace, b"1", path="d/a:b.txt")
    with pytest.raises(DataError, match=r"both be stored as d/a_b\.txt"):
        await send(workspace, b"2", path="d/a_b.txt")
    await send(workspace, b"3", path="d/e.txt")
    with pytest.raises(DataError, match="a folder that is a file"):
        await send(workspace, b"4", path="d/e.txt/f.txt")
    with pytest.raises(DataError, match="outside the folder d"):
        await send(workspace, b"5", path="other.txt")


async def test_a_folder_of_too_many_files_is_refused(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft, "MAX_FILES", 2)
    for name in ("a", "b"):
        await send(workspace, b"x", path=f"d/{name}.txt")
    with pytest.raises(TooLargeError, match="more than 2 files"):
        await send(workspace, b"x", path="d/c.txt")


# ---- text ----


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ('{"a": 1}\n{"a": 2}\n', ".jsonl"),
        ('\ufeff {"a": 1}', ".jsonl"),
        ('{"a": "' + "x" * 70_000 + '"}', ".jsonl"),
        ('{\n  "a": 1\n}', ".json"),
        (' [{"a": 1}]', ".json"),
        ("question,answer\nWhy?,Because\n", ".csv"),
        ('question;answer\n"Why;\nthen?";Because\n', ".csv"),
        ("question\tanswer\nWhy?\tBecause\n", ".tsv"),
        ("q,a\n" + "Why?,Because\n" * 20_000, ".csv"),
        ("Hello, world.\nThis is a text, and, it goes on.\n", ".txt"),
        ("one line, only", ".txt"),
        ("# Title\n\nSome words.\n", ".txt"),
        ("a,a\n1,2\n", ".txt"),
        ('"open, and never\nclosed, it', ".txt"),
    ],
)
async def test_a_look_at_a_text_tells_its_kind(workspace: Workspace, text: str, ending: str) -> None:
    assert whole.kind_of(text) == ending
    dataset = await receive_text(workspace, text)
    assert dataset.name == f"pasted{ending}"
    assert Path(dataset.path).read_text(encoding="utf-8") == text


async def test_a_text_keeps_the_name_it_was_given(workspace: Workspace) -> None:
    assert (await receive_text(workspace, "{}", "mine.txt")).name == "mine.txt"
    assert (await receive_text(workspace, "{}", "mine")).name == "mine.jsonl"


async def test_a_text_that_is_none_or_too_long_is_refused(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match="The text is empty"):
        await receive_text(workspace, " \n ")
    monkeypatch.setattr(whole, "MAX_TEXT_BYTES", 3)
    with pytest.raises(TooLargeError):
        await receive_text(workspace, "äö")
    assert list(workspace.datasets.iterdir()) == []
