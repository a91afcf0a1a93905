"""The report of the doctor, made by another process and fit to be passed on."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from qlora_ui import diagnostics
from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.paths import Workspace
from qlora_ui.diagnostics import examine, without_home

FINDINGS = [
    {"name": "Memory", "level": "ok", "finding": "20 GB free", "advice": ""},
    {"name": "Home folder", "level": "warning", "finding": f"{Path.home()}/qlora, 1 GB free", "advice": "Free some."},
]


def command(script: str) -> tuple[str, ...]:
    return (sys.executable, "-c", script)


async def test_findings_and_their_text(tmp_path: Path) -> None:
    found = await examine(Workspace(tmp_path), command(f"print({json.dumps(FINDINGS)!r}); raise SystemExit(1)"))
    assert [(check.name, check.level) for check in found.checks] == [("Memory", "ok"), ("Home folder", "warning")]
    assert found.text == "✓ Memory: 20 GB free\n! Home folder: ~/qlora, 1 GB free\n    Free some."


async def test_it_is_told_the_home_and_no_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret-of-mine")
    script = (
        "import json, os, sys; print(json.dumps([{'name': 'seen', 'level': 'ok', 'advice': '',"
        " 'finding': repr((sys.argv[1:], 'HF_TOKEN' in os.environ))}]))"
    )
    found = await examine(Workspace(tmp_path), command(script))
    assert found.checks[0].finding == repr(([f"--home={tmp_path}"], False))


@pytest.mark.parametrize("script", ["", "print('no json')", "print('[1]')", "print('{}')", "print('[{}]')"])
async def test_no_report_is_said_so(tmp_path: Path, script: str) -> None:
    with pytest.raises(WorkspaceError, match="gave no report"):
        await examine(Workspace(tmp_path), command(script))


async def test_one_that_cannot_be_started_gives_no_report(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="gave no report"):
        await examine(Workspace(tmp_path), (str(tmp_path / "nothing"),))


async def test_one_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnostics, "TIMEOUT_S", 0.3)
    with pytest.raises(WorkspaceError, match="given up"):
        await examine(Workspace(tmp_path), command("import time; time.sleep(60)"))


async def test_leaving_ends_the_process_and_its_children(tmp_path: Path) -> None:
    seen = tmp_path / "pid"
    script = (
        "import os, pathlib, subprocess, sys, time;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        f"path = pathlib.Path({str(seen)!r}); path.with_suffix('.tmp').write_text(str(child.pid));"
        "path.with_suffix('.tmp').rename(path); time.sleep(60)"
    )
    task = asyncio.create_task(examine(Workspace(tmp_path), command(script)))
    async with asyncio.timeout(20):
        while not seen.exists():
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    child = int(seen.read_text())
    async with asyncio.timeout(20):
        while is_running(child):
            await asyncio.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().split()[2] not in {"Z", "X"}
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/ada/qlora and /home/ada", "~/qlora and ~"),
        ("/home/adam stays", "/home/adam stays"),
        ("/home/ada-2/x stays", "/home/ada-2/x stays"),
        ("nothing", "nothing"),
    ],
)
def test_a_persons_folder_is_a_tilde(text: str, shown: str) -> None:
    assert without_home(text, Path("/home/ada")) == shown


def test_a_root_that_is_somebodys_folder_hides_nothing() -> None:
    assert without_home("/opt/x", Path("/")) == "/opt/x"
