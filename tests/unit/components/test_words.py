from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from qlora_ui.components.words import ago, duration, many, share, size


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"),
        (0, "0 s"),
        (0.4, "0 s"),
        (42.4, "42 s"),
        (59.9, "1 min"),
        (185, "3 min 5 s"),
        (3600, "1 h"),
        (6300, "1 h 45 min"),
        (3605, "1 h"),
        (183_600, "2 d 3 h"),
    ],
)
def test_durations(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 B"), (512, "512 B"), (18_230_000, "18.2 MB"), (24e9, "24 GB"), (999_700, "1 MB"), (3.2e12, "3,200 GB")],
)
def test_sizes(count: float, words: str) -> None:
    assert size(count) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [(812, "812"), (9_999, "9,999"), (12_408, "12.4 k"), (2_310_000, "2.31 M"), (8_030_000_000, "8.03 B")],
)
def test_counts(count: int, words: str) -> None:
    assert many(count) == words


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [(0, 9, "0 %"), (5, 0, "0 %"), (12, 1000, "1.2 %"), (1, 2, "50 %"), (1, 5000, "< 0.1 %")],
)
def test_shares(part: float, whole: float, words: str) -> None:
    assert share(part, whole) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "just now"), (59, "just now"), (320, "5 min ago"), (7300, "2 h ago"), (2e5, "2 d ago")]
)
def test_how_long_ago(seconds: float, words: str) -> None:
    moment = datetime(2026, 11, 23, tzinfo=UTC)
    assert ago(moment, moment + timedelta(seconds=seconds)) == words
