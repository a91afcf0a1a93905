"""Which checkpoints are whole, and which ones go."""

from __future__ import annotations

from pathlib import Path

import pytest

from qlora_ui.contract import checkpoints as contract_checkpoints
from qlora_ui.worker.training import checkpoints

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


class TestCheckpoints:
    def test_only_whole_ones_count(self, tmp_path: Path) -> None:
        for step in (5, 10, 15, 20):
            checkpoint(tmp_path, step)
        (tmp_path / "checkpoint-20" / "complete.json").unlink()  # the process died while it wrote
        with (tmp_path / "checkpoint-15" / "weights").open("ab") as file:
            file.truncate(3)
        newest = contract_checkpoints.newest(tmp_path)
        assert newest is not None and contract_checkpoints.step_of(newest) == 10
        marker = contract_checkpoints.read_marker(newest)
        assert marker is not None and marker.totals == {"seconds": 1.5}

    def test_a_changed_byte_is_noticed(self, tmp_path: Path) -> None:
        folder = checkpoint(tmp_path, 5)
        assert contract_checkpoints.is_whole(folder)
        (folder / "weights").write_bytes(b"weightz")
        assert not contract_checkpoints.is_whole(folder)
        assert contract_checkpoints.newest(tmp_path) is None

    def test_old_ones_go_and_remains_of_later_ones_too(self, tmp_path: Path) -> None:
        for step in (9, 10, 100, 20):
            checkpoint(tmp_path, step)
        checkpoints.prune(tmp_path, keep=2)
        assert sorted(folder.name for folder in tmp_path.iterdir()) == ["checkpoint-100", "checkpoint-20"]
        checkpoints.discard_after(tmp_path, 20)
        assert [folder.name for folder in tmp_path.iterdir()] == ["checkpoint-20"]


def checkpoint(parent: Path, step: int) -> Path:
    folder = parent / f"checkpoint-{step}"
    folder.mkdir()
    (folder / "weights").write_bytes(b"weights")
    assert checkpoints.seal(folder, step, {"seconds": 1.5}) == 7
    return folder
