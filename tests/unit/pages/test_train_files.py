"""What keeps a file of held-out rows from measuring a model."""

from __future__ import annotations

from pathlib import Path

from qlora_ui.pages.train.files import _look


def test_a_name_that_no_file_can_have_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    problem = _look(str(tmp_path / ("a" * 300)), [])
    assert problem is not None
    assert problem.text.endswith("cannot be read: File name too long.")


def test_the_training_data_are_known_under_every_name(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("{}\n")
    (tmp_path / "link.jsonl").symlink_to(rows)
    (tmp_path / "copy.jsonl").write_text("{}\n")
    training = ["hub:owner/name", "://", str(rows)]
    for name in ("rows.jsonl", "link.jsonl", "copy.jsonl"):
        problem = _look(str(tmp_path / name), training)
        assert problem is not None
        assert problem.text.startswith("This is the training data itself")
    (tmp_path / "other.jsonl").write_text("[]\n")
    assert _look(str(tmp_path / "other.jsonl"), training) is None
    assert _look("hub:owner/other", training) is None
    same = _look("hub:owner/name", training)
    assert same is not None
    assert same.text.startswith("This is the training data itself")


def test_a_reference_that_cannot_be_understood_is_a_problem() -> None:
    problem = _look("https://example.org/rows.jsonl", [])
    assert problem is not None
    assert "is an address on the web" in problem.text
