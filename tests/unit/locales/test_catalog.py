from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from qlora_ui.locales.catalog import Catalog

catalog = import_module("qlora_ui.locales.catalog")


@pytest.fixture
def german(folder: Path) -> Catalog:
    return Catalog.read(folder / "de.po")


def test_a_text_is_found_as_it_is(german: Catalog) -> None:
    assert german.text("Free disk") == "Freier Speicher"


@pytest.mark.parametrize("text", ["Used disk", "Total disk", "Never heard of"])
def test_what_is_not_translated_or_doubtful_stays_english(german: Catalog, text: str) -> None:
    assert german.text(text) == text
    assert german.sentence(text) == text


def test_a_context_decides_between_two_meanings(german: Catalog) -> None:
    assert german.text("Open") == "Offen"
    assert german.text("Open", "verb") == "Öffnen"
    assert german.text("Open", "noun") == "Open"


@pytest.mark.parametrize(("count", "text"), [(0, "{count} Läufe"), (1, "{count} Lauf"), (2, "{count} Läufe")])
def test_german_has_two_forms(german: Catalog, count: int, text: str) -> None:
    assert german.plural("{count} run", "{count} runs", count) == text


@pytest.mark.parametrize("count", [0, 1, 5])
def test_chinese_has_one_form(folder: Path, count: int) -> None:
    assert Catalog.read(folder / "zh_CN.po").plural("{count} run", "{count} runs", count) == "{count} 次运行"


@pytest.mark.parametrize(
    ("sentence", "translated"),
    [
        ("tune waits for merge.", "tune wartet auf merge."),
        ("tune waits for merge, which failed.", "tune wartet auf merge, was gescheitert ist."),
        ("a waits for b waits for c.", "a wartet auf b waits for c."),
        (" waits for b.", " waits for b."),
        ("a waits for .", "a waits for ."),
        ("one\ntwo waits for .*.", "one\ntwo wartet auf .*."),
        ("{other} waits for {name}.", "{other} wartet auf {name}."),
        ("a follows a.", "a folgt sich selbst."),
        ("a follows b.", "a follows b."),
        ("Something waits for nothing", "Something waits for nothing"),
        ("", ""),
    ],
)
def test_a_sentence_is_found_by_the_pattern_it_was_made_from(german: Catalog, sentence: str, translated: str) -> None:
    assert german.sentence(sentence) == translated


@pytest.mark.parametrize(
    ("sentence", "translated"),
    [
        ("The file is empty.", "Die Datei ist leer."),
        ("rows.jsonl: the file is empty.", "rows.jsonl: die Datei ist leer."),
        ("odd: name.jsonl: the file is empty.", "odd: name.jsonl: die Datei ist leer."),
        ("rows.jsonl: something else.", "rows.jsonl: something else."),
        (
            "The file is empty. Add at least one example.",
            "Die Datei ist leer. Fügen Sie mindestens ein Beispiel hinzu.",
        ),
        ("The file is empty. Nobody knows why.", "The file is empty. Nobody knows why."),
    ],
)
def test_a_sentence_is_found_behind_its_place_and_beside_others(
    german: Catalog, sentence: str, translated: str
) -> None:
    assert german.sentence(sentence) == translated


def test_a_pattern_of_hardly_any_words_is_for_nothing_but_itself(german: Catalog) -> None:
    assert german.text("{problem}.") == "{problem}!"
    assert german.sentence("Anything at all.") == "Anything at all."


def test_a_text_without_end_is_left_alone(german: Catalog) -> None:
    endless = "a waits for b, c: d. " * 5_000
    assert german.sentence(endless) == endless


def test_a_text_is_gone_through_once_however_often_it_begins_anew(
    german: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Counted(str):
        searches = 0

        def find(self, *args: Any) -> int:
            Counted.searches += 1
            return super().find(*args)

    pattern = catalog._Pattern("Rose from {first} to {last} over {steps} steps (means of {points} points).")
    assert pattern.values(Counted("Rose from " + "x to x over x steps (means of " * 30)) is None
    assert Counted.searches == 3


def test_a_long_text_is_not_kept_in_memory(german: Catalog) -> None:
    german.sentence("a waits for " + "b" * 2_000 + ".")
    assert german._find.cache_info().currsize == 0
    german.sentence("a waits for b.")
    assert german._find.cache_info().currsize == 1


@pytest.mark.parametrize(
    "translated",
    ["{other} kommt.", "{name} {other}", "Es kommt.", "{name", "{name} {}", "{name} {name:>99}", "{name} {name!r}"],
)
def test_a_translation_that_cannot_be_filled_stays_english(folder: Path, translated: str) -> None:
    with (folder / "de.po").open("a", encoding="utf-8") as file:
        file.write(f'\nmsgid "{{name}} comes."\nmsgstr "{translated}"\n')
    german = Catalog.read(folder / "de.po")
    assert german.text("{name} comes.") == "{name} comes."
    assert german.sentence("Ada comes.") == "Ada comes."
    assert german.text("Free disk") == "Freier Speicher"


def test_english_needs_no_catalog() -> None:
    english = Catalog.english()
    assert english.text("Free disk") == "Free disk"
    assert english.plural("{count} run", "{count} runs", 2) == "{count} runs"
    assert english.sentence("tune waits for merge.") == "tune waits for merge."
