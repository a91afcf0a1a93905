from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import psutil
import pytest

from qlora_ui.contract.errors import DataError, ModelError, ParameterError, QloraUiError
from qlora_ui.contract.inspection import Look, Survey, SurveyProgress, Understanding
from qlora_ui.contract.inspector import Answer, Complaint
from qlora_ui.contract.recipe import DataQuery, Recipe, Source
from qlora_ui.inspector import OFFLINE, Inspector

QUERY = DataQuery(recipe=Recipe(sources=(Source(path="rows.jsonl"),)))
LOOK = Look(sources=[], understanding=Understanding(format="text", sureness="certain", seen="One column."), views=[])
LOOKED = Answer(look=LOOK).model_dump_json(exclude_none=True)


def speaking(program: str, timeout_s: float = 60.0, answer_bytes: int = 1_000_000) -> Inspector:
    """An inspector whose process is this Python program; `lines` are what it is asked."""
    head = "import sys, os, time, json; lines = iter(sys.stdin.readline, '')\n"
    return Inspector((sys.executable, "-uc", head + program), timeout_s=timeout_s, answer_bytes=answer_bytes)


async def test_looks_come_from_one_process_that_stays_warm(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    inspector = speaking(
        f"for line in lines: open({str(asked)!r}, 'a').write(f'{{os.getpid()}} ' + line); print({LOOKED!r})"
    )
    assert await inspector.look(QUERY, start=3, limit=7) == LOOK
    assert await inspector.look(QUERY, rows=[5, 9]) == LOOK
    await inspector.close()
    (first, one), (second, other) = (line.split(" ", 1) for line in asked.read_text().splitlines())
    assert first == second and not psutil.pid_exists(int(first))
    assert '"start":3,"limit":7' in one and '"rows":[5,9]' in other


@pytest.mark.parametrize(
    ("kind", "expected"), [("DataError", DataError), ("ModelError", ModelError), ("ParameterError", ParameterError)]
)
async def test_its_errors_become_ours(kind: str, expected: type[QloraUiError]) -> None:
    complaint = Complaint.model_validate(
        {"kind": kind, "message": "Broken.", "hint": "Mend it.", "place": "rows.jsonl, line 17"}
    )
    said = Answer(error=complaint).model_dump_json(exclude_none=True)
    inspector = speaking(f"for line in lines: print({said!r})")
    for ask in (inspector.look(QUERY), inspector.survey(QUERY), inspector.look(QUERY)):
        with pytest.raises(expected, match="Broken") as caught:
            await ask
        assert caught.value.hint == "Mend it."
        if isinstance(caught.value, DataError):
            assert caught.value.place == "rows.jsonl, line 17"
    await inspector.close()


@pytest.mark.parametrize("program", ["next(lines); raise MemoryError('no room')", "next(lines); sys.exit('no room')"])
async def test_a_process_that_dies_is_quoted_and_another_one_taken_next(program: str) -> None:
    inspector = speaking(program)
    for ask in (inspector.look(QUERY), inspector.look(QUERY), inspector.survey(QUERY)):
        with pytest.raises(DataError, match=r"could not be looked at: .*no room"):
            await ask
    await inspector.close()


@pytest.mark.parametrize("answer", ["[]", "5", '{"look": 1}', "not json", "x" * 2000])
async def test_an_answer_that_is_none_is_an_error(answer: str) -> None:
    inspector = speaking(f"for line in lines: print({answer!r})", answer_bytes=1000)
    with pytest.raises(DataError, match=r"gave no answer|too long to be shown"):
        await inspector.look(QUERY)
    await inspector.close()


async def test_a_look_is_given_up_after_its_time() -> None:
    inspector = speaking("time.sleep(600)", timeout_s=0.2)
    with pytest.raises(DataError, match="took longer"):
        await inspector.look(QUERY)
    await inspector.close()


async def test_a_survey_tells_how_far_it_is_and_what_it_found() -> None:
    steps = [Answer(progress=SurveyProgress(rows=n, bytes=n * 10)) for n in (1, 2)]
    steps.append(Answer(survey=Survey(rows=3)))
    said = "\n".join(step.model_dump_json(exclude_none=True) for step in steps)
    heard: list[int] = []
    survey = await speaking(f"next(lines); print({said!r})").survey(QUERY, lambda progress: heard.append(progress.rows))
    assert survey.rows == 3 and heard == [1, 2]


WITH_A_CHILD = """
import pathlib, subprocess
next(lines)
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])
draft = pathlib.Path(PIDS + '.draft'); draft.write_text(f'{os.getpid()} {child.pid}'); draft.rename(PIDS)
time.sleep(600)
"""


async def test_a_cancelled_survey_ends_its_process_and_their_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    task = asyncio.create_task(speaking(f"PIDS = {str(pids)!r}" + WITH_A_CHILD).survey(QUERY))
    while not pids.exists():  # the process tells by its file that it runs
        await asyncio.sleep(0.01)
    parent, child = (psutil.Process(int(pid)) for pid in pids.read_text().split())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    _, alive = psutil.wait_procs([parent, child], timeout=10)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


async def test_a_cancelled_survey_takes_away_what_it_has_begun(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    tidies = f"import signal; signal.signal(signal.SIGTERM, lambda *_: (os.rmdir({str(begun)!r}), sys.exit()))\n"
    task = asyncio.create_task(speaking(f"{tidies}os.mkdir({str(begun)!r})\ntime.sleep(60)").survey(QUERY))
    while not begun.exists():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not begun.exists()


async def test_a_look_that_nobody_wants_any_more_leaves_its_process_usable(tmp_path: Path) -> None:
    go, asked = tmp_path / "go", tmp_path / "asked"
    inspector = speaking(
        f"for line in lines:\n open({str(asked)!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
        f" while not os.path.exists({str(go)!r}): time.sleep(0.01)\n print({LOOKED!r})"
    )
    task = asyncio.create_task(inspector.look(QUERY))
    while not asked.exists():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go.touch()
    while not inspector._idle:
        await asyncio.sleep(0.01)
    assert await inspector.look(QUERY) == LOOK
    await inspector.close()
    assert len(set(asked.read_text().split())) == 1


async def test_looks_given_up_one_after_the_other_do_not_pile_up(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    inspector = speaking(f"for line in lines: open({str(asked)!r}, 'a').write(f'{{os.getpid()}}\\n'); time.sleep(600)")
    processes: list[psutil.Process] = []
    for count in (1, 2, 3):
        task = asyncio.create_task(inspector.look(QUERY))
        while not asked.exists() or len(asked.read_text().splitlines()) < count:
            await asyncio.sleep(0.01)
        processes.append(psutil.Process(int(asked.read_text().splitlines()[-1])))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    while len(inspector._draining) > 2:
        await asyncio.sleep(0.01)
    assert [process.is_running() for process in processes] == [True, True, False]
    await inspector.close()
    assert not any(process.is_running() for process in processes)


async def test_offline_and_another_token_take_another_process() -> None:
    program = (
        "for line in lines:\n"
        f" look = json.loads({LOOKED!r}); look['look']['understanding']['seen'] = "
        "f\"{os.environ.get('HF_HUB_OFFLINE')} {os.environ.get('HF_TOKEN')} {os.getpid()}\"; print(json.dumps(look))"
    )
    token = {"HF_TOKEN": "one"}
    inspector = Inspector(
        (sys.executable, "-uc", "import sys, os, json; lines = iter(sys.stdin.readline, '')\n" + program),
        credentials=lambda: dict(token),
    )
    first = (await inspector.look(QUERY)).understanding.seen.split()
    assert first[:2] == ["None", "one"]
    offline = (await inspector.look(QUERY.model_copy(update={"offline": True}))).understanding.seen.split()
    assert offline[:2] == ["1", "None"] and offline[2] != first[2] and OFFLINE["HF_HUB_OFFLINE"] == "1"
    token["HF_TOKEN"] = "two"
    assert (await inspector.look(QUERY)).understanding.seen.split()[:2] == ["None", "two"]
    await inspector.close()


async def test_a_process_that_waits_too_long_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    import qlora_ui.inspector as module

    monkeypatch.setattr(module, "IDLE_S", 0.05)
    inspector = speaking(f"for line in lines: print({LOOKED!r})")
    await inspector.look(QUERY)
    [waiting] = inspector._idle
    while waiting.is_alive:
        await asyncio.sleep(0.01)
    assert inspector._idle == []
    assert await inspector.look(QUERY) == LOOK
    await inspector.close()


@pytest.mark.parametrize("path", ["\0", "x" * 300_000])
async def test_any_path_is_only_a_path(path: str) -> None:
    inspector = speaking(f"for line in lines: print({LOOKED!r})")
    recipe = Recipe(sources=(Source(path=path),))
    assert await inspector.look(DataQuery(recipe=recipe)) == LOOK
    await inspector.close()


async def test_a_fetch_says_what_it_waits_for() -> None:
    said = "\n".join(
        answer.model_dump_json(exclude_none=True)
        for answer in (Answer(note="Fetching a.parquet: 1 MB."), Answer(note="Unpacking."), Answer(is_fetched=True))
    )
    heard: list[str] = []
    await speaking(f"next(lines); print({said!r}); time.sleep(600)").fetch(QUERY, heard.append)
    assert heard == ["Fetching a.parquet: 1 MB.", "Unpacking."]
