"""What base and adapter answered, as it is read from the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qlora_ui.pages.runs.job.answers import ROWS_SHOWN, read_answers


def written(path: Path, *judged: tuple[bool, bool]) -> Path:
    """A file with a row for each (base is right, adapter is right)."""
    lines = [
        {"row": row, "prompt": f"p{row}", "reference": "r", "base_loss": 1.0, "adapter_loss": 0.5}
        | {"base": "b", "base_correct": base, "adapter": "a", "adapter_correct": adapter}
        for row, (base, adapter) in enumerate(judged, start=1)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(("view", "rows"), [("all", [1, 2, 3, 4]), ("gained", [2]), ("lost", [3])])
def test_views_tell_gains_from_losses(tmp_path: Path, view: str, rows: list[int]) -> None:
    path = written(tmp_path / "answers.jsonl", (True, True), (False, True), (True, False), (False, False))
    found = read_answers(path, view)
    assert [answer.row for answer in found.answers] == rows
    assert found.total == len(rows)


def test_only_the_first_rows_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    path = written(tmp_path / "answers.jsonl", *[(False, True)] * 60)
    found = read_answers(path, "gained")
    assert [answer.row for answer in found.answers] == list(range(1, ROWS_SHOWN + 1))
    assert found.total == 60


def test_an_evaluation_without_answers_has_none(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text('{"row": 1, "prompt": "p", "reference": "r", "base_loss": 1.0}\n', encoding="utf-8")
    assert read_answers(path).answers == []


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text('{"row": 1, "pro', encoding="utf-8")
    with pytest.raises(ValueError, match="Invalid JSON"):
        read_answers(path)
