"""What several commands take, and the home folder that they work on."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from qlora_ui import console
from qlora_ui.contract.paths import Workspace

Home = Annotated[  # without envvar: a --home before the command would lose against the variable after it
    Path | None, typer.Option("--home", help="The folder that keeps runs, data and settings; else $QLORA_UI_HOME.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
Changes = Annotated[list[str] | None, typer.Option("--set", help="Set one value over the file's: key=value.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Only put it into the queue; something else starts it.")]
RunId = Annotated[str, typer.Argument(help="The id of the run, or the beginning of it.", show_default=False)]
RunIds = Annotated[
    list[str], typer.Argument(help="The ids of the runs, or the beginnings of them.", show_default=False)
]


def workspace_of(context: typer.Context, home: Path | None) -> Workspace:
    """The home folder, ready to be used: the one given with or before the command, else the usual."""
    from qlora_ui.settings import prepare_home, resolve_home

    workspace = Workspace(resolve_home(home or context.find_root().obj))
    for notice in prepare_home(workspace):
        console.complain(notice)
    return workspace


def complete(work: Coroutine[Any, Any, int]) -> int:
    """Do the work of a command; gives its exit code."""
    return asyncio.run(work)


def show_commands(context: typer.Context) -> None:
    """The commands of a group whose name stands alone."""
    if context.invoked_subcommand is None and (text := context.get_help()):  # it may have printed itself
        console.say(text)
