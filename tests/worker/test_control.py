"""Requests to a run at work: commands of its attempt, and signals."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from qlora_ui.worker.control import Control, StopRequested
from tests.worker.pieces import ask


class TestControl:
    def test_only_commands_for_this_attempt_count(self, tmp_path: Path) -> None:
        file = tmp_path / "command.json"
        ask(file, "stop", 1)
        assert Control(file, attempt=2).requested is None
        ask(file, "pause", 2)
        control = Control(file, attempt=2)
        assert control.requested == "pause"
        with pytest.raises(StopRequested) as raised:
            control.check(step=7)
        assert raised.value.paused and raised.value.step == 7

    def test_half_a_command_is_none_yet(self, tmp_path: Path) -> None:
        file = tmp_path / "command.json"
        file.write_text('{"action": "st', encoding="utf-8")
        assert Control(file, attempt=1).requested is None

    @pytest.mark.parametrize(("command", "expected"), [(None, "stop"), ("pause", "pause")])
    def test_a_signal_stops_or_wakes_for_a_command(self, tmp_path: Path, command: str | None, expected: str) -> None:
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            control = Control(tmp_path / "command.json", attempt=1)
            control.listen()
            assert control.requested is None
            if command:
                ask(tmp_path / "command.json", command, 1)
            os.kill(os.getpid(), signal.SIGTERM)
            assert control.requested == expected
            with pytest.raises(StopRequested):
                control.wait(600)  # returns at once
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
