"""What the libraries read from the environment: the same for a worker that has just started and one that has waited."""

from __future__ import annotations

import os
import sys
from pathlib import Path

SPIN_COUNT = "10000"
"""How long one of torch's threads waits for another with its core busy, before it sleeps.

The library's own setting is to spin on: on two free cores the starter model then trains at 5,500 to 5,800 tokens/s, but
at 450 to 700 when two other programs want the cores, because the threads keep each other from working. Sleeping at once
gives 3,800 and 2,850. This count gives 5,400 and 1,900.
"""
_TRUE = {"1", "ON", "YES", "TRUE"}


def set_environment(location: str, *, offline: bool) -> bool:
    """For a job with the model at this place; returns whether the hub must not be asked."""
    offline = offline or os.environ.get("QLORA_UI_OFFLINE") == "1" or Path(location).is_dir()
    set_for_import()
    if offline:
        ask_hub_no_more()
    else:
        _tell_loaded_libraries()
    return offline


def set_for_import() -> None:
    """What holds for every job. Must run before torch is imported: its threads read it once."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ["TRANSFORMERS_VERBOSITY"] = "warning"
    os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPIN_COUNT)


def ask_hub_no_more() -> None:
    """From now on no library asks it, whether it was loaded before or is loaded later."""
    os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
    _tell_loaded_libraries()


def _tell_loaded_libraries() -> None:
    """Two libraries look only once, at their import, whether the hub may be asked."""
    given = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    is_offline = given.upper() in _TRUE
    if (hub := sys.modules.get("huggingface_hub.constants")) is not None:
        hub.HF_HUB_OFFLINE = is_offline  # type: ignore[attr-defined]  # a module found by its name
    if (datasets := sys.modules.get("datasets.config")) is not None:
        own = os.environ.get("HF_DATASETS_OFFLINE")
        is_offline = is_offline if own is None else own.upper() in _TRUE
        datasets.HF_HUB_OFFLINE = is_offline  # type: ignore[attr-defined]  # as above
