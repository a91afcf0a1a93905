"""Settings go out as a file and come back; a file that cannot be trusted changes nothing and says why."""

from __future__ import annotations

import json
from typing import Any

import pytest

from qlora_ui import locales, settings_file
from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.preferences import AccessibilityPreferences, NotificationPreferences, UserPreferences
from qlora_ui.contract.records import now
from qlora_ui.settings_file import Change, changes, export, read

CHOSEN = UserPreferences(
    theme="dark",
    language="de",
    default_model="Qwen/Qwen3-0.6B",
    sidebar_collapsed=True,
    notifications=NotificationPreferences(browser=True, seen_until=now()),
    accessibility=AccessibilityPreferences(high_contrast=True),
)


def document(preferences: Any = None, **others: Any) -> str:
    return json.dumps({"format": settings_file.FORMAT, "version": 1, "preferences": preferences or {}, **others})


@pytest.fixture(autouse=True)
def german(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locales, "languages", lambda: {"en": "English", "de": "Deutsch"})


def test_what_goes_out_comes_back() -> None:
    given = read(export(CHOSEN))
    assert changes(CHOSEN, given) == []
    assert {change.field: (change.before, change.after) for change in changes(UserPreferences(), given)} == {
        "theme": ("system", "dark"),
        "language": ("", "de"),
        "default_model": ("", "Qwen/Qwen3-0.6B"),
        "sidebar_collapsed": (False, True),
        "notifications.browser": (False, True),
        "accessibility.high_contrast": (False, True),
    }


def test_the_file_says_what_it_is_and_holds_preferences_alone() -> None:
    content = json.loads(export(CHOSEN))
    assert content["format"] == "qlora-ui settings"
    assert content["version"] == 1
    assert set(content) == {"format", "version", "written_by", "written_at", "preferences"}
    assert set(content["preferences"]) == set(UserPreferences.model_fields) - {"dismissed"}
    assert "seen_until" not in content["preferences"]["notifications"]


def test_what_a_file_does_not_name_stays() -> None:
    given = read(document({"accessibility": {"reduced_motion": True}}))
    assert given == {"accessibility": {"reduced_motion": True}}
    assert changes(CHOSEN, given) == [Change("accessibility.reduced_motion", False, True)]
    assert read(document({"theme": "light"})) == {"theme": "light"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        ("[" * 5_000, "not JSON"),
        ("[]", "no settings of qlora-ui"),
        ('{"theme": "dark"}', "no settings of qlora-ui"),
        (document(format="other settings"), "no settings of qlora-ui"),
        (document(version=2), "newer qlora-ui"),
        (document(version="1"), "which version"),
        (document(version=True), "which version"),
        (document(version=0), "which version"),
        (document(preferences=[1]), "no settings in it"),
        (b" " * 70_000, "larger than 64 KB"),
    ],
)
def test_a_file_that_is_none_of_ours(content: str | bytes, reason: str) -> None:
    with pytest.raises(ParameterError, match=reason):
        read(content)


@pytest.mark.parametrize(
    ("preferences", "field", "problem"),
    [
        ({"theme": "pink"}, "theme", "it must be one of 'light', 'dark' or 'system'"),
        ({"theme": 1}, "theme", "it must be one of 'light', 'dark' or 'system'"),
        ({"theme": None}, "theme", "it must be one of 'light', 'dark' or 'system'"),
        ({"colour": "red"}, "colour", "there is no such setting"),
        ({"hub_token": "hf_x"}, "hub_token", "there is no such setting"),
        ({"sidebar_collapsed": "yes"}, "sidebar_collapsed", "it must be true or false"),
        ({"sidebar_collapsed": 1}, "sidebar_collapsed", "it must be true or false"),
        ({"default_model": 5}, "default_model", "it must be a text"),
        ({"default_model": "x" * 301}, "default_model", "it is too long"),
        ({"default_model": "a\nb"}, "default_model", "characters in it that cannot be shown"),
        ({"language": "tlh"}, "language", "this language is not here"),
        ({"language": "../../etc"}, "language", "this language is not here"),
        ({"accessibility": True}, "accessibility", "it must be a group of settings"),
        ({"accessibility": {"loud": True}}, "accessibility.loud", "there is no such setting"),
        ({"accessibility": {"high_contrast": None}}, "accessibility.high_contrast", "it must be true or false"),
        ({"notifications": {"seen_until": "2026-01-01"}}, "notifications.seen_until", "there is no such setting"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(preferences: dict[str, Any], field: str, problem: str) -> None:
    with pytest.raises(ParameterError, match="Nothing was imported") as refused:
        read(document(preferences))
    assert list(refused.value.fields) == [field]
    assert problem in refused.value.fields[field]
    assert field in str(refused.value)


def test_all_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(ParameterError) as refused:
        read(document({"theme": "pink", "accessibility": {"high_contrast": "no"}, "more": 1}))
    assert set(refused.value.fields) == {"theme", "accessibility.high_contrast", "more"}


def test_every_preference_can_be_taken_in() -> None:
    """A new field of the preferences must not be forgotten here: a strict file model is made from them."""
    everything = export(UserPreferences())
    assert changes(UserPreferences(), read(everything)) == []
