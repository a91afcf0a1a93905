"""Names and values in two columns."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.explain import Explain, explain
from qlora_ui.components.text import Text


class KeyValues(ui.element, default_classes="qu-kv"):
    """A list of facts. `add` returns the value's text, which can be bound or set later."""

    def __init__(self, values: dict[str, str] | None = None) -> None:
        super().__init__("dl")
        for name, value in (values or {}).items():
            self.add(name, value)

    def add(self, name: str, value: str = "", *, term: str = "", meaning: str = "") -> Text:
        """One more fact. `term`, a key of the glossary, or a `meaning` puts a button that explains behind the name."""
        with self:
            with Text(name, "dt"):
                if term:
                    explain(term)
                elif meaning:
                    Explain(name, meaning)
            return Text(value, "dd")
