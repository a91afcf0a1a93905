"""Run folders that no honest worker writes: they are shown as far as they make sense, and fill no memory."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from qlora_ui.contract.events import Alert, Log, Metric, Phase, Progress, Sample, dump_event, parse_event
from qlora_ui.contract.log_lines import SHOWN_CHARACTERS, LogEntry, dump_entry
from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.records import ExitRecord, JobStatus
from qlora_ui.jobs.history import event_file
from qlora_ui.jobs.history.curves import FIGURES_KEPT, Curves
from qlora_ui.jobs.history.event_file import EventTail
from qlora_ui.jobs.history.history import ALERTS_KEPT, PHASES_KEPT, History
from qlora_ui.jobs.history.history_reader import HistoryReader
from qlora_ui.jobs.logs import log_file
from qlora_ui.jobs.logs.log_file import LogFile


@pytest.mark.parametrize("time", ["2026-11-23T18:00:00", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_that_cannot_be_compared_or_shown_is_damage(time: str) -> None:
    with pytest.raises(ValidationError):
        parse_event(f'{{"type":"log","time":"{time}","message":"x"}}')
    with pytest.raises(ValidationError):
        ExitRecord.model_validate({"status": JobStatus.COMPLETED, "attempt": 1, "time": time})


@pytest.mark.parametrize("seconds", [float("inf"), float("nan"), -1.0, 1e300])
def test_an_estimate_that_nobody_can_use_is_none(seconds: float) -> None:
    assert Progress(step=1, total_steps=2, seconds_left=seconds).seconds_left is None


@pytest.mark.parametrize("step", [-1, 10**30])
def test_progress_is_counted(step: int) -> None:
    with pytest.raises(ValidationError):
        Progress(step=step, total_steps=10)


def test_a_metric_with_a_bad_time_among_others_breaks_nothing() -> None:
    lines = [dump_event(Metric(seq=step, step=step, values={"loss": 1.0})).strip() for step in range(1, 4)]
    lines.insert(1, b'{"seq":2,"time":"yesterday","type":"metric","step":1,"values":{"loss":2.0}}')
    reader = HistoryReader()
    reader.read(b"\n".join(lines))
    history = reader.finish()
    assert history.curves.count("loss") == 3
    assert len(history.logs) == 3


def test_a_line_without_end_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_file, "LONGEST_LINE_BYTES", 1 << 10)
    file = tmp_path / "events.jsonl"
    first, last = dump_event(Log(seq=1, message="before")), dump_event(Log(seq=2, message="after"))
    file.write_bytes(first + b"x" * 5_000)
    tail = EventTail(file)
    assert [event.seq for event in tail.read(256)] == [1]
    assert tail.read(256) == []
    assert tail.offset > len(first) + 4_000, "the garbage is not read again and again"
    with file.open("ab") as more:
        more.write(b"x" * 3_000 + b"\n" + last)
    assert [event.seq for event in tail.read(256)] == [2]
    assert tail.unreadable_lines == 1


def test_a_log_of_garbage_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "BLOCK_BYTES", 1 << 10)
    monkeypatch.setattr(log_file, "LONGEST_ENTRY_BYTES", 4 << 10)
    paths = RunPaths(tmp_path)
    entry = dump_entry(LogEntry(datetime(2026, 11, 23, 9, tzinfo=UTC), "info", "after it"))
    paths.log.write_bytes(b"\0" * 50_000 + b"\n" + entry)
    log = LogFile(paths)
    assert [found.message for _, found in log.tail(10).entries] == ["after it"]
    assert [found.message for _, found in log.following(0, 10)] == ["after it"]
    assert [found.message for _, found in log.search("after").entries] == ["after it"]


def test_endless_texts_are_shown_in_part() -> None:
    history, text = History(), "x" * (SHOWN_CHARACTERS + 1)
    entry = history.apply(Log(message=text))
    history.apply(Sample(step=1, prompt=text, answer=text))
    assert entry is not None
    for shown in (entry.message, history.logs[-1].message, history.samples[0].prompt, history.samples[0].answer):
        assert shown == "x" * SHOWN_CHARACTERS + " …"


def test_what_is_said_without_end_is_kept_in_part() -> None:
    history = History()
    for number in range(PHASES_KEPT + 10):
        history.apply(Alert(message=f"Alert {number}"))
        history.apply(Phase(name="training", message="It trains."))
    assert len(history.alerts) == ALERTS_KEPT
    assert history.alerts[-1].message == f"Alert {history.alerts_told - 1}"
    assert len(history.phases) == PHASES_KEPT


def test_made_up_figures_fill_no_memory() -> None:
    curves = Curves()
    for number in range(FIGURES_KEPT):
        curves.add(f"figure {number}", 1, 1.0)
    curves.add("one more", 1, 1.0)
    curves.extend([2, 3], {"another": [1.0, 1.0], "figure 0": [1.0, 1.0]})
    assert len(curves.names) == FIGURES_KEPT
    assert curves.count("figure 0") == 3
