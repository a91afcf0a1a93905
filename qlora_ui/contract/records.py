"""What is written down of jobs, adapters, datasets and preferences, and what a job's result looks like."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import psutil
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat


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


class ProcessIdentity(BaseModel):
    """A process that cannot be mistaken for a later one with the same number."""

    model_config = ConfigDict(frozen=True)

    pid: int
    started: str
    """When it started: on Linux the boot's id and the clock ticks since that boot (no clock jump changes them)."""

    @classmethod
    def of(cls, pid: int | None = None) -> ProcessIdentity:
        """The identity of a living process, by default this one. Raises ProcessLookupError when there is none."""
        pid = os.getpid() if pid is None else pid
        started = _start_of(pid)
        if started is None:
            raise ProcessLookupError(pid)
        return cls(pid=pid, started=started)

    @property
    def is_alive(self) -> bool:
        return _start_of(self.pid) == self.started

    @property
    def is_of_this_boot(self) -> bool | None:
        """Whether the machine, or the container, has been up ever since it started; None where that cannot be told."""
        first = _start_of(1)
        boot, _, ticks = self.started.rpartition(":")
        if first is not None and ":" in first:
            own_boot, _, first_ticks = first.rpartition(":")
            if not own_boot or not boot or not ticks.isdecimal():
                return None
            return boot == own_boot and int(ticks) >= int(first_ticks)
        try:
            return float(self.started) >= psutil.boot_time()
        except ValueError:
            return None


def _start_of(pid: int) -> str | None:
    """When the process with this number started; None when it is gone or dead and not yet reaped."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return None if fields[0] in {"Z", "X"} else f"{_boot()}:{fields[19]}"
    except (FileNotFoundError, ProcessLookupError, NotADirectoryError):
        pass
    if Path("/proc/self/stat").exists():
        return None
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except psutil.Error:  # gone, or not ours to look at
        return None


@cache
def _boot() -> str:
    """The id of this boot of the machine; empty in a sandbox that hides it."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


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


class Notification(BaseModel):
    """Something that people are told once: by the bell, and beyond it as each of them likes."""

    id: str
    """What it tells of, such as `<run id>:<attempt>:<status>` or `update:0.3.0`; nothing is told twice."""
    event: str
    """What happened, for programs: `job_completed`, `job_failed`, `job_interrupted`, `job_alert`, `all_done`, `update`,
    `webhook_failed`."""
    code: str = ""
    """What an alert is about, for programs: a value of `AlertCode`, or empty."""
    topic: Literal["job_complete", "errors", "updates"]
    tone: Literal["success", "warning", "error", "info"]
    title: str
    """English, a text of the catalogs, with places for `values`."""
    values: dict[str, str] = Field(default_factory=dict)
    body: str = ""
    """What else is known, as an English sentence of an error or an event; empty when the title says it all."""
    time: Moment = Field(default_factory=now)
    """When it happened."""
    told_at: Moment = Field(default_factory=now)
    """When it was told here, which is later for what happened while no server ran; no two have the same."""
    job_id: str | None = None
    path: str = ""
    """The page of the app that it leads to."""


class NotificationPreferences(BaseModel):
    """What a person is told of: in the app always by the bell, beyond it where `browser` is on."""

    job_complete: bool = True
    errors: bool = True
    updates: bool = False
    """Ask the package index once a day whether there is a newer qlora-ui; never with `--offline`."""
    browser: bool = False
    """Let the browser show what is told while another window is in front."""
    seen_until: Moment | None = None
    """What was told up to then has been read."""


class AccessibilityPreferences(BaseModel):
    """Beyond what the browser itself asks for, which is followed in any case."""

    reduced_motion: bool = False
    high_contrast: bool = False
    screen_reader: bool = False
    """More text and tables in place of charts that redraw themselves."""
    shortcuts: bool = True
    """Single letters do something, such as `t` for the theme; voice control and some hands are better off without."""


class UserPreferences(BaseModel):
    """How a person likes the app."""

    theme: Literal["light", "dark", "system"] = "system"
    language: str = ""
    """A code of `locales`; empty as long as it is what the browser asks for."""
    sidebar_collapsed: bool = False
    default_model: str = ""
    """What a new fine-tune begins with; empty for none."""
    merged_folder: str = ""
    """The folder in which merges make a folder each; empty for the models of the home folder."""
    guide_hidden: bool = False
    """The first-run guide was put away."""
    dismissed: list[str] = Field(default_factory=list)
    """What was dismissed from what needs attention, `<run id>:<attempt>:<status>` each, the newest last."""
    notifications: NotificationPreferences = Field(default_factory=NotificationPreferences)
    accessibility: AccessibilityPreferences = Field(default_factory=AccessibilityPreferences)


def new_id(name: str, moment: datetime | None = None) -> str:
    """A run id that can be read, and sorts by the second it was made in: `20261123-094512-support-tone-3f2a90c1`."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:24].strip("-") or "run"
    return f"{(moment or now()):%Y%m%d-%H%M%S}-{slug}-{os.urandom(4).hex()}"
