"""How things stand on a page: in a row, in a column, in two columns of 2 : 1, in cards."""

from __future__ import annotations

from typing import Literal

from nicegui import ui

from qlora_ui.components.text import Text, heading

Gap = Literal[1, 2, 3, 4, 5, 6]
"""Steps of the spacing scale: 4, 8, 12, 16, 24 and 32 px."""


def row(*, gap: Gap = 2, wrap: bool = False, between: bool = False, top: bool = False) -> ui.element:
    """Things side by side. `between` pushes them to both edges; `top` aligns them at their upper edge."""
    classes = ["qu-row", f"qu-gap-{gap}"]
    classes += [
        name for name, chosen in (("qu-wrap", wrap), ("qu-between", between), ("qu-top-aligned", top)) if chosen
    ]
    return ui.element("div").classes(" ".join(classes))


def column(*, gap: Gap = 2) -> ui.element:
    return ui.element("div").classes(f"qu-col qu-gap-{gap}")


def grow() -> ui.element:
    """Takes what width is left in a row."""
    return ui.element("div").classes("qu-grow")


def columns() -> ui.element:
    """Two columns of 2 : 1; the second goes below the first on screens narrower than 1100 px."""
    return ui.element("div").classes("qu-cols")


class Card(ui.element, default_classes="qu-card"):
    """A surface with a border.

    With a title it is a section that screen readers list, and `head` takes what stands beside the title.
    """

    def __init__(self, title: str = "", *, tight: bool = False) -> None:
        super().__init__("section" if title else "div")
        if tight:
            self.classes("qu-card-tight")
        if title:
            with self, ui.element("div").classes("qu-card-head") as self.head:
                self.title = heading(title)
            self._props["aria-labelledby"] = self.title.html_id


class Stat(Card, default_classes="qu-stat"):
    """One figure of a page: what it is, how much, and a remark. `value` and `note` are bindable texts."""

    def __init__(self, label: str, value: str = "", note: str = "") -> None:
        super().__init__(tight=True)
        with self:
            Text(label, "div", classes="qu-stat-label")
            self.value = Text(value, "div", classes="qu-stat-value")
            self.note = Text(note, "div", classes="qu-stat-note")


class Skeleton(ui.element, default_classes="qu-skeleton"):
    """Stands where something is still loading, and is deleted when it came. `width` and `height` are CSS lengths.

    As long as it is there, the element around it tells screen readers that it is busy.
    """

    def __init__(self, *, width: str = "100%", height: str = "16px") -> None:
        super().__init__("div")
        self.style(f"width:{width};height:{height}")
        self._props["aria-hidden"] = "true"
        self._around = ui.context.slot.parent
        self._around._props["aria-busy"] = "true"

    def _handle_delete(self) -> None:
        if not self._around.is_deleted:
            self._around._props.pop("aria-busy", None)
        super()._handle_delete()
