from __future__ import annotations

from datetime import UTC, datetime, timedelta

from qlora_ui.pages.runs.job.phases import Stretch, stretches

START = datetime(2026, 11, 23, 9, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_time_is_added_up_by_kind_and_pauses_do_not_count() -> None:
    phases = [
        ("loading", at(0)),
        ("training", at(5)),
        ("evaluating", at(25)),
        ("training", at(30)),
        ("", at(50)),
        ("loading", at(500)),
        ("training", at(503)),
    ]
    assert stretches(phases, at(510)) == [
        Stretch("loading", 8.0),
        Stretch("training", 47.0, is_now=True),
        Stretch("evaluating", 5.0),
    ]


def test_what_has_ended_is_not_going_on() -> None:
    assert stretches([("training", at(0)), ("", at(9))], None) == [Stretch("training", 9.0)]
    assert stretches([], at(3)) == []


def test_a_clock_that_was_set_back_makes_nothing_negative() -> None:
    assert stretches([("data", at(100)), ("training", at(40)), ("", at(50))], None) == [
        Stretch("data", 0.0),
        Stretch("training", 10.0),
    ]
