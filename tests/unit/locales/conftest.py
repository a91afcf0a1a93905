"""Two small catalogs in a folder of their own, in place of those of the app."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from qlora_ui import locales

_HEAD = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: {plural}\\n"\n'
GERMAN = (
    _HEAD.format(plural="nplurals=2; plural=(n != 1);")
    + """
msgid "Free disk"
msgstr "Freier Speicher"

msgid "Used disk"
msgstr ""

#, fuzzy
msgid "Total disk"
msgstr "Bestimmt falsch"

msgid "{count} run"
msgid_plural "{count} runs"
msgstr[0] "{count} Lauf"
msgstr[1] "{count} Läufe"

msgid "Open"
msgstr "Offen"

msgctxt "verb"
msgid "Open"
msgstr "Öffnen"

msgid "{name} waits for {other}."
msgstr "{name} wartet auf {other}."

msgid "{name} waits for {other}, which failed."
msgstr "{name} wartet auf {other}, was gescheitert ist."

msgid "{name} follows {name}."
msgstr "{name} folgt sich selbst."

msgid "{problem}."
msgstr "{problem}!"

msgid "the file is empty."
msgstr "die Datei ist leer."

msgid "Add at least one example."
msgstr "Fügen Sie mindestens ein Beispiel hinzu."
"""
)
CHINESE = (
    _HEAD.format(plural="nplurals=1; plural=0;")
    + """
msgid "{count} run"
msgid_plural "{count} runs"
msgstr[0] "{count} 次运行"
"""
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that catalogs are read from: German and simplified Chinese are in it."""
    (tmp_path / "de.po").write_text(GERMAN, encoding="utf-8")
    (tmp_path / "zh_CN.po").write_text(CHINESE, encoding="utf-8")
    monkeypatch.setattr(locales, "FOLDER", tmp_path)
    _forget()
    yield tmp_path
    _forget()


def _forget() -> None:
    locales.languages.cache_clear()
    locales._load.cache_clear()
