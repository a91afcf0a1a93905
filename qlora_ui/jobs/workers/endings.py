"""Why a worker is gone that wrote no end itself: what the evidence tells, and how sure it is."""

from __future__ import annotations

import logging
import signal
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError

from qlora_ui.contract.events import Event, Failed, Finished, Started, parse_event
from qlora_ui.contract.evidence import memory_kills, more_memory_kills
from qlora_ui.contract.files import write_atomically
from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import EndCause

log = logging.getLogger(__name__)

_RESUME = "Resume goes on from its last checkpoint, if it has one."
_LESS_MEMORY = " ".join(("Close other programs, or lower the batch size or the longest example.", _RESUME))
_MAKE_ROOM = " ".join(("Make room on the disk.", _RESUME))
_BROKE_DOWN = {
    "SIGSEGV": "It broke down inside a library (SIGSEGV: it touched memory that is not its own).",
    "SIGABRT": "It broke down inside a library (SIGABRT: the library gave up).",
    "SIGBUS": "It broke down inside a library (SIGBUS: a file or memory that it had mapped was no longer there).",
    "SIGILL": "It broke down inside a library (SIGILL: this processor does not know one of its instructions).",
    "SIGFPE": "It broke down inside a library (SIGFPE: an arithmetic error).",
}
_BROKE_DOWN_HINT = " ".join(
    (_RESUME, "If it breaks down again, `qlora-ui doctor` looks for libraries that do not fit this machine.")
)
_FATAL = {
    "Fatal Python error: Segmentation fault": "SIGSEGV",
    "Fatal Python error: Aborted": "SIGABRT",
    "Fatal Python error: Bus error": "SIGBUS",
    "Fatal Python error: Illegal instruction": "SIGILL",
    "Fatal Python error: Floating": "SIGFPE",
}
"""What the worker's fault handler prints first, in front of the stack."""
_FULL_DISK = ("No space left on device", "os error 28", "The disk is full")
CONSOLE_BYTES = 32 << 10
"""So much of the end of what it printed is looked at, and at most kept as the traceback."""
_BLOCK = 1 << 20


class Ending(BaseModel):
    """How one attempt of a run ended that wrote no end itself."""

    model_config = ConfigDict(frozen=True)

    attempt: int
    cause: EndCause
    message: str
    """What happened, in a sentence."""
    hint: str = _RESUME
    traceback: str = ""
    """What it printed last, where that tells more: a traceback of Python, or the stack of a crash."""


@dataclass(frozen=True)
class Evidence:
    """All that is known of the end of a worker."""

    code: int | None = None
    """Its exit code (negative: by that signal), where the server that started it lived to see it."""
    overdue: bool = False
    """It was asked to stop, did not, and was ended by the server."""
    rebooted: bool | None = None
    """The machine or the container was started anew since."""
    memory_ran_out: bool | None = None
    """Since it started, the system ended a process for want of memory; None where the system does not say."""
    last: Event | None = None
    """The last whole event."""
    console: str = ""
    """The end of what this attempt printed."""


def ending_of(
    paths: RunPaths, attempt: int, process: ProcessIdentity | None, code: int | None, *, overdue: bool = False
) -> Ending:
    """Why the worker of this attempt is gone; `code` as in `Launcher.exit_code`, `overdue` if the server ended it.

    The first finding is written down in the run folder, because exit codes and the system's counts are soon forgotten:
    every later call, also after a restart, gives the same. Reads files, so call it in a thread.
    """
    if (found := remembered(paths, attempt)) is not None:
        return found
    found = judge(attempt, gather(paths, attempt, process, code, overdue=overdue))
    if process is None:  # it may yet turn up
        return found
    try:
        write_atomically(paths.ending, found.model_dump_json(indent=1))
    except OSError as error:
        log.warning("what is known of the end of %s could not be written down: %s", paths.id, error)
    return found


def way_on(hint: str, step: int | None) -> str:
    """A hint with what a resume would do: go on from the last checkpoint, at this step, or begin anew for None."""
    if step is None:
        return hint.replace(_RESUME, "It has no checkpoint, so resume begins anew.")
    return hint.replace(_RESUME, f"Resume goes on from its last checkpoint, at step {step:,}.")


def remembered(paths: RunPaths, attempt: int) -> Ending | None:
    """What was found out before about the end of this attempt."""
    try:
        found = Ending.model_validate_json(paths.ending.read_bytes())
    except (OSError, ValidationError):
        return None
    return found if found.attempt == attempt else None


def judge(attempt: int, evidence: Evidence) -> Ending:
    """The cause that explains the evidence best, and what to do about it."""
    cause, message, hint = _verdict(evidence)
    shown = cause in {EndCause.CRASH, EndCause.PROGRAM, EndCause.DISK}
    return Ending(
        attempt=attempt, cause=cause, message=message, hint=hint, traceback=_trace(evidence.console) if shown else ""
    )


def _verdict(evidence: Evidence) -> tuple[EndCause, str, str]:
    if isinstance(evidence.last, Finished):
        return EndCause.UNKNOWN, "Its work was done, but it was gone before it had noted that down.", _RESUME
    if isinstance(evidence.last, Failed):
        full = any(sign in evidence.last.error for sign in _FULL_DISK) or "is full" in evidence.last.error
        return EndCause.DISK if full else EndCause.PROGRAM, evidence.last.error, evidence.last.hint or _RESUME
    if evidence.overdue:
        words = "It was asked to stop, did not do so in the time it had, and was ended by qlora-ui."
        return EndCause.SIGNAL, words, _RESUME
    if evidence.rebooted:
        words = "The machine was started anew while it ran: a restart, a crash of the system, or a power cut."
        return EndCause.REBOOT, words, _RESUME
    if evidence.code is not None and evidence.code < 0:
        return _by_signal(-evidence.code, evidence)
    return _without_signal(evidence)


def _by_signal(number: int, evidence: Evidence) -> tuple[EndCause, str, str]:
    try:
        name = signal.Signals(number).name
    except ValueError:  # one of the real-time signals, which have no names
        name = f"signal {number}"
    if name in _BROKE_DOWN:
        return EndCause.CRASH, _BROKE_DOWN[name], _BROKE_DOWN_HINT
    if name != "SIGKILL":
        return EndCause.SIGNAL, f"Its process was ended from outside ({name}).", _RESUME
    if evidence.memory_ran_out:
        return EndCause.MEMORY, "The machine ran out of memory, and the system ended its process.", _LESS_MEMORY
    if evidence.memory_ran_out is None:
        words = "Its process was ended from outside (SIGKILL), which the system does when memory runs out."
        return EndCause.SIGNAL, words, _LESS_MEMORY
    words = "Its process was ended from outside (SIGKILL); the system counted no lack of memory meanwhile."
    return EndCause.SIGNAL, words, _RESUME


def _without_signal(evidence: Evidence) -> tuple[EndCause, str, str]:
    """It ended with a code and wrote no end, or nobody was there to see how it ended."""
    if (fatal := next((name for sign, name in _FATAL.items() if sign in evidence.console), None)) is not None:
        return EndCause.CRASH, _BROKE_DOWN[fatal], _BROKE_DOWN_HINT
    if any(sign in evidence.console for sign in _FULL_DISK):
        return EndCause.DISK, "The disk was full, so that it could not even note how it ended.", _MAKE_ROOM
    if evidence.memory_ran_out:
        words = "The system ran out of memory while it ran, and most likely ended its process."
        return EndCause.MEMORY, words, _LESS_MEMORY
    if evidence.code is None:
        words = "Its process is gone and wrote no end; nobody was there to see whether it was killed or broke down."
        return EndCause.UNKNOWN, words, _RESUME
    words = f"Its process is gone: it ended with the code {evidence.code} and wrote no end. What it printed tells more."
    return EndCause.PROGRAM if "Traceback" in evidence.console else EndCause.UNKNOWN, words, _RESUME


def gather(
    paths: RunPaths, attempt: int, process: ProcessIdentity | None, code: int | None, *, overdue: bool = False
) -> Evidence:
    """Read what the run folder and the system tell of the end of this attempt's worker."""
    last, started = last_events(paths) if process is not None else (None, None)  # else this attempt said nothing yet
    if started is None or started.attempt != attempt:  # what there is was said by an attempt before
        last, started = None, None
    knows_console = started is not None or attempt == 1  # else what lies there may be an earlier attempt's
    of_this_boot = process.is_of_this_boot if process is not None else None
    compared = more_memory_kills(started.memory_kills, memory_kills()) if started is not None else None
    return Evidence(
        code=code,
        overdue=overdue,
        rebooted=None if of_this_boot is None else not of_this_boot,
        memory_ran_out=compared if of_this_boot is not False else None,  # the counts began anew with the boot
        last=last,
        console=_end_of_console(paths, started.console_bytes if started is not None else 0) if knows_console else "",
    )


def last_events(paths: RunPaths) -> tuple[Event | None, Started | None]:
    """The last whole event of a run, and the one with which its newest attempt began, read from the end of the file."""
    last: Event | None = None
    try:
        with paths.events.open("rb") as file:
            end, rest = file.seek(0, 2), b""
            while end > 0:
                begin = max(0, end - _BLOCK)
                file.seek(begin)
                lines = (file.read(end - begin) + rest).split(b"\n")
                end, rest = begin, lines[0] if begin else b""
                for line in reversed(lines[1:] if begin else lines):
                    if last is not None and b'"started"' not in line:
                        continue
                    event = _parsed(line)
                    last = last or event
                    if isinstance(event, Started):
                        return last, event
    except FileNotFoundError:  # it was gone before it could say anything
        pass
    except OSError as error:
        log.warning("the events of %s cannot be read: %s", paths.id, error)
    return last, None


def _parsed(line: bytes) -> Event | None:
    try:
        return parse_event(line)
    except ValidationError:
        return None


def _end_of_console(paths: RunPaths, begin: int) -> str:
    """The end of what was printed from `begin` on; from the beginning where the file was cut since."""
    try:
        with paths.console.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(begin if begin <= size else 0, size - CONSOLE_BYTES))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def _trace(console: str) -> str:
    """What was printed from the last traceback, or the stack of the crash, on; all of it where there is neither."""
    begin = max(console.rfind("Fatal Python error"), console.rfind("Traceback (most recent call last)"))
    return console[max(begin, 0) :].strip()
