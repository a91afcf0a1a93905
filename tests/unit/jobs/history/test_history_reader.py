"""A history that is read at once, from its events or from the cache, is the one that was told event by event."""

from __future__ import annotations

import math
import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from qlora_ui.contract import events
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.jobs.history import history_cache
from qlora_ui.jobs.history.history import History
from qlora_ui.jobs.history.history_cache import forget_history, is_ready, read_history
from qlora_ui.jobs.history.history_reader import HistoryReader

START = datetime(2026, 11, 23, 9, 31, 4, 120_000, tzinfo=UTC)
TORN = (
    b'{"seq":9,"time":"2026-11-23T09:31:04Z","type":"metr',
    b"\0" * 40,
    b'{"type":"of the future","seq":9}',
    b"}",
    b"x",
)


@pytest.fixture
def paths(tmp_path: Path) -> RunPaths:
    paths = Workspace(tmp_path / "home").run("a-run")
    paths.folder.mkdir(parents=True)
    return paths


def story(seed: int, length: int = 300) -> list[events.Event]:
    """Anything that a worker may say, in an order that a worker may say it in or not."""
    chance = random.Random(seed)
    told: list[events.Event] = []
    for seq in range(1, length + 1):
        step = max(0, seq // 3 + chance.choice((0, 0, 0, 0, -3)))
        value = chance.choice((chance.gauss(1, 1), chance.gauss(1, 1), math.nan, math.inf, 2))
        event: Any = chance.choices(
            [
                events.Metric(step=step, values={"loss": value, "grad_norm": chance.random()}),
                events.Metric(step=step, values={"eval_loss": value}),
                events.Metric(step=step, values={}),
                events.Progress(step=step, total_steps=200, epoch=step / 10, seconds_left=chance.random()),
                events.Started(process=ProcessIdentity(pid=seq, started="x"), attempt=seq),
                events.Resumed(step=step // 2),
                events.Phase(name="training", message=f"It trains {seq}."),
                events.Facts(values={"rows": seq, "odd": {"type": "progress"}}),
                events.Log(level="warning", message='a text with "type":"metric" in it\nand more'),
                events.Sample(step=step, prompt="p", answer=f"{seq}"),
                events.Alert(code="spike", message="A spike.", step=step),
                events.CheckpointSaved(step=step, folder=f"checkpoint-{step}", bytes=9, metrics={"eval_loss": value}),
            ],
            [30, 3, 1, 30, 1, 1, 1, 1, 2, 1, 1, 1],
        )[0]
        told.append(event.model_copy(update={"seq": seq, "time": START + timedelta(seconds=seq)}))
    return told


def lines_of(told: list[events.Event]) -> bytes:
    return b"".join(map(events.dump_event, told))


def one_by_one(told: bytes) -> History:
    history = History()
    for line in told.splitlines():
        history.apply(events.parse_event(line))
    return history


def content(history: History) -> dict[str, Any]:
    """Everything in it, in a form that can be compared, in which what is no number equals itself."""
    kept = {name: repr(getattr(history, name)) for name in History.__dataclass_fields__ if name != "curves"}
    return kept | {f"curve {name}": points for name in history.curves.names if (points := history.curves.points(name))}


@pytest.mark.parametrize("seed", range(25))
def test_read_at_once_or_told_one_by_one(seed: int) -> None:
    told = lines_of(story(seed))
    lines, chance = told.splitlines(keepends=True), random.Random(seed)
    reader = HistoryReader()
    while lines:
        size = chance.choice((1, 2, 17, 300))
        reader.read(b"".join(lines[:size]))
        del lines[:size]
    assert content(reader.finish()) == content(one_by_one(told))


@pytest.mark.parametrize("seed", range(10))
def test_lines_that_cannot_be_read_are_counted_and_passed_over(seed: int) -> None:
    told, chance = lines_of(story(seed)).splitlines(), random.Random(seed)
    mixed = list(told)
    for torn in TORN:
        mixed.insert(chance.randrange(len(mixed)), torn)
    reader = HistoryReader()
    reader.read(b"\n".join([*mixed, b"", b"  ", b""]))
    assert content(reader.finish()) == content(one_by_one(b"\n".join(told)))
    assert reader.unreadable_lines == len(TORN)


def test_only_the_newest_lines_of_a_long_log_are_kept() -> None:
    told = lines_of([events.Metric(seq=n, step=n, values={"loss": 0.5}) for n in range(1, 3001)])
    reader = HistoryReader()
    reader.read(told)
    history = reader.finish()
    assert content(history) == content(one_by_one(told))
    assert history.logs[0].message == "step 2801  loss 0.5000"


@pytest.fixture
def keeps_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_cache, "WORTH_KEEPING_BYTES", 1)


def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Notes how many bytes of events are read."""
    found: list[int] = []
    read = HistoryReader.read

    def note(self: HistoryReader, block: bytes) -> None:
        found.append(len(block))
        read(self, block)

    monkeypatch.setattr(HistoryReader, "read", note)
    return found


@pytest.mark.usefixtures("keeps_all")
@pytest.mark.parametrize("seed", range(6))
def test_what_was_kept_is_what_was_read(paths: RunPaths, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    told = lines_of(story(seed)) + b"torn\n"
    paths.events.write_bytes(told)
    first = read_history(paths)
    read = reads(monkeypatch)
    again = read_history(paths)
    assert read == [], "nothing is read anew"
    assert content(again.history) == content(first.history)
    assert (again.unreadable_lines, again.tail.offset) == (first.unreadable_lines, len(told)) == (1, len(told))


@pytest.mark.usefixtures("keeps_all")
def test_only_what_came_since_is_read_anew(paths: RunPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = lines_of(story(3)).splitlines(keepends=True)
    half, rest = b"".join(lines[:150]), b"".join(lines[150:])
    paths.events.write_bytes(half + rest[:10])
    read_history(paths)
    paths.events.write_bytes(half + rest)
    read = reads(monkeypatch)
    assert content(read_history(paths).history) == content(one_by_one(half + rest))
    assert read == [len(rest)]


def damage(paths: RunPaths, kept: Path) -> None:
    data = bytearray(kept.read_bytes())
    data[-3] ^= 1
    kept.write_bytes(data)


def cut(paths: RunPaths, kept: Path) -> None:
    kept.write_bytes(kept.read_bytes()[:-16])


def empty(paths: RunPaths, kept: Path) -> None:
    kept.write_bytes(b"")


def future(paths: RunPaths, kept: Path) -> None:
    kept.write_bytes(kept.read_bytes().replace(b'"format":"1', b'"format":"9', 1))


def other_events(paths: RunPaths, kept: Path) -> None:
    paths.events.write_bytes(lines_of(story(5)))


def touched(paths: RunPaths, kept: Path) -> None:
    os.utime(paths.events, (0, 0))


def shorter(paths: RunPaths, kept: Path) -> None:
    paths.events.write_bytes(lines_of(story(4)[:200]))


@pytest.mark.usefixtures("keeps_all")
@pytest.mark.parametrize("happen", [damage, cut, empty, future, other_events, touched, shorter])
def test_what_was_kept_counts_only_when_whole_and_of_these_events(
    paths: RunPaths, happen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths.events.write_bytes(lines_of(story(4)))
    read_history(paths)
    happen(paths, Workspace(paths.folder.parents[1]).kept_history(paths.id))
    read = reads(monkeypatch)
    assert content(read_history(paths).history) == content(one_by_one(paths.events.read_bytes()))
    assert sum(read) == paths.events.stat().st_size, "all is read anew"


@pytest.mark.usefixtures("keeps_all")
def test_a_cache_that_cannot_be_written_stops_nobody(paths: RunPaths) -> None:
    workspace = Workspace(paths.folder.parents[1])
    workspace.cache.write_bytes(b"a file where the folder should be")
    paths.events.write_bytes(lines_of(story(1)))
    assert content(read_history(paths).history) == content(one_by_one(paths.events.read_bytes()))
    assert not is_ready(paths)


def test_short_events_are_kept_nowhere(paths: RunPaths) -> None:
    paths.events.write_bytes(lines_of(story(1)))
    read_history(paths)
    assert not Workspace(paths.folder.parents[1]).cache.exists()
    assert is_ready(paths), "they are read at once"


@pytest.mark.usefixtures("keeps_all")
def test_it_is_known_what_opens_at_once(paths: RunPaths) -> None:
    assert is_ready(paths), "it said nothing yet"
    paths.events.write_bytes(lines_of(story(1)))
    assert not is_ready(paths)
    read_history(paths)
    assert is_ready(paths)
    later = paths.events.stat().st_mtime + 60
    os.utime(paths.events, (later, later))
    assert not is_ready(paths)
    forget_history(paths)
    assert not Workspace(paths.folder.parents[1]).kept_history(paths.id).exists()
