"""What is looked at before a run is queued: its files and their paths."""

from pathlib import Path
from typing import Any

import pytest

from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.records import JobKind
from qlora_ui.jobs import intake
from qlora_ui.jobs.run_folder import create_run
from tests.unit.jobs.managing import Make, Training


async def test_missing_files_are_refused_before_anything_is_queued(
    make_manager: Make, training: Training, tmp_path: Path
) -> None:
    manager = make_manager()
    with pytest.raises(ParameterError, match="there is no file") as caught:
        await manager.submit(JobKind.TRAINING, training(dataset_path=str(tmp_path / "nothing.jsonl")))
    assert set(caught.value.fields) == {"dataset_path"}
    assert manager.jobs == {}


async def test_a_file_that_is_deleted_while_a_run_is_written_down_takes_the_run_along(
    make_manager: Make, training: Training, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who deletes data looks first whether a run names them, so a run looks once more after it can be seen."""
    file = tmp_path / "mine.jsonl"
    file.write_text("{}\n")
    manager = make_manager()

    def slowly(*arguments: Any, **options: Any) -> Any:
        file.unlink()
        return create_run(*arguments, **options)

    monkeypatch.setattr(intake, "create_run", slowly)
    with pytest.raises(ParameterError, match="there is no file"):
        await manager.submit(JobKind.TRAINING, training(dataset_path=str(file)))
    assert list(manager.workspace.runs.iterdir()) == []


async def test_relative_paths_are_made_absolute(
    make_manager: Make, training: Training, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.jsonl").write_text("{}\n")
    job = await make_manager().submit(JobKind.TRAINING, training("", dataset_path="mine.jsonl"))
    assert isinstance(job.parameters, TrainingParameters)
    assert job.parameters.dataset_path == str(tmp_path / "mine.jsonl")
    assert job.name == "mine"
