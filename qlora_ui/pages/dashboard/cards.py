"""The cards on the right of the dashboard: what needs attention, what to do next, what happened."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from nicegui import ui

from qlora_ui.components.ago import Ago
from qlora_ui.components.button import Button, icon_button, link_button
from qlora_ui.components.events import listen
from qlora_ui.components.layout import Card, grow, row
from qlora_ui.components.live import Live
from qlora_ui.components.text import Text
from qlora_ui.components.toast import toast
from qlora_ui.contract.records import Dataset, JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.locales import _
from qlora_ui.pages.dashboard.attention import Concern, concerns, with_dismissed
from qlora_ui.pages.dashboard.news import News, news_of
from qlora_ui.theme import Icon

if TYPE_CHECKING:
    from qlora_ui.pages.visitor import Visitor
    from qlora_ui.services import Services

NEWS_SHOWN = 6
DETAIL_CHARACTERS = 240
_DATA_STEP = 1
"""The place of the step that takes data among `train_form.STEPS`."""


class AttentionCard(Card):
    """What waits for a person. It follows the jobs; `show_disk` tells it what room is left."""

    def __init__(self, jobs: JobManager, visitor: Visitor) -> None:
        super().__init__(_("Needs your attention"))
        self._jobs, self._visitor = jobs, visitor
        self._free_bytes: int | None = None
        self.title._props["tabindex"] = "-1"  # takes the focus when the entry that has it is dismissed
        with self:
            self._entries = Live(jobs.jobs_changed, self._found, self._build)

    def show_disk(self, free_bytes: int) -> None:
        """The free bytes of the disk with the home folder."""
        self._free_bytes = free_bytes
        self.follow()

    def follow(self) -> None:
        """Look whether there is something else to show."""
        with self:
            self._entries.follow()

    def _found(self) -> list[Concern]:
        return concerns(self._jobs.jobs, self._free_bytes, self._visitor.preferences.dismissed)

    def _build(self) -> None:
        found = self._found()
        if not found:
            Text(_("Nothing does. A run that fails or is interrupted appears here."), "p", classes="qu-sm qu-muted")
            return
        with ui.element("ul").classes("qu-list"):
            for concern in found:
                self._entry(concern)

    def _entry(self, concern: Concern) -> None:
        with ui.element("li").classes("qu-row qu-gap-3 qu-top-aligned"):
            _dot("circle-alert" if concern.tone == "error" else "triangle-alert", concern.tone)
            with grow():
                _about(concern.words, concern.name, f"/activity/{concern.job_id}" if concern.job_id else "")
                _detail(concern.detail)
                Text(concern.hint, "p", classes="qu-xs qu-muted qu-break")
                self._actions(concern)
            if concern.can_dismiss:
                label = _("Dismiss: {words}", words=_(concern.words).format(name=concern.name))
                icon_button(label, "x", partial(self._dismiss, concern.key), size="sm")

    def _actions(self, concern: Concern) -> None:
        if not concern.action:
            return
        with row(wrap=True).classes("qu-entry-actions"):
            match concern.action:
                case "resume":
                    Button(_("Resume"), partial(self._jobs.resume, concern.job_id), icon="play", size="sm")
                case "retry":
                    Button(_("Try again"), partial(self._jobs.retry, concern.job_id), icon="rotate-ccw", size="sm")
                case "stop":
                    Button(_("Stop"), partial(self._jobs.stop, concern.job_id), icon="square", size="sm")
                case "clean up":
                    link_button(_("Clean up"), "/settings#storage", icon="hard-drive", size="sm")

    async def _dismiss(self, key: str) -> None:
        await self._visitor.change(dismissed=with_dismissed(self._visitor.preferences.dismissed, key))
        with self:  # the button that was pressed is gone with its entry
            toast(_("Dismissed. The run is still in the activity."))
            ui.run_javascript(f"getHtmlElement({self.title.id})?.focus()")


class QuickActions(Card):
    """Ways to the next thing, each of which does something today."""

    def __init__(self, services: Services) -> None:
        super().__init__(_("Quick actions"))
        self._services = services
        with self, ui.element("div").classes("qu-col qu-gap-2 qu-quick"):
            Button(_("Add data"), self._add_data, icon="database")
            Live(services.jobs.jobs_changed, self._last_result, self._build)
            link_button(_("Look up a word"), "/help/glossary", icon="book-open")

    def _last_result(self) -> Job | None:
        done = [job for job in self._services.jobs.jobs.values() if job.status is JobStatus.COMPLETED]
        return max(done, key=lambda job: job.updated_at, default=None)

    def _build(self) -> None:
        if (job := self._last_result()) is not None:
            link_button(_("Open the last result"), f"/activity/{job.id}", icon="chart-column")

    async def _add_data(self) -> None:
        """Open the form for a fine-tune where it takes data."""
        from qlora_ui.pages.train.session import session_of

        session = await session_of(self._services)
        session.form.go_to(_DATA_STEP)
        ui.navigate.to("/train")


class NewsCard(Card):
    """What happened to runs, which it follows, and to data, which `show_datasets` tells it."""

    def __init__(self, jobs: JobManager) -> None:
        super().__init__(_("Activity"))
        self._jobs = jobs
        self._datasets: list[Dataset] = []
        with self:
            self._entries = Live(jobs.jobs_changed, self._key, self._build)

    def show_datasets(self, datasets: list[Dataset]) -> None:
        self._datasets = datasets
        with self:
            self._entries.follow()

    def _newest(self) -> list[News]:
        return news_of(self._jobs.jobs.values(), self._datasets)[:NEWS_SHOWN]

    def _starting(self) -> list[Job]:
        """Runs whose process was launched and has not said anything yet."""
        jobs = self._jobs.jobs.values()
        return [job for job in jobs if job.status is JobStatus.RUNNING and job.started_at is None]

    def _key(self) -> tuple[list[News], list[str]]:
        return self._newest(), [job.id for job in self._starting()]

    def _build(self) -> None:
        newest = self._newest()
        for job in self._starting():
            listen(job.changed, lambda: self._entries.follow())
        if not newest:
            Text(_("What happens to your runs is told here."), "p", classes="qu-sm qu-muted")
            return
        with ui.element("ul").classes("qu-list"):
            for news in newest:
                with ui.element("li").classes("qu-row qu-gap-3 qu-top-aligned"):
                    _dot(news.icon, news.tone)
                    with grow():
                        _about(news.words, news.name, news.target)
                        Ago(news.time, classes="qu-xs qu-muted qu-num")


def _about(words: str, name: str, target: str) -> None:
    """A sentence of the catalogs with the name, and the way to its page, where the language wants it."""
    before, _place, after = _(words).partition("{name}")
    with Text(tag="div", classes="qu-sm qu-break"):
        Text(before)
        if target:
            ui.link(name, target).classes("qu-title-link qu-strong")
        else:
            Text(name, classes="qu-strong")
        Text(after)


def _detail(text: str) -> None:
    """A sentence or two; of a longer text the beginning, and all of it as the tooltip."""
    is_short = len(text) <= DETAIL_CHARACTERS
    shown = text if is_short else f"{text[: DETAIL_CHARACTERS - 1].rstrip()}…"
    detail = Text(shown, "p", classes="qu-xs qu-muted qu-break")
    if not is_short:
        detail._props["title"] = text


def _dot(icon: str, tone: str) -> None:
    with ui.element("span").classes(f"qu-dot qu-tone-{tone}"):
        Icon(icon)
