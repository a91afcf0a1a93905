"""A worker that has loaded its libraries and waits for a run: `python -P -m qlora_ui.worker.standby DEVICE`.

It works for the server that started it and ends with it, whatever ends the server: nobody else can give it a run. Once
it has one it is a worker like any other, which goes on without the server. It touches no device until then.
"""

from __future__ import annotations

import contextlib
import gc
import os
import queue
import shutil
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.standby import READY, TAKEN, Assignment
from qlora_ui.worker.__main__ import leave, work_on
from qlora_ui.worker.devices import hide_other_gpus
from qlora_ui.worker.environment import set_for_import
from qlora_ui.worker.quiet import hush_known_noise

LIBRARIES = (
    "qlora_ui.worker.training.train",
    "qlora_ui.worker.scores.evaluate",
    "qlora_ui.worker.merge",
    "transformers.models.llama.modeling_llama",  # of the starter and of many others
    "transformers.models.qwen3.modeling_qwen3",
)
"""What the jobs import when they begin, and the architectures that most models have."""


def main(device: str, load: Callable[[str], None] | None = None, work: Callable[[RunPaths], int] = work_on) -> int:
    """Load, wait, do the run that comes; gives the worker's exit code."""
    answers = os.dup(1)
    os.dup2(2, 1)  # what libraries print while they are loaded goes where they complain, and from there to the run
    given: queue.SimpleQueue[Assignment] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(given,), daemon=True, name="listen for a run").start()
    (load or load_libraries)(device)
    _say(answers, READY)
    assignment = given.get()
    paths = RunPaths(assignment.folder)
    _become_worker(assignment, paths)
    _say(answers, TAKEN)
    os.close(answers)
    return work(paths)


def _listen(given: queue.SimpleQueue[Assignment]) -> None:
    """Wait for the one line that is said; without one, the server has gone, and so does this, whatever it does now."""
    with os.fdopen(os.dup(0), "rb") as pipe:  # not sys.stdin, whose lock would be wanted when this ends by an error
        line = pipe.readline()
    if not line.endswith(b"\n"):
        os._exit(0)
    given.put(Assignment.of_line(line))


def load_libraries(device: str) -> None:
    """Import the libraries as a run on this device would; they may not ask the hub meanwhile."""
    set_for_import()
    os.environ["HF_HUB_OFFLINE"] = "1"
    hush_known_noise()
    hide_other_gpus(device)
    for name in LIBRARIES:
        import_module(name)
    gc.collect()
    gc.freeze()  # what is loaded stays for good: looking for garbage in it takes a third of a second


def _become_worker(assignment: Assignment, paths: RunPaths) -> None:
    """Stand where a worker that was started for this run would: its output, folder and environment."""
    with paths.console.open("ab") as console:
        os.lseek(2, 0, os.SEEK_SET)
        with open(2, "rb", closefd=False) as printed:
            shutil.copyfileobj(printed, console)
        console.flush()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(console.fileno(), stream.fileno())
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.chdir(paths.folder)
    os.environ.clear()
    os.environ.update(assignment.environment)


def _say(answers: int, line: bytes) -> None:
    """The server may have gone; a run that was given is done all the same."""
    with contextlib.suppress(BrokenPipeError):
        os.write(answers, line)


if __name__ == "__main__":
    leave(main(sys.argv[1]))
