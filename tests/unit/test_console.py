"""What the command line prints."""

from __future__ import annotations

import pytest

from qlora_ui import console


@pytest.mark.parametrize(
    ("bytes_", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_000, "1.0 kB"), (4_321_000, "4.3 MB"), (15_000_000_000, "15.0 GB")],
)
def test_sizes_are_told_by_1000(bytes_: int, words: str) -> None:
    assert console.size(bytes_) == words
