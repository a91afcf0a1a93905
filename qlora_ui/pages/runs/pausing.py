"""Pausing a run where others wait for its device: whether they may have it is asked first."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.button import Button
from qlora_ui.components.text import heading, paragraph
from qlora_ui.contract.errors import JobError
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.locales import _, n_


async def pause(jobs: JobManager, job: Job) -> None:
    """Pause it; where another run would start on its device at once, ask in the open slot whether it may.

    Raises JobError for a run that cannot be paused, WorkspaceError.
    """
    if successors := jobs.successors(job):
        match await _ask(job, successors):
            case "hold":
                await hold_and_pause(jobs, job)
                return
            case None:
                return
    await jobs.pause(job.id)


async def hold_and_pause(jobs: JobManager, job: Job) -> None:
    """Hold the queue and pause the run: in this order, so that nothing slips in between."""
    if not job.can_pause:  # it ended while it was asked: then the queue is not held for nothing
        raise JobError(f"{job.name} cannot be paused any more.", "The queue was not held.")
    await jobs.hold_queue()
    await jobs.pause(job.id)


async def _ask(job: Job, successors: list[Job]) -> str | None:
    """`hold` or `pause`; None when a person changes their mind."""
    title = _("Pause {name}?", name=job.name)
    text = n_(
        "{name} is paused after its next checkpoint. {count} run waits: {next}, which would start on the device at "
        "once.",
        "{name} is paused after its next checkpoint. {count} runs wait and the next, {next}, would start on the device "
        "at once.",
        len(successors),
        name=job.name,
        next=successors[0].name,
    )
    with ui.dialog() as dialog, ui.element("div").classes("qu-dialog"):
        dialog._props["aria-label"] = title
        heading(title)
        paragraph(text, muted=True)
        with ui.element("div").classes("qu-row qu-wrap").style("justify-content:flex-end"):
            Button(_("Cancel"), lambda: dialog.submit(None))
            Button(_("Pause only"), lambda: dialog.submit("pause"))
            Button(_("Pause and hold the queue"), lambda: dialog.submit("hold"), variant="primary")
    dialog.on("hide", dialog.delete, [])  # not before: the browser first gives the focus back to where it was
    answer = await dialog
    return str(answer) if answer else None
