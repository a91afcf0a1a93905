"""What a worker says: one tagged message a line in `events.jsonl`, with a sequence number and the time in UTC."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import Moment, now

LONGEST_ESTIMATE = 1e9
"""More seconds than this, some thirty years, are no estimate but a division by almost nothing."""

Count = Annotated[int, Field(ge=0, le=2**53)]
"""As far as every reader can count, a browser among them."""


def _estimate(value: float | None) -> float | None:
    """A number that somebody can do something with, or None."""
    return value if value is not None and 0 <= value <= LONGEST_ESTIMATE else None


class _Event(BaseModel):
    model_config = ConfigDict(ser_json_inf_nan="strings")  # JSON knows no infinity, and null would be read as no number

    seq: int = 0
    """1, 2, 3 … over all attempts of a run; the writer sets it."""
    time: Moment = Field(default_factory=now)


class Started(_Event):
    """The worker's process is there; said before anything heavy is imported."""

    type: Literal["started"] = "started"
    process: ProcessIdentity
    attempt: int
    memory_kills: dict[str, int] = Field(default_factory=dict)
    """How many processes the system had ended by then because memory ran out, by who counts (`evidence.memory_kills`):
    a count that rose when this one is gone tells why."""
    console_bytes: int = 0
    """How long `console.log` was: what this attempt printed begins there."""


class Resumed(_Event):
    """Training goes on from a checkpoint: points of curves after `step` are measured anew."""

    type: Literal["resumed"] = "resumed"
    step: int


class Phase(_Event):
    """A stretch of the work begins, such as `loading` or `training`; `message` is for people."""

    type: Literal["phase"] = "phase"
    name: str
    message: str


class Facts(_Event):
    """What is true of the whole run: device, versions, rows, trainable weights, phases' measured figures."""

    type: Literal["facts"] = "facts"
    values: dict[str, Any]


class Progress(_Event):
    type: Literal["progress"] = "progress"
    step: Count
    total_steps: Count
    epoch: Annotated[float | None, AfterValidator(_estimate)] = None
    seconds_left: Annotated[float | None, AfterValidator(_estimate)] = None
    """Measured from the steps so far, without the loading before them."""


class Metric(_Event):
    """Figures measured at a step, by name.

    Of the training: `loss` [nats a token], `learning_rate`, `grad_norm`, `tokens_per_second`, `padding` (share of the
    batch's places, 0–1). Of an evaluation: `eval_loss`, `eval_perplexity`, `eval_token_accuracy` (0–1). Of the machine:
    `memory` and `device_memory` [bytes], `device_use` (0–1), `temperature` [°C], `power` [W].
    """

    type: Literal["metric"] = "metric"
    step: int
    values: dict[str, float]


class Log(_Event):
    type: Literal["log"] = "log"
    level: Literal["info", "warning", "error"] = "info"
    message: str


class Sample(_Event):
    """What the model answers to a held-out prompt at a step."""

    type: Literal["sample"] = "sample"
    step: int
    prompt: str
    answer: str
    reference: str = ""


class Alert(_Event):
    """Something that a person should know now, and what to do about it."""

    type: Literal["alert"] = "alert"
    code: str = ""
    """What it is about, for programs: a value of `AlertCode`, or empty."""
    level: Literal["warning", "error"] = "warning"
    step: int | None = None
    message: str
    hint: str = ""


class AlertCode(StrEnum):
    """What a watchful training remarks."""

    NOT_A_NUMBER = "not_a_number"
    SPIKE = "spike"
    ZERO_LOSS = "zero_loss"
    NOTHING_TRAINED = "nothing_trained"
    OVERFITTING = "overfitting"
    RATE_TOO_HIGH = "rate_too_high"
    RATE_TOO_LOW = "rate_too_low"
    NOTHING_LEARNED = "nothing_learned"
    EARLY_STOP = "early_stop"
    DAMAGED_CHECKPOINT = "damaged_checkpoint"
    TOO_HOT = "too_hot"
    DISK_NEARLY_FULL = "disk_nearly_full"
    STUCK = "stuck"
    TRACKER = "tracker"
    """A tracker cannot be used, or takes no more."""


class CheckpointSaved(_Event):
    """A checkpoint lies whole on the disk; a resume may start from it."""

    type: Literal["checkpoint"] = "checkpoint"
    step: int
    folder: str
    """Its name below `checkpoints/`."""
    bytes: int
    metrics: dict[str, float] = Field(default_factory=dict)
    """What the newest evaluation measured by then."""
    is_best: bool = False
    """Best by the run's metric so far."""


class Finished(_Event):
    type: Literal["finished"] = "finished"
    summary: dict[str, Any] = Field(default_factory=dict)


class Stopped(_Event):
    """The run ended early because it was asked to; `paused` keeps its place in the queue."""

    type: Literal["stopped"] = "stopped"
    paused: bool = False
    step: int | None = None


class Failed(_Event):
    type: Literal["failed"] = "failed"
    error: str
    hint: str = ""


Event = Annotated[
    Started
    | Resumed
    | Phase
    | Facts
    | Progress
    | Metric
    | Log
    | Sample
    | Alert
    | CheckpointSaved
    | Finished
    | Stopped
    | Failed,
    Field(discriminator="type"),
]

_ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)


def parse_event(line: str | bytes) -> Event:
    """One line of `events.jsonl`. Raises pydantic.ValidationError for anything else."""
    return _ADAPTER.validate_json(line)


def dump_event(event: Event) -> bytes:
    """The event as one line, with its line feed."""
    return event.model_dump_json(exclude_none=True).encode() + b"\n"
