"""Markers of checkpoints, and the log's words for events."""

from __future__ import annotations

from pathlib import Path

import pytest

from qlora_ui.contract.checkpoints import FileSeal, Marker, faults, read_marker
from qlora_ui.contract.events import Alert
from qlora_ui.contract.log_lines import entry_of
from qlora_ui.contract.paths import CHECKPOINT_MARKER


@pytest.mark.parametrize("name", ["../../outside", "/etc/hostname", "a/../../b", ""])
def test_a_marker_that_names_files_elsewhere_counts_for_nothing(tmp_path: Path, name: str) -> None:
    honest = Marker(step=1, files={"optimizer.pt": FileSeal(bytes=1)}).model_dump_json()
    (tmp_path / CHECKPOINT_MARKER).write_text(honest)
    assert read_marker(tmp_path) is not None
    (tmp_path / CHECKPOINT_MARKER).write_text(honest.replace("optimizer.pt", name))
    assert read_marker(tmp_path) is None
    assert "was never finished" in next(faults(tmp_path))


def test_a_grave_alert_is_an_error_in_the_log() -> None:
    for level in ("warning", "error"):
        entry = entry_of(Alert(message="The loss is no number.", level=level))
        assert entry is not None and entry.level == level
