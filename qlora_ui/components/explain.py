"""A small button beside a word of the field, which says in a sentence what the word means."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.glossary import ADDRESS, TERMS
from qlora_ui.components.text import Text, link
from qlora_ui.locales import _
from qlora_ui.theme import Icon


def explain(key: str) -> Explain:
    """Stands behind the word it explains: `explain("perplexity")`. `key` is one of `TERMS`, KeyError for any other."""
    term = TERMS[key]
    return Explain(_(term.name), _(term.meaning), question=_(term.question), address=f"{ADDRESS}#{key}")


class Explain(ui.element, default_classes="qu-explain"):
    """The button and, opened by it, the sentence, with a way to the glossary where that says more.

    The browser opens and closes the popover by itself, without asking the server. The focus goes into it, so that a
    screen reader reads it out, and comes back to the button when Escape closes it.
    """

    def __init__(self, name: str, meaning: str, *, question: str = "", address: str = "") -> None:
        """`question` is what the button says to screen readers and in its tooltip."""
        super().__init__("span")
        question = question or _("What does “{name}” mean?", name=name)
        with self:
            with ui.element("button").classes("qu-info") as button:
                Icon("info", size=14)
            with ui.element("div").classes("qu-popover") as popover:
                Text(name, "div", classes="qu-strong")
                Text(meaning, "p")
                if address:
                    link(_("More in the glossary"), address)
        button._props.update({"type": "button", "aria-label": question, "title": question})
        button._props["popovertarget"] = popover.html_id
        popover._props.update({"popover": "auto", "role": "dialog", "aria-label": name})
        popover._props.update({"tabindex": "-1", "autofocus": True})
