"""CodeMirror with a name for screen readers, whenever it has come in."""

from __future__ import annotations

import json
from collections.abc import Callable

from nicegui import ui

# The editor's module is fetched by itself, so its inside may appear long after the element. A mark of our own tells a
# named one, and the watch ends with it, or with the element.
_NAME = """
    const place = getHtmlElement(%d);
    const name = () => {
        const content = place?.querySelector(".cm-content");
        content?.setAttribute("aria-label", %s);
        place?.querySelector(".cm-scroller")?.setAttribute("tabindex", "0");
        return Boolean(content);
    };
    if (place && !name()) {
        const watch = new MutationObserver(() => (name() || !place.isConnected) && watch.disconnect());
        watch.observe(place, {childList: true, subtree: true});
    }
"""


class CodeEditor(ui.codemirror):
    """Edits `language`, light or dark, and is called `label`."""

    def __init__(
        self, text: str, *, label: str, language: str, is_dark: bool, on_change: Callable[[str], object]
    ) -> None:
        """`on_change` is given the text after each change of it."""
        super().__init__(
            text,
            language=language,  # type: ignore[arg-type]  # NiceGUI lists all languages as literals
            theme="vscodeDark" if is_dark else "githubLight",
            line_wrapping=True,
            on_change=lambda event: on_change(str(event.value)),
        )
        self._label = label
        self.tell_name()

    def tell_name(self) -> None:
        """Name the editor's own field, which can then be scrolled by keyboard, too. Again where it was drawn anew."""
        self.client.run_javascript(_NAME % (self.id, json.dumps(self._label)))
