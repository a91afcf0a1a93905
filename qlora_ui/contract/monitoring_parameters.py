"""How a training is watched, saved and reported."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from qlora_ui.contract.base_parameters import ReadsData
from qlora_ui.contract.knobs import knob

BestMetric = Literal["eval_loss", "eval_token_accuracy", "eval_perplexity", "loss"]
Tracker = Literal["tensorboard", "wandb", "mlflow", "trackio"]

HIGHER_IS_BETTER = frozenset({"eval_token_accuracy"})
"""Of the other metrics the lowest value is the best."""


class Monitored(ReadsData):
    """The knobs of whatever trains and is watched at it."""

    evaluations: int = knob(
        4,
        title="Evaluations",
        help="How many times the evaluation loss is measured, evenly spread and at the end, besides once at the start.",
        group="monitoring",
        unit="times",
        ge=0,
        le=1000,
    )
    save_steps: int | None = knob(
        None,
        title="Checkpoint every",
        help="Steps between two checkpoints; empty means ten over the run, and never fewer than every 10 minutes.",
        group="monitoring",
        unit="steps",
        ge=1,
        le=10_000_000,
    )
    checkpoints_kept: int = knob(
        2,
        title="Checkpoints kept",
        help="How many of the newest checkpoints stay on the disk; the best one stays in any case.",
        group="monitoring",
        ge=1,
        le=1000,
    )
    logging_steps: int = knob(
        1,
        title="Report every",
        help="Steps between two points of the loss curve.",
        group="monitoring",
        unit="steps",
        ge=1,
        le=10_000,
    )
    best_metric: BestMetric = knob(
        "eval_loss",
        title="Best by",
        help="The figure that decides which checkpoint is the best, and when there is no more improvement.",
        group="monitoring",
    )
    early_stopping_patience: int | None = knob(
        None,
        title="Stop early after",
        help="Ends the training when so many evaluations in a row brought no improvement; empty goes on to the end.",
        group="monitoring",
        unit="evaluations",
        ge=1,
        le=1000,
    )
    early_stopping_threshold: float = knob(
        0.0,
        title="Least improvement",
        help="How much better an evaluation must be to count as an improvement.",
        group="monitoring",
        ge=0,
        le=1000,
    )
    load_best_at_end: bool = knob(
        False,
        title="Finish with the best",
        help="The finished adapter is that of the best checkpoint, in place of the last one.",
        group="monitoring",
    )
    sample_prompts: list[Annotated[str, StringConstraints(min_length=1, max_length=10_000)]] = knob(
        [],
        title="Prompts to watch",
        help="Prompts that the model answers at each evaluation; with none, two of the held-out rows are taken.",
        group="monitoring",
        max_length=20,
    )
    trackers: list[Tracker] = knob(
        [],
        title="Trackers",
        help="Where else the curves go: tensorboard, wandb, mlflow, trackio. None is used unless it is named here.",
        group="monitoring",
        max_length=4,
    )
    tracker_project: str = knob(
        "",
        title="Tracker project",
        help="What trackers call the project; empty takes `qlora-ui`.",
        group="monitoring",
        max_length=100,
    )
