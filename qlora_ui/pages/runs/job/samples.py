"""What the model answered to the same prompts as it learned: over time, first against last, all side by side."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence

from nicegui import ui

from qlora_ui.components.data_table import DataTable
from qlora_ui.components.events import listen, throttled
from qlora_ui.components.forms.segmented import Segmented
from qlora_ui.components.forms.select_list import amend_list
from qlora_ui.components.layout import Card, row
from qlora_ui.components.text import Text
from qlora_ui.contract.events import Sample
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _, mark
from qlora_ui.locales.figures import number

EVALUATIONS_SHOWN = 12
"""Of more evaluations, so many are shown: the first, the last, and evenly chosen ones between them."""
CHARACTERS_SHOWN = 2_000
_VIEWS = {"time": mark("Over time"), "ends": mark("First and last"), "all": mark("All prompts")}
_DRAW_ANEW_S = 1.0


class SamplesCard(Card):
    """Follows the samples of a training; there must be one. What a person chose to see stays chosen."""

    def __init__(self, job: Job) -> None:
        super().__init__(_("The same prompt over time"))
        self._job = job
        self._shown = 0
        self._view = "time"
        self._prompts: list[str] = []
        with self.head, row(wrap=True):
            self._select = ui.select({}, on_change=self._draw).props("outlined dense hide-bottom-space")
            self._select.classes("qu-prompt-select")
            amend_list(self._select, _("Prompt"))
            views = {name: _(words) for name, words in _VIEWS.items()}
            self._views = Segmented(views, label=_("Show the answers"), on_change=self._show)
        with self:
            self._room = ui.element("div").classes("qu-col qu-gap-3")
            follow = throttled(self, self._follow, seconds=_DRAW_ANEW_S)
            listen(job.changed, follow)
            listen(job.curves_reset, follow)
        self._follow()

    def _show(self, view: str) -> None:
        self._view = view
        self._draw()

    def _follow(self) -> None:
        samples = self._job.samples
        prompts = list(dict.fromkeys(sample.prompt for sample in samples))
        if prompts != self._prompts:
            self._prompts = prompts
            self._select.set_options(_options(prompts), value=self._select.value or 0)
        self._select.set_visibility(len(prompts) > 1 and self._view != "all")
        if len(samples) != self._shown:
            self._shown = len(samples)
            self._draw()

    def _draw(self) -> None:
        self._select.set_visibility(len(self._prompts) > 1 and self._view != "all")
        self._room.clear()
        if not self._prompts:
            return
        with self._room:
            if self._view == "all":
                _all_prompts(self._job.samples, self._prompts)
                return
            prompt = self._prompts[int(self._select.value or 0)]
            samples = [sample for sample in self._job.samples if sample.prompt == prompt]
            quoted = _("“{prompt}”", context="a quotation", prompt=cut(prompt))
            Text(quoted, "p", classes="qu-sm qu-muted qu-answer qu-break")
            if self._view == "time":
                _over_time(samples)
            else:
                _first_and_last(samples)


def spread(items: Sequence[Sample], limit: int) -> list[Sample]:
    """At most `limit` (2 or more) of them, evenly chosen, with the first and the last."""
    if len(items) <= limit:
        return list(items)
    return [items[round(place * (len(items) - 1) / (limit - 1))] for place in range(limit)]


def changes(before: str, after: str) -> Iterator[tuple[str, bool]]:
    """The text `after` in pieces, each with whether it is not in `before`, compared word by word."""
    old, new = (re.findall(r"\s+|[^\W_]+|.", text, re.DOTALL) for text in (before, after))
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for kind, _start, _end, first, last in matcher.get_opcodes():
        if first < last:
            yield "".join(new[first:last]), kind != "equal"


def cut(text: str) -> str:
    return text if len(text) <= CHARACTERS_SHOWN else f"{text[:CHARACTERS_SHOWN].rstrip()}…"


def _options(prompts: list[str]) -> dict[int, str]:
    return {place: _("Prompt {number}", number=number(place + 1)) for place in range(len(prompts))}


def _over_time(samples: list[Sample]) -> None:
    """Answers to one prompt, step by step, and what was wanted."""
    table = DataTable([_("Step"), _("Answer")], label=_("Answers over time")).classes("qu-answers-over-time")
    shown = spread(samples, EVALUATIONS_SHOWN)
    for sample in shown:
        entry = table.row()
        entry.cell(number(sample.step)).classes("qu-num qu-step-cell")
        entry.cell(cut(sample.answer)).classes("qu-answer")
    if samples[-1].reference:
        entry = table.row()
        entry.cell(_("Expected")).classes("qu-muted")
        entry.cell(cut(samples[-1].reference)).classes("qu-answer qu-muted")
    _say_left_out(len(shown), len(samples))


def _say_left_out(shown: int, total: int) -> None:
    if shown < total:
        words = _("{shown} of {total} evaluations, evenly chosen.", shown=number(shown), total=number(total))
        Text(words, "p", classes="qu-xs qu-muted")


def _first_and_last(samples: list[Sample]) -> None:
    """Two answers beside each other; what is in one of them alone is marked."""
    first, last = samples[0], samples[-1]
    if first is last:
        Text(_("There is one evaluation so far."), "p", classes="qu-sm qu-muted")
        return
    pairs = ((first, last, "qu-gone"), (last, first, "qu-new"))
    with ui.element("div").classes("qu-beside"):
        for shown, other, classes in pairs:
            with ui.element("div").classes("qu-col"):
                Text(_("Step {step}", step=number(shown.step)), "h3")
                with ui.element("p").classes("qu-answer qu-sm qu-break"):
                    for piece, is_different in changes(cut(other.answer), cut(shown.answer)):
                        Text(piece, "mark" if is_different else "span", classes=classes if is_different else "")
    if last.reference:
        expected = _("Expected: {answer}", answer=cut(last.reference))
        Text(expected, "p", classes="qu-sm qu-muted qu-answer qu-break")


def _all_prompts(samples: list[Sample], prompts: list[str]) -> None:
    """A row for each prompt, a column for each evaluation."""
    by_step = {(sample.prompt, sample.step): sample for sample in samples}
    latest = {sample.step: sample for sample in samples}
    steps = [sample.step for sample in spread([latest[step] for step in sorted(latest)], EVALUATIONS_SHOWN)]
    names = [_("Prompt"), *(_("Step {step}", step=number(step)) for step in steps)]
    with ui.element("div").classes("qu-answers-room") as room:
        table = DataTable(names, label=_("Answers to all prompts")).classes("qu-answers")
    room._props.update({"tabindex": "0", "role": "region", "aria-label": _("Answers to all prompts")})
    for prompt in prompts:
        entry = table.row()
        entry.cell(cut(prompt)).classes("qu-answer qu-muted")
        for step in steps:
            sample = by_step.get((prompt, step))
            with entry.cell():
                Text(cut(sample.answer) if sample else "–", "div", classes="qu-answer qu-break")
    _say_left_out(len(steps), len(latest))
