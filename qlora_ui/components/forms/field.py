"""A control with its label, help and error, tied together for screen readers."""

from __future__ import annotations

from typing import TypeVar

from nicegui import ui

from qlora_ui.components.text import Text

Control = TypeVar("Control", bound=ui.element)

_LABELLED_BY_FOR = (ui.input, ui.number, ui.select)
"""Quasar's fields, which pass `for` on to the input inside them."""


class Field(ui.element, default_classes="qu-field"):
    """The label above, the help and the error below a control that `hold` ties to them.

    with Field("Learning rate", help="How large each correction is.") as field:
        rate = field.hold(ui.input(value="2e-4"))
    field.set_error("Give a number above 0.")
    """

    def __init__(self, label: str, *, help: str = "", unit: str = "", error: str = "") -> None:
        super().__init__("div")
        self._control: ui.element | None = None
        with self:
            with ui.element("div").classes("qu-field-label") as self.head:
                self.label = Text(label, "label")
                if unit:
                    Text(unit, classes="qu-field-unit")
            self._slot = ui.element("div")
            self.help = Text(help, "div", classes="qu-field-help")
            self.help.set_visibility(bool(help))
            self.error = Text(classes="qu-field-error", tag="div")
            self.error._props["role"] = "alert"
        self.set_error(error)

    def hold(self, control: Control) -> Control:
        """Take in an input, a select, a switch or a native control and tie it to the label, the help and the error."""
        control.move(self._slot)
        self._control = control
        name = f"f{control.id}"
        if isinstance(control, _LABELLED_BY_FOR):
            control.props("outlined dense hide-bottom-space")
            control._props["for"] = name
            self.label._props["for"] = name
        else:
            control._props["aria-labelledby"] = self.label.html_id
        self.set_error(self.error.text)
        return control

    def set_error(self, error: str) -> None:
        """Say what is wrong with the value; an empty text says that nothing is."""
        self.error.text = error
        self.error.set_visibility(bool(error))
        self.classes(add="qu-field-invalid" if error else None, remove=None if error else "qu-field-invalid")
        if self._control is None:
            return
        self._control._props["aria-invalid"] = "true" if error else "false"
        described_by = " ".join(
            text.html_id for text in (self.help, self.error) if text.text
        )  # the help also when folded
        self._control._props.set_optional("aria-describedby", described_by or None)
