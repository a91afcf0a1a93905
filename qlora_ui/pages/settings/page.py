"""/settings: how the app looks and behaves for a person, and what it keeps on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from nicegui import ui

from qlora_ui.components.layout import column
from qlora_ui.components.page_header import PageHeader
from qlora_ui.components.section_nav import Section, SectionNav
from qlora_ui.locales import _
from qlora_ui.pages.settings.about import about
from qlora_ui.pages.settings.appearance import accessibility, appearance, language
from qlora_ui.pages.settings.models import models
from qlora_ui.pages.settings.notifications import notifications
from qlora_ui.pages.settings.parts import SettingsDesk
from qlora_ui.pages.settings.standby import standby
from qlora_ui.pages.settings.storage import storage
from qlora_ui.pages.settings.transfer import transfer

if TYPE_CHECKING:
    from qlora_ui.pages.visitor import Visitor
    from qlora_ui.services import Services


async def build(services: Services, visitor: Visitor) -> None:
    """Every change is saved at once, and every open tab of the person follows."""
    preferences = await services.people.preferences(visitor.person)
    known = await services.models()
    header = PageHeader(_("Settings"), _("Switches and choices are saved at once and hold on all of your tabs."))
    desk = SettingsDesk(services, visitor, preferences)
    desk.said.move(header.actions)
    with ui.element("div").classes("qu-settings"):
        aside = ui.element("div").classes("qu-settings-aside")
        room = column(gap=5)
    sections: list[Section] = []
    for build_next in _builders(services, desk, known):
        with room:
            sections.append(build_next())
        await asyncio.sleep(0)  # what is in sight is sent first, and other people's pages get their turn
    with aside:
        SectionNav(sections, label=_("Sections of the settings"))


def _builders(services: Services, desk: SettingsDesk, known: list[str]) -> tuple[Callable[[], Section], ...]:
    return (
        partial(appearance, desk),
        partial(language, desk),
        partial(notifications, desk),
        partial(accessibility, desk),
        partial(models, desk, known),
        partial(standby, desk),
        partial(storage, services),
        partial(transfer, desk),
        partial(about, services),
    )
