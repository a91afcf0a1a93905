"""A form field for one knob. Which widget a knob gets is a pure function; building it is another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from nicegui import ui
from nicegui.elements.mixins.value_element import ValueElement

from qlora_ui.components.field import Field
from qlora_ui.contract.knobs import Knob
from qlora_ui.theme.icons import Icon

AUTOMATIC = "automatic"
"""What the empty value of an on/off knob is called."""


@dataclass(frozen=True)
class Widget:
    """What a knob is shown as."""

    kind: Literal["input", "select", "switch"]
    options: dict[Any, str] = field(default_factory=dict)
    """Value → words, for a select."""
    keyboard: Literal["text", "numeric", "decimal"] = "text"
    """The keys that a phone offers."""


def widget_for(knob: Knob) -> Widget:
    """A switch for yes or no, a select where the values are known, else a line of text (2e-4 is a number too)."""
    match knob.kind:
        case "switch" if knob.optional:
            return Widget("select", {None: AUTOMATIC, True: "on", False: "off"})
        case "switch":
            return Widget("switch")
        case "choice":
            nothing: dict[Any, str] = {None: AUTOMATIC} if knob.optional else {}
            return Widget("select", nothing | {choice: choice.replace("_", " ") for choice in knob.choices})
        case "integer":
            return Widget("input", keyboard="numeric")
        case "number":
            return Widget("input", keyboard="decimal")
        case _:
            return Widget("input")


def in_words(value: Any) -> str:
    """A knob's value as a person writes it; empty for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    return format(value, ".10g") if isinstance(value, float) else str(value)


def beside_label(knob: Knob) -> str:
    """Unit and default, where there are any: `steps, default 3`."""
    default = in_words(knob.default)
    shown = widget_for(knob).kind != "switch" and default
    return ", ".join(part for part in (knob.unit, f"default {default}" if shown else "") if part)


class KnobField(Field):
    """One knob: label, unit and default, the widget, help at a key press, and what is wrong with its value.

    `on_commit(value)`, sync or async, is called when a person leaves the field, chooses an option or flips the switch,
    and at each key while an error is shown, so that it goes away as soon as it is mended.
    """

    def __init__(self, knob: Knob, value: Any, on_commit: Callable[[Any], Any]) -> None:
        super().__init__(knob.title, help=knob.help, unit=beside_label(knob))
        self._widget = widget_for(knob)
        self._on_commit = on_commit
        self._shown = self._as_shown(value)
        self._is_showing = False
        self.help.set_visibility(False)
        with self.head:
            self._info = self._info_button(knob)
        self._info.move(self.head, target_index=1)
        self.control = self.hold(self._build_control(knob, value))

    def show(self, value: Any, error: str = "") -> None:
        """Take over the form's state without announcing it. A value that is the same leaves what is being typed."""
        if (shown := self._as_shown(value)) != self._shown:
            self._shown, self._is_showing = shown, True
            self.control.value = shown
            self._is_showing = False
        if error != self.error.text:
            self.set_error(f"{error[:1].upper()}{error[1:]}." if error else "")

    def _build_control(self, knob: Knob, value: Any) -> ValueElement[Any]:
        control: ValueElement[Any]
        match self._widget.kind:
            case "select":
                control = ui.select(self._widget.options, value=self._shown, on_change=self._commit)
            case "switch":
                control = ui.switch(value=self._shown, on_change=self._commit)
            case "input":
                control = ui.input(value=self._shown, on_change=self._type)
                control.props(f"inputmode={self._widget.keyboard} autocomplete=off spellcheck=false")
                control.on("blur", self._commit, []).on("keydown.enter", self._commit, [])
        control.props["aria-label"] = knob.title
        return control.mark(knob.name)

    def _info_button(self, knob: Knob) -> ui.element:
        button = ui.element("button").classes("qu-info").on("click", self._toggle_help, [])
        button.props(f"type=button aria-expanded=false aria-controls={self.help.html_id}")
        button.props.update({"aria-label": f"About {knob.title}", "title": knob.help})
        with button:
            Icon("info", size=14)
        return button

    def _toggle_help(self) -> None:
        self.help.set_visibility(not self.help.visible)
        self._info.props["aria-expanded"] = "true" if self.help.visible else "false"
        self.set_error(self.error.text)  # the description of the control follows what is visible

    def _as_shown(self, value: Any) -> Any:
        match self._widget.kind:
            case "input":
                return in_words(value)
            case "switch":
                return bool(value)
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
