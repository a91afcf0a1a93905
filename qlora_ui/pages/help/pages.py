"""Help: where to look, the words of the field, and the pages of the docs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nicegui import ui

from qlora_ui import __version__
from qlora_ui.components.browser.copying import copy_from
from qlora_ui.components.button import Button, link_button
from qlora_ui.components.data_table import DataTable
from qlora_ui.components.glossary import TERMS, Term
from qlora_ui.components.key_values import KeyValues
from qlora_ui.components.layout import Card, column, columns, grow, row
from qlora_ui.components.page_header import PageHeader
from qlora_ui.components.text import Text, code_block, heading, link, paragraph
from qlora_ui.locales import ENGLISH, _, language
from qlora_ui.pages import shortcuts
from qlora_ui.pages.help.docs import article
from qlora_ui.pages.help.paths import TOPICS
from qlora_ui.theme import Icon

if TYPE_CHECKING:
    from qlora_ui.pages.visitor import Visitor
    from qlora_ui.services import Services


async def build(path: str, services: Services, visitor: Visitor) -> None:
    """The page at `path`, which is one of `HELP_PATHS`."""
    if path == "/help":
        _build_start(services, visitor)
    elif path == "/help/glossary":
        _build_glossary()
    elif path == "/help/shortcuts":
        _build_shortcuts()
    else:
        await _build_article(path)


def _build_start(services: Services, visitor: Visitor) -> None:
    PageHeader(_("Help"), _("What the words mean, how things work, and where to begin."))
    with columns():
        with Card(_("Where to look")), ui.element("ul").classes("qu-list"):
            for path, topic in TOPICS.items():
                with ui.element("li").classes("qu-row qu-gap-3 qu-top-aligned"):
                    with ui.element("span").classes("qu-dot qu-tone-idle"):
                        Icon(topic.icon)
                    with grow():
                        ui.link(_(topic.title), path).classes("qu-title-link qu-strong")
                        Text(_(topic.about), "p", classes="qu-sm qu-muted")
        with column(gap=5):
            _first_steps(visitor)
            _this_installation(services)


def _first_steps(visitor: Visitor) -> None:
    async def show_guide() -> None:
        await visitor.change(guide_hidden=False)
        ui.navigate.to("/")

    with Card(_("First steps")):
        paragraph(
            _(
                "The guide on the dashboard leads to a finished starter run: a small model that comes along is "
                "fine-tuned, scored and merged on this machine."
            ),
            size="sm",
        )
        with row(wrap=True):
            Button(_("Show the guide"), show_guide, icon="flask-conical")


def _this_installation(services: Services) -> None:
    with Card(_("This installation")):
        facts = KeyValues({_("Version"): __version__})
        facts.add(_("Files")).text = str(services.workspace.home)
        paragraph(_("What this machine can do, and what to do about what it cannot:"), muted=True, size="sm")
        with row():
            command = code_block("qlora-ui doctor", _("Command")).classes("qu-grow")
            copy_from(command, _("Copy the command"), is_icon=True)


def _build_glossary() -> None:
    PageHeader(_("Glossary"), _("The words of the field, in a sentence or two each."), crumbs=[(_("Help"), "/help")])
    terms = sorted(TERMS.items(), key=lambda entry: _(entry[1].name).casefold())
    with Card(), ui.element("dl").classes("qu-glossary"):
        for key, term in terms:
            _entry(key, term)


def _entry(key: str, term: Term) -> None:
    with ui.element("div") as entry:
        Text(_(term.name), "dt", classes="qu-strong")
        with ui.element("dd"):
            Text(_(term.meaning))
            if term.docs:
                target = f"/help/{term.docs}"
                Text(" ")
                link(_("More in “{page}”", page=_(TOPICS[target].title)), target)
    entry._props["id"] = key


def _build_shortcuts() -> None:
    topic = TOPICS["/help/shortcuts"]
    PageHeader(_(topic.title), _(topic.about), crumbs=[(_("Help"), "/help")])
    is_mac = "Mac OS X" in ui.context.client.request.headers.get("user-agent", "")
    with Card():
        for title, group in shortcuts.GROUPS.items():
            heading(_(title))
            table = DataTable([_("Keys"), _("What they do")], label=_(title))
            for shortcut in group:
                cells = table.row()
                with cells.cell().classes("qu-key-cell"), row():
                    for key in shortcuts.in_words(shortcut.keys, is_mac=is_mac):
                        Text(key, "kbd")
                cells.cell(_(shortcut.words))
        paragraph(_("Escape closes dialogs and menus. No key does anything while you write."), muted=True, size="sm")
        paragraph(_("The list that opens with ? lets you switch the single keys off."), muted=True, size="sm")


async def _build_article(path: str) -> None:
    topic = TOPICS[path]
    title, text = await asyncio.to_thread(article, topic.file)
    PageHeader(_(topic.title), crumbs=[(_("Help"), "/help")])
    with Card():
        if language() != ENGLISH:
            paragraph(_("This page is written in English."), muted=True, size="sm")
        prose = ui.html(text, sanitize=False, tag="article").classes("qu-prose")  # our own file, not anyone's input
        prose._props.update({"lang": "en", "aria-label": title})
    with row():
        link_button(_("All help"), "/help", icon="chevron-left")
