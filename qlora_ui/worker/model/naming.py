"""What the folder of a merged model is called when a person named none."""

from __future__ import annotations

import contextlib
import json
import re
from itertools import count
from pathlib import Path

from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.records import JobRecord
from qlora_ui.worker.model.adapters import CARD

_NAME_LENGTH = 60


def name_of(adapter: Path) -> str:
    """The name of the run that made the adapter, else that of its folder, as part of a folder's name."""
    name = adapter.name
    with contextlib.suppress(OSError, ValueError):  # it need not lie in a run folder
        name = JobRecord.model_validate_json(RunPaths(adapter.parent).job.read_bytes()).name
    return re.sub(r"[^\w.-]+", "-", name)[:_NAME_LENGTH].strip("-._") or "adapter"


def free_folder(models: Path, name: str, run_id: str) -> Path:
    """A folder for this run's model that holds nothing of another run: `name`, `name-2`, `name-3` …

    A run that is tried again gets the folder that it had, which it may replace.
    """
    for number in count(1):
        folder = models / (name if number == 1 else f"{name}-{number}")
        if all(_is_ours(place, run_id) for place in (folder, unverified(folder))):
            return folder
    raise AssertionError("there are always more numbers")


def unverified(output: Path) -> Path:
    """Where the model goes when the proof fails."""
    return output.with_name(f"{output.name}-unverified")


def _is_ours(folder: Path, run_id: str) -> bool:
    try:
        card = json.loads((folder / CARD).read_bytes())
    except (OSError, ValueError):
        return not folder.exists()
    return isinstance(card, dict) and card.get("run") == run_id
