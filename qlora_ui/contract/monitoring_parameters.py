"""How a training is watched, saved and reported."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import StringConstraints, field_validator, model_validator

from qlora_ui.contract.base_parameters import ReadsData
from qlora_ui.contract.knobs import ConflictError, knob

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
        help="Ends the training when so many evaluations in a row brought no improvement; empty goes on to the end. "
        "Without evaluations, checkpoints are compared by the loss.",
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

    @property
    def evaluates(self) -> bool:
        """Whether anything is measured on rows that are not trained."""
        return self.evaluations > 0

    @field_validator("trackers", mode="before")
    @classmethod
    def _one_line_of_trackers(cls, value: Any) -> Any:
        """`wandb, mlflow` is as good as a list."""
        return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value

    @field_validator("sample_prompts", mode="before")
    @classmethod
    def _one_prompt(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) and value.strip() else value

    @field_validator("trackers")
    @classmethod
    def _each_once(cls, value: list[Tracker]) -> list[Tracker]:
        return list(dict.fromkeys(value))

    @model_validator(mode="after")
    def _has_what_it_watches(self) -> Self:
        if problem := _explain(self):
            raise ConflictError(problem, self._watching)
        return self

    @property
    def _watching(self) -> str:
        """The knob that asks for evaluations."""
        if self.early_stopping_patience is not None:
            return "early_stopping_patience"
        return "load_best_at_end" if self.load_best_at_end else "best_metric"


def _explain(chosen: Monitored) -> str:
    """What is decided by evaluations needs evaluations, and enough of them; empty when all is well."""
    needs_evaluations, patience = chosen.best_metric.startswith("eval_"), chosen.early_stopping_patience
    if patience is not None and chosen.evaluates and patience >= chosen.evaluations:
        return (
            f"it cannot stop early: early_stopping_patience is {patience}, but there are no more than "
            f"{chosen.evaluations} evaluations; set evaluations higher or early_stopping_patience lower"
        )
    if chosen.evaluates or not needs_evaluations:
        return ""
    if patience is not None:
        return (
            "it cannot stop early, because nothing is evaluated: hold rows out and set evaluations to 2 or more, "
            "or set best_metric to loss"
        )
    if chosen.load_best_at_end:
        return (
            f"load_best_at_end goes by {chosen.best_metric}, but nothing is evaluated: hold rows out and set "
            "evaluations to 1 or more, or set best_metric to loss"
        )
    if chosen.best_metric != "eval_loss":
        return (
            f"best_metric is {chosen.best_metric}, but nothing is evaluated: hold rows out and set evaluations to 1 "
            "or more, or set best_metric to loss"
        )
    return ""
