"""Which runs a view of the list shows, and what of it stands in the address."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from qlora_ui.contract.errors import JobError
from qlora_ui.contract.parameters import PARAMETERS
from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.records import JobKind, JobRecord, JobStatus, now
from qlora_ui.jobs.job import Job
from qlora_ui.pages.runs.list.actions import Action, Outcome, button_words, outcome_words
from qlora_ui.pages.runs.list.compare import differences
from qlora_ui.pages.runs.list.find import count, find, in_order, loss_of
from qlora_ui.pages.runs.list.query import ListQuery, Order, When

TODAY = date(2026, 11, 23)


def make(
    name: str,
    status: JobStatus = JobStatus.COMPLETED,
    *,
    kind: JobKind = JobKind.TRAINING,
    made: datetime | None = None,
    age_min: float = 0,
    place: float | None = None,
    parameters: dict[str, Any] | None = None,
    **fields: Any,
) -> Job:
    moment = made or now() - timedelta(minutes=age_min)
    record = JobRecord(id=name, kind=kind, name=name, created_at=moment, queued_at=moment, place=place)
    needed = {"model_name": "org/base", "dataset_path": "d.jsonl", "adapter_path": "a"}
    model = PARAMETERS[kind]
    given = {field: needed[field] for field in needed if field in model.model_fields} | (parameters or {})
    job = Job(RunPaths(Path(name)), record, model.model_validate(given), status=status)
    for field, value in fields.items():
        setattr(job, field, value)
    return job


def lasted(seconds: int) -> dict[str, Any]:
    start = datetime(2026, 11, 23, 9, tzinfo=UTC)
    return {"started_at": start, "ended_at": start + timedelta(seconds=seconds)}


def names(query: ListQuery, *jobs: Job, today: date = TODAY) -> list[str]:
    return [job.name for job in find(jobs, query, today).jobs]


# ---- the address ----


@pytest.mark.parametrize(
    "query",
    [
        ListQuery(),
        ListQuery(text="tone & <b> ü 100%", page=3, size=100),
        ListQuery(kinds=frozenset({JobKind.MERGE, JobKind.TRAINING}), statuses=frozenset({JobStatus.FAILED})),
        ListQuery(when=When.WEEK, order=Order.LOSS),
        ListQuery(since=date(2026, 1, 2), until=date(2026, 3, 4)),
    ],
)
def test_what_is_written_into_an_address_is_read_out_of_it(query: ListQuery) -> None:
    assert ListQuery.of(query.to_query()) == query


def test_the_whole_list_has_no_query() -> None:
    assert ListQuery().to_query() == ""


@pytest.mark.parametrize(
    "hostile",
    [
        "page=0",
        "page=-1",
        "page=²",
        "page=1e9",
        f"page={'9' * 5000}",
        "size=7",
        "size=26",
        "sort=created;drop",
        "when=forever",
        "status=ok&kind=job_kind",
        "from=2026-02-30",
        "from=0001-01-01",
        "to=9999-12-31",
        "from=heute&to=%00",
        "from=1",
        "=&&&==&%%%&page",
        "&".join(f"status={n}" for n in range(1000)),
        "q=%20%20",
        "q=" + quote("\n\t"),
    ],
)
def test_what_makes_no_sense_is_left_out(hostile: str) -> None:
    assert ListQuery.of(hostile) == ListQuery()


def test_a_long_text_is_cut() -> None:
    assert len(ListQuery.of("q=" + "a" * 5000).text) == 120


def test_days_by_name_win_over_two_days() -> None:
    query = ListQuery.of("when=7d&from=2020-01-01")
    assert (query.when, query.since) == (When.WEEK, None)
    assert query.days(TODAY) == (date(2026, 11, 17), TODAY)


def test_another_filter_begins_at_the_first_page() -> None:
    query = ListQuery(page=4, size=50)
    assert query.change(text="a") == ListQuery(text="a", size=50)
    assert query.change(page=5).page == 5


# ---- filters ----


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (ListQuery(), True),
        (ListQuery(text="TONE"), True),
        (ListQuery(text="org failed"), True),
        (ListQuery(text="other"), False),
        (ListQuery(kinds=frozenset({JobKind.TRAINING, JobKind.MERGE})), True),
        (ListQuery(kinds=frozenset({JobKind.MERGE})), False),
        (ListQuery(statuses=frozenset({JobStatus.FAILED, JobStatus.RUNNING})), True),
        (ListQuery(statuses=frozenset({JobStatus.COMPLETED})), False),
    ],
)
def test_filters(query: ListQuery, found: bool) -> None:
    assert bool(names(query, make("support-tone", JobStatus.FAILED))) is found


def test_days_begin_and_end_at_midnight_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        last_minute = make("late", made=datetime(2026, 11, 22, 14, 59, tzinfo=UTC))  # 23:59 there
        first_minute = make("early", made=datetime(2026, 11, 22, 15, 0, tzinfo=UTC))  # 00:00 of the next day
        assert names(ListQuery(when=When.TODAY), last_minute, first_minute) == ["early"]
        yesterday = ListQuery(since=date(2026, 11, 22), until=date(2026, 11, 22))
        assert names(yesterday, last_minute, first_minute) == ["late"]
    finally:
        monkeypatch.undo()
        time.tzset()


# ---- order and pages ----


def test_what_runs_stands_first_then_the_queue_in_its_order_then_the_past_newest_first() -> None:
    jobs = [
        make("old", age_min=90),
        make("second", JobStatus.PENDING, age_min=4),
        make("next", JobStatus.PENDING, age_min=3, place=1.0),
        make("paused", JobStatus.PAUSED, age_min=50),
        make("new", JobStatus.FAILED, age_min=1),
        make("running", JobStatus.RUNNING, age_min=60),
    ]
    assert [job.name for job in in_order(jobs)] == ["running", "next", "second", "paused", "new", "old"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Order.NEWEST, ["b", "C", "a"]),
        (Order.OLDEST, ["a", "C", "b"]),
        (Order.NAME, ["a", "b", "C"]),
        (Order.LONGEST, ["C", "a", "b"]),
        (Order.LOSS, ["C", "a", "b"]),
    ],
)
def test_orders(order: Order, expected: list[str]) -> None:
    jobs = [
        make("a", age_min=3, **lasted(5), summary={"train_loss": 0.2, "eval_loss": 1.5}),
        make("b", age_min=1),
        make("C", age_min=2, **lasted(9), summary={"base": {"loss": {"value": 0.9}}}),
    ]
    assert names(ListQuery(order=order), *jobs) == expected


@pytest.mark.parametrize("summary", [{}, {"eval_loss": "low"}, {"adapter": ["loss"]}, {"base": {"loss": None}}])
def test_a_run_without_a_loss_has_none(summary: dict[str, Any]) -> None:
    assert loss_of(make("a", summary=summary)) == float("inf")


def test_a_page_behind_the_last_one_is_the_last_one() -> None:
    jobs = [make(f"{n}", age_min=n) for n in range(60)]
    found = find(jobs, ListQuery(page=9))
    assert (found.page, found.pages, found.first, len(found.rows)) == (3, 3, 51, 10)
    nothing = find([], ListQuery(page=9))
    assert (nothing.page, nothing.pages, nothing.first, nothing.rows) == (1, 1, 0, [])


def test_counts() -> None:
    statuses, kinds = count([make("a"), make("b", JobStatus.FAILED), make("c", kind=JobKind.MERGE)])
    assert statuses == {"completed": 2, "failed": 1}
    assert kinds == {"training": 2, "merge": 1}


# ---- many at once ----


def test_a_button_says_with_how_many_it_can_do_something() -> None:
    paused = make("a", JobStatus.PAUSED, can_resume=True, can_stop=True)
    done = make("b")
    assert button_words(Action.RESUME, [paused]) == ("Resume", "")
    assert button_words(Action.RESUME, [paused, done]) == ("Resume 1 of 2", "")
    text, reason = button_words(Action.RESUME, [done])
    assert (text, reason) == ("Resume", "None of these runs was paused, stopped or interrupted.")


def test_a_failed_run_is_tried_again_and_not_resumed() -> None:
    failed = make("a", JobStatus.FAILED, can_resume=True, can_retry=True)
    assert [action for action in Action if action.fits(failed)] == [Action.RETRY, Action.DELETE]


def test_many_failures_are_counted() -> None:
    failed = [(f"run {n}", JobError("It is at work.")) for n in range(8)]
    done, failures = outcome_words(Action.DELETE, Outcome(["a"], list(failed)))
    assert done == "1 run was deleted."
    assert failures.startswith("run 0: It is at work.")
    assert failures.endswith("It failed for 3 more.")


def test_only_settings_that_differ_are_compared() -> None:
    one = make("a", parameters={"learning_rate": 1e-4})
    two = make("b", parameters={"learning_rate": 2e-4})
    score = make("c", kind=JobKind.EVALUATION)
    assert differences([one, two]) == [("Learning rate", ["0.0001", "0.0002"])]
    assert ("Learning rate", ["0.0001", "0.0002", "–"]) in differences([one, two, score])
    assert "Learning rate" not in dict(differences([one, score]))
    assert differences([one, one]) == []
