"""Of each damaged file: one sentence with its place, and every row that is whole."""

from __future__ import annotations

import os
import socket
import tracemalloc
from pathlib import Path

import pytest

from qlora_ui.contract.errors import DataError
from qlora_ui.data.readers import delimited
from qlora_ui.data.readers.files import open_file
from tests.unit.data.readers.damage import ARCHIVES, DAMAGES, GOOD, Damage
from tests.unit.data.readers.reading import read


@pytest.mark.parametrize("damage", DAMAGES + ARCHIVES, ids=lambda damage: f"{damage.file}: {damage.kind}")
def test_damage_is_named_and_the_rest_is_given(tmp_path: Path, damage: Damage) -> None:
    rows, bad, failure = read(damage.write(tmp_path))
    if damage.bad is None:
        assert failure is not None
        error = failure
    else:
        assert failure is None
        assert len(bad) == damage.bad
        error = bad[-1].error if damage.kind == "5,000 digits" else bad[0].error
    assert damage.problem in error.message
    assert error.place == damage.place
    assert error.message.startswith(f"{damage.place}: ")
    assert error.message.endswith(".")
    assert error.hint
    assert "\n" not in error.message
    assert len(rows) == damage.good


def test_there_are_many_kinds() -> None:
    assert len({(damage.file, damage.kind) for damage in DAMAGES + ARCHIVES}) == len(DAMAGES + ARCHIVES) > 90


def test_a_bad_row_shows_what_stood_there(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(GOOD + b'{"q": "Gr\xf6"}\n' + b"x" * 5000)
    _, bad, _ = read(file)
    assert [row.content for row in bad] == ['{"q": "Gr?"}', "x" * 2000]


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    loop = tmp_path / "loop.jsonl"
    loop.symlink_to(loop)
    folder = tmp_path / "folder.jsonl"
    folder.mkdir()
    device = tmp_path / "device.jsonl"
    device.symlink_to("/dev/zero")
    unix = tmp_path / "socket.jsonl"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(unix))
        for path, problem in (
            (pipe, "this is a pipe, not a file"),
            (loop, "symbolic links"),
            (folder, "this is a folder"),
            (device, "this is a device, not a file"),
            (unix, "this is a socket, not a file"),
            (tmp_path / "none.jsonl", "there is no such file"),
            (tmp_path / ("x" * 300), "File name too long"),
            (tmp_path / "a\0.jsonl", "no name that a file can have"),
        ):
            with pytest.raises(DataError, match=problem) as caught:
                open_file(path)
            assert caught.value.hint


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(GOOD)

    def refuse(*args: object, **kwargs: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(DataError, match="cannot be read: Permission denied") as caught:
        open_file(file)
    assert str(file) in caught.value.place


def test_a_file_that_shrinks_while_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(GOOD * 400_000)
    blocks = open_file(file).blocks()
    next(blocks)
    os.truncate(file, 2 * 1024**2)
    with pytest.raises(DataError, match=r"became shorter while it was read: 2,097,152 of 4,400,000 bytes"):
        list(blocks)


def test_a_file_that_goes_away(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(GOOD)
    opened = open_file(file)
    file.unlink()
    with pytest.raises(DataError, match="there is no such file"):
        list(opened.blocks())
    with pytest.raises(DataError, match="there is no such file"):
        opened.fingerprint()


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".csv", ".txt"])
def test_a_row_without_an_end_does_not_fill_the_memory(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"a{ending}"
    with file.open("wb") as sink:
        sink.write({".json": b'[{"q": "', ".jsonl": b'{"q": "', ".csv": b'q,a\nx,"', ".txt": b""}[ending])
        for _ in range(200):
            sink.write(b"x" * 1024**2)
    tracemalloc.start()
    _, bad, failure = read(file)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    error = bad[0].error if bad else failure
    assert error is not None
    assert "64 MB" in error.message
    assert peak < 400 * 1024**2


def test_lines_behind_an_open_quote_are_given_back_before_they_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "_MOST_LINES", 1000)
    file = tmp_path / "a.csv"
    file.write_bytes(b'q\n"' + b"\n" * 998 + b'fits"\n"' + b"\n" * 1000 + b'too many"\nx\n')
    rows, bad, failure = read(file)
    assert failure is None
    assert [row.values["q"].strip() for row in rows] == ["fits", 'too many"', "x"]
    assert [row.error.message for row in bad] == [
        "a.csv, line 1001, column 1: the quote that is opened here is not closed."
    ]
