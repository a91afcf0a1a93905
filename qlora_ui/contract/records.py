"""What is written down of jobs, adapters and datasets, and what a job's result looks like."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat

from qlora_ui.contract.process import ProcessIdentity


def now() -> datetime:
    """The present moment in UTC: the only clock that records are stamped with."""
    return datetime.now(UTC)


Moment = Annotated[AwareDatetime, Field(ge=datetime(1970, 1, 2, tzinfo=UTC), le=datetime(9998, 12, 31, tzinfo=UTC))]
"""When something happened. A time without its zone cannot be compared, and one at an end of the calendar cannot be
shown on another clock: a file that holds such a time is damaged."""


class JobKind(StrEnum):
    TRAINING = "training"
    EVALUATION = "evaluation"
    MERGE = "merge"
    EXPORT = "export"
    PUBLISH = "publish"
    INFERENCE = "inference"


class JobStatus(StrEnum):
    """Where a job stands. `explanation` has the sentence that a person reads."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    COMPLETED = "completed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def explanation(self) -> str:
        return _EXPLANATIONS[self]

    @property
    def is_final(self) -> bool:
        """The job ended and nothing will happen to it unless a person asks for it."""
        return self in _FINAL

    @property
    def can_resume(self) -> bool:
        """There may be something left to do, and a person may ask for it."""
        return self in {JobStatus.PAUSED, JobStatus.STOPPED, JobStatus.FAILED, JobStatus.INTERRUPTED}


_FINAL = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.STOPPED, JobStatus.INTERRUPTED)
_EXPLANATIONS = {
    JobStatus.PENDING: "It waits in the queue for its device.",
    JobStatus.RUNNING: "It is at work now.",
    JobStatus.PAUSED: "It gave its device back and keeps its place in the queue until it is resumed.",
    JobStatus.STOPPED: "A person stopped it; resume goes on from its last checkpoint, if it has one.",
    JobStatus.COMPLETED: "It ran to its end, and its result is ready.",
    JobStatus.FAILED: "It ended with an error, which it names.",
    JobStatus.INTERRUPTED: "Its process is gone and wrote no end: power, memory or a kill. "
    "Resume goes on from its last checkpoint, if it has one.",
}


class EndCause(StrEnum):
    """Why a run ended without its result, as far as anybody can tell."""

    MEMORY = "memory"
    """The machine ran out of memory, and the system ended the process."""
    DEVICE_MEMORY = "device_memory"
    """The GPU ran out of memory."""
    DEVICE = "device"
    """The GPU or its driver reported an error."""
    DISK = "disk"
    SIGNAL = "signal"
    """Somebody or something ended the process from outside."""
    CRASH = "crash"
    """The process broke down by itself, in the middle of native code."""
    REBOOT = "reboot"
    """The machine was started again while it ran: power, a crash of the system, or a person."""
    INPUT = "input"
    """Its data, its model or its settings cannot be used: the error says which."""
    PROGRAM = "program"
    """A Python error that nobody foresaw; the traceback tells."""
    UNKNOWN = "unknown"


class StartPoint(BaseModel):
    """Where a run took over: a checkpoint of another run, of which it has its own copy."""

    model_config = ConfigDict(frozen=True)

    run: str
    """The id of the other run, which may be gone by now."""
    step: int


class JobRecord(BaseModel):
    """`job.json`: what the launcher knows of a run. The worker never writes it."""

    schema_version: int = 1
    id: str
    kind: JobKind
    name: str
    created_at: Moment
    queued_at: Moment
    """When it last entered the queue, which is its place there unless it was moved."""
    place: FiniteFloat | None = None
    """Its place in the queue where a person moved it, in seconds since 1970 like `queued_at`: smaller is earlier."""
    state: Literal["queued", "held", "cancelled", "launched"] = "queued"
    """`held` and `cancelled` wait for a person; `launched` means started: the run folder tells the rest."""
    attempt: int = 0
    """How many times it was launched: 1 for the first, more after each resume."""
    process: ProcessIdentity | None = None
    device: str = "auto"
    """The device it was given when it was launched: `cpu`, `cuda:0`; `auto` leaves the choice to the worker."""
    after: str | None = None
    """The id of a job that must be completed before this one starts."""
    starts_from: StartPoint | None = None
    """It went on from a checkpoint of another run; None for one that began by itself."""
    home: str = ""
    """The home folder as it was called when the run was made: paths below it in the parameters move with it."""


class QueueState(BaseModel):
    """`queue.json`: what holds for the whole queue."""

    held: bool = False
    """Nothing new is started; what is at work goes on."""


class Command(BaseModel):
    """`command.json`: what is asked of a running worker, for one attempt only."""

    action: Literal["stop", "pause"]
    attempt: int


class ExitRecord(BaseModel):
    """`exit.json`: how a run ended, in its own words."""

    schema_version: int = 1
    status: JobStatus
    attempt: int
    time: Moment = Field(default_factory=now)
    error: str = ""
    hint: str = ""
    cause: EndCause | None = None
    """Of a failure."""
    traceback: str = ""
    """What Python said of it, for those who can read that."""
    summary: dict[str, Any] = Field(default_factory=dict)


class Score(BaseModel):
    """A figure with its uncertainty."""

    model_config = ConfigDict(ser_json_inf_nan="strings")

    value: float
    standard_error: float | None = None


class EvaluationMetrics(BaseModel):
    """How well a model does on rows it was not trained on."""

    accuracy: Score | None = None
    """The share of rows whose greedy answer equals the reference exactly; None where no answers were written."""
    loss: Score
    """The mean negative log-likelihood of a trained token, in nats."""
    perplexity: Score
    """exp(loss)."""
    bleu_score: Score | None = None
    """Corpus BLEU, 0–100, by sacrebleu with its standard settings."""
    token_accuracy: Score | None = None
    """The share of trained tokens that the model ranks first."""
    custom_metrics: dict[str, Score] = Field(default_factory=dict)


class EvaluationReport(BaseModel):
    """The result of an evaluation: base and adapter on the same rows."""

    rows: int
    base: EvaluationMetrics
    adapter: EvaluationMetrics | None = None
    differences: dict[str, Score] = Field(default_factory=dict)
    """Adapter minus base, paired row by row: `accuracy`, `loss`, `token_accuracy`."""


class MergeReceipt(BaseModel):
    """How well a merged model agrees with the adapter it was made from."""

    model_config = ConfigDict(ser_json_inf_nan="strings")

    rows: int
    tokens: int
    kl: float
    """The mean Kullback–Leibler divergence of the merged model's next-token distribution from the adapter's [nats]."""
    top1_agreement: float
    """The share of positions at which both rank the same token first."""
    loss_adapter: float
    loss_merged: float
    kl_limit: float
    top1_limit: float
    passed: bool
    output_dir: str
    save_type: str
    target: str


class Adapter(BaseModel):
    """A finished adapter and where it came from."""

    id: str
    name: str
    path: str
    description: str = ""
    training_date: Moment | None = None
    base_model: str
    metrics: EvaluationMetrics | None = None
    job_id: str | None = None
    dataset_fingerprint: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)


class Dataset(BaseModel):
    """A data file in the workspace, or a folder of them that came together."""

    id: str
    name: str
    path: str
    """The file, or the folder for several files."""
    bytes: int
    """Of all its files."""
    files: int = 1
    rows: int | None = None
    format: str = ""
    added_at: Moment = Field(default_factory=now)


def new_id(name: str, moment: datetime | None = None) -> str:
    """A run id that can be read, and sorts by the second it was made in: `20261123-094512-support-tone-3f2a90c1`."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:24].strip("-") or "run"
    return f"{(moment or now()):%Y%m%d-%H%M%S}-{slug}-{os.urandom(4).hex()}"
