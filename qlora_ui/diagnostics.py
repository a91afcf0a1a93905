"""The report of `qlora-ui doctor` for a page, made by a process of its own: this one never imports torch."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.paths import Workspace
from qlora_ui.doctor import Check, report
from qlora_ui.store.credentials import OLD_VARIABLE, VARIABLE

TIMEOUT_S = 180.0
_COMMAND = (sys.executable, "-m", "qlora_ui", "doctor", "--json")


@dataclass(frozen=True)
class Report:
    """What this machine can do."""

    checks: list[Check]
    text: str
    """All of it as lines to read or to pass on; the person's folder is written as `~`."""


async def examine(workspace: Workspace, command: tuple[str, ...] = _COMMAND) -> Report:
    """Takes some seconds. Cancelling it ends the process. Raises WorkspaceError when there is no report."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            f"--home={workspace.home}",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            env={name: value for name, value in os.environ.items() if name not in {VARIABLE, OLD_VARIABLE}},
        )
    except OSError as error:  # no memory for another process, or too many open files
        raise _no_report() from error
    try:
        async with asyncio.timeout(TIMEOUT_S):
            output, _ = await process.communicate()
    except TimeoutError:
        raise WorkspaceError(
            f"The examination took longer than {TIMEOUT_S / 60:g} minutes and was given up.",
            "Run `qlora-ui doctor` in a terminal.",
        ) from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # it leads its own session, so its probe goes with it
            await process.wait()
    return _understand(output)


def without_home(text: str, home: Path | None = None) -> str:
    """The text with the path of the person's folder written as `~`, so that it does not tell who they are."""
    folder = str(home or Path.home())
    return text if folder == os.sep else re.sub(rf"{re.escape(folder)}(?![\w.-])", "~", text)


def _understand(output: bytes) -> Report:
    try:
        found: list[dict[str, Any]] = json.loads(output)
        readable = [{name: without_home(str(value)) for name, value in check.items()} for check in found]
        checks = [Check(**cast("dict[str, Any]", check)) for check in readable]
        if not checks:
            raise ValueError("no finding")
        return Report(checks, report(checks, as_json=False))
    except (ValueError, TypeError, AttributeError, KeyError):
        raise _no_report() from None


def _no_report() -> WorkspaceError:
    return WorkspaceError("The examination gave no report.", "Run `qlora-ui doctor` in a terminal.")
