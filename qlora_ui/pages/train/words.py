"""What /train says of its steps, its knobs and their mistakes, in the language of the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qlora_ui.components.forms.knob_field import error_in_words
from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.knobs import Knob, knobs
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.parsing import key_lines, parse_yaml
from qlora_ui.locales import _, sentence
from qlora_ui.locales.figures import number

KNOBS: dict[str, Knob] = knobs(TrainingParameters)


def step_names() -> tuple[str, ...]:
    """What the steps are called, in their order."""
    return (_("Model"), _("Data"), _("Settings"), _("Check", context="step"), _("Start", context="step"))


def in_figures(count: int, *, is_exact: bool) -> str:
    """`1,024`, or `about 1,024` where it could not be counted."""
    return number(count) if is_exact else _("about {count}", count=number(count))


def error_of_knob(name: str, given: Any, reason: str) -> str:
    """`reason`, which is English, begins small and has no full stop, in the language of the page."""
    return error_in_words(KNOBS[name], given, reason) if name in KNOBS else sentence(reason)


def as_sentence(words: str) -> str:
    return _("{problem}.", problem=words[:1].upper() + words[1:])


def in_a_sentence(name: str, given: Any, reason: str) -> str:
    """`Learning rate: 'abc' was given …` for a knob, its value and what is wrong with it, which is English."""
    title = sentence(KNOBS[name].title) if name in KNOBS else _("Settings")
    return _("{setting}: {problem}.", setting=title, problem=error_of_knob(name, given, reason))


@dataclass(frozen=True)
class FileMistake:
    """Why a file of settings cannot be used."""

    error: ParameterError
    given: Mapping[str, Any]
    """Setting → its value in the file."""
    lines: Mapping[str, int]
    """Setting → the line that it is written in, from 1."""

    @classmethod
    def of(cls, error: ParameterError, text: str) -> FileMistake:
        """What `error` says of the file with this text."""
        return cls(error, parse_yaml(text), key_lines(text)) if error.fields else cls(error, {}, {})

    @property
    def text(self) -> str:
        if not self.error.fields:
            return sentence(self.error.message)
        problems = "; ".join(self._of_setting(name, reason) for name, reason in self.error.fields.items())
        return _("These settings cannot be used: {problems}.", problems=problems)

    def _of_setting(self, name: str, reason: str) -> str:
        words = error_of_knob(name, self.given.get(name), reason)
        if name not in self.lines:
            return f"{name}: {words}" if name else words
        return _("line {line}, {setting}: {problem}", line=self.lines[name], setting=name, problem=words)
