"""What keeps a file of held-out rows from measuring a model."""

from __future__ import annotations

from pathlib import Path

from qlora_ui.pages.train.files import _look


def test_a_name_that_no_file_can_have_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    problem = _look(str(tmp_path / ("a" * 300)), "")
    assert problem is not None
    assert problem.text.endswith("cannot be read: File name too long.")
