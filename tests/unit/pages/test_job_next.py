"""Which files an adapter can be scored on."""

from __future__ import annotations

from pathlib import Path

import pytest

from qlora_ui.pages.runs.job_next import file_problem


@pytest.mark.parametrize("name", ["nowhere.jsonl", "a" * 300])
def test_a_file_that_is_not_there_is_a_problem_and_no_crash(tmp_path: Path, name: str) -> None:
    assert file_problem(str(tmp_path / name), "starter") == "There is no file {path}."


def test_the_training_data_measure_nothing(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.touch()
    assert "trained on" in file_problem(str(rows), str(rows))
    assert file_problem(str(rows), "starter") == ""
