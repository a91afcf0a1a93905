"""What the command line prints: tables and progress for people, JSON and nothing else for programs."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Protocol

from pydantic import BaseModel

from qlora_ui.contract.errors import DataError, ParameterError, QloraUiError, WorkspaceError


def exit_code_of(error: QloraUiError) -> int:
    """2 for what a person can mend in the command itself, 1 for everything else."""
    return 2 if isinstance(error, ParameterError | WorkspaceError) else 1


def error_as_json(error: QloraUiError) -> str:
    """The form in which `--json` tells an error."""
    values: dict[str, Any] = {"error": error.message, "hint": error.hint, "type": type(error).__name__}
    if isinstance(error, DataError):
        values["place"] = error.place
    if isinstance(error, ParameterError):
        values["fields"] = error.fields
    return json.dumps(values, ensure_ascii=False)


def models_as_json(models: Sequence[BaseModel]) -> str:
    """A list of records as JSON."""
    return json.dumps([model.model_dump(mode="json") for model in models], ensure_ascii=False, indent=1)


def say(text: str = "") -> None:
    """One line for a person."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """One line about what went wrong, beside the output."""
    sys.stderr.write(text + "\n")


def tell_error(error: QloraUiError, *, as_json: bool) -> None:
    """What went wrong, for a person or for a program."""
    if as_json:
        say(error_as_json(error))
    else:
        complain(str(error))


def confirm(question: str, *, option: str, quiet: bool) -> None:
    """Ask a person on a terminal. Raises ParameterError without a yes, or where nobody can be asked."""
    if quiet or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ParameterError("This cannot be undone, and there is nobody here to ask.", f"Say {option} to do it.")
    try:
        answer = input(f"{question} [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in {"y", "yes"}:
        raise ParameterError("Nothing was done.")


def bear_any_text() -> None:
    """Print a replacement for what the terminal or the file behind a pipe has no character for, and go on."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def drop_output() -> None:
    """Nobody reads the output any more: let it go nowhere, and what is still buffered with it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def table(rows: Sequence[Sequence[str]], *, header: Sequence[str] = ()) -> str:
    """Columns set under each other; all but the first are flush right where they look like figures."""
    everything = [list(header), *map(list, rows)] if header else list(map(list, rows))
    if not everything:
        return ""
    widths = [max(len(row[i]) for row in everything) for i in range(len(everything[0]))]
    lines = [
        "  ".join(
            _cell(text, width) if place else text.ljust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in everything
    ]
    if header:
        lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join(line.rstrip() for line in lines)


def _cell(text: str, width: int) -> str:
    is_figure = text[:1].isdigit() or text[:1] in {"+", "−", "-"}
    return text.rjust(width) if is_figure else text.ljust(width)


def duration(seconds: float) -> str:
    """`41 s`, `3 min 20 s`, `1 h 52 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    minutes = timedelta(seconds=whole) // timedelta(minutes=1)
    return f"{minutes // 60} h {minutes % 60} min"


def size(bytes_: int) -> str:
    """`640 bytes`, `4.2 kB`, `1.5 GB`: by 1,000, as disks are sold."""
    if bytes_ < 1000:
        return f"{bytes_} bytes"
    unit, divisor = next(pair for pair in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)) if bytes_ >= pair[1])
    return f"{bytes_ / divisor:.1f} {unit}"


class ProgressLine(Protocol):
    """Shows how far something is."""

    def show(self, share: float, text: str) -> None:
        """`share` from 0 to 1, and what is done now."""


@contextmanager
def progress_line(quiet: bool) -> Iterator[ProgressLine]:
    """A bar on a terminal; elsewhere a line for each new text; nothing when `quiet`."""
    if quiet:
        yield _Silence()
    elif not sys.stdout.isatty():
        yield _Lines()
    else:
        from rich.progress import BarColumn, Progress, TextColumn

        with Progress(
            TextColumn("{task.percentage:>3.0f} %"), BarColumn(40), TextColumn("{task.description}"), transient=True
        ) as bar:
            yield _Bar(bar)


class _Silence:
    def show(self, share: float, text: str) -> None:
        pass


class _Lines:
    """For a log file: a line for each new phase and each further tenth."""

    def __init__(self) -> None:
        self._shown: tuple[int, str] = (-1, "")

    def show(self, share: float, text: str) -> None:
        key = (int(share * 10), text.partition(" · ")[0])
        if key != self._shown:
            self._shown = key
            try:
                say(f"{share * 100:3.0f} %  {text}")
            except BrokenPipeError:  # the run goes on, and so does the waiting for its end
                drop_output()


class _Bar:
    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=1.0)

    def show(self, share: float, text: str) -> None:
        self._bar.update(self._task, completed=share, description=text)
