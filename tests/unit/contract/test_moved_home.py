"""A home folder that was moved or renamed: everything that named a place in it names the new one."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from qlora_ui.contract.parsing import read_frozen_parameters, rebased
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import JobKind, JobRecord, now


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        ("/old/home/runs/a/adapter", "{new}/runs/a/adapter"),
        ("/old/home", "{new}"),
        ("/old/home/datasets/d/rows.csv?sheet=1", "{new}/datasets/d/rows.csv?sheet=1"),
        ("/old/homes/x", "/old/homes/x"),
        ("/elsewhere/old/home/x", "/elsewhere/old/home/x"),
        ("starter", "starter"),
        ("hub:a/b", "hub:a/b"),
        ("", ""),
    ],
)
def test_paths_below_the_old_home_move_with_it(tmp_path: Path, value: str, becomes: str) -> None:
    found = rebased({"dataset_path": value, "name": value}, "/old/home", tmp_path)
    assert found == {"dataset_path": becomes.format(new=tmp_path.resolve()), "name": value}


def test_further_data_and_folders_move_too(tmp_path: Path) -> None:
    values: dict[str, Any] = {
        "more_data": [{"path": "/old/home/a.jsonl", "weight": 2}, "nonsense"],
        "output_dir": "/old/home/out",
        "adapter_path": None,
    }
    new = str(tmp_path.resolve())
    assert rebased(values, "/old/home", tmp_path) == {
        "more_data": [{"path": f"{new}/a.jsonl", "weight": 2}, "nonsense"],
        "output_dir": f"{new}/out",
        "adapter_path": None,
    }
    assert values["output_dir"] == "/old/home/out"


def test_nothing_is_changed_where_nobody_knows_the_old_name(tmp_path: Path) -> None:
    assert rebased({"dataset_path": "/old/home/x"}, "", tmp_path) == {"dataset_path": "/old/home/x"}


def test_the_worker_reads_them_so_and_the_frozen_file_stays(tmp_path: Path) -> None:
    paths = Workspace(tmp_path / "new").run("r")
    paths.folder.mkdir(parents=True)
    text = yaml.safe_dump({"model_name": "starter", "dataset_path": "/old/home/datasets/d/x.jsonl"})
    paths.parameters.write_text(text)
    record = JobRecord(id="r", kind=JobKind.TRAINING, name="r", created_at=now(), queued_at=now(), home="/old/home")
    parameters = read_frozen_parameters(paths, record)
    assert getattr(parameters, "dataset_path") == str(tmp_path.resolve() / "new/datasets/d/x.jsonl")  # noqa: B009
    assert paths.parameters.read_text() == text
