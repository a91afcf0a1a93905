"""Several processes give what one gives, and none outlives what it works for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from qlora_ui.contract.errors import DataError, DeviceError
from qlora_ui.contract.inspection import SurveyProgress
from qlora_ui.contract.recipe import HeldOut
from qlora_ui.data.formats.detect import detect
from qlora_ui.data.prepare import prepare
from qlora_ui.data.prepare.pool import Dealt, do_blocks
from qlora_ui.data.prepare.work import Task
from qlora_ui.data.readers.rows import Row
from tests.unit.data.conftest import MakeTokenizer, WriteRows
from tests.unit.data.encoding.kinds import tokenizer_of
from tests.unit.data.prepare.making import query, row


def write_many(write_rows: WriteRows, rows: int = 4_000) -> Path:
    """A few blocks, with rows of which some are bad, equal, too long, or of several pieces."""
    filler = "word " * 100
    return write_rows(
        *(row(f"{number % 3_500} {filler[: number % 450]}", "" if number % 97 == 0 else "ho") for number in range(rows))
    )


def test_any_number_of_processes_prepares_the_same_bytes(
    write_rows: WriteRows, byte_tokenizer: MakeTokenizer, tmp_path: Path
) -> None:
    asked = query(write_many(write_rows), held_out=HeldOut(share=0.1), steps="skip_bad_rows split_long", max_length=300)
    contents = []
    for processes in (1, 2, 3):
        cache = tmp_path / str(processes)
        survey = prepare(asked, byte_tokenizer(), cache=cache, processes=processes).survey
        files = sorted((cache / survey.fingerprint).iterdir())
        contents.append({file.name: file.read_bytes() for file in files if file.suffix != ".json"})
        contents[-1]["survey"] = survey.model_copy(update={"seconds": 0.0}).model_dump_json().encode()
    assert contents[0] == contents[1] == contents[2]
    assert len(contents[0]["ids.i32"]) > 1_000_000


def test_small_data_need_no_process(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    seen: set[int] = set()
    prepare(query(write_rows(row("a"))), byte_tokenizer(), on_progress=lambda _: seen.update(children()))
    assert not seen


def test_giving_up_leaves_no_process_and_no_folder(
    write_rows: WriteRows, byte_tokenizer: MakeTokenizer, tmp_path: Path
) -> None:
    seen: set[int] = set()

    def give_up(progress: SurveyProgress) -> None:
        seen.update(children())
        if progress.rows:
            raise KeyboardInterrupt

    asked = query(write_many(write_rows), steps="skip_bad_rows")
    with pytest.raises(KeyboardInterrupt):
        prepare(asked, byte_tokenizer(), cache=tmp_path / "cache", on_progress=give_up, processes=2)
    assert len(seen) == 2
    assert not any(map(psutil.pid_exists, seen))
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["files"]


def test_the_first_bad_row_comes_from_a_process_whole(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    with pytest.raises(DataError, match=r"train\.jsonl, line 1: the answer is empty") as caught:
        prepare(query(write_many(write_rows)), byte_tokenizer(), processes=2)
    assert caught.value.place == "train.jsonl, line 1"
    assert caught.value.hint == "Fill it in, or take the row out."


@dataclass
class Deadly:
    """A block that ends the process that unpacks it, as a system does that is out of memory."""

    first: int
    count: int = 5
    bytes: int = 100
    code: int = 0

    def rows(self) -> Iterator[Row]:
        if self.first == 11:
            os.kill(os.getpid(), signal.SIGKILL)
        return iter([Row(self.first + i, {"text": f"{self.first + i}"}, file="a.txt") for i in range(self.count)])


def test_a_process_that_dies_is_named(byte_tokenizer: MakeTokenizer) -> None:
    detected = detect([Row(1, {"text": "a"})])
    blocks: Iterator[Dealt] = iter([(0, Deadly(first)) for first in (1, 6, 11, 16)])
    task = Task(query(Path("a.txt")).recipe, detected, byte_tokenizer())
    with pytest.raises(DeviceError, match=r"ended by the system \(signal 9\) at rows 11 to 15") as caught:
        for _ in do_blocks([task], blocks, 2, lambda: None):
            pass
    assert "memory" in caught.value.hint
    assert not children()


def test_a_tokenizer_that_cannot_be_sent_works_here(write_rows: WriteRows) -> None:
    prepared = prepare(query(write_rows(row("a"), row("b"))), tokenizer_of("written in Python"), processes=2)
    assert len(prepared.train) == 2


def test_processes_end_with_the_one_that_started_them(write_rows: WriteRows, tmp_path: Path) -> None:
    """Killed, it can tell nobody."""
    asked = query(write_many(write_rows, 16_000), steps="skip_bad_rows")
    script = tmp_path / "prepares.py"
    script.write_text(
        "import sys, time\n"
        "from pathlib import Path\n"
        "from qlora_ui.contract.recipe import DataQuery\n"
        "from qlora_ui.data.encoding.tokenizer import load_tokenizer\n"
        "from qlora_ui.data.prepare import prepare\n"
        "if __name__ == '__main__':\n"
        "    def tell(progress):\n"
        "        if progress.rows:\n"
        "            print(progress.rows, flush=True)\n"
        "            time.sleep(60)\n"
        "    query = DataQuery.model_validate_json(Path(sys.argv[1]).read_bytes())\n"
        "    prepare(query, load_tokenizer('starter', True), on_progress=tell, processes=2)\n"
    )
    question = tmp_path / "query.json"
    question.write_text(asked.model_dump_json())
    with subprocess.Popen([sys.executable, str(script), str(question)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        workers = psutil.Process(parent.pid).children(recursive=True)
        assert len(workers) >= 2
        parent.kill()
    gone, alive = psutil.wait_procs(workers, timeout=30)
    assert not alive and gone


def children() -> set[int]:
    """Of this process, without the helper that multiprocessing keeps."""
    own = psutil.Process().children()
    return {child.pid for child in own if "spawn_main" in " ".join(_command(child))}


def _command(child: psutil.Process) -> list[str]:
    try:
        return child.cmdline()
    except psutil.Error:
        return []
