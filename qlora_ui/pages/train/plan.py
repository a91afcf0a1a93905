"""What the settings and the data of /train come to: rows, steps, epochs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from qlora_ui.contract.inspection import Inspection
from qlora_ui.contract.parameters import TrainingParameters

ENOUGH_STEPS = 50
"""Fewer optimiser steps than this hardly change what a model says."""


@dataclass(frozen=True)
class Plan:
    """What the settings and the data come to."""

    rows_trained: int
    rows_held_out: int | None
    """None where a file of its own is evaluated, whose rows nobody has counted."""
    effective_batch: int
    steps: int
    """Optimiser steps of the whole run."""
    is_exact: bool
    """False when it depends on rows that are equal, left out or in the evaluation file as well."""


def plan(parameters: TrainingParameters, inspection: Inspection) -> Plan:
    """How many rows are trained and held out, and how many steps follow from epochs and batch.

    It counts as training does: a share of all different rows is held out, then rows without a token to train are left
    out on both sides.
    """
    left_out = inspection.rows_untrainable
    usable = inspection.rows - (left_out or 0)
    has_file = bool(parameters.validation_path)
    share = 0.0 if has_file or not parameters.evaluations else parameters.validation_share
    if inspection.rows - inspection.duplicates < 2:
        share = 0.0
    drawn = max(1, round(inspection.rows * share)) if share else 0
    held_out = round(drawn * usable / inspection.rows) if drawn else 0
    rows = usable - held_out
    batches = math.ceil(rows / parameters.batch_size)
    steps_per_epoch = max(1, math.ceil(batches / parameters.gradient_accumulation))
    steps = math.ceil(parameters.num_train_epochs * steps_per_epoch)
    return Plan(
        rows_trained=rows,
        rows_held_out=None if has_file else held_out,
        effective_batch=parameters.batch_size * parameters.gradient_accumulation,
        steps=min(steps, parameters.max_steps or steps),
        is_exact=not has_file and left_out is not None and (not share or not (left_out or inspection.duplicates)),
    )


def epochs_for_enough_steps(parameters: TrainingParameters, made: Plan) -> float | None:
    """How many epochs make ENOUGH_STEPS steps. None where there are enough, or where a limit of steps is set."""
    if made.steps >= ENOUGH_STEPS or parameters.max_steps or made.rows_trained < 1:
        return None
    return float(math.ceil(parameters.num_train_epochs * ENOUGH_STEPS / made.steps))
