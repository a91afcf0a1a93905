from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import psutil
import pytest

from qlora_ui.contract.errors import DataError, ModelError, QloraUiError
from qlora_ui.contract.inspection import Inspection
from qlora_ui.inspector import OFFLINE, Inspector

INSPECTION = Inspection(file="rows.jsonl", bytes=3, rows=1, format="text", seen="one column", columns=["text"])


def speaking(program: str, timeout_s: float = 60.0) -> Inspector:
    """An inspector whose command is this Python program."""
    return Inspector((sys.executable, "-c", program), timeout_s=timeout_s)


async def test_it_gives_what_the_command_says(tmp_path: Path) -> None:
    seen = tmp_path / "arguments.json"
    program = (
        f"import json, sys, pathlib; pathlib.Path({str(seen)!r}).write_text(json.dumps(sys.argv[1:]))\n"
        f"print({INSPECTION.model_dump_json()!r})"
    )
    options: dict[str, str | int | None] = {"model": None, "limit": 5, "format": "auto"}
    assert await speaking(program).inspect("--odd name.jsonl", options) == INSPECTION
    assert json.loads(seen.read_text()) == ["--json", "--limit=5", "--format=auto", "--", "--odd name.jsonl"]


@pytest.mark.parametrize(("kind", "expected"), [("DataError", DataError), ("ModelError", ModelError), ("", DataError)])
async def test_its_errors_become_ours(kind: str, expected: type[QloraUiError]) -> None:
    said = json.dumps({"error": "Broken JSON.", "hint": "Mend it.", "type": kind, "place": "rows.jsonl, line 17"})
    with pytest.raises(expected, match="Broken JSON") as caught:
        await speaking(f"import sys; print({said!r}); sys.exit(1)").inspect("rows.jsonl", {})
    assert caught.value.hint == "Mend it."
    if isinstance(caught.value, DataError):
        assert caught.value.place == "rows.jsonl, line 17"


@pytest.mark.parametrize("program", ["raise MemoryError('no room')", "import sys; sys.exit('no room')"])
async def test_a_command_without_an_answer_is_quoted(program: str) -> None:
    with pytest.raises(DataError, match=r"rows\.jsonl could not be looked at: .*no room"):
        await speaking(program).inspect("rows.jsonl", {})


@pytest.mark.parametrize("answer", ["", "[]", "5", '{"file": 1}', "not json"])
async def test_an_answer_that_is_none_is_an_error(answer: str) -> None:
    with pytest.raises(DataError, match="the inspector gave no answer"):
        await speaking(f"print({answer!r})").inspect("rows.jsonl", {})


async def test_it_is_given_up_after_its_time() -> None:
    with pytest.raises(DataError, match="took longer"):
        await speaking("import time; time.sleep(600)", timeout_s=0.2).inspect("rows.jsonl", {})


async def test_a_cancelled_inspection_ends_its_process_and_their_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    program = (
        "import os, pathlib, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"draft = pathlib.Path({str(pids)!r} + '.draft'); draft.write_text(f'{{os.getpid()}} {{child.pid}}')\n"
        f"draft.rename({str(pids)!r}); time.sleep(600)"
    )
    task = asyncio.create_task(speaking(program).inspect("rows.jsonl", {}))
    while not pids.exists():  # the process tells by its file that it runs
        await asyncio.sleep(0.01)
    parent, child = (psutil.Process(int(pid)) for pid in pids.read_text().split())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    _, alive = psutil.wait_procs([parent, child], timeout=10)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


@pytest.mark.parametrize("path", ["\0", "x" * 300_000, "\ud800"])
async def test_a_path_that_the_system_cannot_take_is_an_error_in_words(path: str) -> None:
    with pytest.raises(DataError, match="could not be looked at") as caught:
        await speaking("").inspect(path, {})
    assert len(str(caught.value)) < 300


async def test_an_answer_without_end_is_given_up() -> None:
    endless = Inspector((sys.executable, "-c", "while True: print('x' * 10_000)"), answer_bytes=100_000)
    with pytest.raises(DataError, match="too long to be shown"):
        await endless.inspect("rows.jsonl", {})


async def test_a_process_that_never_stops_talking_is_given_up_after_its_time() -> None:
    program = "while True: print('x' * 10_000)"
    endless = Inspector((sys.executable, "-c", program), timeout_s=0.3, answer_bytes=2**40)
    with pytest.raises(DataError, match="took longer"):
        await endless.inspect("rows.jsonl", {})


async def test_endless_complaints_take_no_memory_and_do_not_hold_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qlora_ui.inspector.COMPLAINT_BYTES", 100)
    program = "import sys\nfor _ in range(1000): sys.stderr.write('x' * 1000)\nsys.exit('\\nno room')"
    with pytest.raises(DataError, match="no room"):
        await speaking(program).inspect("rows.jsonl", {})


@pytest.mark.parametrize("offline", [True, False])
async def test_offline_reaches_the_process(monkeypatch: pytest.MonkeyPatch, offline: bool) -> None:
    for name in OFFLINE:
        monkeypatch.delenv(name, raising=False)
    program = f"import os, sys; sys.exit(str([os.environ.get(name) for name in {list(OFFLINE)}]))"
    with pytest.raises(DataError) as caught:
        await speaking(program).inspect("rows.jsonl", {}, offline=offline)
    assert str(["1" if offline else None] * len(OFFLINE)) in caught.value.message
