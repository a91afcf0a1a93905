from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlora_ui.data.checks.encoding import is_damaged, repaired

CLEAN = [
    "plain",
    "a\ttab, a\nline, a\r\nline of Windows",
    "Café, naïve, Ägypten, Ø, ñ, ÿ",
    "NÃO, MAÇÃ, “IRMÔ, IRMÃ… sim, «PÃ»",
    "« café » et «\xa0café\xa0» — à… «",
    "Er sagte „Spaß“ und „Ä“.",
    "CAFÉ… É’ ESPAÑA’S É™",
    "Привет, мир — 你好，世界 — 日本語 — 한국어 — Ελληνικά — שלום — مرحبا",
    "👩‍👩‍👧 ✓ → €5 ™ © ° ²",
    "Â, Ã, â, €, ð",
    "5 £ = 6 €; Å = 10⁻¹⁰ m",
]
MISREAD = [
    "é", "Café é ü ß à", "naïve", "KÖLN Ärger Ü", "cœur Œuvre", "it’s “fine” – … —", "€5 ™ 20 °C £3 ½",
    "się łódź", "ľúbiť žltý", "Привет, мир", "Ελληνικά", "שלום", "مرحبا", "你好,世界", "日本語のテスト", "한국어",
    "😀 ok 👍", "→ • ≥",
]  # fmt: skip


def misread(text: str) -> str:
    """As Windows' table shows UTF-8, with the codes it has no character for as they are, as browsers do it."""
    return "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in text.encode())


@pytest.mark.parametrize("text", CLEAN)
def test_clean_text_is_left_as_it_is(text: str) -> None:
    assert repaired(text) == text
    assert not is_damaged(text)


@pytest.mark.parametrize("text", MISREAD)
def test_what_was_read_with_the_wrong_table_is_put_right(text: str) -> None:
    assert repaired(misread(text)) == text
    assert is_damaged(misread(text))
    assert repaired(text) == text


@pytest.mark.parametrize("text", ["Café ü", "it’s", "Привет", "日本語", "😀"])
def test_also_what_was_read_wrongly_twice(text: str) -> None:
    assert repaired(misread(misread(text))) == text


@pytest.mark.parametrize("text", ["Café ü", "über – ok", "日本語", "😀"])
def test_also_what_was_read_as_latin_1(text: str) -> None:
    assert repaired(text.encode().decode("latin-1")) == text


def test_only_the_misread_part_changes() -> None:
    assert repaired("déjà vu, dÃ©jÃ\xa0 vu") == "déjà vu, déjà vu"


@pytest.mark.parametrize("text", ["a\x00b", "\x1b[31mred", "a\ufffdb", "\x93quoted\x94", "half \ud83d", "\x7f"])
def test_what_cannot_have_been_meant_is_damage_that_stays(text: str) -> None:
    assert is_damaged(text)
    assert repaired(text) == text


LETTERS = st.sampled_from(list("aÖ Ã©Âƒ¢â€™œäåæðŸ˜ÐŸÑ€\xa0\x80\x9d"))


@given(st.text(LETTERS) | st.text())
def test_repaired_text_needs_no_repair(text: str) -> None:
    assert repaired(repaired(text)) == repaired(text)


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_ascii_is_never_touched(text: str) -> None:
    assert repaired(text) == text


@pytest.mark.timeout(20)
@pytest.mark.parametrize("unit", ["Ã", "Â", "Ã©", "ÃƒÂ", "â€", "ðŸ", "ä", "ÐŸ", "Ã ", "\x80"])
def test_a_long_odd_text_is_no_slower_than_its_length(unit: str) -> None:
    repaired(unit * (300_000 // len(unit)))
