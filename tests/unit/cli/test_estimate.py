"""`qlora-ui estimate`: what a training will need, on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qlora_ui import meters
from qlora_ui.cli.commands import run
from qlora_ui.contract.parsing import dump_parameters, parse_parameters
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import ExitRecord, JobKind, JobRecord, JobStatus, now
from qlora_ui.estimates import shape_of_model


@pytest.fixture(autouse=True)
def without_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meters, "_open_nvml", lambda: 0)


@pytest.fixture
def spec(tmp_path: Path) -> str:
    file = tmp_path / "run.yaml"
    file.write_text("model_name: starter\ndataset_path: starter\ndevice: cpu\n", encoding="utf-8")
    return str(file)


def test_it_says_what_is_needed_and_starts_nothing(
    tmp_path: Path, spec: str, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    assert run(["estimate", spec, "--home", str(home)]) == 0
    printed = capsys.readouterr().out
    assert "Activations" in printed and "It fits on" in printed and "Speed: unknown" in printed
    assert not home.exists(), "an estimate alone makes no home folder"


def test_json_has_the_terms_in_bytes_and_follows_changes(
    tmp_path: Path, spec: str, capsys: pytest.CaptureFixture[str]
) -> None:
    needed = []
    for batch in (1, 8):
        arguments = ["estimate", spec, "--json", "--set", f"batch_size={batch}", "--home", str(tmp_path / "home")]
        assert run(arguments) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["memory"] == sum(told["terms"].values()) and told["speed"] is None
        needed.append(told["terms"]["logits"])
    assert needed[1] == 8 * needed[0]


def test_the_speed_is_that_of_a_completed_run_and_names_it(
    tmp_path: Path, spec: str, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    for run_id, device, status in (
        ("20260101-000000-good", "cpu", JobStatus.COMPLETED),
        ("20260102-000000-else", "cuda:0", JobStatus.COMPLETED),
        ("20260103-000000-fail", "cpu", JobStatus.FAILED),
    ):
        paths = Workspace(home).run(run_id)
        paths.folder.mkdir(parents=True)
        values = {"model_name": "starter", "dataset_path": "starter", "device": device}
        paths.parameters.write_text(dump_parameters(parse_parameters(JobKind.TRAINING, values)), encoding="utf-8")
        record = JobRecord(id=run_id, kind=JobKind.TRAINING, name="first", created_at=now(), queued_at=now(), attempt=1)
        paths.job.write_text(record.model_dump_json(), encoding="utf-8")
        ended = ExitRecord(status=status, attempt=1, summary={"tokens_per_second": 1234.5})
        paths.exit.write_text(ended.model_dump_json(), encoding="utf-8")
    assert run(["estimate", spec, "--json", "--home", str(home)]) == 0
    speed = json.loads(capsys.readouterr().out)["speed"]
    assert speed == {"tokens_per_second": 1234.5, "run_id": "20260101-000000-good", "name": "first"}


def test_what_cannot_be_estimated_is_said(tmp_path: Path, spec: str, capsys: pytest.CaptureFixture[str]) -> None:
    home = ["--home", str(tmp_path / "home")]
    assert run(["estimate", spec, "--set", "model_name=nobody/never-fetched", *home]) == 1
    assert "its config.json is not on this machine" in capsys.readouterr().err
    assert run(["estimate", spec, "--set", "device=cuda:7", *home]) == 2
    assert "There is no device cuda:7" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", "no/such/name", "x" * 5000, "../..", "owner/model with spaces"])
def test_a_name_that_is_no_model_has_no_shape(name: str) -> None:
    assert shape_of_model(name) is None
