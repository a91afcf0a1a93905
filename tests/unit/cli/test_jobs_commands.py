"""`qlora-ui jobs …` with scripted workers: choosing, asking several at once, new runs from old ones, the queue."""

import json
from pathlib import Path
from typing import Any

import pytest

from qlora_ui.cli.commands import run
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import ExitRecord, JobKind, JobRecord, JobStatus
from qlora_ui.settings import prepare_home
from tests.fakes.runs import FakeRun, write_run
from tests.unit.cli.test_commands import home, spec

__all__ = ["home", "spec"]
Capture = pytest.CaptureFixture[str]


def told(capsys: Capture, *arguments: str, code: int = 0) -> Any:
    """What a command says with --json."""
    capsys.readouterr()
    assert run([*arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def names(capsys: Capture, *choice: str) -> list[str]:
    return [job["name"] for job in told(capsys, "jobs", "list", *choice)]


def queue(capsys: Capture, spec: str, name: str, *more: str) -> str:
    """Put a training into the queue without starting it; gives its id."""
    job = told(capsys, "train", spec, "--set", f"name={name}", "--no-wait", *more)
    assert job["status"] == "pending"
    return str(job["id"])


@pytest.fixture
def past(home: Path) -> dict[str, str]:
    """Runs of the past: name → id."""
    workspace = Workspace(home)
    prepare_home(workspace)
    runs = [
        FakeRun("support tone", minutes_ago=50, steps=10),
        FakeRun("support score", kind=JobKind.EVALUATION, minutes_ago=40),
        FakeRun("sql", JobStatus.FAILED, minutes_ago=30, error="The device ran out of memory.", hint="Lower it."),
        FakeRun("mail", JobStatus.INTERRUPTED, minutes_ago=20, steps=10),
    ]
    return {fake.name: write_run(workspace, fake).id for fake in runs}


# ---- looking ----


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ([], ["support tone", "support score", "sql", "mail"]),
        (["--kind", "evaluation"], ["support score"]),
        (["--status", "failed", "--status", "interrupted"], ["sql", "mail"]),
        (["--text", "SUPPORT"], ["support tone", "support score"]),
        (["--text", "tone starter"], ["support tone"]),
        (["--limit", "2"], ["sql", "mail"]),
        (["--text", "support", "--limit", "1"], ["support score"]),
        (["--text", "nothing"], []),
    ],
)
def test_runs_are_chosen(past: dict[str, str], capsys: Capture, choice: list[str], expected: list[str]) -> None:
    assert names(capsys, *choice) == expected


def test_a_choice_that_fits_nothing_and_one_that_is_none(past: dict[str, str], capsys: Capture) -> None:
    assert run(["jobs", "list", "--text", "nothing"]) == 0
    assert capsys.readouterr().out == "No run fits that.\n"
    assert run(["jobs", "list", "--status", "odd"]) == 2


def test_a_log_is_searched_cut_and_sifted(past: dict[str, str], capsys: Capture) -> None:
    everything = told(capsys, "jobs", "logs", past["support tone"])
    assert len(everything) > 5
    assert told(capsys, "jobs", "logs", past["support tone"], "--tail", "2") == everything[-2:]
    found = told(capsys, "jobs", "logs", past["support tone"], "--search", "STEP 1")
    assert found and all("step 1" in entry["message"] for entry in found)
    graver = told(capsys, "jobs", "logs", past["sql"], "--level", "error")
    assert graver == [entry for entry in told(capsys, "jobs", "logs", past["sql"]) if entry["level"] == "error"]
    assert run(["jobs", "logs", past["support tone"], "--follow"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(everything), "it has ended, so all is told and that is it"
    assert run(["jobs", "logs", past["support tone"], "--follow", "--search", "step 1", "--json"]) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == found


# ---- asking ----


def test_several_are_asked_at_once_and_each_refusal_is_told(home: Path, spec: str, capsys: Capture) -> None:
    one, two, three = (queue(capsys, spec, name) for name in ("one", "two", "three"))
    assert run(["jobs", "pause", one, two]) == 0
    assert capsys.readouterr().out.count("gave its device back") == 2
    answers = told(capsys, "jobs", "pause", one, three, "nothing", code=1)
    assert [("error" in answer) for answer in answers] == [True, False, True]
    assert "is paused already" in answers[0]["error"] and "There is no run nothing" in answers[2]["error"]
    assert [job["status"] for job in told(capsys, "jobs", "list")] == ["paused"] * 3
    answers = told(capsys, "jobs", "resume", one, two, three, "--no-wait")
    assert [answer["status"] for answer in answers] == ["pending"] * 3
    assert [answer["action"] for answer in told(capsys, "jobs", "stop", one, two)] == ["stop"] * 2
    assert told(capsys, "jobs", "delete", one, two, "--yes")[0] == {"id": one, "action": "delete"}
    assert names(capsys) == ["three"]


def running(home: Path) -> str:
    """A run that seems to be at work on the processor; gives its id."""
    workspace = Workspace(home)
    prepare_home(workspace)
    paths = write_run(workspace, FakeRun("at work", JobStatus.RUNNING, process=ProcessIdentity.of()))
    record = JobRecord.model_validate_json(paths.job.read_bytes())
    paths.job.write_text(record.model_copy(update={"device": "cpu"}).model_dump_json())
    return paths.id


def test_a_pause_names_the_run_that_starts_next_and_how_to_keep_the_device_free(
    home: Path, spec: str, capsys: Capture
) -> None:
    at_work = running(home)
    assert run(["jobs", "pause", queue(capsys, spec, "first")]) == 0
    assert "starts on it" not in capsys.readouterr().out, "it was not at work: no device is given back"
    queue(capsys, spec, "next")
    capsys.readouterr()
    assert run(["jobs", "pause", at_work]) == 0
    assert capsys.readouterr().out == (
        "at work: It was asked to pause, and does so at the next step that can be saved.\n"
        "The next, next, starts on it; `qlora-ui jobs hold` keeps it free.\n"
    )


def test_a_pause_of_a_held_queue_warns_of_nothing(home: Path, spec: str, capsys: Capture) -> None:
    at_work = running(home)
    queue(capsys, spec, "next")
    assert run(["jobs", "hold"]) == 0
    capsys.readouterr()
    assert run(["jobs", "pause", at_work]) == 0
    assert "starts on it" not in capsys.readouterr().out


def test_several_are_resumed_and_followed_to_their_ends(home: Path, spec: str, capsys: Capture) -> None:
    one, two = queue(capsys, spec, "one"), queue(capsys, spec, "it fails")
    assert run(["jobs", "pause", one, two]) == 0
    ended = told(capsys, "jobs", "resume", one, two, code=1)
    assert [(job["status"], len(job["curves"]["loss"])) for job in ended] == [("completed", 20), ("failed", 10)]


def test_retry_is_for_those_that_ended_without_a_result(home: Path, spec: str, capsys: Capture) -> None:
    failed = told(capsys, "train", spec, "--set", "name=it fails", code=1)["id"]
    done = told(capsys, "train", spec)["id"]
    assert told(capsys, "jobs", "retry", failed, "--no-wait")["status"] == "pending"
    assert run(["jobs", "retry", done]) == 1
    assert "there is nothing to try again" in capsys.readouterr().err


# ---- new runs ----


def test_new_runs_from_old_ones(home: Path, spec: str, capsys: Capture) -> None:
    first = told(capsys, "train", spec, "--set", "num_train_epochs=2", "--set", "save_steps=5")["id"]
    again = told(capsys, "jobs", "duplicate", first, "--set", "learning_rate=1e-3")
    assert (again["name"], again["status"], again["parameters"]["learning_rate"]) == ("a run 2", "completed", 1e-3)
    more = told(capsys, "jobs", "extend", first, "--epochs", "1", "--no-wait")
    assert (more["name"], more["status"]) == ("a run 3", "pending")
    other = told(capsys, "jobs", "branch", first, "--step", "10", "--set", "learning_rate=1e-4", "--no-wait")
    details = told(capsys, "jobs", "show", other["id"])
    assert details["starts_from"] == {"run": first, "step": 10}
    assert run(["jobs", "show", other["id"]]) == 0
    assert f"step 10 of {first}" in capsys.readouterr().out
    score = told(capsys, "jobs", "follow-up", first, "evaluation")
    assert (score["kind"], score["status"]) == ("evaluation", "completed")
    assert run(["jobs", "branch", first, "--step", "10", "--set", "lora_rank=4"]) == 2
    assert "lora_rank must stay as in a run" in capsys.readouterr().err
    assert run(["jobs", "extend", first, "--epochs", "0"]) == 2
    assert run(["jobs", "branch", first, "--step", "7"]) == 1


def test_a_run_is_queued_after_another(home: Path, spec: str, capsys: Capture) -> None:
    first = queue(capsys, spec, "first")
    second = queue(capsys, spec, "second", "--after", first[:18])
    assert told(capsys, "jobs", "show", second)["after"] == first
    assert run(["train", spec, "--after", "nothing", "--no-wait"]) == 1


# ---- the queue ----


def test_the_order_is_changed(home: Path, spec: str, capsys: Capture) -> None:
    ids = [queue(capsys, spec, name) for name in ("one", "two", "three")]
    assert run(["jobs", "move", ids[2], "1"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "three is number 1 of the 3 that wait."
    assert told(capsys, "jobs", "move", ids[0], "99") == {"id": ids[0], "place": 3}
    positions = {job["name"]: job["queue_position"] for job in told(capsys, "jobs", "list")}
    assert positions == {"three": 1, "two": 2, "one": 3}
    assert run(["jobs", "move", ids[0], "0"]) == 2


def test_the_queue_works_until_it_is_empty(home: Path, spec: str, capsys: Capture) -> None:
    queue(capsys, spec, "one")
    failing = queue(capsys, spec, "it fails")
    waiting = queue(capsys, spec, "after that", "--after", failing)
    queue(capsys, spec, "two")
    capsys.readouterr()
    assert run(["jobs", "work"]) == 1
    printed = capsys.readouterr()
    lines = [line.split("  ", 1)[1] for line in printed.out.splitlines()]
    said = [line.partition(" at work on ")[0].partition(":")[0] for line in lines]
    assert said == ["one is", "one completed", "it fails is", "it fails failed", "two is", "two completed"]
    assert "Choose a smaller batch size." in lines[3]
    assert "after that: It waits for it fails, which has failed." in printed.err
    assert told(capsys, "jobs", "stop", waiting) == {"id": waiting, "action": "stop"}
    assert told(capsys, "jobs", "work") == []


def test_a_held_queue_does_not_work(home: Path, spec: str, capsys: Capture) -> None:
    queue(capsys, spec, "one")
    assert told(capsys, "jobs", "hold") == {"held": True}
    assert run(["jobs", "work"]) == 1
    assert "qlora-ui jobs continue" in capsys.readouterr().err
    assert run(["jobs", "list"]) == 0
    assert "The queue is held" in capsys.readouterr().err
    assert run(["jobs", "continue"]) == 0
    [ended] = told(capsys, "jobs", "work")
    assert (ended["name"], ended["status"]) == ("one", "completed")


def test_every_setting_stands_apart_from_its_value(past: dict[str, str], capsys: Capture) -> None:
    assert run(["jobs", "show", past["mail"]]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line]
    longest = next(line for line in lines if line.startswith("activation_checkpointing_every"))
    values = longest.index(longest.split()[-1])
    assert all(line[values - 2 : values] == "  " and line[values] != " " for line in lines)


def test_the_cause_of_a_failure_is_told(past: dict[str, str], home: Path, capsys: Capture) -> None:
    paths = Workspace(home).run(past["sql"])
    ended = ExitRecord.model_validate_json(paths.exit.read_bytes())
    paths.exit.write_text(ended.model_copy(update={"traceback": "Traceback …"}).model_dump_json())
    assert told(capsys, "jobs", "show", past["sql"])["traceback"] == "Traceback …"


def test_a_status_is_chosen_by_the_words_of_the_app_too(home: Path, spec: str, capsys: Capture) -> None:
    waiting = queue(capsys, spec, "one")
    for word in ("waiting", "pending"):
        assert [job["id"] for job in told(capsys, "jobs", "list", "--status", word)] == [waiting]
    assert told(capsys, "jobs", "list", "--status", "finished") == []
    assert run(["jobs", "list", "--status", "done"]) == 2
    assert "waiting" in capsys.readouterr().err
