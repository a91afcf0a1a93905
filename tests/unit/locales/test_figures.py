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
