"""What waits, on the first page: the next few runs, and whether the queue is held."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.badge import kind_word, tag
from qlora_ui.components.button import Button, link_button
from qlora_ui.components.layout import Card, row
from qlora_ui.components.live import Live
from qlora_ui.components.notice import Notice
from qlora_ui.components.text import Text
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.locales import _
from qlora_ui.locales.figures import number
from qlora_ui.pages.runs.job.words import is_held_up, queue_words

SHOWN = 3


def build(jobs: JobManager) -> None:
    """A card as long as something waits or the queue is held; nothing otherwise."""
    Live(jobs.jobs_changed, lambda: _key(jobs), lambda: _show(jobs), classes="qu-contents")


def _key(jobs: JobManager) -> tuple[bool, int, list[tuple[str, str]]]:
    waiting = jobs.queue
    return jobs.queue_held, len(waiting), [(job.id, job.message) for job in waiting[:SHOWN]]


def _show(jobs: JobManager) -> None:
    waiting, is_held = jobs.queue, jobs.queue_held
    if not waiting and not is_held:
        return
    with Card(_("Queue")) as card:
        if is_held:
            notice = Notice(_("The queue is held: nothing new is started until it is continued."), "warning")
            notice._props["role"] = "status"
            with notice:
                Button(_("Continue the queue"), jobs.continue_queue, icon="play", size="sm")
        if waiting:
            with ui.element("ol").classes("qu-list"):
                for place, job in enumerate(waiting[:SHOWN], start=1):
                    _entry(place, job)
    if len(waiting) > 1:
        with card.head:
            link_button(_("Put it in order"), "/activity", icon_after="chevron-right", variant="ghost", size="sm")
    with row() as beside_title:
        tag(number(len(waiting)))
    beside_title.move(card.head, target_index=0)
    card.title.move(beside_title, target_index=0)


def _entry(place: int, job: Job) -> None:
    with ui.element("li").classes("qu-row qu-gap-3"):
        Text(number(place), classes="qu-queue-place qu-num")
        with ui.element("div").classes("qu-grow"):
            with row(wrap=True):
                ui.link(job.name, f"/activity/{job.id}").classes("qu-title-link qu-strong qu-break")
                Text(kind_word(job.kind), classes="qu-xs qu-muted")
            if is_held_up(job):
                Text(queue_words(job), "p", classes="qu-xs qu-muted qu-break")
