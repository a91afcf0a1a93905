"""Copying what stands on the page, also where the browser keeps the clipboard from pages over plain http."""

from __future__ import annotations

from nicegui import ui
from nicegui.events import GenericEventArguments

from qlora_ui.components.button import Button
from qlora_ui.components.toast import toast
from qlora_ui.locales import _

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
