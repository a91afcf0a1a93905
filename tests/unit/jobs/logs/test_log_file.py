"""A log as it is read: pages from its end, levels, search; made from the events where the worker wrote none."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qlora_ui.contract import events
from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.log_lines import LEVELS, LogEntry, dump_entry
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.jobs.logs import log_file
from qlora_ui.jobs.logs.log_file import LogFile, LogPage

START = datetime(2026, 11, 23, 9, 31, 4, tzinfo=UTC)
WORDS = ("Loads the model.", "step 3  loss 1.2500", "Die Größe ist ÜBER 3 °C", "第 3 步\n  indented more\nlast", "A\tB")


@pytest.fixture
def paths(tmp_path: Path) -> RunPaths:
    paths = Workspace(tmp_path / "home").run("a-run")
    paths.folder.mkdir(parents=True)
    return paths


def entries(count: int) -> list[LogEntry]:
    chance = random.Random(7)
    return [
        LogEntry(START + timedelta(seconds=n), chance.choice(LEVELS), f"{chance.choice(WORDS)} no {n}")
        for n in range(count)
    ]


def write(paths: RunPaths, told: Sequence[LogEntry]) -> None:
    paths.log.write_bytes(b"".join(dump_entry(entry) for entry in told))


def shown(page: LogPage) -> list[LogEntry]:
    return [entry for _, entry in page.entries]


@pytest.fixture(params=[64, 1000, log_file.BLOCK_BYTES])
def block_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries lie across the ends of blocks, and are longer than one."""
    monkeypatch.setattr(log_file, "BLOCK_BYTES", request.param)


@pytest.mark.usefixtures("block_bytes")
@pytest.mark.parametrize("levels", [LEVELS, ("error",), ("warning", "info"), ()])
def test_pages_back_from_the_end_give_each_entry_once(paths: RunPaths, levels: Collection[str]) -> None:
    told = entries(100)
    write(paths, told)
    log, read, before = LogFile(paths), list[LogEntry](), None
    while True:
        page = log.tail(7, before=before, levels=levels)
        assert len(page.entries) == 7 or page.at_start
        read = shown(page) + read
        if page.at_start:
            break
        before = page.entries[0][0]
    assert read == [entry for entry in told if entry.level in levels]


@pytest.mark.usefixtures("block_bytes")
def test_a_log_can_be_read_onwards_from_any_of_its_entries(paths: RunPaths) -> None:
    told = entries(50)
    write(paths, told)
    log = LogFile(paths)
    place = log.tail(30).entries[0][0]
    assert [entry for _, entry in log.following(place, 8)] == told[20:28]
    assert [entry for _, entry in log.following(place + 1, 100)] == told[21:]
    assert log.following(paths.log.stat().st_size, 8) == []


@pytest.mark.usefixtures("block_bytes")
@pytest.mark.parametrize(
    "text", ["LOADS", "größe", "ÜBER 3 °c", "步", "more", "info", "2026", "no 1", "", "nothing has it"]
)
@pytest.mark.parametrize("levels", [LEVELS, ("error", "info")])
def test_a_search_finds_messages_whatever_their_case(paths: RunPaths, text: str, levels: Collection[str]) -> None:
    told = entries(120)
    write(paths, told)
    wanted = [e for e in told if text.casefold() in e.message.casefold() and e.level in levels]
    log = LogFile(paths)
    page = log.search(text, levels=levels, limit=5)
    assert (shown(page), page.count, page.at_start) == (wanted[-5:], len(wanted), len(wanted) <= 5)
    if wanted:
        older = log.search(text, levels=levels, limit=500, before=page.entries[0][0])
        assert (shown(older), older.count, older.at_start) == (wanted[:-5], len(wanted), True)


def test_a_search_stops_counting_in_time(paths: RunPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "MATCHES_COUNTED", 10)
    monkeypatch.setattr(log_file, "BLOCK_BYTES", 64)
    told = entries(40)
    write(paths, told)
    log = LogFile(paths)
    page = log.search("no", limit=3)
    assert (shown(page), page.count, page.at_start) == (told[-3:], 10, False)
    last = log.search("no", limit=3, before=log.tail(38).entries[0][0])
    assert (shown(last), last.count, last.at_start) == (told[:2], 10, True), "older pages are there all the same"


def test_what_a_crash_tore_is_left_out(paths: RunPaths) -> None:
    told = entries(4)
    lines = [dump_entry(entry) for entry in told]
    paths.log.write_bytes(b"garbage\n" + lines[0] + b"2026-11-23T09:3\n" + lines[1] + lines[2] + bytes(50))
    assert shown(LogFile(paths).tail(10))[:2] == told[:2]
    paths.log.write_bytes(b"garbage")
    assert LogFile(paths).tail(10) == LogPage([], at_start=True)


def test_a_place_from_outside_breaks_nothing(paths: RunPaths) -> None:
    told = entries(10)
    write(paths, told)
    log = LogFile(paths)
    assert log.tail(3, before=-5).entries == []
    assert shown(log.tail(3, before=10**12)) == told[-3:]
    assert [entry for _, entry in log.following(-7, 2)] == told[:2]


def test_a_run_that_said_nothing_has_an_empty_log(paths: RunPaths) -> None:
    log = LogFile(paths)
    assert log.tail(10) == log.search("x") == LogPage([], at_start=True)
    paths.events.write_bytes(b"")
    assert log.tail(10).entries == []


def said(first: int, last: int) -> bytes:
    return b"".join(
        events.dump_event(events.Log(seq=n, time=START, level="warning", message=f"line {n}\nmore"))
        for n in range(first, last + 1)
    )


def test_without_a_log_the_events_tell_and_go_on_telling(paths: RunPaths) -> None:
    paths.events.write_bytes(said(1, 3))
    log = LogFile(paths)
    assert [e.message for e in shown(log.tail(2))] == ["line 2\nmore", "line 3\nmore"]
    with paths.events.open("ab") as file:
        file.write(said(4, 5) + said(6, 6)[:-9])
    assert [e.message for e in shown(log.tail(2))] == ["line 4\nmore", "line 5\nmore"]
    assert log.search("LINE").count == 5
    assert not paths.log.exists(), "a run folder of the past stays as it was"


def test_a_derived_log_that_was_cut_or_belongs_to_other_events_is_made_anew(paths: RunPaths) -> None:
    paths.events.write_bytes(said(1, 3))
    log, derived = LogFile(paths), Workspace(paths.folder.parents[1]).kept_log(paths.id)
    whole = log.tail(10)
    derived.write_bytes(derived.read_bytes()[:20])
    assert log.tail(10) == whole
    derived.unlink()
    assert log.tail(10) == whole
    paths.events.write_bytes(said(7, 9))
    assert [e.message[:6] for e in shown(log.tail(10))] == ["line 7", "line 8", "line 9"]


def test_a_log_that_cannot_be_read_is_said(paths: RunPaths) -> None:
    paths.log.mkdir()
    with pytest.raises(WorkspaceError, match="cannot be read"):
        LogFile(paths).tail(3)
