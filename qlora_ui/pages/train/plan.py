"""What the settings and the data of /train come to: rows, steps, epochs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from qlora_ui.contract.inspection import Survey
from qlora_ui.contract.parameters import TrainingParameters

ENOUGH_STEPS = 50
"""Fewer optimiser steps than this hardly change what a model says."""


@dataclass(frozen=True)
class Plan:
    """What the settings and the data come to."""

    examples_trained: int
    examples_held_out: int
    effective_batch: int
    steps: int
    """Optimiser steps of the whole run."""
    is_exact: bool
    """False as long as no model is chosen, whose tokens decide which rows can be trained."""


def plan(parameters: TrainingParameters, survey: Survey) -> Plan:
    """How many steps follow from epochs, batch and the examples that were counted.

    Without a tokenizer nobody knows yet in which examples nothing would be trained, so it is not exact then.
    """
    batches = math.ceil(survey.examples_train / parameters.batch_size)
    steps_per_epoch = max(1, math.ceil(batches / parameters.gradient_accumulation))
    steps = math.ceil(parameters.num_train_epochs * steps_per_epoch)
    return Plan(
        examples_trained=survey.examples_train,
        examples_held_out=survey.examples_held_out,
        effective_batch=parameters.batch_size * parameters.gradient_accumulation,
        steps=min(steps, parameters.max_steps or steps),
        is_exact=survey.tokens is not None,
    )


def epochs_for_enough_steps(parameters: TrainingParameters, made: Plan) -> float | None:
    """How many epochs make ENOUGH_STEPS steps. None where there are enough, or where a limit of steps is set."""
    if made.steps >= ENOUGH_STEPS or parameters.max_steps or made.examples_trained < 1:
        return None
    return float(math.ceil(parameters.num_train_epochs * ENOUGH_STEPS / made.steps))
