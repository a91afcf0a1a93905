"""Copying what stands on the page, also where the browser keeps the clipboard from pages over plain http."""

from __future__ import annotations

import json
from collections.abc import Callable

from nicegui import ui
from nicegui.events import GenericEventArguments

from qlora_ui.components.button import Button, icon_button
from qlora_ui.components.toast import toast
from qlora_ui.locales import _

_ANSWER_S = 5.0
_COPY = """async () => {
  const place = document.getElementById("%s");
  let copied = false;
  try {
    await navigator.clipboard.writeText(place.textContent);
    copied = true;
  } catch {
    const chosen = getSelection(), range = document.createRange();
    range.selectNodeContents(place);
    chosen.removeAllRanges();
    chosen.addRange(range);
    copied = document.execCommand("copy");
    if (copied) chosen.removeAllRanges(); // else it stays marked, to be copied by hand
  }
  emit(copied);
}"""


_COPY_TEXT = """async (text) => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const place = document.body.appendChild(document.createElement("textarea"));
    place.value = text;
    place.select();
    const copied = document.execCommand("copy");
    place.remove();
    return copied;
  }
}"""


def copy_button(get_text: Callable[[], str], label: str) -> Button:
    """Puts a text that stands nowhere on the page on the clipboard; for one that does there is `copy_from`."""

    async def copy() -> None:
        try:
            copied = await ui.run_javascript(
                f"return await ({_COPY_TEXT})({json.dumps(get_text())})", timeout=_ANSWER_S
            )
        except TimeoutError:  # the browser has gone, or asks the person first
            copied = False
        if copied:
            toast(_("Copied."))
        else:
            toast(_("The browser does not let this page copy. Download the file instead."), "warning")

    return icon_button(label, "copy", copy, size="sm")


def copy_from(source: ui.element, label: str, *, is_icon: bool = False) -> Button:
    """A button that puts the text of `source` on the clipboard and says whether that worked.

    `is_icon` shows a picture alone; `label` is then its name for screen readers and its tooltip.
    """
    button = Button("" if is_icon else label, icon="copy", variant="ghost" if is_icon else "secondary", size="sm")
    if is_icon:
        button.classes("qu-btn-icon")
        button._props.update({"aria-label": label, "title": label})

    def tell(event: GenericEventArguments) -> None:
        if event.args:
            toast(_("Copied."))
        else:
            toast(_("The browser does not let this page copy. The text is marked: press Ctrl or ⌘ and C."), "warning")

    button.on("click", tell, js_handler=_COPY % source.html_id)
    return button
