"""The names of all files in the workspace and in a run folder: nothing else in the program spells them out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

CHECKPOINT_MARKER = "complete.json"
"""In a checkpoint's folder once all of it is on the disk: one without it does not count."""
PREPARED_MARKER = "manifest.json"
"""In a folder of prepared data once it is whole."""
STARTER = "starter"
"""The name by which the model and the data that travel with the program are chosen."""

_ASSETS = Path(__file__).parent.parent / "assets"
_STARTER_DATA = {STARTER: "train.jsonl", f"{STARTER}/train": "train.jsonl", f"{STARTER}/heldout": "heldout.jsonl"}
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class RunPaths:
    """One run folder. The worker writes all of it but `job` and `parameters`, which the launcher writes."""

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def parameters(self) -> Path:
        """What the run does, frozen when it was created."""
        return self.folder / "parameters.yaml"

    @property
    def job(self) -> Path:
        """The run's place in the queue and its process: a JobRecord."""
        return self.folder / "job.json"

    @property
    def events(self) -> Path:
        """One event a line, only ever appended to."""
        return self.folder / "events.jsonl"

    @property
    def exit(self) -> Path:
        """How the run ended: written last and in one step, so its presence means that it ended by itself."""
        return self.folder / "exit.json"

    @property
    def ending(self) -> Path:
        """Why a worker is gone that wrote no `exit`: the finding of the server that was the first to see it."""
        return self.folder / "ending.json"

    @property
    def command(self) -> Path:
        """What the server asks of the running worker: a Command."""
        return self.folder / "command.json"

    @property
    def lock(self) -> Path:
        """Held by the run's worker for as long as it lives, so that a run never has two."""
        return self.folder / "run.lock"

    @property
    def reserve(self) -> Path:
        """Room on the disk that a running worker keeps, so that it can still say how it ended when the disk is full."""
        return self.folder / ".reserve"

    @property
    def log(self) -> Path:
        """The events in words, one entry a line, as the worker wrote them: for people, `tail -f` and the search."""
        return self.folder / "run.log"

    @property
    def console(self) -> Path:
        """The worker's standard output and error."""
        return self.folder / "console.log"

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    @property
    def origin(self) -> Path:
        """Fingerprints of the base and the data that the run began with: a resume compares them."""
        return self.folder / "origin.json"

    @property
    def trackers(self) -> Path:
        """What the run's trackers keep of it on this machine, and by which names they know it."""
        return self.folder / "trackers"

    @property
    def adapter(self) -> Path:
        return self.folder / "adapter"

    @property
    def report(self) -> Path:
        return self.folder / "report"

    @property
    def evaluation(self) -> Path:
        """An EvaluationReport: base and adapter on the same rows."""
        return self.report / "evaluation.json"

    @property
    def answers(self) -> Path:
        """One evaluated row a line: prompt, reference, the answer of base and adapter."""
        return self.report / "answers.jsonl"

    @property
    def receipt(self) -> Path:
        """A MergeReceipt: how well the merged model agrees with its adapter."""
        return self.report / "receipt.json"


@dataclass(frozen=True)
class Workspace:
    """The home folder: everything that qlora-ui keeps."""

    home: Path

    @property
    def database(self) -> Path:
        return self.home / "db.json"

    @property
    def database_backup(self) -> Path:
        """The same as `database`, for the day on which that one cannot be read."""
        return self.home / "db.json.backup"

    @property
    def database_lock(self) -> Path:
        """Held for the moment of one read and write, so that two servers on one home lose nothing of each other's."""
        return self.home / "db.lock"

    @property
    def web_storage(self) -> Path:
        """What NiceGUI itself keeps; nothing of ours goes there."""
        return self.home / "web"

    @property
    def runs(self) -> Path:
        return self.home / "runs"

    @property
    def datasets(self) -> Path:
        return self.home / "datasets"

    @property
    def prepared(self) -> Path:
        """Tokens and labels of data, by the fingerprint of all that decides them: a cache, which can be deleted."""
        return self.home / "prepared"

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def devices(self) -> Path:
        return self.home / "devices"

    @property
    def secret(self) -> Path:
        """The key that signs session cookies; readable by its owner only."""
        return self.home / "session.key"

    @property
    def webhook(self) -> Path:
        """The address that notifications are sent to, which is a secret; readable by its owner only."""
        return self.home / "webhook.url"

    @property
    def hub_token(self) -> Path:
        """The token for the model hub, where no keyring keeps it; readable by its owner only."""
        return self.home / "hub.token"

    @property
    def cache(self) -> Path:
        """What can be made again from the runs, such as their curves in a form that opens at once."""
        return self.home / "cache"

    @property
    def trackers(self) -> Path:
        """What trackers keep of several runs together, where their own settings name no other place."""
        return self.home / "trackers"

    def kept_history(self, run_id: str) -> Path:
        """A run's curves and the like, in a form that opens at once."""
        return self.cache / "history" / f"{run_id}.columns"

    def kept_log(self, run_id: str) -> Path:
        """The log of a run whose worker wrote none."""
        return self.cache / "logs" / f"{run_id}.log"

    @property
    def queue_state(self) -> Path:
        """A QueueState: what holds for the whole queue."""
        return self.devices / "queue.json"

    @property
    def queue_lock(self) -> Path:
        """Held for the moment in which one process looks at the queue and launches from it."""
        return self.devices / "queue.lock"

    def device_lock(self, device: str) -> Path:
        """The lease of one device (`cpu`, `cuda:0`), held by the worker that uses it."""
        return self.devices / f"{device.replace(':', '-')}.lock"

    def run(self, run_id: str) -> RunPaths:
        """The folder of one run. Raises ValueError for an id that is no plain name (it may come from a URL)."""
        if not _RUN_ID.fullmatch(run_id):
            raise ValueError(f"{run_id!r} is no run id")
        return RunPaths(self.runs / run_id)


def is_starter(name: str) -> bool:
    """Whether a model or dataset name means what travels with the program."""
    return name == STARTER or name in _STARTER_DATA


def favicon_file() -> Path:
    """The app's picture in the browser's tab."""
    return _ASSETS / "favicon.svg"


def model_location(name: str) -> str:
    """A model's name as the libraries want it: the starter's folder, a local folder, or a hub name left as it is."""
    if name == STARTER:
        return str(_ASSETS / "starter" / "model")
    folder = _expanded(name)
    try:
        return str(folder.resolve()) if folder.is_dir() else name
    except OSError:  # too long for a path, or in a folder that is closed to us
        return name


def dataset_location(name: str) -> Path:
    """A dataset's file: `starter` and `starter/heldout` name the data that travel with the program."""
    if name in _STARTER_DATA:
        return _ASSETS / "starter" / "data" / _STARTER_DATA[name]
    return _expanded(name).resolve()


def _expanded(name: str) -> Path:
    """The path with `~` put in; `~somebody` whom this machine does not know is left as it is."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        return Path(name)
