"""The parameters as they were frozen with the run: what differs from the defaults, all of them, and as a file."""

from __future__ import annotations

import shlex
from typing import Any

import yaml
from nicegui import ui

from qlora_ui.components.browser.copying import copy_button, copy_from
from qlora_ui.components.button import icon_button
from qlora_ui.components.fold import Fold
from qlora_ui.components.forms.knob_field import AUTOMATIC, in_words, plain
from qlora_ui.components.key_values import KeyValues
from qlora_ui.components.layout import Card, row
from qlora_ui.components.text import Text, code_block, heading
from qlora_ui.contract.knobs import GROUPS, Knob, knobs
from qlora_ui.contract.records import JobKind
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _, mark, sentence

_COMMANDS = {JobKind.TRAINING: "train", JobKind.EVALUATION: "evaluate", JobKind.MERGE: "merge"}
_GROUP_TITLES = {
    "basics": mark("Basics"),
    "LoRA": mark("LoRA"),
    "optimiser": mark("Optimiser"),
    "data": mark("Data"),
    "memory": mark("Memory"),
    "monitoring": mark("Monitoring"),
}
_LONG = 120
"""Characters; a longer value is folded."""


class ParametersCard(Card):
    """What differs stands first; the rest and the file unfold."""

    def __init__(self, job: Job) -> None:
        super().__init__(_("Parameters"))
        self._job = job
        file = f"{job.id}.yaml"
        with self.head, row(gap=1):
            copy_button(lambda: as_yaml(job), _("Copy as YAML"))
            icon_button(
                _("Download parameters.yaml"),
                "download",
                lambda: ui.download.content(as_yaml(job), file, "application/yaml"),
                size="sm",
            )
        with self:
            self._show_differing()
            Fold(_("All parameters"), self._show_all)
            Fold(_("As a file, and the command that repeats this run"), lambda: self._show_file(file))

    def _show_differing(self) -> None:
        known = knobs(type(self._job.parameters))
        differing = [
            knob
            for name, knob in known.items()
            if name != "name" and getattr(self._job.parameters, name) != knob.default
        ]
        _values(self._job, differing)
        Text(_("Every other setting has its default."), "p", classes="qu-xs qu-muted")

    def _show_all(self) -> None:
        known = knobs(type(self._job.parameters)).values()
        for group in GROUPS:
            if members := [knob for knob in known if knob.group == group]:
                heading(_(_GROUP_TITLES[group]), 3)
                _values(self._job, members)

    def _show_file(self, file: str) -> None:
        code_block(as_yaml(self._job), _("Parameters as YAML"))
        if (verb := _COMMANDS.get(self._job.kind)) is None:
            return
        Text(_("Download it, and this command does the same run:"), "p", classes="qu-sm qu-muted")
        with row():
            command = code_block(f"qlora-ui {verb} {shlex.quote(file)}", _("Command")).classes("qu-grow")
            copy_from(command, _("Copy the command"), is_icon=True)


def as_yaml(job: Job) -> str:
    """All parameters as the file that the command line takes."""
    values = {name: plain(getattr(job.parameters, name)) for name in type(job.parameters).model_fields}
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)


def value_words(value: Any) -> str:
    """A value as a person reads it: lists with commas, tables as `name → value`, a line each where they are longer."""
    value = plain(value)
    if isinstance(value, dict):
        return "\n".join(f"{name} → {value_words(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        parts = [_entry(item) for item in value]
        return "\n".join(parts) if any(isinstance(item, dict) for item in value) else ", ".join(parts)
    return in_words(value)


def _entry(item: Any) -> str:
    """One entry of a list: `drop_rows: rows 3, 7`, its first value being its name."""
    if not isinstance(item, dict):
        return value_words(item)
    first, *rest = item.items()
    details = ", ".join(f"{name} {value_words(inner)}" for name, inner in rest)
    return f"{value_words(first[1])}: {details}" if details else value_words(first[1])


def _values(job: Job, shown: list[Knob]) -> None:
    values = KeyValues()
    for knob in shown:
        value = getattr(job.parameters, knob.name)
        words = _(AUTOMATIC) if value is None else value_words(value) or "–"
        text = values.add(sentence(knob.title), "" if len(words) > _LONG else words).classes("qu-lines")
        if len(words) > _LONG:
            _fold(text, words)


def _fold(place: Text, words: str) -> None:
    """A template or a long list, one click away."""
    with place:
        beginning = f"{' '.join(words.split())[:40]}…"
        Fold(beginning, lambda: Text(words, "div", classes="qu-answer qu-break"))
