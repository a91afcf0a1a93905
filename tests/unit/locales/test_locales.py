from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from qlora_ui import locales
from qlora_ui.locales import _, best_of, n_, sentence, speaking
from qlora_ui.locales.catalog import Catalog

pytestmark = pytest.mark.usefixtures("folder")


def test_nobody_speaks_anything_but_english_unasked() -> None:
    assert locales.language() == "en"
    assert _("Free disk") == "Free disk"
    assert n_("{count} run", "{count} runs", 1200) == "1,200 runs"


def test_texts_follow_the_language_that_is_spoken() -> None:
    with speaking("de"):
        assert _("Free disk") == "Freier Speicher"
        assert _("Open", context="verb") == "Öffnen"
        assert n_("{count} run", "{count} runs", 1) == "1 Lauf"
        assert n_("{count} run", "{count} runs", 1200) == "1.200 Läufe"
        assert sentence("a waits for b.") == "a wartet auf b."
        with speaking("zh_CN"):
            assert n_("{count} run", "{count} runs", 1) == "1 次运行"
        assert _("Used disk") == "Used disk"
    assert _("Free disk") == "Free disk"


def test_values_are_put_in_once_and_not_read_as_places_themselves() -> None:
    assert _("{name} is here.", name="{other}") == "{other} is here."
    assert _("100 % of {it}") == "100 % of {it}"


def test_a_language_without_a_catalog_is_english() -> None:
    with speaking("xx"):
        assert locales.language() == "en"
        assert _("Free disk") == "Free disk"


def test_the_page_says_which_language_it_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locales, "_ask", locales._ask)
    locales.ask_for_language(lambda: "de")
    assert _("Free disk") == "Freier Speicher"
    with speaking("en"):
        assert _("Free disk") == "Free disk"


def test_a_further_language_needs_nothing_but_its_file(folder: Path) -> None:
    assert locales.languages() == {"en": "English", "de": "Deutsch", "zh_CN": "简体中文"}
    (folder / "fr.po").write_text((folder / "de.po").read_text("utf-8"), "utf-8")
    locales.languages.cache_clear()
    assert locales.languages()["fr"] == "Français"


@pytest.mark.parametrize("name", ["backup.po", "de.copy.po", "de (1).po", ".po"])
def test_a_file_that_is_named_after_no_language_is_left_out(folder: Path, name: str) -> None:
    (folder / name).write_text((folder / "de.po").read_text("utf-8"), "utf-8")
    locales.languages.cache_clear()
    assert list(locales.languages()) == ["en", "de", "zh_CN"]


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00",
        b'msgid ""\nmsgstr "Content-Type: text/plain; charset=none\\n"\n\nmsgid "a"\nmsgstr "b"\n',
        b'msgid ""\nmsgstr "Plural-Forms: nplurals=2; plural=(n ** 9);\\n"\n\nmsgid "a"\nmsgstr "b"\n',
    ],
)
def test_a_damaged_catalog_leaves_its_readers_english(folder: Path, content: bytes) -> None:
    (folder / "de.po").write_bytes(content)
    with speaking("de"):
        assert _("Free disk") == "Free disk"


@pytest.mark.parametrize(("code", "tag"), [("en", "en-US"), ("de", "de"), ("zh_CN", "zh-CN"), ("pt_BR", "pt-BR")])
def test_html_and_quasar_have_their_own_way_to_write_a_language(code: str, tag: str) -> None:
    assert locales.tag(code) == tag


@pytest.mark.parametrize(
    ("accepted", "code"),
    [
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("DE-de", "de"),
        ("fr-FR,fr;q=0.9,de;q=0.5", "de"),
        ("zh-CN,zh;q=0.9", "zh_CN"),
        ("zh", "zh_CN"),
        ("zh-Hans-CN", "zh_CN"),
        ("en-GB,en;q=0.9,de;q=0.1", "en"),
        ("en,de", "en"),
        ("fr", "en"),
        ("*", "en"),
        ("", "en"),
        (",,;;q=,", "en"),
        ("de;q=nonsense", "de"),
        ("../../etc/passwd", "en"),
        ("\x00\ufffd💥,de", "de"),
        ("_,__,-,de-", "de"),
        ("x" * 100_000, "en"),
        ("x," * 100_000 + "de", "en"),
    ],
)
def test_a_browser_is_answered_in_a_language_it_asks_for(accepted: str, code: str) -> None:
    assert best_of(accepted) == code


def test_two_threads_read_a_catalog_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Path] = []
    both, read = threading.Barrier(2), Catalog.read

    def count(file: Path) -> Catalog:
        reads.append(file)
        return read(file)

    def load(code: str) -> Catalog:
        both.wait(10)
        return locales.load(code)

    monkeypatch.setattr(Catalog, "read", count)
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(load, ["de", "de"])
    assert first is second
    assert len(reads) == 1


def test_a_language_whose_catalog_is_gone_gives_way_to_the_browsers() -> None:
    assert locales.chosen("zh_CN", "de") == "zh_CN"
    assert locales.chosen("xx", "de") == "de"
    assert locales.chosen("", "de") == "de"
