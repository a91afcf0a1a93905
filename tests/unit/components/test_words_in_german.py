"""The figures of a page in another language than English; its catalog has two of their words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from qlora_ui import locales
from qlora_ui.components.words import ago, duration, in_word, loss, many, percent, power_of_ten, size, time_left

CATALOG = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "{count} min"
msgid_plural "{count} min"
msgstr[0] "{count} Min."
msgstr[1] "{count} Min."

msgid "{count} d ago"
msgid_plural "{count} d ago"
msgstr[0] "vor {count} Tag"
msgstr[1] "vor {count} Tagen"

msgid "{duration} left, done about {weekday} {time}"
msgstr "noch {duration}, fertig etwa am {weekday} um {time}"
"""
MOMENT = datetime.fromisoformat("2026-11-23T09:05:00").astimezone()


@pytest.fixture(autouse=True)
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "de.po").write_text(CATALOG, encoding="utf-8")
    monkeypatch.setattr(locales, "FOLDER", tmp_path)
    for cached in (locales.languages, locales._load):
        cached.cache_clear()
    with locales.speaking("de"):
        yield
    for cached in (locales.languages, locales._load):
        cached.cache_clear()


def test_numbers_have_a_decimal_comma() -> None:
    assert size(18_230_000) == "18,2 MB"
    assert loss(1.2044) == "1,204"
    assert power_of_ten(1.12e-4) == "1,12·10⁻⁴"
    assert many(12_408) == "12,4 k"
    assert percent(0.29) == "29 %"


def test_times_are_said_in_words_of_the_language() -> None:
    assert duration(185) == "3 Min. 5 s"
    assert ago(MOMENT, MOMENT + timedelta(days=1)) == "vor 1 Tag"
    assert ago(MOMENT, MOMENT + timedelta(days=3)) == "vor 3 Tagen"
    assert time_left(24 * 3600 + 120, MOMENT) == "noch 1 d, fertig etwa am Dienstag um 09:07"


def test_only_english_spells_small_numbers_out() -> None:
    assert in_word(2) == "2"
