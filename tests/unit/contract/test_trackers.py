"""What is known of trackers without importing them."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from qlora_ui.contract.events import AlertCode
from qlora_ui.contract.monitoring_parameters import Tracker
from qlora_ui.contract.trackers import TOOLS, Tool

ROOT = Path(__file__).parents[3]


def test_every_tracker_has_an_extra_that_brings_it() -> None:
    assert tuple(TOOLS) == get_args(Tracker)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    for tool in TOOLS.values():
        assert any(requirement.startswith(tool.module) for requirement in extras[tool.extra]), tool.title
    assert extras["trackers"] == [f"qlora-ui[{','.join(tool.extra for tool in TOOLS.values())}]"]


def test_it_is_found_without_being_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "some_tracker.py").write_text("raise AssertionError", encoding="utf-8")
    (tmp_path / "a_folder").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    tool = Tool("Some", "some_tracker", "some")
    assert tool.is_installed and "some_tracker" not in sys.modules
    assert tool.how_to_install == "pip install 'qlora-ui[some]'"
    assert not Tool("A folder", "a_folder", "x").is_installed
    assert not Tool("None", "no_such_tracker", "x").is_installed


def test_the_docs_tell_of_every_alert_and_every_tracker() -> None:
    page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    for name in [*AlertCode, *TOOLS]:
        assert f"| `{name}` |" in page, name
