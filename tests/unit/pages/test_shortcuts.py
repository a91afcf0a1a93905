"""The list of keys fits together: what listens, what explains and what is opened."""

from __future__ import annotations

import pytest

from qlora_ui.pages.shell.frame import PATHS
from qlora_ui.pages.shortcuts import GROUPS, PALETTE_KEYS, SHORTCUTS, in_words, keys_of


def test_no_keys_are_given_twice() -> None:
    assert len(SHORTCUTS) == sum(len(group) for group in GROUPS.values())


def test_no_key_is_the_beginning_of_two() -> None:
    """Else the first key of `g d` would do something before the second can come."""
    firsts = {keys.split()[0] for keys in SHORTCUTS if " " in keys}
    assert firsts.isdisjoint(SHORTCUTS)


def test_every_key_leads_to_a_page_that_is_there() -> None:
    assert {shortcut.path for shortcut in SHORTCUTS.values() if shortcut.path} <= set(PATHS)


def test_keys_are_found_by_what_they_do() -> None:
    assert keys_of(path="/train") == "g t"
    assert keys_of(path="/train", command="new") == "n"
    assert keys_of(command="palette") == PALETTE_KEYS
    assert keys_of(path="/nowhere") == ""


@pytest.mark.parametrize(
    ("keys", "is_mac", "words"),
    [(PALETTE_KEYS, False, ["Ctrl", "K"]), (PALETTE_KEYS, True, ["⌘", "K"]), ("g d", True, ["g", "d"])],
)
def test_keys_are_shown_as_they_stand_on_the_keyboard(keys: str, is_mac: bool, words: list[str]) -> None:
    assert in_words(keys, is_mac=is_mac) == words
