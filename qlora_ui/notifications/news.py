"""What there is to tell, in words. Each text is English and in the catalogs: every reader gets their own language."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from qlora_ui.contract.events import Alert, AlertCode
from qlora_ui.contract.notifications import Notification
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.concerns import Concern
from qlora_ui.jobs.job import Job
from qlora_ui.locales import mark

BODY_CHARACTERS = 500
SETTINGS = "/settings#notifications"

_COMPLETED = mark("{name} finished")
_FAILED = mark("{name} failed")
_INTERRUPTED = mark("{name} was interrupted")
_EARLY = mark("It ended early, because it got no better any more.")
_ALL_DONE = mark("All runs are done: {finished} of {count} finished")
_REMARKS: dict[str, str] = {
    AlertCode.STUCK: mark("{name} may be stuck"),
    AlertCode.TOO_HOT: mark("A device is too hot"),
    AlertCode.DISK_NEARLY_FULL: mark("The disk is nearly full"),
}
_REMARK = mark("{name} needs a look")
_TOLD_BY_THE_END = {AlertCode.EARLY_STOP, AlertCode.NOT_A_NUMBER}
"""The run ends of it, and its end says so."""
_UPDATE = mark("qlora-ui {version} is out")
_HOW_TO_UPDATE = mark("Install it with pip install --upgrade qlora-ui, then start the app again. Runs go on meanwhile.")
_WEBHOOK_FAILED = mark("A message to the webhook did not arrive")


def of_end(job: Job) -> Notification | None:
    """What to tell of how a job ended; None for one that has not, or that a person stopped, who knows that already."""
    if job.status is JobStatus.COMPLETED:
        body = _EARLY if job.summary.get("stopped_early") else ""
        return _of_job(job, title=_COMPLETED, topic="job_complete", tone="success", body=body)
    if job.status is JobStatus.FAILED:
        return _of_job(job, title=_FAILED, topic="errors", tone="error", body=job.error)
    if job.status is JobStatus.INTERRUPTED:
        return _of_job(job, title=_INTERRUPTED, topic="errors", tone="warning", body=job.message)
    return None


def of_remark(job: Job, remark: Concern | Alert) -> Notification | None:
    """What to tell of something that is wrong with a run at work; None for what its end tells.

    However often an attempt remarks the same, that is told once: its page lists each time.
    """
    if remark.code in _TOLD_BY_THE_END:
        return None
    about = remark.seq if isinstance(remark, Alert) and not remark.code else remark.code
    return Notification(
        id=f"{job.id}:{job.record.attempt}:alert:{about}",
        event="job_alert",
        code=remark.code,
        topic="errors",
        tone=remark.level,
        title=_REMARKS.get(remark.code, _REMARK),
        values={"name": job.name},
        body=remark.message[:BODY_CHARACTERS],
        time=remark.time if isinstance(remark, Alert) else remark.since,
        job_id=job.id,
        path=f"/activity/{job.id}",
    )


def of_all_done(last: Notification, endings: Sequence[JobStatus]) -> Notification:
    """That nothing is left to do; `last` told of the end of the last run, `endings` are those of all of them."""
    finished = endings.count(JobStatus.COMPLETED)
    return Notification(
        id=f"all_done:{last.id}",
        event="all_done",
        topic="job_complete",
        tone="success" if finished == len(endings) else "warning",
        title=_ALL_DONE,
        values={"finished": str(finished), "count": str(len(endings))},
        path="/activity",
    )


def end_id(job: Job) -> str:
    """What tells this end of a job from its others, of earlier attempts."""
    return f"{job.id}:{job.record.attempt}:{job.status}"


def of_update(version: str) -> Notification:
    return Notification(
        id=f"update:{version}",
        event="update",
        topic="updates",
        tone="info",
        title=_UPDATE,
        values={"version": version},
        body=_HOW_TO_UPDATE,
        path=SETTINGS,
    )


def of_webhook_failure(url: str, reason: str) -> Notification:
    """That messages to this address get lost; the address itself, which is a secret, is not in it."""
    return Notification(
        id=webhook_failure_id(url),
        event="webhook_failed",
        topic="errors",
        tone="warning",
        title=_WEBHOOK_FAILED,
        body=reason[:BODY_CHARACTERS],
        path=SETTINGS,
    )


def webhook_failure_id(url: str) -> str:
    return f"webhook:{hashlib.sha256(url.encode()).hexdigest()[:12]}"


def english(notification: Notification) -> str:
    """The title, for programs and for chats, which no page translates."""
    return notification.title.format(**notification.values)


def _of_job(job: Job, **told: str) -> Notification:
    return Notification.model_validate(
        {
            **told,
            "id": end_id(job),
            "event": f"job_{job.status}",
            "values": {"name": job.name},
            "body": told["body"][:BODY_CHARACTERS],
            "time": job.ended_at or job.updated_at,
            "job_id": job.id,
            "path": f"/activity/{job.id}",
        }
    )
