"""A form field for one knob. Which widget a knob gets is a pure function; building it is another."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from nicegui import ui
from nicegui.elements.mixins.value_element import ValueElement
from pydantic import BaseModel

from qlora_ui.components import reader
from qlora_ui.components.forms.check_list import CheckList
from qlora_ui.components.forms.field import Field
from qlora_ui.components.forms.prompt_list import PromptList
from qlora_ui.components.forms.select_list import amend_list
from qlora_ui.contract.knobs import DEVICES, Knob
from qlora_ui.locales import _, mark, sentence
from qlora_ui.theme.icons import Icon

Control = ValueElement[Any] | CheckList | PromptList
"""What shows a value and takes another: by its `value`."""
AUTOMATIC = mark("automatic")
"""What the empty value of an on/off knob is called."""


@dataclass(frozen=True)
class Widget:
    """What a knob is shown as."""

    kind: Literal["input", "select", "switch", "checks", "prompts"]
    options: dict[Any, str] = field(default_factory=dict)
    """Value → words, for a select and for check boxes."""
    keyboard: Literal["text", "numeric", "decimal"] = "text"
    """The keys that a phone offers."""


def widget_for(knob: Knob) -> Widget:
    """A switch for yes or no, a select where the values are known, else a line of text (2e-4 is a number too).

    Lists have check boxes where their values are known, and boxes for texts. Raises ValueError for other structures.
    """
    match knob.kind:
        case "switch" if knob.optional:
            return Widget("select", {None: _(AUTOMATIC), True: _("on"), False: _("off")})
        case "switch":
            return Widget("switch")
        case "choice":
            nothing: dict[Any, str] = {None: _(AUTOMATIC)} if knob.optional else {}
            return Widget("select", nothing | {choice: choice.replace("_", " ") for choice in knob.choices})
        case "integer":
            return Widget("input", keyboard="numeric")
        case "number":
            return Widget("input", keyboard="decimal")
        case "text":
            return Widget("input")
        case "structure" if knob.items == "choices":
            return Widget("checks", {choice: choice.replace("_", " ") for choice in knob.choices})
        case "structure" if knob.items == "texts":
            return Widget("prompts")
        case "structure":
            raise ValueError(f"{knob.name} has no field: what it holds is edited in a place of its own")


def in_words(value: Any) -> str:
    """A knob's value as a person types it, in every language alike; empty for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("on") if value else _("off")
    if isinstance(value, list | dict):
        return json.dumps(plain(value), ensure_ascii=False) if value else ""
    return format(value, ".10g") if isinstance(value, float) else str(value)


def plain(value: Any) -> Any:
    """A list or a table as JSON and YAML write it, without what has its default."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def beside_label(knob: Knob) -> str:
    """Unit and default, where there are any: `steps, default 3`."""
    default = in_words(knob.default).replace("_", " ") if knob.kind == "choice" else in_words(knob.default)
    unit = sentence(knob.unit)
    if knob.kind == "switch" or not default:
        return unit
    return _("{unit}, default {value}", unit=unit, value=default) if unit else _("default {value}", value=default)


def range_in_words(knob: Knob) -> str:
    """`at least 1, at most 64`: the values that a knob may have, empty where any will do."""
    low, high = in_words(knob.minimum), in_words(knob.maximum)
    if knob.exclusive_minimum:
        return _("more than {low}, at most {high}", low=low, high=high) if high else _("more than {low}", low=low)
    if low:
        return _("at least {low}, at most {high}", low=low, high=high) if high else _("at least {low}", low=low)
    return _("at most {high}", high=high) if high else ""


def error_in_words(knob: Knob, given: Any, reason: str) -> str:
    """`reason`, which says in English what is wrong with the value `given`, in the reader's language.

    Like `reason` it begins small and ends without a full stop, so that it can follow the knob's title.
    """
    if reason != knob.refusal(given):
        return sentence(reason)
    kind, allowed = _kind_in_words(knob), range_in_words(knob)
    wanted = _("{kind}, {range}", kind=kind, range=allowed) if allowed else kind
    return _("{given} was given, but it must be {wanted}", given=reprlib.repr(given), wanted=wanted)


def _kind_in_words(knob: Knob) -> str:
    match knob.kind:
        case "text" if knob.name == "device":
            return _(DEVICES)
        case "text" if knob.longest:
            return _("text of at most {count} characters", count=knob.longest)
        case "text":
            return _("text")
        case "structure" if knob.items == "choices":
            return _("some of {choices}", choices=", ".join(knob.choices))
        case "structure" if knob.items == "texts":
            return _("a list of at most {count} texts", count=knob.longest)
        case "structure":
            return _("a list or a table, as its help says")
        case "integer":
            return _("a whole number")
        case "number":
            return _("a number")
        case "switch":
            return _("true or false")
        case "choice":
            return _("one of {choices}", choices=", ".join(knob.choices))


class KnobField(Field):
    """One knob: label, unit and default, the widget, help at a key press, and what is wrong with its value.

    `on_commit(value)`, sync or async, is called when a person leaves the field, chooses an option or flips the switch,
    and at each key while an error is shown, so that it goes away as soon as it is mended.
    """

    def __init__(
        self,
        knob: Knob,
        value: Any,
        on_commit: Callable[[Any], Any],
        *,
        options: Mapping[str, tuple[str, str]] | None = None,
    ) -> None:
        """`options`: of check boxes, value → its words and a note below them, in place of the plain value."""
        super().__init__(sentence(knob.title), help=_help_of(knob), unit=beside_label(knob))
        self._widget = widget_for(knob)
        self._options = options or {name: (words, "") for name, words in self._widget.options.items()}
        self._on_commit = on_commit
        self._shown = self._as_shown(value)
        self._is_showing = False
        with self.head:
            self._info = self._info_button()
        self._info.move(self.head, target_index=1)
        self.on("keydown.escape", lambda: self.show_help(False), [])
        self.show_help(reader.preferences().accessibility.screen_reader)
        self.control = self.hold(self._build_control(knob))
        if isinstance(self.control, CheckList | PromptList):
            self.classes("qu-knob-wide")

    def show(self, value: Any, error: str = "") -> None:
        """Take over the form's state without announcing it. A value that is the same leaves what is being typed."""
        if (shown := self._as_shown(value)) != self._shown:
            self._shown, self._is_showing = shown, True
            self.control.value = shown
            self._is_showing = False
        if error != self.error.text:
            self.set_error(error)

    def _build_control(self, knob: Knob) -> Control:
        control: Control
        match self._widget.kind:
            case "select":
                control = select = ui.select(self._widget.options, value=self._shown, on_change=self._commit)
                amend_list(select, self.label.text)
            case "switch":
                control = ui.switch(value=self._shown, on_change=self._commit)
            case "input":
                control = ui.input(value=self._shown, on_change=self._type)
                control.props(f"inputmode={self._widget.keyboard} autocomplete=off spellcheck=false")
                control.on("blur", self._commit, []).on("keydown.enter", self._commit, [])
            case "checks":
                words = {name: words for name, (words, _note) in self._options.items()}
                notes = {name: note for name, (_words, note) in self._options.items()}
                control = CheckList(words, value=self._shown, on_change=lambda _values: self._commit(), notes=notes)
            case "prompts":
                control = PromptList(value=self._shown, on_change=lambda _values: self._commit(), limit=knob.longest)
        control.props["aria-label"] = self.label.text
        return control.mark(knob.name)

    def show_help(self, value: bool) -> None:
        """Open or close the sentence about the knob; screen readers have it as the description in any case."""
        self.help.set_visibility(value)
        self._info.props["aria-expanded"] = "true" if value else "false"

    def _info_button(self) -> ui.element:
        button = ui.element("button").classes("qu-info")
        button.on("click", lambda: self.show_help(not self.help.visible), [])
        button.props(f"type=button aria-controls={self.help.html_id}")
        button.props.update({"aria-label": _("About {knob}", knob=self.label.text), "title": self.help.text})
        with button:
            Icon("info", size=14)
        return button

    def _as_shown(self, value: Any) -> Any:
        match self._widget.kind:
            case "input":
                return in_words(value)
            case "switch":
                return bool(value)
            case "checks" | "prompts":
                return list(value) if isinstance(value, list | tuple) else []
            case _:
                return value

    def _type(self) -> Any:
        """An emptied field is not committed while more may be typed: it would be filled with the default at once."""
        return self._commit() if self.error.text and self.control.value else None

    def _commit(self) -> Any:
        """A value that was only looked at is not taken for one that was chosen."""
        if self._is_showing or self.control.value == self._shown:
            return None
        self._shown = self.control.value
        return self._on_commit(self._shown)


def _help_of(knob: Knob) -> str:
    """Its sentence, and the range of its values, where there is one."""
    help, allowed = sentence(knob.help), range_in_words(knob)
    return _("{help} Allowed: {range}.", help=help, range=allowed) if allowed else help
