"""The command line with scripted workers: exit codes, JSON, clear words."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from qlora_ui import demo, inspector
from qlora_ui.cli.commands import run
from qlora_ui.cli.values import scalar
from qlora_ui.inspector import Inspector
from qlora_ui.jobs.workers import launcher
from tests.fakes.inspector import FakeInspector
from tests.unit.jobs.conftest import FAKE_WORKER

Run = Callable[..., int]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder whose runs are worked on by the scripted worker, with an inspector that finds all data good."""
    monkeypatch.setattr(inspector, "Inspector", lambda **_: FakeInspector())
    monkeypatch.setattr(launcher.LocalLauncher.__init__, "__defaults__", (FAKE_WORKER,))
    monkeypatch.setenv("QLORA_UI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def spec(tmp_path: Path) -> str:
    file = tmp_path / "run.yaml"
    file.write_text("name: a run\nmodel_name: starter\ndataset_path: starter\ndevice: cpu\n")
    return str(file)


def test_train_runs_to_the_end(home: Path, spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", spec]) == 0
    printed = capsys.readouterr().out
    assert "Evaluation loss" in printed and "The adapter is in" in printed


def test_json_is_json_and_nothing_else(home: Path, spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", spec, "--set", "learning_rate=1e-3", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["status"], told["parameters"]["learning_rate"]) == ("completed", 1e-3)
    assert run(["jobs", "list", "--json"]) == 0
    assert [job["id"] for job in json.loads(capsys.readouterr().out)] == [told["id"]]
    assert run(["jobs", "show", told["id"][:15], "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["curves"]["loss"]) == 20
    assert run(["jobs", "logs", told["id"], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[-1]["message"] == "Finished."


def test_a_failed_job_is_exit_code_1_with_the_reason(home: Path, spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", spec, "--set", "name=it fails"]) == 1
    complaint = capsys.readouterr().err
    assert "The device ran out of memory. Choose a smaller batch size." in complaint


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "nothing.yaml"], "cannot be read"),
        (["train", "SPEC", "--set", "learning_rate=-1"], "learning_rate"),
        (["train", "SPEC", "--set", "learning_rate=abc"], "'abc' was given"),
        (["train", "SPEC", "--set", "nonsense"], "--set key=value"),
        (["train", "SPEC", "--set", "dataset_path=/no/file.jsonl"], "there is no file /no/file.jsonl"),
        (["evaluate", "SPEC", "--set", "adapter_path=/no/adapter"], "there is no folder /no/adapter"),
        (["data", "inspect", "x.jsonl", "--format", "odd"], "--format odd is not known"),
        (["nonsense"], "No such command"),
        (["--port", "0"], "greater than or equal to 1"),
        (["train"], "Missing argument"),
    ],
)
def test_bad_arguments_are_exit_code_2(
    home: Path, spec: str, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run([spec if word == "SPEC" else word for word in arguments]) == 2
    assert words in capsys.readouterr().err


def test_errors_are_json_too(home: Path, spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", spec, "--set", "seed=-1", "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["type"] == "ParameterError" and set(told["fields"]) == {"seed"}


def test_a_home_folder_that_is_a_file_is_told(tmp_path: Path, spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert run(["train", spec, "--home", str(tmp_path / "file")]) == 2
    assert "is a file, not a folder" in capsys.readouterr().err


def test_the_home_folder_may_stand_before_or_after_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--home", str(tmp_path / "a"), "jobs", "list"]) == 0
    assert run(["jobs", "list", "--home", str(tmp_path / "b")]) == 0
    assert (tmp_path / "a" / "runs").is_dir() and (tmp_path / "b" / "runs").is_dir()
    assert "No runs yet" in capsys.readouterr().out


def test_the_home_folder_before_the_command_goes_before_the_variable(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--home", str(tmp_path / "a"), "jobs", "list"]) == 0
    assert (tmp_path / "a" / "runs").is_dir() and not home.exists()
    assert run(["jobs", "list"]) == 0
    assert home.is_dir()


def test_misuse_is_json_too(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "--json"]) == 2
    assert "Missing argument" in json.loads(capsys.readouterr().out)["error"]


def test_a_result_that_is_gone_is_told(home: Path, spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    merging = ["merge", spec, "--set", f"adapter_path={home.parent}", "--set", "device=cpu"]
    assert run(merging) == 0
    [report] = (home / "runs").glob("*/report/receipt.json")
    report.write_text("{")
    assert run(["jobs", "show", report.parents[1].name]) == 2
    assert "its report in" in capsys.readouterr().err


def test_a_name_may_be_a_number(home: Path, spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", spec, "--set", "name=2024", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "2024"


def test_jobs_are_stopped_resumed_and_deleted_by_the_beginning_of_their_id(
    home: Path, spec: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", spec, "--set", "name=it crashes", "--json"]) == 1
    job_id = json.loads(capsys.readouterr().out)["id"]
    assert run(["jobs", "stop", job_id]) == 1
    assert "there is nothing to stop" in capsys.readouterr().err
    assert run(["jobs", "resume", job_id[:16]]) == 1, "the scripted worker crashes again"
    assert "interrupted" in capsys.readouterr().err
    assert run(["jobs", "delete", job_id]) == 2, "nobody is there to ask"
    assert "--yes" in capsys.readouterr().err
    assert run(["jobs", "delete", job_id, "--yes"]) == 0
    assert run(["jobs", "show", job_id]) == 1
    assert "There is no run" in capsys.readouterr().err


@pytest.mark.parametrize(("answer", "code", "left"), [("y", 0, 0), ("n", 2, 1), ("", 2, 1)])
def test_a_person_is_asked_before_a_run_is_deleted(
    home: Path, spec: str, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, left: int
) -> None:
    assert run(["train", spec, "--set", "name=short", "--json"]) == 0
    [folder] = (home / "runs").iterdir()
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: answer)
    assert run(["jobs", "delete", folder.name]) == code
    assert len(list((home / "runs").iterdir())) == left


@pytest.mark.parametrize("group", ["jobs", "data"])
def test_a_group_alone_shows_its_commands(capsys: pytest.CaptureFixture[str], group: str) -> None:
    assert run([group]) == 0
    told = capsys.readouterr()
    assert "Usage" in told.out and not told.err


def test_a_setting_that_is_not_known_is_named(home: Path, spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", spec, "--set", "lora_rnk=8"]) == 2
    assert capsys.readouterr().err.endswith("lora_rnk: there is no such setting; did you mean lora_rank?\n")


def test_bad_data_and_models_never_enter_the_queue(
    home: Path, spec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.jsonl").write_text('{"question": "q", "answer": "a"\n')
    assert run(["train", spec, "--set", f"dataset_path={tmp_path / 'bad.jsonl'}"]) == 1
    assert "bad.jsonl, line 1, column 32: the JSON is broken: the object is not closed." in capsys.readouterr().err
    (tmp_path / "model").mkdir()
    assert run(["train", spec, "--set", f"model_name={tmp_path / 'model'}"]) == 1
    assert "holds no config.json" in capsys.readouterr().err
    assert not list((home / "runs").glob("*"))


ROWS = ['{"question": "q", "answer": "a"}', '{"question": "q", "answer": ""}', '{"question": "q", "answer": "a"}']


@pytest.mark.parametrize("later", [["--no-wait"], ["--after", "FIRST"]])
def test_all_rows_are_gone_through_before_a_training_that_starts_later_is_queued(
    home: Path,
    spec: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    later: list[str],
) -> None:
    assert run(["train", spec, "--no-wait", "--json"]) == 0
    first = json.loads(capsys.readouterr().out)["id"]
    monkeypatch.setattr(inspector, "Inspector", Inspector)
    (tmp_path / "rows.jsonl").write_text("\n".join(ROWS))
    more = [first if word == "FIRST" else word for word in later]
    assert run(["train", spec, "--set", f"dataset_path={tmp_path / 'rows.jsonl'}", *more]) == 1
    assert capsys.readouterr().err == (
        "The answer of these rows is empty, so there is nothing to learn. Fill it in, or leave the rows out. "
        "The first of 1 such rows: rows.jsonl, line 2.\n"
    )
    assert [folder.name for folder in (home / "runs").iterdir()] == [first]


def test_data_on_the_hub_are_fetched_before_a_training_that_starts_later_is_queued(
    home: Path, spec: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeInspector()
    monkeypatch.setattr(inspector, "Inspector", lambda **_: fake)
    monkeypatch.setenv("QLORA_UI_OFFLINE", "1")
    assert run(["train", spec, "--set", "dataset_path=hub:owner/mails", "--no-wait"]) == 0
    assert "Fetching data/train.parquet" in capsys.readouterr().out
    assert [query.offline for query in fake.surveyed] == [True], "the app is offline, so the inspector asks no hub"


def test_the_demo_trains_scores_merges_and_prints_a_table(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo"]) == 0
    printed = capsys.readouterr().out
    assert "Exact match" in printed and "base" in printed and "adapter" in printed
    assert "Merged and verified" in printed
    assert run(["jobs", "list", "--json"]) == 0
    assert [job["status"] for job in json.loads(capsys.readouterr().out)] == ["completed"] * 3


def test_the_demo_ends_where_a_step_fails(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "NAME", "it fails")
    assert run(["demo"]) == 1
    assert "The device ran out of memory" in capsys.readouterr().err
    assert run(["jobs", "list", "--json"]) == 0
    statuses = [job["status"] for job in json.loads(capsys.readouterr().out)]
    assert sorted(statuses) == ["failed", "stopped", "stopped"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3), ("2e-4", 2e-4), ("true", True), ("null", None), ("", None), ("abc", "abc"), ("a: b", "a: b")],
)
def test_values_mean_what_they_look_like(text: str, value: object) -> None:
    assert scalar(text) == value
