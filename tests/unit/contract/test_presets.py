"""Presets name knobs that there are, with values that they take."""

from __future__ import annotations

import pytest

from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.parsing import parse_parameters
from qlora_ui.contract.presets import BALANCED, PRESETS
from qlora_ui.contract.records import JobKind

GIVEN = {"model_name": "starter", "dataset_path": "starter"}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_can_be_started(name: str) -> None:
    parameters = parse_parameters(JobKind.TRAINING, GIVEN | dict(PRESETS[name]))
    assert {knob: getattr(parameters, knob) for knob in PRESETS[name]} == PRESETS[name]


@pytest.mark.parametrize("name", PRESETS.keys() - {BALANCED})
def test_each_value_of_a_preset_differs_from_the_default(name: str) -> None:
    default = TrainingParameters.model_validate(GIVEN)
    assert [knob for knob, value in PRESETS[name].items() if getattr(default, knob) == value] == []


def test_the_effective_batch_and_the_strength_stay_the_same() -> None:
    """The texts on the page say so."""
    balanced, quick, best, small = (
        TrainingParameters.model_validate(GIVEN | dict(PRESETS[name]))
        for name in (BALANCED, "quick_try", "best_quality", "small_gpu")
    )
    assert small.batch_size * small.gradient_accumulation == balanced.batch_size * balanced.gradient_accumulation
    assert quick.lora_alpha / quick.lora_rank == balanced.lora_alpha / balanced.lora_rank
    assert best.lora_alpha / best.lora_rank**0.5 == balanced.lora_alpha / balanced.lora_rank
