"""The stretches of a longer way, which are done and where one is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from nicegui import ui

from qlora_ui.components.text import Text
from qlora_ui.locales import _
from qlora_ui.theme import Icon


class Steps(ui.element, default_classes="qu-steps"):
    """Numbered words in a row. `show` says which are done and which one is the present one, counted from 0.

    With `on_choose` each is a button, which is called with its number.
    """

    def __init__(self, words: list[str], *, label: str = "", on_choose: Callable[[int], Any] | None = None) -> None:
        super().__init__("ol")
        self._props["aria-label"] = label or _("Steps")
        with self:
            self._steps = [_Step(index, word, on_choose) for index, word in enumerate(words)]
        self.show(now=0, done=set())

    def show(self, *, now: int, done: set[int]) -> None:
        for index, step in enumerate(self._steps):
            step.show(is_now=index == now, is_done=index in done)


class _Step(ui.element, default_classes="qu-step"):
    """One word with its number, or with a check mark once it is done. It is changed in place, which keeps the focus."""

    def __init__(self, index: int, word: str, on_choose: Callable[[int], Any] | None) -> None:
        super().__init__("li")
        self._number = str(index + 1)
        self._shown: tuple[bool, bool] | None = None
        with self, _button(lambda: on_choose(index)) if on_choose else nullcontext(self) as self._current:
            self._mark = ui.element("span").classes("qu-step-mark")
            Text(word)

    def show(self, *, is_now: bool, is_done: bool) -> None:
        if self._shown == (is_now, is_done):
            return
        self._shown = (is_now, is_done)
        self.classes(remove="qu-step-now qu-step-done")
        self.classes("qu-step-now" if is_now else "qu-step-done" if is_done else "")
        self._current._props.set_optional("aria-current", "step" if is_now else None)
        self._mark.clear()
        with self._mark:
            if is_done and not is_now:
                Icon("check")
                Text(_("Done:"), classes="qu-hidden")
            else:
                Text(self._number)


def _button(on_click: Callable[[], Any]) -> ui.element:
    return ui.element("button").props("type=button").on("click", on_click, [])
