"""Where else the curves of a run go: a link or a command for each tracker that it uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qlora_ui.components.browser.copying import copy_from
from qlora_ui.components.layout import Card, row
from qlora_ui.components.live import Live
from qlora_ui.components.text import Text, link
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _


@dataclass(frozen=True)
class TrackerPlace:
    """Where one tracker shows the run."""

    title: str
    url: str = ""
    command: str = ""
    """What opens it, for those that keep their files on this machine."""


def build(job: Job) -> None:
    """The card, as soon as a tracker has been opened."""
    Live(job.changed, lambda: places_of(job.facts), lambda: _show(places_of(job.facts)), classes="qu-contents")


def places_of(facts: dict[str, Any]) -> list[TrackerPlace]:
    """The worker's fact `trackers`. An address that is no web page is left out: a link could do anything."""
    told = facts.get("trackers")
    places = told.values() if isinstance(told, dict) else []
    return [
        TrackerPlace(
            str(place.get("title", "")),
            str(place.get("url", "")) if str(place.get("url", "")).startswith(("https://", "http://")) else "",
            str(place.get("command", "")),
        )
        for place in places
        if isinstance(place, dict)
    ]


def _show(places: list[TrackerPlace]) -> None:
    if not places:
        return
    with Card(_("Trackers")):
        for place in places:
            if place.url:
                link(place.title, place.url, new_tab=True)
                continue
            Text(place.title, "div", classes="qu-strong qu-sm")
            if place.command:
                with row(between=True):
                    command = Text(place.command, "code", classes="qu-break qu-sm")
                    copy_from(command, _("Copy the command"), is_icon=True)
