"""A few prompts, each in a box of its own, that can be added and removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import isawaitable
from typing import Any

from nicegui import ui

from qlora_ui.components.browser.focus import focus
from qlora_ui.components.button import Button, icon_button
from qlora_ui.locales import _


class PromptList(ui.element, default_classes="qu-prompts"):
    """Boxes for texts; `on_change(texts)` gets those that are not empty when a person leaves a box or removes one."""

    def __init__(
        self, *, value: Sequence[str], on_change: Callable[[list[str]], Any], limit: int | None = None
    ) -> None:
        """`limit`: the most prompts that there may be."""
        super().__init__("div")
        self._props["role"] = "group"
        self._on_change = on_change
        self._limit = limit
        self._lines: list[_Line] = []
        with self:
            self._room = ui.element("div").classes("qu-prompts")
            self._add_button = Button(_("Add a prompt"), self._add, icon="plus", size="sm").mark("add-prompt")
        self.value = value

    @property
    def value(self) -> list[str]:
        """The prompts without empty ones. Setting it announces nothing, and leaves boxes alone that hold the same."""
        return [text for line in self._lines if (text := line.text)]

    @value.setter
    def value(self, texts: Sequence[str]) -> None:
        if list(texts) == self.value:
            return
        self._lines = []
        self._room.clear()
        for text in texts:
            self._build(text)
        self._number()

    def _build(self, text: str) -> _Line:
        with self._room:
            line = _Line(text, on_leave=lambda: self._on_change(self.value), on_remove=lambda: self._remove(line))
        self._lines.append(line)
        return line

    def _add(self) -> None:
        line = self._build("")
        self._number()
        line.focus()

    async def _remove(self, line: _Line) -> None:
        place = self._lines.index(line)
        self._lines.remove(line)
        result = self._on_change(self.value)
        if isawaitable(result):
            await result
        line.delete()  # only now: it holds the button that waits for this
        self._number()
        if self._lines:
            self._lines[min(place, len(self._lines) - 1)].focus()
        else:
            focus(self._add_button)

    def _number(self) -> None:
        for place, line in enumerate(self._lines, start=1):
            line.call(_("Prompt {number}", number=place), _("Remove prompt {number}", number=place))
        is_full = self._limit is not None and len(self._lines) >= self._limit
        self._add_button.disable_because(_("There may be no more than {count}.", count=self._limit) if is_full else "")


class _Line(ui.element, default_classes="qu-prompt-line"):
    """One prompt and the button that removes it."""

    def __init__(self, text: str, *, on_leave: Callable[[], Any], on_remove: Callable[[], Any]) -> None:
        super().__init__("div")
        with self:
            self._box = ui.textarea(value=text).props("outlined dense autogrow hide-bottom-space rows=1")
            self._box.on("blur", on_leave, [])
            self._button = icon_button("", "trash-2", on_remove, size="sm")

    @property
    def text(self) -> str:
        return str(self._box.value or "").strip()

    def call(self, name: str, remove: str) -> None:
        """What screen readers say of the box and of the button."""
        self._box.props["aria-label"] = name
        self._button.props.update({"aria-label": remove, "title": remove})

    def focus(self) -> None:
        self._box.run_method("focus")
