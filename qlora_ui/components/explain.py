"""A small button beside a word of the field, which says in a sentence what the word means."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.glossary import ADDRESS, TERMS
from qlora_ui.components.text import Text, link
from qlora_ui.locales import _
from qlora_ui.theme import Icon


def explain(key: str) -> Explain:
    """Stands behind the word it explains: `explain("perplexity")`. `key` is one of `TERMS`, KeyError for any other."""
    return Explain(key)


class Explain(ui.element, default_classes="qu-explain"):
    """The button and, opened by it, the sentence with a way to the whole glossary.

    The browser opens and closes the popover by itself, without asking the server. The focus goes into it, so that a
    screen reader reads it out, and comes back to the button when Escape closes it.
    """

    def __init__(self, key: str) -> None:
        term = TERMS[key]
        super().__init__("span")
        with self:
            with ui.element("button").classes("qu-info") as button:
                Icon("info", size=14)
            with ui.element("div").classes("qu-popover") as popover:
                Text(_(term.name), "div", classes="qu-strong")
                Text(_(term.meaning), "p")
                link(_("More in the glossary"), f"{ADDRESS}#{key}")
        question = _(term.question)
        button._props.update({"type": "button", "aria-label": question, "title": question})
        button._props["popovertarget"] = popover.html_id
        popover._props.update({"popover": "auto", "role": "dialog", "aria-label": _(term.name)})
        popover._props.update({"tabindex": "-1", "autofocus": True})
