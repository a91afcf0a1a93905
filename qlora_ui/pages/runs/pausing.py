"""Pausing runs where others wait for their devices: whether those may have them is asked first, wherever it is done."""

from __future__ import annotations

from collections.abc import Sequence

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
    if await are_successors_settled(jobs, [job]):
        await jobs.pause(job.id)


async def are_successors_settled(jobs: JobManager, chosen: Sequence[Job]) -> bool:
    """Whether these may be paused: at once where nobody else would start on their devices, else as a person says.

    The queue is held where the answer is so, before anything is paused, so that nothing slips in between. Raises
    JobError when all of them ended while it was asked, WorkspaceError.
    """
    successors = others_that_would_start(jobs, chosen)
    if not successors:
        return True
    answer = await _ask(chosen, successors)
    if answer == "hold":
        await _hold(jobs, chosen)
    return answer is not None


def others_that_would_start(jobs: JobManager, chosen: Sequence[Job]) -> list[Job]:
    """Those of the queue that are not chosen and would start on a device that is given back, the next one first."""
    would_start = {other.id for job in chosen for other in jobs.successors(job)} - {job.id for job in chosen}
    return [job for job in jobs.queue if job.id in would_start]


async def _hold(jobs: JobManager, chosen: Sequence[Job]) -> None:
    if not any(job.can_pause for job in chosen):  # the queue is not held for nothing
        if len(chosen) > 1:
            raise JobError("None of these runs can be paused any more.", "The queue was not held.")
        raise JobError(f"{chosen[0].name} cannot be paused any more.", "The queue was not held.")
    await jobs.hold_queue()


async def _ask(chosen: Sequence[Job], successors: list[Job]) -> str | None:
    """`hold` or `pause`; None when a person changes their mind."""
    title = _title(chosen)
    with ui.dialog() as dialog, ui.element("div").classes("qu-dialog").style("width:480px"):  # the buttons in a row
        dialog._props["aria-label"] = title
        heading(title)
        paragraph(_what_would_happen(chosen, successors), muted=True)
        with ui.element("div").classes("qu-row qu-wrap").style("justify-content:flex-end"):
            Button(_("Cancel"), lambda: dialog.submit(None))
            Button(_("Pause only"), lambda: dialog.submit("pause"))
            Button(_("Pause and hold the queue"), lambda: dialog.submit("hold"), variant="primary")
    dialog.on("hide", dialog.delete, [])  # not before: the browser first gives the focus back to where it was
    answer = await dialog
    return str(answer) if answer else None


def _title(chosen: Sequence[Job]) -> str:
    if len(chosen) == 1:
        return _("Pause {name}?", name=chosen[0].name)
    return n_("Pause {count} run?", "Pause {count} runs?", len(chosen))


def _what_would_happen(chosen: Sequence[Job], successors: list[Job]) -> str:
    count, following = len(successors), successors[0].name
    if len(chosen) == 1:
        return n_(
            "{name} is paused after its next checkpoint. {count} run waits: {next}, which would start on the device at "
            "once.",
            "{name} is paused after its next checkpoint. {count} runs wait and the next, {next}, would start on the "
            "device at once.",
            count,
            name=chosen[0].name,
            next=following,
        )
    return n_(
        "What is at work is paused after its next checkpoint. {count} other run waits: {next}, which would start on "
        "the device at once.",
        "What is at work is paused after its next checkpoint. {count} other runs wait and the next, {next}, would "
        "start on the device at once.",
        count,
        next=following,
    )
