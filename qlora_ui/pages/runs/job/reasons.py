"""Why something cannot be done with a job just now, in a sentence; empty where it can. No widget in here."""

from __future__ import annotations

from qlora_ui.components.device_meter import short_name
from qlora_ui.contract.records import EndCause, JobKind, JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _


def stop_reason(job: Job) -> str:
    """Why it cannot be stopped; empty when it can."""
    return "" if job.can_stop else _asked_or_ended(job)


def pause_reason(job: Job) -> str:
    return "" if job.can_pause else _asked_or_ended(job)


def extend_reason(job: Job) -> str:
    """Why it cannot be trained longer; empty when it can."""
    if job.can_extend:
        return ""
    if not job.status.is_final:
        return _("It has not ended yet. Stop it first, or wait for its end.")
    return _("It has no checkpoint to go on from.")


def duplicate_reason(job: Job) -> str:
    return "" if job.can_duplicate else _("What it was made from is not there any more.")


def delete_reason(job: Job) -> str:
    return _("It is at work. Stop it first.") if job.status is JobStatus.RUNNING else ""


def pause_words(job: Job) -> str:
    """What the button says: which device is given back, where one is held."""
    if job.status is not JobStatus.RUNNING:
        return _("Pause", context="verb")
    name = str(job.facts.get("device_name") or "")
    if not name or str(job.facts.get("device", "")).startswith("cpu"):
        return _("Pause, free the device")
    return _("Pause, free the {device}", device=short_name(name))


def failed_on_data(job: Job) -> bool:
    """Whether a training failed because its data cannot be used: the form mends that at its step Data."""
    if (job.kind, job.status, job.cause) != (JobKind.TRAINING, JobStatus.FAILED, EndCause.INPUT):
        return False
    return next((name for name, _began in reversed(job.phases) if name), "") == "data"


def _asked_or_ended(job: Job) -> str:
    match job.status:
        case JobStatus.RUNNING:
            return _("It was asked already, and saves a checkpoint first.")
        case JobStatus.PENDING:
            return _("It waits for its turn.")
        case JobStatus.PAUSED:
            return _("It is paused already.")
        case JobStatus.STOPPED:
            return _("It is stopped already.")
        case JobStatus.COMPLETED:
            return _("It has finished.")
        case JobStatus.FAILED:
            return _("It has failed.")
        case JobStatus.INTERRUPTED:
            return _("It was interrupted.")
