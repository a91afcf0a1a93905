"""Going through a long list page by page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nicegui import ui

from qlora_ui.components.button import icon_button
from qlora_ui.components.forms.segmented import Segmented
from qlora_ui.components.layout import row
from qlora_ui.components.text import muted
from qlora_ui.locales import _
from qlora_ui.locales.figures import number


class Pager(ui.element, default_classes="qu-row qu-between qu-wrap qu-pager"):
    """Which rows are shown, how many a page has, and the way to the pages before and behind.

    `on_page` gets the number of the wanted page, from 1; `on_size` how many rows a page is to have.
    """

    def __init__(
        self, sizes: Sequence[int], *, label: str, on_page: Callable[[int], Any], on_size: Callable[[int], Any]
    ) -> None:
        super().__init__("nav")
        self._props["aria-label"] = label
        self._page, self._smallest = 1, sizes[0]
        with self:
            with row(wrap=True, gap=3) as self._sizes:
                muted(_("Rows per page"), size="xs")
                options = {str(size): number(size) for size in sizes}
                self._size = Segmented(options, label=_("Rows per page"), on_change=lambda size: on_size(int(size)))
            with row(gap=3) as self._ways:
                self._where = muted(size="xs").classes("qu-num")
                self._back = icon_button(_("Previous page"), "chevron-left", lambda: on_page(self._page - 1))
                self._on = icon_button(_("Next page"), "chevron-right", lambda: on_page(self._page + 1))

    def show(self, *, page: int, pages: int, size: int, total: int) -> None:
        """Where one is. Nothing is offered that there is no use for."""
        self._page = page
        self._size.show(str(size))
        self._where.text = _("Page {page} of {pages}", page=number(page), pages=number(pages))
        self._back.disable_because(_("This is the first page.") if page <= 1 else "")
        self._on.disable_because(_("This is the last page.") if page >= pages else "")
        self._ways.set_visibility(pages > 1)
        self._sizes.set_visibility(total > self._smallest)
        self.set_visibility(total > self._smallest)
