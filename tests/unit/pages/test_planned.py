"""What the pages that are not built yet tell to type."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from qlora_ui.contract.parsing import read_parameters
from qlora_ui.contract.records import JobKind
from qlora_ui.pages.shell.planned import PAGES

KINDS = {"evaluate": JobKind.EVALUATION, "merge": JobKind.MERGE}


@pytest.mark.parametrize("path", [path for path, page in PAGES.items() if page.command.startswith("echo")])
def test_the_file_that_a_command_writes_can_be_used(path: str, tmp_path: Path) -> None:
    _, content, _, file, program, action, read = shlex.split(PAGES[path].command)
    assert (program, read) == ("qlora-ui", file)
    (tmp_path / file).write_text(content, encoding="utf-8")
    parameters = read_parameters(tmp_path / file, KINDS[action], {})
    assert parameters.model_name == "starter"
