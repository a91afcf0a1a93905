"""Names and values in two columns."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.text import Text


class KeyValues(ui.element, default_classes="qu-kv"):
    """A list of facts. `add` returns the value's text, which can be bound or set later."""

    def __init__(self, values: dict[str, str] | None = None) -> None:
        super().__init__("dl")
        for name, value in (values or {}).items():
            self.add(name, value)

    def add(self, name: str, value: str = "", *, help: str = "") -> Text:
        """One more fact. `help`, one sentence, is its tooltip."""
        with self:
            term = Text(name, "dt")
            if help:
                term._props["title"] = help
            return Text(value, "dd")
