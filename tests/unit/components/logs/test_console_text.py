from __future__ import annotations

from pathlib import Path

from qlora_ui.components.logs import console_text
from qlora_ui.components.logs.console_text import tail_of


def test_a_line_that_was_written_over_shows_what_came_last(tmp_path: Path) -> None:
    console = tmp_path / "console.log"
    console.write_bytes(b"Loading: 10 %\rLoading: 100 %\r\n\x1b[31mred\x1b[0m\n\n\n")
    assert tail_of(console, 10) == ["Loading: 100 %", "red"]


def test_only_the_last_lines_of_a_long_console_are_read(tmp_path: Path) -> None:
    console = tmp_path / "console.log"
    console.write_text("".join(f"line {number}\n" for number in range(100_000)), encoding="utf-8")
    assert console.stat().st_size > console_text.BYTES_READ
    assert tail_of(console, 2) == ["line 99998", "line 99999"]


def test_a_console_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert tail_of(tmp_path / "console.log", 5) == []
