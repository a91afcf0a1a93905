"""The stretches of a longer way, which are done and where one is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui

from qlora_ui.components.text import Text
from qlora_ui.theme import Icon


class Steps(ui.element, default_classes="qu-steps"):
    """Numbered words in a row. `show` says which are done and which one is the present one, counted from 0.

    With `on_choose` each is a button, which is called with its number.
    """

    def __init__(
        self, words: list[str], *, label: str = "Steps", on_choose: Callable[[int], Any] | None = None
    ) -> None:
        super().__init__("ol")
        self._words = words
        self._on_choose = on_choose
        self._props["aria-label"] = label
        self.show(now=0, done=set())

    def show(self, *, now: int, done: set[int]) -> None:
        self.clear()
        with self:
            for index, word in enumerate(self._words):
                self._step(index, word, is_now=index == now, is_done=index in done)

    def _step(self, index: int, word: str, *, is_now: bool, is_done: bool) -> None:
        state = " qu-step-now" if is_now else " qu-step-done" if is_done else ""
        with ui.element("li").classes(f"qu-step{state}") as step:
            if is_now:
                step._props["aria-current"] = "step"
            with self._button(index) or step:
                self._mark(index, is_check=is_done and not is_now)
                Text(word)

    def _button(self, index: int) -> ui.element | None:
        on_choose = self._on_choose
        if on_choose is None:
            return None
        return ui.element("button").props("type=button").on("click", lambda: on_choose(index))

    def _mark(self, index: int, *, is_check: bool) -> None:
        with ui.element("span").classes("qu-step-mark"):
            if is_check:
                Icon("check")
                Text("Done:", classes="qu-hidden")
            else:
                Text(str(index + 1))
