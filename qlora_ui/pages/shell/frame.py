"""The frame that every page opens in: side bar, top bar, notices, and the room where pages take turns."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import Request, Response
from fastapi.exception_handlers import http_exception_handler
from nicegui import Client, app, ui
from nicegui.page_arguments import RouteMatch
from nicegui.translations import translations
from starlette.exceptions import HTTPException

from qlora_ui import locales, theme
from qlora_ui.components import reader
from qlora_ui.components.browser.tab_title import name_tab
from qlora_ui.components.events import listen
from qlora_ui.components.modules import WITH_MODULES
from qlora_ui.components.notice import Notice
from qlora_ui.components.page_header import PageHeader
from qlora_ui.contract.preferences import UserPreferences
from qlora_ui.locales import _, mark, sentence
from qlora_ui.pages.help.paths import HELP_PATHS
from qlora_ui.pages.shell import not_found
from qlora_ui.pages.shell.commands import Commands, Palette
from qlora_ui.pages.shell.side_bar import SideBar
from qlora_ui.pages.shell.tab_progress import TabProgress
from qlora_ui.pages.shell.top_bar import TopBar
from qlora_ui.pages.visitor import Visitor

if TYPE_CHECKING:
    from qlora_ui.services import Services

PATIENCE_S = 30.0
"""So long a page may take to appear: a busy machine, or a long history that is read for the first time."""
PATHS = {
    "/": mark("Dashboard"),
    "/train": mark("Train"),
    "/playground": mark("Playground"),
    "/evaluate": mark("Evaluate"),
    "/evaluate/dashboard": mark("Compare models"),
    "/publish": mark("Publish"),
    "/activity": mark("Activity"),
    "/activity/{job_id}": mark("Run"),
    "/settings": mark("Settings"),
    **HELP_PATHS,
}
"""Every path that opens a page, and the name of the browser's tab until the page gives its own."""
_NOT_FOUND = mark("Not found")
_FIRST_PARTS_S = 0.15
"""How long a first answer waits for the parts of its page; the others follow once the browser has connected."""


def register(services: Services) -> None:
    """Make all pages known to the server. Each path opens the same frame, within which pages then take turns."""
    theme.install()
    assert WITH_MODULES  # known by now, and so to every browser
    locales.ask_for_language(lambda: reader.preferences().language)

    async def shell() -> None:
        client = ui.context.client
        await services.until_runs_known()
        if _is_unknown_run(services, client.sub_pages_router.current_path):
            client.status_code = 404
        await _build(services, PATHS[client.page.path])

    for path, title in PATHS.items():
        ui.page(path, title=f"{title} · qlora-ui", language="en-US", response_timeout=PATIENCE_S)(shell)
    app.add_exception_handler(404, partial(_answer_not_found, services))


async def _build(services: Services, title: str) -> None:
    """The whole frame; `title` is the tab's name until the page gives its own."""
    client = ui.context.client
    visitor = await Visitor.meet(services, client)
    name_tab(_(title))
    _translate_nicegui(locales.tag(visitor.preferences.language))
    _dress(services, visitor)
    _show_notices(services.notices)
    pages = _Pages(_routes(services, visitor))
    ui.skip_link(_("Skip to main content"), target=pages)
    path = client.sub_pages_router.current_path
    with client.layout:
        side_bar = SideBar(services, visitor, path)
        commands = Commands(services, visitor, _make_palette)
        top_bar = TopBar(commands, side_bar)
        top_bar.move(target_index=1)  # in front of the page, behind the skip link
        side_bar.move(target_index=1)
        progress = TabProgress(services, path)
    client.sub_pages_router.on_path_changed(side_bar.show_open)
    client.sub_pages_router.on_path_changed(progress.show_open)
    await pages.first_parts()


def _make_palette(commands: Commands) -> Palette:
    from qlora_ui.pages.shell.palette import PaletteOfApp

    return PaletteOfApp(commands)


def _translate_nicegui(tag: str) -> None:
    """What NiceGUI itself says while the connection is lost, in the language of the page."""
    words = translations.setdefault(tag, dict(translations["en-US"]))  # type: ignore[arg-type]  # any of Quasar's packs
    words["connection_lost"] = _("Connection lost.")
    words["trying_to_reconnect"] = _("Runs go on without this page. Trying to reconnect…")


def _dress(services: Services, visitor: Visitor) -> None:
    """Give the page its look, and let it follow when the person changes their preferences, here or on another tab."""

    def look(preferences: UserPreferences) -> dict[str, Any]:
        wishes = preferences.accessibility
        return {
            "theme": preferences.theme,
            "high_contrast": wishes.high_contrast,
            "reduced_motion": wishes.reduced_motion,
        }

    appearance = theme.Appearance(**look(visitor.preferences))

    def follow(person: str, preferences: UserPreferences) -> None:
        if person != visitor.person:
            return
        if visitor.take_over(preferences):
            ui.navigate.reload()
        appearance.show(**look(preferences))

    listen(services.people.changed, follow)


def _is_unknown_run(services: Services, path: str) -> bool:
    """Whether the path names a run that is not there; its page says so in words."""
    parts = path.strip("/").split("/")
    return len(parts) == 2 and parts[0] == "activity" and parts[1] not in services.jobs.jobs


async def _answer_not_found(services: Services, request: Request, error: Exception) -> Response:
    """A page in the frame for a browser; for a program, what FastAPI says by itself."""
    if isinstance(error, HTTPException) and "text/html" not in request.headers.get("accept", ""):
        return await http_exception_handler(request, error)
    with Client(ui.page("", title="Not found · qlora-ui", language="en-US"), request=request) as client:
        await _build(services, _NOT_FOUND)
    return client.build_response(request, 404)


def _routes(services: Services, visitor: Visitor) -> dict[str, Callable[..., Any]]:
    """Path → builder. Page modules are imported when they are first opened, so that the server starts at once."""

    def dashboard() -> Any:
        from qlora_ui.pages.dashboard import page as dashboard

        return dashboard.build(services, visitor)

    def train() -> Any:
        from qlora_ui.pages.train import page as train

        return train.build(services)

    def activity() -> Any:
        from qlora_ui.pages.runs.list import page as activity

        return activity.build(services)

    def job(job_id: str) -> Any:
        from qlora_ui.pages.runs.job import page as job

        return job.build(services, job_id)

    def settings() -> Any:
        from qlora_ui.pages.settings import page as settings

        return settings.build(services, visitor)

    def help_page(path: str) -> Any:
        from qlora_ui.pages.help import pages as help_pages

        return help_pages.build(path, services, visitor)

    return {
        "/": dashboard,
        "/train": train,
        "/activity": activity,
        "/activity/{job_id}": job,
        "/settings": settings,
        **{path: partial(help_page, path) for path in HELP_PATHS},
        **_planned(),
    }


def _planned() -> dict[str, Callable[..., Any]]:
    from qlora_ui.pages.shell import planned

    return {path: partial(planned.build, page) for path, page in planned.PAGES.items()}


class _Pages(ui.sub_pages, default_classes="qu-page"):
    """The room where pages take turns."""

    async def first_parts(self) -> None:
        """Wait a moment for the page that is being built: what is there by then travels with the first answer."""
        if self._active_tasks:
            await asyncio.wait(self._active_tasks, timeout=_FIRST_PARTS_S)

    def _find_matching_path(self) -> RouteMatch | None:
        match = super()._find_matching_path()
        return None if match is None or match.remaining_path else match  # `/nowhere` is not a part of `/`

    def _scroll_to_fragment(self, fragment: str, *, behavior: str) -> None:
        """Take the focus along to what the address names, where it can have it."""
        super()._scroll_to_fragment(fragment, behavior=behavior)
        place = f"document.getElementById({json.dumps(fragment)})"
        focus = f"{place}?.querySelector('h2')?.focus({{ preventScroll: true }})"
        ui.run_javascript(f"requestAnimationFrame(() => {focus})")

    def _render_404(self) -> None:
        not_found.build(ui.context.client.sub_pages_router.current_path)

    def _render_error(self, error: Exception) -> None:
        PageHeader(_("This page could not be shown"))
        Notice(_("Something went wrong while it was put together."), "error", hint=sentence(str(error)))


def _show_notices(notices: list[str]) -> None:
    """What the person should know about this start; a notice that is dismissed stays away."""
    with ui.element("div").classes("qu-notices"):
        for notice in list(notices):
            Notice(sentence(notice), "warning", on_dismiss=partial(_forget, notices, notice))


def _forget(notices: list[str], notice: str) -> None:
    if notice in notices:
        notices.remove(notice)
