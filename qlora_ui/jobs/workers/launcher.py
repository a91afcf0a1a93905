"""Where a job's command runs. The local process is the first launcher; others keep its small interface."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.jobs.run_folder import read_record


class Launcher(Protocol):
    """Starts a run's worker, and ends it when it does not end by itself."""

    def launch(self, paths: RunPaths, *, offline: bool = False) -> ProcessIdentity:
        """Start the worker of a run and come back at once; `offline` adds no token for the model hub.

        Raises OSError when the system cannot start it.
        """

    def reap(self) -> None:
        """Take note of the workers that ended; called again and again."""

    def exit_code(self, process: ProcessIdentity) -> int | None:
        """How a process that this launcher started has ended (negative: by that signal); None when it cannot know."""

    def kill(self, process: ProcessIdentity) -> None:
        """End the worker and its children now; it gets no chance to save anything. Raises OSError where it may not."""

    def release(self) -> None:
        """Let go of the workers: they go on by themselves."""


class Reserve(Protocol):
    """Has a worker waiting, or not."""

    def take(self, paths: RunPaths, device: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes] | None:
        """Give the run to the worker that waits; None where none does, or none that can compute on the device."""


class LocalLauncher:
    """Runs workers as processes of this machine, each in a session of its own, so that they outlive the server."""

    def __init__(
        self,
        command: Sequence[str] = (sys.executable, "-P", "-m", "qlora_ui.worker"),
        *,
        credentials: Callable[[], Mapping[str, str]] = dict,
        reserve: Reserve | None = None,
    ) -> None:
        """`credentials` gives the environment variables with which a worker may ask the model hub."""
        self._command = tuple(command)
        self._credentials = credentials
        self._reserve = reserve
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._codes: dict[int, int] = {}

    def launch(self, paths: RunPaths, *, offline: bool = False) -> ProcessIdentity:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", **({} if offline else self._credentials())}
        child = self._take(paths, environment) or self._start(paths, environment)
        self._codes.pop(child.pid, None)  # of an older process that had the same number
        self._children[child.pid] = child
        return ProcessIdentity.of(child.pid)

    def _take(self, paths: RunPaths, environment: Mapping[str, str]) -> subprocess.Popen[bytes] | None:
        if self._reserve is None:
            return None
        try:
            device = read_record(paths).device
        except WorkspaceError:
            return None
        return self._reserve.take(paths, device, environment)

    def _start(self, paths: RunPaths, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with paths.console.open("ab") as console:
            return subprocess.Popen(
                [*self._command, str(paths.folder)],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                cwd=paths.folder,
                env=environment,
                start_new_session=True,
            )

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
        with contextlib.suppress(ProcessLookupError):  # it ended just now
            if not hasattr(os, "killpg"):
                os.kill(process.pid, signal.SIGTERM)
            elif os.getpgid(process.pid) == process.pid:
                os.killpg(process.pid, signal.SIGKILL)  # it leads its own session, so its children go with it
            else:
                os.kill(process.pid, signal.SIGKILL)  # started by hand: its group is somebody's shell

    def release(self) -> None:
        self.reap()
        for child in self._children.values():
            child.returncode = 0  # it outlives us on purpose, which Popen would otherwise warn about
        self._children.clear()
