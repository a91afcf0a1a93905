"""One process that waits for a run, as its server sees it."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.standby import READY, TAKEN, Assignment

COMMAND = (sys.executable, "-P", "-m", "qlora_ui.worker.standby")
"""Without the current folder among the places that Python imports from: what lies in there is no code of ours."""
ANSWER_S = 1.0
"""A process that does not take its run within this time is ended, and a new one takes its place."""
READ_BYTES = 4096


class StandbyProcess:
    """May be used from any thread, by one at a time; `told` is called in a thread of its own."""

    def __init__(self, device: str, folder: Path, told: Callable[[], object], command: Sequence[str] = COMMAND) -> None:
        """Start it, in a session of its own, to wait in `folder` for a run on `device`.

        `told` is called when it is ready and when it has ended. Raises OSError when the system cannot start it.
        """
        self.device = device
        self.is_alive = True
        self.load_seconds: float | None = None
        """How long it took to load the libraries; None until it is ready."""
        self._told = told
        self._began = time.monotonic()
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115  # as long as the process
        self.child = subprocess.Popen(
            [*command, device],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
            cwd=folder,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True, name="listen to the standby worker")
        self._reader.start()

    @property
    def is_ready(self) -> bool:
        return self.load_seconds is not None and self.is_alive

    def measure(self) -> int | None:
        """Bytes of memory that it takes; None when it is gone."""
        return memory_of(self.child.pid)

    @property
    def last_words(self) -> str:
        """The last line that it printed; empty when nobody listens any more."""
        try:
            end = self._printed.seek(0, os.SEEK_END)
            self._printed.seek(max(0, end - READ_BYTES))
            lines = self._printed.read(READ_BYTES).decode(errors="replace").split("\n")
        except ValueError:  # closed meanwhile, by a thread that wanted to give it a run
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def take(self, paths: RunPaths, environment: Mapping[str, str]) -> bool:
        """Give it a run; False when it does not take it, and then it has ended."""
        line = Assignment(paths.folder, environment).as_line()
        teller = threading.Thread(target=self._tell, args=(line,), daemon=True, name="give a run to the standby worker")
        teller.start()  # a pipe holds less than a large environment, and a process that is stopped reads none of it
        try:
            taken = self._answers.get(timeout=ANSWER_S) == TAKEN
        except queue.Empty:
            taken = False
        if taken:
            self._let_go()
        else:
            self.end()
        teller.join()
        return taken

    def end(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)  # it leads its own session
        self.child.wait()
        self._reader.join()
        self._let_go()

    def _let_go(self) -> None:
        """Close this end of what it was told through."""
        assert self.child.stdin is not None
        with contextlib.suppress(OSError):  # a line that it never read
            self.child.stdin.close()
        self._printed.close()

    def _tell(self, line: bytes) -> None:
        assert self.child.stdin is not None
        with contextlib.suppress(OSError):  # it has ended, which its reader sees
            self.child.stdin.write(line)
            self.child.stdin.flush()

    def _read(self) -> None:
        """Pass on each line that it says, and an empty one at the end."""
        assert self.child.stdout is not None
        with self.child.stdout as stdout:
            for line in stdout:
                if line == READY:
                    self.load_seconds = time.monotonic() - self._began
                else:
                    self._answers.put(line)
                self._told()
        self.is_alive = False
        self._answers.put(b"")
        self._told()


def memory_of(pid: int) -> int | None:
    """Bytes of memory that a process takes, with its part of what it shares with others; None when it is gone."""
    try:
        process = psutil.Process(pid)
        found = process.memory_full_info() if sys.platform == "linux" else process.memory_info()
    except (psutil.Error, OSError):
        return None
    return int(getattr(found, "pss", found.rss))


def waiting_in(home: Path) -> list[int]:
    """The numbers of the processes that wait for a run of this home folder, whichever server keeps them."""
    found = psutil.process_iter(["pid", "cmdline", "cwd"])
    wanted = list(COMMAND[1:])
    return [
        process.info["pid"]
        for process in found
        if (process.info["cmdline"] or [])[1 : len(COMMAND)] == wanted and process.info["cwd"] == str(home)
    ]
