"""What can be done with several runs at once, and what came of it. No widget in here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from qlora_ui.contract.errors import QloraUiError
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.locales import _, n_, sentence
from qlora_ui.locales.figures import number

NAMED_FAILURES = 5
"""So many failures are told in full; of the others it is said how many there are."""


class Action(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"
    STOP = "stop"
    DELETE = "delete"

    @property
    def icon(self) -> str:
        return _ICONS[self]

    def fits(self, job: Job) -> bool:
        """Whether it can be done with a run as it stands."""
        match self:
            case Action.PAUSE:
                return job.can_pause
            case Action.RESUME:
                return job.can_resume and job.status is not JobStatus.FAILED  # which is tried again
            case Action.RETRY:
                return job.can_retry
            case Action.STOP:
                return job.can_stop
            case Action.DELETE:
                return job.status is not JobStatus.RUNNING


_ICONS = {
    Action.PAUSE: "pause",
    Action.RESUME: "play",
    Action.RETRY: "rotate-ccw",
    Action.STOP: "square",
    Action.DELETE: "trash-2",
}


@dataclass
class Outcome:
    """What became of an action on several runs."""

    done: list[str] = field(default_factory=list)
    """The ids of the runs with which it was done."""
    failed: list[tuple[str, QloraUiError]] = field(default_factory=list)
    """The names of the others, and why not."""


async def carry_out(action: Action, chosen: Iterable[Job], jobs: JobManager) -> Outcome:
    """Do it with each that it fits, one after the other; a failure holds up none of the others."""
    ways: dict[Action, Callable[[str], Awaitable[object]]] = {
        Action.PAUSE: jobs.pause,
        Action.RESUME: jobs.resume,
        Action.RETRY: jobs.retry,
        Action.STOP: jobs.stop,
        Action.DELETE: jobs.delete,
    }
    outcome = Outcome()
    for job in _in_order(action, chosen):
        try:
            await ways[action](job.id)
        except QloraUiError as error:
            outcome.failed.append((job.name, error))
        else:
            outcome.done.append(job.id)
    return outcome


def _in_order(action: Action, chosen: Iterable[Job]) -> list[Job]:
    """Those that it fits. What is at work comes last: what waits must be held before a device is given back."""
    fitting = [job for job in chosen if action.fits(job)]
    return sorted(fitting, key=lambda job: job.status is JobStatus.RUNNING)


def verb(action: Action) -> str:
    words = {
        Action.PAUSE: _("Pause", context="verb"),
        Action.RESUME: _("Resume"),
        Action.RETRY: _("Try again"),
        Action.STOP: _("Stop", context="verb"),
        Action.DELETE: _("Delete"),
    }
    return words[action]


def button_words(action: Action, chosen: Sequence[Job]) -> tuple[str, str]:
    """What its button says for the runs that are chosen, and why it can do nothing with them (empty: it can)."""
    fitting = sum(action.fits(job) for job in chosen)
    if not fitting:
        return verb(action), _reason(action)
    if fitting == len(chosen):
        return verb(action), ""
    counts = {"count": number(fitting), "total": number(len(chosen))}
    return _("{action} {count} of {total}", action=verb(action), **counts), ""


def _reason(action: Action) -> str:
    words = {
        Action.PAUSE: _("None of these runs is at work or waits for its turn."),
        Action.RESUME: _("None of these runs was paused, stopped or interrupted."),
        Action.RETRY: _("None of these runs ended early."),
        Action.STOP: _("All of these runs have ended, or were asked to already."),
        Action.DELETE: _("A run at work cannot be deleted. Stop it first."),
    }
    return words[action]


def outcome_words(action: Action, outcome: Outcome) -> tuple[str, str]:
    """What was done, in a sentence, and what was not, run by run; each is empty where there is nothing to say."""
    told = [
        _("{name}: {reason}", name=name, reason=f"{sentence(error.message)} {sentence(error.hint)}".strip())
        for name, error in outcome.failed[:NAMED_FAILURES]
    ]
    if more := len(outcome.failed) - len(told):
        told.append(n_("It failed for {count} more.", "It failed for {count} more.", more))
    return _done(action, len(outcome.done)) if outcome.done else "", " ".join(told)


def _done(action: Action, count: int) -> str:
    match action:
        case Action.PAUSE:
            return n_("{count} run was told to pause.", "{count} runs were told to pause.", count)
        case Action.STOP:
            return n_("{count} run was told to stop.", "{count} runs were told to stop.", count)
        case Action.DELETE:
            return n_("{count} run was deleted.", "{count} runs were deleted.", count)
        case _again:
            return n_("{count} run is back in the queue.", "{count} runs are back in the queue.", count)
