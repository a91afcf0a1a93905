from __future__ import annotations

from pathlib import Path

import pytest

from qlora_ui.pages.runs.job import folder
from qlora_ui.pages.runs.job.folder import RunFile, files_of


def test_files_stand_with_their_sizes_the_outer_ones_first(tmp_path: Path) -> None:
    (tmp_path / "checkpoints" / "checkpoint-3").mkdir(parents=True)
    (tmp_path / "checkpoints" / "checkpoint-3" / "a.bin").write_bytes(b"12345")
    (tmp_path / "run.log").write_bytes(b"12")
    (tmp_path / "outside").symlink_to("/etc/passwd")
    found = files_of(tmp_path)
    assert found.files == [RunFile("run.log", 2), RunFile("checkpoints/checkpoint-3/a.bin", 5)]
    assert (found.count, found.bytes) == (2, 7)


def test_of_very_many_files_the_first_are_listed_and_all_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "FILES_SHOWN", 3)
    for number in range(5):
        (tmp_path / f"{number}.txt").write_text("x")
    found = files_of(tmp_path)
    assert len(found.files) == 3
    assert (found.count, found.bytes) == (5, 5)
