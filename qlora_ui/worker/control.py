"""What is asked of the worker: stop or pause, by signal or by `command.json`."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from types import FrameType
from typing import Literal

from pydantic import ValidationError

from qlora_ui.contract.records import Command

CHECK_SECONDS = 0.2
"""`command.json` is looked at no more often than this, however short the steps are."""


class StopRequested(Exception):  # noqa: N818 — it is a request that is honoured, no error
    """The work ends early because a person asked for it; `paused` keeps its place in the queue."""

    def __init__(self, *, paused: bool, step: int | None = None) -> None:
        super().__init__("paused" if paused else "stopped")
        self.paused = paused
        self.step = step


class Control:
    """Knows whether this attempt was asked to stop or to pause. Commands for other attempts are ignored."""

    def __init__(self, command: Path, attempt: int) -> None:
        self._command = command
        self._attempt = attempt
        self._requested: Literal["stop", "pause"] | None = None
        self._signalled = False  # no threading.Event: a second signal inside its lock would wait for the first for ever
        self._seen = 0
        self._next_look = 0.0

    def listen(self) -> None:
        """Take SIGTERM and SIGINT as a request to stop; repeats change nothing, so that a checkpoint gets done."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    @property
    def requested(self) -> Literal["stop", "pause"] | None:
        """What was asked for, if anything; cheap enough to be read at every step."""
        if self._requested is None:
            moment = time.monotonic()
            if self._signalled:
                self._look()
                self._requested = self._requested or "stop"
            elif moment >= self._next_look:
                self._next_look = moment + CHECK_SECONDS
                self._look()
        return self._requested

    def check(self, step: int | None = None) -> None:
        """Raise StopRequested when something was asked for: at places where there is nothing to save."""
        if self.requested:
            raise StopRequested(paused=self.requested == "pause", step=step)

    def wait(self, seconds: float) -> None:
        """Sleep, but hardly longer than until a signal comes; then `check`."""
        end = time.monotonic() + seconds
        while not self._signalled and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, CHECK_SECONDS))
        self.check()

    def _look(self) -> None:
        try:
            changed = self._command.stat().st_mtime_ns
            if changed == self._seen:
                return
            command = Command.model_validate_json(self._command.read_bytes())
        except (OSError, ValidationError):
            return
        self._seen = changed
        if command.attempt == self._attempt:
            self._requested = command.action

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signalled = True
