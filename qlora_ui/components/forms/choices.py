"""A few things of which one is chosen, each with a sentence: native radio buttons in rows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from nicegui import ui

from qlora_ui.components.button import icon_button
from qlora_ui.components.text import Text
from qlora_ui.locales import _


@dataclass(frozen=True)
class Choice:
    value: str
    title: str
    text: str = ""
    problem: str = ""
    """Why it cannot be used, where that is known."""
    can_be_removed: bool = False


class Choices(ui.element, default_classes="qu-choices"):
    """Radio buttons; the arrow keys go through them. `on_choose` gets the value that a person chose.

    Beside a choice that can be removed stands a button, which calls `on_remove` with its value.
    """

    def __init__(self, choices: list[Choice], *, label: str, value: str = "") -> None:
        super().__init__("div")
        self._props.update({"role": "radiogroup", "aria-label": label})
        self.on_choose: Callable[[str], Any | Awaitable[Any]] = lambda value: None
        self.on_remove: Callable[[str], Any | Awaitable[Any]] = lambda value: None
        with self:
            self._inputs = {choice.value: self._build(choice) for choice in choices}
        self.show(value)

    def show(self, value: str) -> None:
        """Mark a value as chosen without announcing it; one that is not there unmarks them all."""
        for name, radio in self._inputs.items():
            radio.props["checked"] = name == value

    def _build(self, choice: Choice) -> ui.element:
        with ui.element("div").classes("qu-row qu-gap-2"):
            radio = self._radio(choice)
            if choice.can_be_removed:
                label = _("Delete {name}", name=choice.title)
                icon_button(label, "trash-2", lambda: self.on_remove(choice.value)).mark(f"remove-{choice.value}")
        return radio

    def _radio(self, choice: Choice) -> ui.element:
        with ui.element("label").classes("qu-choice qu-grow"):
            radio = ui.element("input").props(f"type=radio name=choices-{self.id}").mark(f"choice-{choice.value}")
            radio.on("change", lambda: self._choose(choice.value))
            with ui.element("span").classes("qu-col").style("gap:0"):
                Text(choice.title, classes="qu-strong")
                Text(choice.text, classes="qu-xs qu-muted qu-break")
                if choice.problem:
                    reason = _("Could not be read: {reason}", reason=choice.problem)
                    Text(reason, classes="qu-xs qu-error qu-break")
        return radio

    def _choose(self, value: str) -> Any:
        self.show(value)
        return self.on_choose(value)
