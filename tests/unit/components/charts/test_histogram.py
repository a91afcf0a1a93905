from __future__ import annotations

import re

import pytest

from qlora_ui.components.charts.histogram import _plot, _table, cut_in_words, in_words
from qlora_ui.contract.inspection import Histogram

LENGTHS = Histogram(edges=[0, 50, 100, 150, 200], counts=[4, 0, 8, 1], median=120, p95=148, longest=1190)


def wholes(plot: str) -> list[int]:
    """How much of each bar is not cut, in per cent of its width."""
    return [int(share) for share in re.findall(r"--whole:(\d+)%", plot)]


def test_what_lies_beyond_the_cut_is_striped_and_the_mark_stands_there() -> None:
    plot = _plot(LENGTHS, 120)
    assert wholes(plot) == [100, 100, 40, 0]
    assert '<u class="end" style="left:60.00%"><span>cut at 120</span></u>' in plot


def test_the_highest_bar_is_full_and_a_single_one_can_still_be_seen() -> None:
    assert re.findall(r"height:([\d.]+)%", _plot(LENGTHS, 120)) == ["50.0", "0.0", "100.0", "12.5"]
    many = LENGTHS.model_copy(update={"counts": [100_000, 0, 1, 0]})
    assert re.findall(r"height:([\d.]+)%", _plot(many, 120)) == ["100.0", "0.0", "2.0", "0.0"]


def test_without_anything_cut_there_is_no_mark_but_words() -> None:
    short = LENGTHS.model_copy(update={"longest": 190})
    plot = _plot(short, 1024)
    assert wholes(plot) == [100] * 4
    assert "<u" not in plot
    assert cut_in_words(short, 1024) == "None is cut: up to 1,024 fit."
    assert cut_in_words(LENGTHS, 1024) == "What is longer than 1,024 is cut."


def test_every_bar_tells_its_figures() -> None:
    plot = _plot(LENGTHS, 120)
    assert re.findall('data-about="([^"]*)"', plot) == [
        "0 to 49 tokens: 4 examples",
        "50 to 99 tokens: 0 examples",
        "100 to 149 tokens: 8 examples",
        "150 to 199 tokens: 1 example",
    ]


@pytest.mark.parametrize("edges", [[7, 8, 9, 10, 11], [0, 1, 2, 3, 4]])
def test_a_bin_of_one_length_names_it_once(edges: list[int]) -> None:
    plot = _plot(LENGTHS.model_copy(update={"edges": edges}), 3)
    assert f'data-about="{edges[0]} tokens: 4 examples"' in plot


def test_the_same_figures_stand_in_words_and_in_a_table() -> None:
    assert in_words(LENGTHS) == "Half have at most 120, 95 % at most 148; the longest has 1,190."
    rows = re.findall(r'<tr><th scope="row">([^<]*)</th><td>([^<]*)</td></tr>', _table(LENGTHS, "Lengths"))
    assert rows == [("0–49", "4"), ("100–149", "8"), ("150–199", "1")]
