from __future__ import annotations

from pathlib import Path

import pytest

from qlora_ui.contract.parsing import read_parameters
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.recipe import Step
from qlora_ui.contract.records import JobKind, JobRecord
from qlora_ui.jobs.job import Job
from qlora_ui.pages.runs.job.parameters import as_yaml, value_words
from tests.fakes.runs import FakeRun, write_run


@pytest.fixture
def job(tmp_path: Path) -> Job:
    paths = write_run(Workspace(tmp_path), FakeRun("tone", parameters={"data_mapping": {"prompt": "Frage"}}))
    parameters = read_parameters(paths.parameters, JobKind.TRAINING)
    return Job(paths, JobRecord.model_validate_json(paths.job.read_bytes()), parameters)


def test_the_file_makes_the_same_run_again(job: Job, tmp_path: Path) -> None:
    file = tmp_path / "again.yaml"
    file.write_text(as_yaml(job), encoding="utf-8")
    assert read_parameters(file, JobKind.TRAINING) == job.parameters


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"prompt": "Frage", "response": "Antwort"}, "prompt → Frage\nresponse → Antwort"),
        (["One?", "Two?"], "One?, Two?"),
        ([Step(do="drop_rows", rows=(3, 7)), Step(do="trim_space")], "drop_rows: rows 3, 7\ntrim_space"),
        (2e-4, "0.0002"),
        (True, "on"),
        (None, ""),
        ([], ""),
    ],
)
def test_values_are_said_without_json(value: object, words: str) -> None:
    assert value_words(value) == words
