"""Where a job's command runs. The local process is the first launcher; others keep its small interface."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Protocol

from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.records import ProcessIdentity


class Launcher(Protocol):
    """Starts a run's worker, and ends it when it does not end by itself."""

    def launch(self, paths: RunPaths) -> ProcessIdentity:
        """Start the worker of a run and come back at once. Raises OSError when the system cannot start it."""

    def reap(self) -> None:
        """Take note of the workers that ended; called again and again."""

    def exit_code(self, process: ProcessIdentity) -> int | None:
        """How a process that this launcher started has ended (negative: by that signal); None when it cannot know."""

    def kill(self, process: ProcessIdentity) -> None:
        """End the worker and its children now. It gets no chance to save anything."""

    def release(self) -> None:
        """Let go of the workers: they go on by themselves."""


class LocalLauncher:
    """Runs workers as processes of this machine, each in a session of its own, so that they outlive the server."""

    def __init__(self, command: Sequence[str] = (sys.executable, "-m", "qlora_ui.worker")) -> None:
        self._command = tuple(command)
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._codes: dict[int, int] = {}

    def launch(self, paths: RunPaths) -> ProcessIdentity:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        with paths.console.open("ab") as console:
            child = subprocess.Popen(
                [*self._command, str(paths.folder)],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                cwd=paths.folder,
                env=environment,
                start_new_session=True,
            )
        self._children[child.pid] = child
        return ProcessIdentity.of(child.pid)

    def reap(self) -> None:
        for pid, child in list(self._children.items()):
            if (code := child.poll()) is not None:
                self._codes[pid] = code
                del self._children[pid]

    def exit_code(self, process: ProcessIdentity) -> int | None:
        self.reap()
        return self._codes.get(process.pid)

    def kill(self, process: ProcessIdentity) -> None:
        if not process.is_alive:
            return
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)  # it leads its own session, so its children go with it
        else:
            os.kill(process.pid, signal.SIGTERM)

    def release(self) -> None:
        self.reap()
        for child in self._children.values():
            child.returncode = 0  # it outlives us on purpose, which Popen would otherwise warn about
        self._children.clear()
