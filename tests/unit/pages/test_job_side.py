from __future__ import annotations

import pytest

from qlora_ui.components.words import power_of_ten
from qlora_ui.pages.runs.job.side import device_name, known_facts


@pytest.mark.parametrize(
    ("value", "words"),
    [(1.12e-4, "1.12·10⁻⁴"), (0.0, "0"), (0.05, "0.05"), (2e-10, "2.00·10⁻¹⁰")],
)
def test_small_numbers_as_powers_of_ten(value: float, words: str) -> None:
    assert power_of_ten(value) == words


def test_only_facts_that_the_worker_told_are_shown() -> None:
    assert known_facts({}) == {}
    facts = known_facts({"trainable_parameters": 2_000_000, "parameters": 8_000_000_000, "rows_train": 1200})
    assert facts == {"Trained weights": "2 M, < 0.1 %", "Rows trained": "1,200"}


def test_a_device_is_called_by_its_name() -> None:
    assert device_name({"device": "cpu"}) == "Processor"
    assert device_name({"device": "cuda:0", "device_name": "NVIDIA H100 80GB HBM3"}) == "H100 80GB HBM3"
    assert device_name({"rows": 3}) == "This run"
