"""Numbers and dates in each of the languages."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from qlora_ui.locales import figures, speaking

pytestmark = pytest.mark.usefixtures("folder")


@pytest.mark.parametrize(
    ("language", "whole", "some", "exact"),
    [
        ("en", "1,234,567", "1,024.5", "0.500"),
        ("de", "1.234.567", "1.024,5", "0,500"),
        ("zh_CN", "1,234,567", "1,024.5", "0.500"),
    ],
)
def test_numbers_have_the_separators_of_the_language(language: str, whole: str, some: str, exact: str) -> None:
    with speaking(language):
        assert figures.number(1_234_567) == whole
        assert figures.number(1024.5, 3) == some
        assert figures.fixed(0.5, 3) == exact


@pytest.mark.parametrize(
    ("language", "day", "weekday"),
    [("en", "Nov 23, 2026", "Monday"), ("de", "23.11.2026", "Montag"), ("zh_CN", "2026年11月23日", "星期一")],
)
def test_days_are_written_as_the_language_does(language: str, day: str, weekday: str) -> None:
    with speaking(language):
        assert figures.day(date(2026, 11, 23)) == day
        assert figures.weekday(datetime(2026, 11, 23, 12, tzinfo=UTC)) == weekday


def test_the_time_of_day_is_the_same_everywhere() -> None:
    moment = datetime(2026, 11, 23, 9, 5).astimezone()
    for language in ("en", "de", "zh_CN"):
        with speaking(language):
            assert figures.time_of_day(moment) == "09:05"


@pytest.mark.parametrize(
    ("language", "difference", "gain", "small", "large"),
    [
        ("en", "−2.60", "+1,000.0", "0.0012", "8.03"),
        ("de", "−2,60", "+1.000,0", "0,0012", "8,03"),
        ("zh_CN", "−2.60", "+1,000.0", "0.0012", "8.03"),
    ],
)
def test_differences_have_a_sign_and_small_numbers_their_first_figures(
    language: str, difference: str, gain: str, small: str, large: str
) -> None:
    with speaking(language):
        assert figures.signed(-2.6, 2) == difference
        assert figures.signed(1000, 1) == gain
        assert figures.significant(0.00123, 2) == small
        assert figures.significant(8.03, 3) == large


def test_what_is_no_number_is_not_written_as_one() -> None:
    assert [figures.number(value) for value in (float("nan"), float("inf"), float("-inf"))] == ["–", "∞", "−∞"]
    assert figures.significant(0.0, 3) == "0"


@pytest.mark.parametrize(
    ("language", "day", "moment"),
    [
        ("en", "November 23", "November 23, 2026, 09:05"),
        ("de", "23. November", "23. November 2026, 09:05"),
        ("zh_CN", "11月23日", "2026年11月23日 09:05"),
    ],
)
def test_a_moment_has_its_day_and_its_time(language: str, day: str, moment: str) -> None:
    written = datetime(2026, 11, 23, 9, 5).astimezone()
    with speaking(language):
        assert figures.day_of_year(written) == day
        assert figures.moment_in_full(written) == moment
