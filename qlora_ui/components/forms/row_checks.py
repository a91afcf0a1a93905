"""Choosing rows of a table by their checkboxes, several at once with the Shift key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

_TELL = """(event) => {
  const box = event.target.closest("input[data-row]");
  if (!box) return;
  const place = event.currentTarget;
  const boxes = [...place.querySelectorAll("input[data-row]")];
  const last = boxes.findIndex((one) => one.dataset.row === place.lastRow);
  const here = boxes.indexOf(box);
  const range = event.shiftKey && last >= 0 ? boxes.slice(Math.min(last, here), Math.max(last, here) + 1) : [box];
  for (const one of range) one.checked = box.checked;
  place.lastRow = box.dataset.row;
  emit(range.map((one) => one.dataset.row), box.checked);
}"""
_KEEP_TEXT = """(event) => {
  if (event.shiftKey && event.target.closest("label")?.querySelector("input[data-row]")) event.preventDefault();
}"""
"""The Shift key selects text, too, which nobody wants here."""


def listen_to_checks(place: ui.element, on_check: Callable[[list[str], bool], Any]) -> None:
    """Call `on_check(keys, is_checked)` when a person checks a `RowCheck` within `place`.

    With Shift held, all rows between the last one and this one follow it, by mouse and by the space bar.
    """

    def tell(event: GenericEventArguments) -> Any:
        keys, is_checked = event.args
        return on_check([str(key) for key in keys], bool(is_checked))

    place.on("click", tell, js_handler=_TELL)
    place.on("mousedown", js_handler=_KEEP_TEXT)


class Check(ui.element, default_classes="qu-check"):
    """A native checkbox with a name for screen readers only."""

    def __init__(self, label: str, *, is_checked: bool = False) -> None:
        super().__init__("label")
        with self:
            self.box = ui.element("input").classes("qu-box")
        self.box._props.update({"type": "checkbox", "aria-label": label, "checked": is_checked})

    def show(self, value: bool | None) -> None:
        """Check it, uncheck it, or (None) show that some of what it stands for is checked."""
        self.box._props["checked"] = value is True
        self.box._props["indeterminate"] = value is None


class RowCheck(Check):
    """The checkbox of the row called `key`."""

    def __init__(self, key: str, label: str, *, is_checked: bool = False) -> None:
        super().__init__(label, is_checked=is_checked)
        self.box._props["data-row"] = key


class AllCheck(Check):
    """The checkbox that stands for all rows; `on_check` gets what a person wants them to be."""

    def __init__(self, label: str, on_check: Callable[[bool], Any]) -> None:
        super().__init__(label)
        self.box.on("change", lambda event: on_check(bool(event.args)), js_handler="(e) => emit(e.target.checked)")
