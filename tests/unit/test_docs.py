"""What the README, the docs and the examples say is true."""

import re
from pathlib import Path

import pytest
import typer.main

from qlora_ui.cli.commands import app
from qlora_ui.contract.parsing import read_parameters
from qlora_ui.contract.records import JobKind

ROOT = Path(__file__).parents[2]
KINDS = {"evaluate": JobKind.EVALUATION, "merge": JobKind.MERGE}


@pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda file: file.stem)
def test_every_example_can_be_used(file: Path) -> None:
    parameters = read_parameters(file, KINDS.get(file.stem, JobKind.TRAINING))
    assert parameters.name


def test_the_page_of_parameters_is_what_the_models_say() -> None:
    from scripts import make_parameter_docs

    assert make_parameter_docs.PAGE.read_text(encoding="utf-8") == make_parameter_docs.page()


def test_every_command_of_the_readme_exists() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    root = typer.main.get_command(app)
    commands: dict[str, object] = getattr(root, "commands")  # noqa: B009  # a group, which the type does not tell
    found = {words.split()[0] for words in re.findall(r"`qlora-ui ([a-z][a-z |-]*)", text)}
    assert found, "the README shows commands"
    assert found <= set(commands), f"unknown: {found - set(commands)}"
    for command in commands:
        assert f"qlora-ui {command}" in text, f"the README does not tell of `qlora-ui {command}`"


def test_every_option_of_the_readme_exists() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    root = typer.main.get_command(app)
    known = {option for parameter in root.params for option in parameter.opts}
    for command in getattr(root, "commands").values():  # noqa: B009
        for sub in [command, *getattr(command, "commands", {}).values()]:
            known |= {option for parameter in sub.params for option in parameter.opts}
    shown = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", text)) - {"--upgrade"}
    assert shown <= known, f"unknown: {shown - known}"


def test_every_linked_file_is_there() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"
