"""The real server in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Self

WITHOUT_TESTS = ("PYTEST_CURRENT_TEST", "NICEGUI_USER_SIMULATION", "NICEGUI_SCREEN_TEST_PORT")
"""What a test runner leaves in the environment and NiceGUI would take for a sign that it is under test."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RunningServer:
    """`qlora-ui --no-browser` on a free port; ended, with what it printed in `output`, at the end of a `with` block."""

    def __init__(
        self,
        home: Path,
        *options: str,
        command: Sequence[str] = (sys.executable, "-m", "qlora_ui"),
        standby: bool = False,
    ) -> None:
        """`standby` lets a worker wait in it, which takes seconds of a core and half a gigabyte of memory."""
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = ""
        self._ended = False
        self._printed = threading.Condition()
        self._options = options if standby else (*options, "--no-standby")
        self._command = command

    def __enter__(self) -> Self:
        environment = {name: value for name, value in os.environ.items() if name not in WITHOUT_TESTS}
        self.process = subprocess.Popen(
            [*self._command, "--no-browser", f"--port={self.port}", f"--home={self.home}", *self._options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait_for(r"qlora-ui is running at .*\n")
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """End it as Ctrl+C does; gives its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            code = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self._reader.join()
        return code

    def wait_for(self, pattern: str, timeout_s: float = 60.0) -> re.Match[str]:
        """Wait for something that it prints. Raises AssertionError, with all that it printed, when it does not come."""
        with self._printed:
            found = self._printed.wait_for(lambda: re.search(pattern, self.output) or self._ended, timeout_s)
        if not isinstance(found, re.Match):
            self.process.kill()
            raise AssertionError(f"the server did not print {pattern!r} but:\n{self.output}")
        return found

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stdout:
            for line in stdout:
                with self._printed:
                    self.output += line
                    self._printed.notify_all()
        with self._printed:
            self._ended = True
            self._printed.notify_all()
