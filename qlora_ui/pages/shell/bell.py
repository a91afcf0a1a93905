"""The bell in the top bar: what was told, how much of it is new to this person, and the page's voice for what comes."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from nicegui import ui
from nicegui.events import GenericEventArguments

from qlora_ui.components.ago import Ago, keep_true
from qlora_ui.components.browser.browser_notice import BrowserNotice
from qlora_ui.components.browser.focus import focus
from qlora_ui.components.button import Button, icon_button, link_button
from qlora_ui.components.empty_state import EmptyState
from qlora_ui.components.events import listen
from qlora_ui.components.text import Text, paragraph
from qlora_ui.components.toast import Announcer, Kind, toast
from qlora_ui.contract.notifications import Notification
from qlora_ui.contract.preferences import UserPreferences
from qlora_ui.locales import _, n_, sentence
from qlora_ui.locales.figures import number
from qlora_ui.notifications.news import SETTINGS
from qlora_ui.theme import Icon

if TYPE_CHECKING:
    from qlora_ui.pages.visitor import Visitor
    from qlora_ui.services import Services

SHOWN_AT_ONCE = 20

_ICONS = {"success": "check", "warning": "triangle-alert", "error": "circle-alert", "info": "info"}
_TOASTS: dict[str, Kind] = {"success": "positive", "warning": "warning", "error": "negative", "info": "info"}


class Bell(ui.element, default_classes="qu-bell"):
    """A button with the number of what is unread; it opens the list of what was told, newest first.

    The list is made when it is opened, so that a page that nobody asks for it stays light. While the page is open,
    what is told shows up as a toast too, if it is of a topic that this person wants.
    """

    def __init__(self, services: Services, visitor: Visitor) -> None:
        super().__init__("div")
        self._services, self._visitor = services, visitor
        self._preferences = visitor.preferences
        self._rows: dict[str, _Row] = {}
        self._is_open = False
        with self:
            self._button = icon_button("", "bell")
            self._panel = self._build_panel()
            Announcer()
            self._browser = BrowserNotice()
            listen(services.notifications.added, self._tell)
            listen(services.people.changed, self._follow)
            listen(services.jobs.jobs_changed, self._check_links)
        with self._button:
            self._count = Text("", classes="qu-bell-count")
            self._count._props["aria-hidden"] = "true"
        self._button._props.update({"popovertarget": self._panel.html_id, "aria-haspopup": "dialog"})
        self._show_count()

    def _build_panel(self) -> ui.element:
        with ui.element("div").classes("qu-bell-panel") as panel:
            panel._props.update(
                {"popover": "auto", "role": "dialog", "aria-label": _("Notifications"), "tabindex": "-1"}
            )
            panel._props["autofocus"] = True
            panel.on("toggle", self._toggled, ["newState"])
            with ui.element("div").classes("qu-bell-head"):
                Text(_("Notifications"), "div", classes="qu-strong")
                self._mark = Button(
                    _("Mark all as read"), self._mark_all, icon="check-check", variant="ghost", size="sm"
                )
            self._room = ui.element("div").classes("qu-bell-room")
            keep_true(panel)
            with ui.element("div").classes("qu-bell-foot"):
                settings = link_button(
                    _("Choose what you are told of"), SETTINGS, icon="settings", variant="ghost", size="sm"
                )
                settings.on("click", js_handler=_hide(panel))
        return panel

    # ---- the list ----

    def _toggled(self, event: GenericEventArguments) -> None:
        self._is_open = event.args.get("newState") == "open"
        self._room.clear()
        self._rows.clear()
        if self._is_open:
            with self._room:
                self._build_list()

    def _build_list(self) -> None:
        if not self._services.notifications.history:
            EmptyState(
                _("Nothing to tell yet"),
                _("When a run ends, or something goes wrong, it is told here."),
                icon="bell",
                level=3,
            )
            return
        self._list = ui.element("ul")
        self._list._props["aria-label"] = _("Notifications")
        self._older = Button(_("Show older ones"), self._go_on_with_older, variant="ghost", size="sm")
        self._show_older()

    def _go_on_with_older(self) -> None:
        """Take the focus to the first of them: the button that was pressed has moved down, or is gone."""
        known = len(self._rows)
        self._show_older()
        if first := next(islice(self._rows.values(), known, None), None):
            focus(first)

    def _show_older(self) -> None:
        history = self._services.notifications.history
        shown = len(self._rows) + SHOWN_AT_ONCE
        with self._list:
            for told in history[len(self._rows) : shown]:
                self._rows[told.id] = self._row(told)
        self._older.set_visibility(shown < len(history))

    def _row(self, told: Notification) -> _Row:
        row = _Row(told, self._panel, has_target=self._has_target(told))
        row.show_unread(is_unread(told, self._preferences))
        return row

    def _insert(self, told: Notification) -> None:
        if not self._rows:
            self._room.clear()
            with self._room:
                self._build_list()
            return
        if (old := self._rows.pop(told.id, None)) is not None:
            old.delete()
        with self._list:
            row = self._row(told)
        row.move(target_index=0)
        self._rows = {told.id: row, **self._rows}

    def _check_links(self) -> None:
        """Runs may have been deleted: what was told of them stays, and leads nowhere any more."""
        for row in self._rows.values():
            if not self._has_target(row.told):
                row.unlink()

    def _has_target(self, told: Notification) -> bool:
        return bool(told.path) and (told.job_id is None or told.job_id in self._services.jobs.jobs)

    # ---- read and unread ----

    async def _mark_all(self) -> None:
        if history := self._services.notifications.history:
            await self._visitor.change(notifications={"seen_until": history[0].told_at})

    def _follow(self, person: str, preferences: UserPreferences) -> None:
        if person != self._visitor.person:
            return
        self._preferences = preferences
        self._show_count()
        for row in self._rows.values():
            row.show_unread(is_unread(row.told, preferences))

    def _show_count(self) -> None:
        count = sum(is_unread(told, self._preferences) for told in self._services.notifications.history)
        label = n_("Notifications, {count} unread", "Notifications, {count} unread", count)
        label = label if count else _("Notifications")
        self._button._props.update({"aria-label": label, "title": label})
        self._count.text = number(count)
        self._count.set_visibility(count > 0)
        self._mark.disable_because("" if count else _("Everything has been read."))

    # ---- what comes while the page is open ----

    def _tell(self, told: Notification) -> None:
        self._show_count()
        if self._is_open:
            self._insert(told)
        if not is_wanted(told, self._preferences):
            return
        title, body = words_of(told)
        open_path = self.client.sub_pages_router.current_path.partition("?")[0].partition("#")[0]
        if open_path != told.path:  # the run's own page shows it and says it
            with self:  # what ends is said by the dashboard too
                is_silent = open_path == "/" and told.job_id is not None
                toast(title, _TOASTS[told.tone], hint=body, is_silent=is_silent)
        if self._preferences.notifications.browser:
            self._browser.show(title, body, tag=told.id, path=told.path if self._has_target(told) else "")


class _Row(ui.element, default_classes="qu-bell-row"):
    """One thing that was told."""

    def __init__(self, told: Notification, panel: ui.element, *, has_target: bool) -> None:
        super().__init__("li")
        self._props["tabindex"] = "-1"
        self.told = told
        title, body = words_of(told)
        with self:
            with ui.element("span").classes(f"qu-dot qu-tone-{told.tone}"):
                Icon(_ICONS[told.tone])
            with ui.element("div").classes("qu-grow"):
                self._title = ui.element("div").classes("qu-strong")
                if body:
                    paragraph(body, muted=True, size="xs").classes("qu-bell-body")
                Ago(told.time, classes="qu-bell-time")
            with ui.element("span").classes("qu-bell-unread") as self._unread:
                Text(_("Unread"), classes="qu-hidden")
        with self._title:
            if has_target:
                ui.link(title, told.path).on("click", js_handler=_hide(panel))
            else:
                Text(title)
        self._is_linked = has_target

    def show_unread(self, is_unread: bool) -> None:
        self._unread.set_visibility(is_unread)

    def unlink(self) -> None:
        """Its page is gone: leave the words."""
        if self._is_linked:
            self._is_linked = False
            self._title.clear()
            with self._title:
                Text(words_of(self.told)[0])


def words_of(told: Notification) -> tuple[str, str]:
    """Title and body in the language of the page."""
    return _(told.title, **told.values), sentence(told.body)


def is_wanted(told: Notification, preferences: UserPreferences) -> bool:
    """Whether the person wants to hear of this topic."""
    return bool(getattr(preferences.notifications, told.topic))


def is_unread(told: Notification, preferences: UserPreferences) -> bool:
    seen_until = preferences.notifications.seen_until
    return is_wanted(told, preferences) and (seen_until is None or told.told_at > seen_until)


def _hide(panel: ui.element) -> str:
    """JavaScript that closes the list, for what leads away from it."""
    return f"() => getHtmlElement({panel.id})?.hidePopover()"
