"""Which version this is, on which machine, under which licences, and the report to pass on when something is wrong."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from nicegui import __version__ as nicegui_version
from nicegui import ui

from qlora_ui import __version__, diagnostics
from qlora_ui.components.browser.copying import copy_from
from qlora_ui.components.button import Button, link_button
from qlora_ui.components.key_values import KeyValues
from qlora_ui.components.layout import Skeleton, row
from qlora_ui.components.notice import Notice
from qlora_ui.components.section_nav import Section
from qlora_ui.components.text import LiveRegion, code_block, heading, paragraph
from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.diagnostics import Report
from qlora_ui.locales import _, n_, sentence

if TYPE_CHECKING:
    from qlora_ui.services import Services


def about(services: Services) -> Section:
    with Section("about", _("About and diagnostics")) as section:
        KeyValues(
            {
                _("Version"): f"qlora-ui {__version__}",
                "Python": platform.python_version(),
                _("System"): platform.platform(terse=True),
                "NiceGUI": nicegui_version,
                _("Licence"): "Apache-2.0",
                _("Fonts and icons"): "Inter, JetBrains Mono (OFL-1.1); Lucide (ISC)",
            }
        )
        with row(wrap=True):
            link_button(_("Help"), "/help", icon="circle-question-mark", size="sm")
            link_button(_("Glossary"), "/help/glossary", icon="book-open", size="sm")
            link_button(
                _("Keyboard and accessibility"), "/help/keyboard-and-accessibility", icon="accessibility", size="sm"
            )
        _Diagnostics(services)
    return section


class _Diagnostics(ui.element, default_classes="qu-col qu-gap-3"):
    """The report of `qlora-ui doctor`, made when a person asks for it."""

    def __init__(self, services: Services) -> None:
        super().__init__("div")
        self._services = services
        with self:
            with row(between=True, wrap=True):
                heading(_("What this machine can do"), 3)
                Button(_("Examine this machine"), self._examine, icon="activity", size="sm")
            self._said = LiveRegion()
            self._room = ui.element("div").classes("qu-col qu-gap-3")
            with self._room:
                words = _(
                    "Tries the libraries and the device, which takes some seconds. The report stays on this page."
                )
                paragraph(words, muted=True, size="sm")

    async def _examine(self) -> None:
        self._room.clear()
        with self._room:
            for width in ("80%", "55%", "70%"):
                Skeleton(width=width)
        self._said.say(_("The machine is being examined."))
        try:
            report = await diagnostics.examine(self._services.workspace)
        except WorkspaceError as error:
            self._room.clear()
            with self._room:
                Notice(sentence(error.message), "error", hint=sentence(error.hint))
            return
        self._room.clear()
        with self._room:
            self._show(report)

    def _show(self, report: Report) -> None:
        count = sum(check.level != "ok" for check in report.checks)
        words = n_("{count} finding needs attention.", "{count} findings need attention.", count)
        has_error = any(check.level == "error" for check in report.checks)
        Notice(words if count else _("All is well."), "error" if has_error else "warning" if count else "success")
        self._said.say("")  # the notice is read out by itself
        text = code_block(report.text, _("Report on this machine"))
        text._props["lang"] = "en"
        with row(wrap=True):
            copy_from(text, _("Copy the report"))
            paragraph(
                _("It is in English, for whoever helps you; your own folder is written as ~ in it."),
                muted=True,
                size="sm",
            )
