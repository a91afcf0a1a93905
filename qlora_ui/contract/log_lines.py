"""Events in words: the lines of a run's log, as the worker writes them and as they are read again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from qlora_ui.contract import events

LEVELS = ("info", "warning", "error")
INDENT = "    "
"""Before each further line of an entry that has several."""
HEAD_CHARACTERS = len("2026-11-23T09:31:04.120Z  INFO     ")
"""Time and level, before the message."""
SHOWN_CHARACTERS = 16_384
"""More of a message is not shown on a page; the file has all of it."""
LEVEL_PLACE = slice(26, 33)
"""Where the level stands in the head, in capitals."""


@dataclass(frozen=True)
class LogEntry:
    """One line of a job's log, for people."""

    time: datetime
    level: str
    """One of `LEVELS`."""
    message: str


def entry_of(event: events.Event) -> LogEntry | None:
    """The log line of an event; None for events that are no news to a reader."""
    words = _in_words(event)
    return None if words is None else LogEntry(event.time, *words)


def shortened(entry: LogEntry) -> LogEntry:
    """The entry as far as it is shown."""
    return replace(entry, message=shown(entry.message)) if len(entry.message) > SHOWN_CHARACTERS else entry


def shown(text: str) -> str:
    """The beginning of a text that somebody wrote without end; else the text."""
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]} …"


def dump_entry(entry: LogEntry) -> bytes:
    """`2026-11-23T09:31:04.120Z  INFO     Finished.` and a line feed; further lines of the message are indented."""
    moment = entry.time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    message = entry.message.replace("\n", f"\n{INDENT}")
    return f"{moment}  {entry.level.upper():<7}  {message}\n".encode()


def parse_entry(line: bytes) -> LogEntry | None:
    """The entry that begins in this line; None for a line that goes on with the one before, or is torn."""
    moment, _, rest = line.decode(errors="replace").rstrip("\n").partition("  ")
    level, message = rest[:7].strip().lower(), rest[9:]
    if level not in LEVELS:
        return None
    try:
        return LogEntry(datetime.fromisoformat(moment), level, message)
    except ValueError:
        return None


def _in_words(event: events.Event) -> tuple[str, str] | None:
    """Level and text of the log line for an event; None for events that are no news to a reader."""
    match event:
        case events.Started():
            return "info", f"Process {event.process.pid} started, attempt {event.attempt}."
        case events.Resumed():
            return "info", f"Goes on from the checkpoint at step {event.step}."
        case events.Phase():
            return "info", event.message
        case events.Metric():
            figures = [_figure(*pair) for pair in event.values.items() if pair[0] not in MACHINE_FIGURES]
            return ("info", "  ".join([f"step {event.step}", *figures])) if figures else None
        case events.Log():
            return event.level, event.message
        case events.Alert():
            return event.level, f"{event.message} {event.hint}".strip()
        case events.CheckpointSaved():
            return "info", f"Checkpoint at step {event.step} is whole ({event.bytes / 1e6:.1f} MB)."
        case events.Finished():
            return "info", "Finished."
        case events.Stopped():
            return "info", "Paused." if event.paused else "Stopped."
        case events.Failed():
            return "error", f"{event.error} {event.hint}".strip()
        case _:
            return None


MACHINE_FIGURES = {"memory", "device_memory", "device_use", "temperature", "power"}
"""Measured every few seconds: curves, but no news."""
_SHORT = {
    "learning_rate": "lr",
    "grad_norm": "gradient",
    "tokens_per_second": "tok/s",
    "eval_loss": "evaluation loss",
    "eval_perplexity": "perplexity",
    "eval_token_accuracy": "token accuracy",
}


def _figure(name: str, value: float) -> str:
    label = _SHORT.get(name, name.replace("_", " "))
    match name:
        case "tokens_per_second":
            return f"{value:,.0f} {label}"
        case "learning_rate":
            return f"{label} {value:.2e}"
        case "padding" | "eval_token_accuracy":
            return f"{label} {value:.1%}"
        case _:
            return f"{label} {value:.4f}"
