"""What the catalogs collect from the code, and what is found wrong with a translation."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

_FILE = Path(__file__).parents[2] / "scripts" / "messages.py"


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("messages", _FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["messages"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


messages = _script()


def collected(code: str, part: str = "pages") -> list[object]:
    return [found.id for found in messages.texts(code, part)]


def test_catalogs_are_complete() -> None:
    assert messages.check() == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('_("Free disk")', ["Free disk"]),
        ('LABEL = mark("Free disk")', ["Free disk"]),
        ('_("one" if few else "many")', ["one", "many"]),
        ('_("first " "second")', ["first second"]),
        ('n_("{count} run", "{count} runs", total)', [("{count} run", "{count} runs")]),
        ("_(LABEL)", []),
        ('element.mark("a-name for tests")', []),
        ('translations._("not ours")', []),
    ],
)
def test_marked_texts_are_collected(code: str, expected: list[object]) -> None:
    assert collected(code) == expected


def test_a_context_tells_two_meanings_apart() -> None:
    [found] = messages.texts('_("Open", context="verb")')
    assert (found.text, found.context) == ("Open", "verb")


def test_a_knob_gives_its_words_and_not_its_group() -> None:
    code = 'rank: int = knob(16, title="Rank", help="How much it holds.", group="LoRA", unit="columns", ge=1)'
    assert collected(code, "contract") == ["Rank", "How much it holds.", "columns"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('raise DataError("This is wrong.", "Mend it.")', ["This is wrong.", "Mend it."]),
        ('problem = f"row {row.number} is empty."', ["row {number} is empty."]),
        ('f"{a.name} waits for {b.name}."', ["{name} waits for {name2}."]),
        ('f"{x} is {x} again."', ["{x} is {x} again."]),
        ("f\"Known: {', '.join(names)}.\"", ["Known: {names}."]),
        ('f"{error.strerror or error} happened here."', ["{strerror} happened here."]),
        ('hint = "Wait a while." if late else "Try again."', ["Wait a while.", "Try again."]),
        ('"It " + ("runs." if at_work else "waits for more.")', ["It runs.", "It waits for more."]),
        ('def _explain(e):\n    return "it is missing" if e else "it is wrong"', ["it is missing", "it is wrong"]),
        ('def _other(e):\n    return "it is missing"', []),
        ('def f():\n    """It says what it does."""', []),
        ('raise ValueError("only a programmer sees this.")', []),
        ('Route(summary="For programs only.")', []),
        ('assert done, "this cannot be seen."', []),
        ('class LostError(Exception):\n    """The file was lost."""', ["The file was lost."]),
    ],
)
def test_sentences_are_collected_where_nobody_knows_who_reads(code: str, expected: list[object]) -> None:
    assert collected(code, "data") == expected


def test_pages_give_only_what_they_mark_and_the_errors_they_raise() -> None:
    code = 'Text("Plain words are not collected.")\nraise JobError(f"{job.name} is gone.", "Look at the list.")'
    assert collected(code, "pages") == ["{name} is gone.", "Look at the list."]


def test_the_command_line_speaks_english_only() -> None:
    assert collected('say("It is done now.")', "cli") == []


def test_a_text_that_is_put_together_before_it_is_marked_is_found() -> None:
    code = '_("fine {count}", count=3)\n_(f"wrong {count}")\n_("also " + wrong)\nn_(f"{a}", "b", 2)\n'
    assert messages.put_together(code) == [2, 3, 4]


def test_a_package_is_collected_in_the_order_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "b.py").write_text('_("second")\n_("third")\n_("first")')
    (tmp_path / "a.py").write_text('_("first")')
    catalog = messages.collect(tmp_path)
    assert [message.id for message in catalog if message.id] == ["first", "second", "third"]
    assert messages.written(catalog) == messages.written(messages.collect(tmp_path))
    assert b"POT-Creation-Date" not in messages.written(catalog)


CODE = """
_("Free disk")
_("{part} of {total}")
n_("{count} run", "{count} runs", 2)
_("Open", context="verb")
"""
GOOD = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Free disk"
msgstr "Freier Speicher"

msgid "{part} of {total}"
msgstr "{part} von {total}"

msgid "{count} run"
msgid_plural "{count} runs"
msgstr[0] "Ein Lauf"
msgstr[1] "{count} Läufe"

msgctxt "verb"
msgid "Open"
msgstr "Öffnen"
"""


def problems(tmp_path: Path, translations: str) -> list[str]:
    (tmp_path / "a.py").write_text(CODE)
    file = tmp_path / "de.po"
    file.write_text(translations, encoding="utf-8")
    found = messages.problems(messages.read(file), messages.collect(tmp_path))
    assert isinstance(found, list)
    return found


def test_a_whole_catalog_has_no_problem(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        ('msgid "Free disk"\nmsgstr "Freier Speicher"\n', "", "missing: Free disk"),
        ('msgid "Free disk"', 'msgid "Free disc"', "stale: Free disc"),
        ("Freier Speicher", "", "not translated: Free disk"),
        ("Ein Lauf", "", "not translated: ('{count} run', '{count} runs')"),
        ('msgid "Free disk"', '#, fuzzy\nmsgid "Free disk"', "doubtful: Free disk"),
        ("{part} von {total}", "{part} von {gesamt}", "other places than the original: {part} von {gesamt}"),
        ("{part} von {total}", "{part}", "other places than the original: {part}"),
        ("{part} von {total}", "{part} von {total} {", "other places than the original: {part} von {total} {"),
        ("{count} Läufe", "{zahl} Läufe", "other places than the original: {zahl} Läufe"),
        ('msgctxt "verb"\n', "", "missing: Open"),
    ],
)
def test_what_is_wrong_with_a_catalog_is_named(tmp_path: Path, right: str, wrong: str, problem: str) -> None:
    assert right in GOOD
    assert problem in problems(tmp_path, GOOD.replace(right, wrong))


def test_an_update_keeps_translations_and_leaves_new_texts_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "locales"
    folder.mkdir()
    (tmp_path / "a.py").write_text(CODE + '_("New words")\n_("Fre disk")\n')
    (folder / "de.po").write_text(GOOD.replace('msgid "Free disk"', 'msgid "Old words"'), encoding="utf-8")
    for name, value in {"PACKAGE": tmp_path, "FOLDER": folder, "TEMPLATE": folder / "messages.pot"}.items():
        monkeypatch.setattr(messages, name, value)
    monkeypatch.setattr(messages.collect, "__defaults__", (tmp_path,))
    messages.update()
    catalog = messages.read(folder / "de.po")
    assert catalog.get("{part} of {total}").string == "{part} von {total}"
    assert catalog.get("New words").string == ""
    assert catalog.get("Old words") is None
    assert "3 to do" in capsys.readouterr().out
    assert messages.check() == [f"de.po: not translated: {text}" for text in ("Fre disk", "Free disk", "New words")]
