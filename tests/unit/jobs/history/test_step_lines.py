"""What is read by the thousand is what `parse_event` makes of each line, whatever somebody wrote into the file."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from qlora_ui.contract import events
from qlora_ui.jobs.history import history_reader
from qlora_ui.jobs.history.history import History
from qlora_ui.jobs.history.history_reader import HistoryReader
from qlora_ui.jobs.history.step_lines import StepLines, stretches
from tests.unit.jobs.history.test_history_reader import content

SEQS = ["1", "7", "123456789012345", "0", "-3", "007", '"8"', "9.0", "99999999999999999999"]
STEPS = ["1", "2", "3", "40", "0", "-5", "03", "2.5", "1e3", '"4"', "9007199254740993", "99999999999999999999"]
DAYS = ["2026-11-23", "2028-02-29", "2026-12-31", "2026-02-30", "2026-04-31", "2026-13-01", "0000-01-01", "1969-01-01"]
CLOCKS = ["09:31:04.120000", "23:59:59", "24:00:00", "09:61:04", "09:31:04.1234567", "9:31:04"]
ZONES = ["Z", "Z", "Z", "+01:00", ""]
NUMBERS = [
    "1.5",
    "2",
    "0.25",
    "-1",
    "1e-05",
    "1e99",
    "1e999",
    "05",
    "true",
    "null",
    '"NaN"',
    '"2.5"',
    "[1]",
    "{}",
    "1" * 25,
]
NAMES = ["loss", "loss", "eval_loss", "learning_rate", "memory", "a}b", 'a\\"b', "a\\u007db", "ü"]


@st.composite
def metrics(draw: st.DrawFn) -> str:
    names = draw(st.lists(st.sampled_from(NAMES), max_size=3))
    values = ",".join(f'"{name}":{draw(st.sampled_from(NUMBERS))}' for name in names)
    return f'"metric","step":{draw(st.sampled_from(STEPS))},"values":{{{values}}}'


@st.composite
def progress(draw: st.DrawFn) -> str:
    step, total = draw(st.sampled_from(STEPS)), draw(st.sampled_from(STEPS))
    more = draw(st.sampled_from(["", f',"epoch":{draw(st.sampled_from(NUMBERS))}']))
    return f'"progress","step":{step},"total_steps":{total}{more}'


OTHERS = st.sampled_from(
    ['"resumed","step":2', '"log","message":"\\"type\\":\\"metric\\""', '"facts","values":{"type":"metric"}', '"odd"']
)


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """Something like an event, often a good one, now and then with a piece out of it or too much in it."""
    seq = draw(st.sampled_from(SEQS[:3] * 3 + SEQS))
    day = draw(st.sampled_from(DAYS[:3] * 4 + DAYS))
    clock = draw(st.sampled_from(CLOCKS[:2] * 4 + CLOCKS))
    rest = draw(st.one_of(metrics(), metrics(), progress(), OTHERS))
    line = f'{{"seq":{seq},"time":"{day}T{clock}{draw(st.sampled_from(ZONES))}","type":{rest}}}'
    line = draw(
        st.sampled_from([line] * 12 + [line[:-1], line + " ", " " + line, line + ',"x":1}', line[20:], "", "  "])
    )
    place = draw(st.integers(0, len(line)))
    return draw(st.sampled_from([line] * 8 + [line[:place] + "\n" + line[place:]])).encode()


def one_by_one(told: bytes) -> tuple[History, int]:
    """The reference, with the number of lines that cannot be read."""
    history, unreadable = History(), 0
    for line in told.split(b"\n"):
        try:
            if line.startswith(b"{"):
                history.apply(events.parse_event(line))
            else:
                unreadable += bool(line.strip())
        except ValidationError:
            unreadable += 1
    return history, unreadable


@settings(max_examples=200, deadline=None)
@given(st.lists(lines(), max_size=12))
@example([b'{"seq":1,"time":"2026-11-23T09:31:04Z","type":"metric","step":1,"values":{"loss":1,\n"eval_loss":2}}'] * 2)
def test_by_the_thousand_or_one_by_one(told: list[bytes]) -> None:
    block = b"".join(line + b"\n" for line in told)
    reader = HistoryReader()
    reader.read(block)
    history, unreadable = one_by_one(block)
    assert content(reader.finish()) == content(history)
    assert reader.unreadable_lines == unreadable or b'"type"' not in block


def test_what_a_worker_writes_is_read_by_the_thousand(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    for step in range(1, 1001):
        told.append(
            events.Progress(seq=2 * step, step=step, total_steps=1000, epoch=step / 7e6, seconds_left=1e-9 * step)
        )
        told.append(events.Metric(seq=2 * step + 1, step=step, values={"loss": 1 / step, "learning_rate": 1e-9 * step}))
    block = b"".join(map(events.dump_event, told))
    assert [type(part) for part in stretches(block)] == [StepLines]
    parsed: list[bytes] = []
    parse = events.parse_event

    def note(line: bytes) -> events.Event:
        parsed.append(line)
        return parse(line)

    monkeypatch.setattr(history_reader, "parse_event", note)
    reader = HistoryReader()
    reader.read(block)
    assert len(parsed) == 2, "only the newest metric and the newest progress"
    assert content(reader.finish()) == content(one_by_one(block)[0])


@pytest.mark.parametrize(
    "day", [date(2026, month, day) for month in (1, 2, 12) for day in (1, 28)] + [date(2027, 1, 31)]
)
def test_every_day_is_read_by_the_thousand(day: date) -> None:
    line = {"seq": 5, "time": f"{day}T00:00:00Z", "type": "metric", "step": 1, "values": {"loss": 0.5}}
    (found,) = stretches(json.dumps(line, separators=(",", ":")).encode() + b"\n")
    assert isinstance(found, StepLines)


def test_garbage_costs_no_object_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_reader, "stretches", None)
    reader = HistoryReader()
    reader.read(b"{garbage}\n\n" * 1000)
    reader.read(b"\n \n" * 1000)
    assert reader.unreadable_lines == 1000
