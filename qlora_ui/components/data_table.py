"""A table that is a real table, and a list on a narrow screen."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.text import Text


class DataTable(ui.element, default_classes="qu-table"):
    """Rows under named columns. Below 720 px each row becomes a block, each cell with its column's name beside it.

    `label` names the table for screen readers; columns in `right` are aligned to the right. The first column says what
    a row is about. Every part has its role written out, because a table that is laid out as blocks loses its own.
    """

    def __init__(self, columns: list[str], *, label: str, right: set[str] | None = None) -> None:
        super().__init__("table")
        self._props.update({"role": "table", "aria-label": label})
        self._columns, self._right = columns, right or set()
        with self:
            with _part("thead", "rowgroup"), _part("tr", "row"):
                for name in columns:
                    self._head(name)
            self.body = _part("tbody", "rowgroup")

    def row(self) -> Row:
        """One more row, to be filled from left to right."""
        with self.body:
            return Row(self._columns, self._right)

    def clear_rows(self) -> None:
        self.body.clear()

    def _head(self, name: str) -> None:
        head = Text(name, "th")
        head._props.update({"scope": "col", "role": "columnheader"})
        if name in self._right:
            head.classes("qu-right")


class Row(ui.element):
    """A row whose cells are added one after the other."""

    def __init__(self, columns: list[str], right: set[str]) -> None:
        super().__init__("tr")
        self._props["role"] = "row"
        self._columns, self._right = iter(columns), right
        self._is_begun = False

    def cell(self, text: str = "") -> Text:
        """The next cell; as a context it takes more than text. StopIteration beyond the last column."""
        name = next(self._columns)
        with self:
            cell = Text(text, "td")
        cell._props.update({"role": "cell" if self._is_begun else "rowheader", "data-label": name})
        self._is_begun = True
        if name in self._right:
            cell.classes("qu-right")
        return cell


def _part(tag: str, role: str) -> ui.element:
    part = ui.element(tag)
    part._props["role"] = role
    return part
