"""Where the focus goes when what has it is drawn anew or goes away: else a keyboard begins at the top of the page."""

from __future__ import annotations

import json

from nicegui import ui

_HELD = """(event) => {
  const target = event.target.closest("a");
  event.currentTarget.heldFocus = { href: target?.getAttribute("href") ?? null };
}"""
_LET_GO = """(event) => {
  const place = event.currentTarget;
  setTimeout(() => {
    // what was drawn anew is no longer connected: that one did not let go by itself
    if (event.target.isConnected && !place.contains(document.activeElement)) place.heldFocus = null;
  });
}"""
_IS_LOST = """
  const now = document.activeElement;
  if (now && now !== document.body && now.checkVisibility()) return;
"""
_GIVE_BACK = """requestAnimationFrame(() => {
  const place = getHtmlElement(%s);
  if (!place?.heldFocus) return;
  %s
  const same = [...place.querySelectorAll("a")].find((link) => link.getAttribute("href") === place.heldFocus.href);
  const heading = (room) => [...(room?.querySelectorAll("h2, h3") ?? [])].find((one) => one.checkVisibility());
  const next = same ?? heading(place) ?? heading(place.closest("section, .qu-card")) ?? place;
  if (!same) next.setAttribute("tabindex", "-1");
  next.focus({ preventScroll: true });
})"""


def focus(element: ui.element, *, scroll: bool = True) -> None:
    """Take the focus to an element, once it is there."""
    prevent = json.dumps(not scroll)
    element.client.run_javascript(
        f"requestAnimationFrame(() => getHtmlElement({element.id})?.focus({{ preventScroll: {prevent} }}))"
    )


def focus_heading(place: ui.element) -> None:
    """Take the focus to the first heading in `place`, from where a keyboard goes on and a screen reader reads."""
    place.client.run_javascript(f"""requestAnimationFrame(() => {{
        const next = getHtmlElement({place.id})?.querySelector("h2, h3");
        next?.setAttribute("tabindex", "-1");
        next?.focus();
    }})""")


def focus_if_lost(element: ui.element) -> None:
    """Take the focus to an element if what had it has gone."""
    element.client.run_javascript(f"""requestAnimationFrame(() => {{
        {_IS_LOST}
        getHtmlElement({element.id})?.focus({{ preventScroll: true }});
    }})""")


def hold_focus(place: ui.element) -> None:
    """Let the browser remember whether the focus is within `place`, for `give_back_focus`."""
    place.on("focusin", js_handler=_HELD)
    place.on("focusout", js_handler=_LET_GO)


def give_back_focus(place: ui.element) -> None:
    """After `place` was drawn anew: if the focus was in it, take it to the same link again, or else to its heading."""
    place.client.run_javascript(_GIVE_BACK % (place.id, _IS_LOST))
