"""Terms that can be found, linked and translated."""

from __future__ import annotations

import re
from pathlib import Path

import qlora_ui
from qlora_ui.components.glossary import TERMS
from qlora_ui.pages.help.paths import TOPICS

PACKAGE = Path(qlora_ui.__file__).parent


def test_keys_can_be_anchors_and_stand_in_order() -> None:
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*", key) for key in TERMS)
    assert list(TERMS) == sorted(TERMS)


def test_every_term_says_something_in_whole_sentences() -> None:
    for key, term in TERMS.items():
        assert term.question.endswith("?"), key
        assert term.meaning.endswith("."), key
        assert 30 < len(term.meaning) < 260, key


def test_docs_that_a_term_names_are_pages_of_help() -> None:
    assert {f"/help/{term.docs}" for term in TERMS.values() if term.docs} <= TOPICS.keys()


def test_every_explained_word_is_in_the_glossary() -> None:
    sources = [file.read_text(encoding="utf-8") for file in PACKAGE.rglob("*.py")]
    used = {key for source in sources for key in re.findall(r'\bexplain\("([^"]+)"\)', source)}
    assert "adapter" in used
    assert used <= TERMS.keys()
