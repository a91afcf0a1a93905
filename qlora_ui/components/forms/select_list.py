"""What a screen reader needs of a select's list, which Quasar opens at the end of the document."""

from __future__ import annotations

import json

from nicegui import ui

_AMEND = """() => requestAnimationFrame(() => {
  const list = document.getElementById("f%d_lb");
  // a list may hold nothing but options, so the box around them must not take the focus
  list?.querySelectorAll(".q-virtual-scroll__content[tabindex]").forEach((box) => box.removeAttribute("tabindex"));
  // and what lies outside of the page's own landmarks is one by itself, for as long as it is open
  const place = list?.closest("[id^='q-portal']");
  place?.setAttribute("role", "region");
  place?.setAttribute("aria-label", %s);
})"""


def amend_list(select: ui.select, label: str) -> None:
    """Make the list of a select, whose `for` is `f<id>`, fit for screen readers whenever it opens."""
    select.on("popup-show", js_handler=_AMEND % (select.id, json.dumps(label)))
