"""The log of a job and what its process printed, with what one does to them: find, filter, follow, copy, download."""

from __future__ import annotations

from collections.abc import Awaitable

from nicegui import ui
from nicegui.events import GenericEventArguments

from qlora_ui.components.button import icon_button
from qlora_ui.components.forms.segmented import Segmented
from qlora_ui.components.layout import Card, row
from qlora_ui.components.logs.console_view import ConsoleView
from qlora_ui.components.logs.log_view import LogLines, count_words
from qlora_ui.components.menu import MenuButton, MenuItem
from qlora_ui.components.text import Text
from qlora_ui.contract.log_lines import LEVELS
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _
from qlora_ui.theme import Icon

_LEVELS = {"all": LEVELS, "warnings": ("warning", "error"), "errors": ("error",)}


class LogCard(Card):
    """The log, and in its place, when a person asks for it, the console."""

    def __init__(self, job: Job) -> None:
        super().__init__(_("Log"))
        self._job = job
        self._is_scrolled = False
        with self:
            self._bar = row(wrap=True).classes("qu-log-bar")
            self._lines = LogLines(job, _("Log of {name}", name=job.name))
            self._console_room = ui.element("div")
        self._console_room.set_visibility(False)
        self._lines.on_search = self._say_count
        self._lines.on("following", self._show_following)
        self._build_head()
        self._build_bar()
        self._say_count()

    def _build_head(self) -> None:
        with self.head, row(gap=1, wrap=True):
            views = {"log": _("What it did"), "console": _("Console")}
            Segmented(views, label=_("Show the log or the console"), on_change=self._show)
            copy = icon_button(_("Copy the shown lines"), "copy", size="sm")
            copy.on("click", js_handler=f"() => getElement({self._lines.id}).copy()")
            MenuButton(_("Download"), icon="download", ask=self._downloads)
        self._copy = copy

    def _build_bar(self) -> None:
        with self._bar:
            self._find = ui.input(placeholder=_("Find in log"), on_change=self._look_for).classes("qu-find")
            self._find.props("outlined dense clearable debounce=400")
            self._find._props["aria-label"] = _("Find in log")
            with self._find.add_slot("prepend"):
                Icon("search", size=16)
            self._find.on("keydown.enter", lambda: self._lines.step(-1), [])
            self._count = Text(classes="qu-xs qu-muted qu-num qu-nowrap")
            self._count._props["role"] = "status"
            with row(gap=1) as self._steps:
                icon_button(_("Earlier match"), "chevron-up", lambda: self._lines.step(-1), size="sm")
                icon_button(_("Later match"), "chevron-down", lambda: self._lines.step(1), size="sm")
            ui.element("div").classes("qu-grow")
            levels = {"all": _("All", context="levels"), "warnings": _("Warnings"), "errors": _("Errors")}
            Segmented(levels, label=_("Levels"), on_change=self._show_levels)
            self._follow = ui.switch(_("Follow", context="the end of the log"), value=True)
            self._follow.on_value_change(lambda event: self._set_following(bool(event.value)))

    async def _look_for(self) -> None:
        await self._lines.find(str(self._find.value or ""))

    def _say_count(self) -> None:
        search = self._lines.search
        self._count.text = count_words(search)
        self._steps.set_visibility(search.count > 1)

    async def _show_levels(self, name: str) -> None:
        await self._lines.show_levels(_LEVELS[name])

    def _set_following(self, value: bool) -> Awaitable[None] | None:
        """Who switches it on goes to the end, wherever the shown lines are."""
        if self._is_scrolled:
            return None
        if value:
            return self._lines.show_end()
        self._lines.run_method("follow", False)
        return None

    def _show_following(self, event: GenericEventArguments) -> None:
        """The person scrolled away from the end or back to it."""
        self._is_scrolled = True
        self._follow.value = bool(event.args)
        self._is_scrolled = False

    def _show(self, view: str) -> None:
        is_console = view == "console"
        self._console_room.clear()
        if is_console:
            with self._console_room:
                ConsoleView(self._job)
        self._console_room.set_visibility(is_console)
        for part in (self._lines, self._bar, self._copy):
            part.set_visibility(not is_console)

    def _downloads(self) -> list[MenuItem]:
        address = f"/api/v1/jobs/{self._job.id}"
        return [
            MenuItem(_("The log"), "file-text", action=lambda: ui.download.from_url(f"{address}/log")),
            MenuItem(
                _("The console"), "terminal", action=lambda: ui.download.from_url(f"{address}/console?download=true")
            ),
        ]
