"""What the palette finds: pages, commands, runs, adapters, data, settings and words of the glossary."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from nicegui import ui

from qlora_ui import demo
from qlora_ui.components.badge import status_words
from qlora_ui.components.glossary import ADDRESS, TERMS
from qlora_ui.components.palette import Choice, Group, Palette
from qlora_ui.components.running_card import model_name
from qlora_ui.components.toast import toast_error
from qlora_ui.contract.errors import QloraUiError
from qlora_ui.contract.records import Adapter, Dataset, JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _, mark
from qlora_ui.pages.help.paths import TOPICS
from qlora_ui.pages.shell.commands import THEMES
from qlora_ui.pages.shell.palette_search import Candidate, fold, rank
from qlora_ui.pages.shell.side_bar import LINKS

if TYPE_CHECKING:
    from qlora_ui.pages.shell.commands import Commands

MOST = 6
"""Of one group; whoever looks for more types more."""
LATEST = 4
"""Runs that are offered before anything is typed."""
HELD_AT_MOST, RESUMED_AT_MOST = 40, 20
"""Runs that have not ended, and runs that have, for which commands are offered: the newest ones."""

COMMANDS, RUNS, PAGES = mark("Commands"), mark("Runs"), mark("Pages")
ADAPTERS, DATA, SETTINGS, GLOSSARY = mark("Adapters"), mark("Data"), mark("Settings"), mark("Glossary")

SETTINGS_SECTIONS = (
    ("appearance", mark("Appearance"), mark("theme, light, dark, high contrast")),
    ("language", mark("Language"), mark("English, German, Chinese, translation")),
    ("notifications", mark("Notifications"), mark("bell, browser, errors, updates, webhook")),
    ("accessibility", mark("Accessibility"), mark("reduced motion, contrast, screen reader, shortcuts")),
    ("models", mark("Models"), mark("default model, folders, hub token")),
    ("standby", mark("Standby worker"), mark("start runs at once, memory of the machine")),
    ("storage", mark("Storage"), mark("disk, clean up, free space")),
    ("transfer", mark("Export and import"), mark("back up the settings, move to another machine")),
    ("about", mark("About and diagnostics"), mark("version, doctor, licence")),
)
"""The sections of /settings: anchor, title, and what else a person may call what is in them."""


@dataclass(frozen=True)
class Entry:
    """One thing that can be chosen, and what happens then: `target` opens, else `action` runs."""

    group: str
    id: str
    text: str
    detail: str = ""
    icon: str = "chevron-right"
    keys: str = ""
    target: str = ""
    action: Callable[[], Awaitable[object]] | None = None


Findable = Candidate[Entry | Job]


class PaletteOfApp:
    """The palette of one open page. It looks anew at what there is whenever it is opened."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._services = commands.services
        self._runs: dict[str, Findable] = {}
        self._adapters: list[Findable] = []
        self._others: list[Findable] = []
        self._offered: dict[str, Entry] = {}
        self._palette = Palette(self._find, self._choose)

    async def open(self) -> None:
        adapters, datasets = await asyncio.gather(self._services.adapters(), self._services.datasets())
        await asyncio.to_thread(self._take_in, list(self._services.jobs.jobs.values()), adapters)
        entries = [*self._command_entries(), *_page_entries(self._commands), *_setting_entries()]
        self._others = [*entries, *self._data_entries(datasets), *_term_entries()]
        if not self._commands.is_deleted:
            self._palette.open()

    def _take_in(self, jobs: Iterable[Job], adapters: list[Adapter]) -> None:
        """Folding thousands of names takes a while, so it is done in a thread, and once for each run."""
        known = self._runs
        self._adapters = [*_adapter_entries(adapters)]
        self._runs = {job.id: known.get(job.id) or _findable_job(job) for job in reversed([*jobs])}

    def _find(self, query: str) -> list[Group]:
        everything = (*self._others, *self._runs.values(), *self._adapters)
        found = rank(query, everything) if query.strip() else self._suggestions()
        groups: dict[str, list[Entry]] = {}
        for what in found:
            members = groups.setdefault(RUNS if isinstance(what, Job) else what.group, [])
            if len(members) < MOST or not query.strip():
                members.append(_job_entry(what) if isinstance(what, Job) else what)
        self._offered = {entry.id: entry for entries in groups.values() for entry in entries}
        is_asked = any(fold(entry.text) == fold(query) for entry in groups.get(GLOSSARY, []))
        order = groups if is_asked else sorted(groups, key=lambda heading: heading == GLOSSARY)  # words come last
        return [Group(_(heading), [_choice(entry) for entry in groups[heading]]) for heading in order]

    def _suggestions(self) -> list[Entry | Job]:
        """Before anything is typed: what can be done, the latest runs, all pages."""
        entries = [candidate.what for candidate in self._others if isinstance(candidate.what, Entry)]
        latest = [candidate.what for candidate in [*self._runs.values()][:LATEST]]
        commands = [entry for entry in entries if entry.group == COMMANDS and ":" not in entry.id]
        return [*commands, *latest, *(entry for entry in entries if entry.group == PAGES)]

    async def _choose(self, id: str) -> None:
        entry = self._offered[id]
        try:
            if entry.action is not None:
                await entry.action()
            if entry.target:
                ui.navigate.to(entry.target)
        except QloraUiError as error:
            toast_error(error)

    # ---- what there is ----

    def _command_entries(self) -> Iterator[Findable]:
        commands = self._commands
        do = partial(_entry, COMMANDS)
        yield do(
            "new", _("New fine-tune"), "sparkles", keys=commands.keys_for(path="/train", command="new"), target="/train"
        )
        yield do("data", _("Add data"), "database", further=_("data file, dataset, upload"), target="/train")
        yield do("starter", _("Try the starter run"), "flask-conical", action=self._start_starter)
        theme = commands.visitor.preferences.theme
        for name, (word, icon) in THEMES.items():
            if name != theme:
                yield do(
                    f"theme:{name}", _("Theme: {name}", name=_(word)), icon, action=partial(commands.set_theme, name)
                )
        keys = commands.keys_for(command="theme")
        yield do("theme", _("Switch the theme"), THEMES[theme][1], keys=keys, action=commands.next_theme)
        text = _("Show the side bar") if commands.visitor.preferences.sidebar_collapsed else _("Hide the side bar")
        keys = commands.keys_for(command="side_bar")
        yield do("side-bar", text, "panel-left", keys=keys, action=commands.toggle_side_bar)
        keys = commands.keys_for(command="shortcuts")
        yield do("keys", _("Keyboard shortcuts"), "keyboard", keys=keys, action=commands.list_shortcuts)
        yield from self._job_commands()

    def _job_commands(self) -> Iterator[Findable]:
        """For what is at work or waits, and for the newest of what ended early."""
        jobs = [*reversed(self._services.jobs.jobs.values())]
        ended = [job for job in jobs if job.status.is_final and job.can_resume][:RESUMED_AT_MOST]
        active = sorted(
            (job for job in jobs if not job.status.is_final), key=lambda job: job.status == JobStatus.PENDING
        )
        for job in [*active[:HELD_AT_MOST], *ended]:
            do, name = partial(_entry, COMMANDS, detail=_described(job), further=job.id), job.name
            if job.status is JobStatus.FAILED:
                text, action = _("Try {name} again", name=name), partial(self._commands.retry, job)
                yield do(f"retry:{job.id}", text, "rotate-ccw", action=action)
            elif job.can_resume:
                text, action = _("Resume {name}", name=name), partial(self._commands.resume, job)
                yield do(f"resume:{job.id}", text, "play", action=action)
            if job.can_pause:
                text, action = _("Pause {name}", name=name), partial(self._commands.pause, job)
                yield do(f"pause:{job.id}", text, "pause", action=action)
            if job.can_stop:
                text, action = _("Stop {name}", name=name), partial(self._commands.stop, job)
                yield do(f"stop:{job.id}", text, "square", action=action)

    def _data_entries(self, datasets: list[Dataset]) -> Iterator[Findable]:
        detail = _("use it for a new fine-tune")
        for dataset in reversed(datasets):
            action = partial(self._use_data, dataset)
            yield _entry(DATA, f"data:{dataset.id}", dataset.name, "database", detail=detail, action=action)

    async def _start_starter(self) -> None:
        run = await demo.submit_starter(self._services.jobs)
        ui.navigate.to(f"/activity/{run.training.id}")

    async def _use_data(self, dataset: Dataset) -> None:
        from qlora_ui.pages.train.session import session_of

        session = await session_of(self._services)
        await session.refresh_choices()
        await session.set("dataset_path", dataset.path)
        ui.navigate.to("/train")


def _page_entries(commands: Commands) -> Iterator[Findable]:
    pages = [*LINKS, ("/evaluate/dashboard", mark("Compare models"), "chart-column")]
    pages += [("/help", mark("Help"), "circle-question-mark")]
    pages += [(path, topic.title, topic.icon) for path, topic in TOPICS.items()]
    for path, word, icon in pages:
        detail = _("Help") if path.startswith("/help/") else ""
        keys = commands.keys_for(path=path)
        yield _entry(PAGES, path, _(word), icon, detail=detail, keys=keys, further=word, target=path)


def _setting_entries() -> Iterator[Findable]:
    for anchor, title, words in SETTINGS_SECTIONS:
        target = f"/settings#{anchor}"
        further = f"{_(words)} {title} {words}"
        yield _entry(SETTINGS, target, _(title), "settings", detail=_(words), further=further, target=target)


def _adapter_entries(adapters: list[Adapter]) -> Iterator[Findable]:
    """An adapter is shown on the page of the run that made it."""
    for adapter in reversed(adapters):
        if adapter.job_id:
            base, target = adapter.base_model.rstrip("/").rpartition("/")[2], f"/activity/{adapter.job_id}"
            yield _entry(ADAPTERS, f"adapter:{adapter.id}", adapter.name, "layers", detail=base, target=target)


def _term_entries() -> Iterator[Findable]:
    for key, term in TERMS.items():
        target = f"{ADDRESS}#{key}"
        further = f"{_(term.question)} {term.name}"
        yield _entry(
            GLOSSARY, target, _(term.name), "book-open", detail=_(term.question), further=further, target=target
        )


def _entry(
    group: str,
    id: str,
    text: str,
    icon: str,
    *,
    detail: str = "",
    keys: str = "",
    further: str = "",
    target: str = "",
    action: Callable[[], Awaitable[object]] | None = None,
) -> Findable:
    return Candidate(Entry(group, id, text, detail, icon, keys, target, action), text, further)


def _findable_job(job: Job) -> Findable:
    return Candidate(job, job.name, f"{job.id} {model_name(job)}")


def _job_entry(job: Job) -> Entry:
    target = f"/activity/{job.id}"
    return Entry(RUNS, target, job.name, _described(job), "activity", target=target)


def _described(job: Job) -> str:
    return f"{model_name(job)} · {status_words(job.kind, job.status)[0]}"


def _choice(entry: Entry) -> Choice:
    return Choice(entry.id, entry.text, entry.detail, entry.icon, entry.keys)
