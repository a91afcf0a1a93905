"""Numbers as people say them."""

from __future__ import annotations

from datetime import datetime

import pytest

from qlora_ui.components.device_meter import short_name
from qlora_ui.components.words import in_word, loss, of_total, percent, speed, time_left


def test_memory_of_a_device() -> None:
    assert of_total(17.1e9, 24e9) == "17.1 of 24 GB"
    assert of_total(0, 128.4e9) == "0 of 128 GB"


def test_time_left_names_the_clock() -> None:
    at = datetime.fromisoformat("2026-11-23T10:39:00").astimezone()
    assert time_left(41 * 60, at) == "41 min left, done about 11:20"
    assert time_left(26 * 3600, at) == "1 d 2 h left, done about Tuesday 12:39"
    assert time_left(None) == ""


def test_only_what_is_done_is_at_a_hundred_per_cent() -> None:
    assert [percent(share) for share in (0.0, 0.29, 0.9999, 1.0)] == ["0 %", "29 %", "99 %", "100 %"]


def test_missing_figures_are_dashes() -> None:
    assert (loss(None), speed(None)) == ("–", "–")
    assert (loss(1.2044), speed(9240.4)) == ("1.204", "9,240 tokens/s")


def test_counts() -> None:
    assert [in_word(count) for count in (0, 1, 9, 10, 1200)] == ["no", "one", "nine", "10", "1,200"]


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("NVIDIA GeForce RTX 4090", "RTX 4090"),
        ("NVIDIA H100 80GB HBM3", "H100 80GB HBM3"),
        ("Intel(R) Xeon(R) Processor @ 2.10GHz", "Xeon"),
        ("Intel(R) Core(TM) i7-8550U CPU @ 1.80GHz", "Core i7-8550U"),
        ("", "Processor"),
    ],
)
def test_device_names_without_trade_marks(name: str, short: str) -> None:
    assert short_name(name) == short
