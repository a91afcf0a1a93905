"""What can be found out about an open page: faults that axe knows of, faults of the layout, and its looks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page, expect

HERE = Path(__file__).parent
AXE = (HERE / "vendor" / "axe.min.js").read_text(encoding="utf-8")
BOXES = (HERE / "boxes.js").read_text(encoding="utf-8")
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
RULES_OF_LOOKS = ("color-contrast", "link-in-text-block")
"""What can come out differently in another look of the same page."""
STRICTER_RULES = ("color-contrast-enhanced", "target-size")
"""What high contrast promises beyond the rules that axe applies by itself."""
OPENED = "dialog[open], :popover-open, .q-dialog, .q-menu"
"""Whatever lies over the page."""


def violations(page: Page, *, rules: Sequence[str] = (), within: str = "") -> list[str]:
    """What axe finds wrong, of any impact and best practices included, one line each: the rule and the elements.

    `rules` are the only ones to apply, all that axe applies by itself if there are none; `within` is a selector of the
    parts to look at, the whole page if it is empty.
    """
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE + ";0")
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    found: list[dict[str, Any]] = page.evaluate(
        "([within, options]) => axe.run(within || document, options).then(result => result.violations)",
        [within, options],
    )
    return [f"{rule['id']}: {[_in_short(node) for node in rule['nodes']]}" for rule in found]


def violations_in_every_look(page: Page, *, within: str = "") -> dict[str, list[str]]:
    """What axe finds wrong in light and dark, each with and without high contrast; a look without faults is left out.

    The first look is at everything; the further ones are `within`, and at what another look may change.
    """
    found: dict[str, list[str]] = {}
    for look in looks(page):
        if not found:
            found[look] = violations(page)
        else:
            stricter = STRICTER_RULES if "contrast" in look else ()
            found[look] = violations(page, rules=(*RULES_OF_LOOKS, *stricter), within=within)
    return {look: names for look, names in found.items() if names}


def looks(page: Page) -> Iterator[str]:
    """Show the page in one look after the other, and give the name of each. It ends as it began: light."""
    for contrast in (False, True):
        page.evaluate("isOn => document.body.classList.toggle('qu-contrast', isOn)", contrast)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            expect(page.locator("body")).to_have_class(re.compile(f"body--{scheme}"))
            settle(page)
            yield f"{scheme}, high contrast" if contrast else scheme
    page.evaluate("document.body.classList.remove('qu-contrast')")
    page.emulate_media(color_scheme="light")
    expect(page.locator("body")).to_have_class(re.compile("body--light"))


def settle(page: Page) -> None:
    """Wait until what was changed is laid out and painted, and no transition is under way."""
    page.evaluate(
        """async () => {
            const frame = () => new Promise(requestAnimationFrame)
            const moves = () => document.getAnimations().filter(a => a.effect.getComputedTiming().endTime !== Infinity)
            for (let still = 0; still < 2; still = moves().length ? 0 : still + 1) await frame()
        }"""
    )


def faults(page: Page) -> list[str]:
    """What overlaps, is cut off or sticks out, from the boxes of what is visible; see boxes.js.

    A chart takes a moment to fit a new width, so faults count once they have lasted for a second.
    """
    for _ in range(10):
        found: list[str] = page.evaluate(BOXES)
        if not found:
            break
        page.wait_for_timeout(100)
    return found


def _in_short(node: dict[str, Any]) -> str:
    return f"{node['html'][:120]} ({node['failureSummary'].splitlines()[-1].strip()[:160]})"
