"""What can be said of a model before anything is loaded: from its name and the files of its folder."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from qlora_ui.components.words import size
from qlora_ui.contract.paths import STARTER, model_location

_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")


@dataclass(frozen=True)
class ModelNote:
    """One sentence about a model, and whether it stands in the way of a start."""

    text: str
    hint: str = ""
    is_problem: bool = False


def look_at(name: str, offline: bool) -> ModelNote:
    """Reads the folder's `config.json` and file sizes where the model is a folder; asks no hub."""
    if name == STARTER:
        return ModelNote(
            "The small model that comes along.",
            "It needs no network and no GPU, so it is the quickest way to see a whole run.",
        )
    folder = Path(model_location(name))
    if folder.is_dir():
        return _look_at_folder(folder)
    if name.startswith(("/", "~", ".")) or not _HUB_NAME.fullmatch(name):
        return ModelNote(f"There is no folder {name}.", "Check the path, or choose another model.", is_problem=True)
    if offline:
        return ModelNote(
            f"{name} is a name on the hub, and this run is offline.",
            "It works only if the model was fetched on this machine before.",
        )
    return ModelNote(
        f"{name} is taken from the hub when the training starts.",
        "It is fetched once and kept on this machine.",
    )


def _look_at_folder(folder: Path) -> ModelNote:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        hint = "Choose the folder that has config.json, the weights and the tokenizer in it."
        return ModelNote(f"The folder {folder} has no config.json, so it holds no model.", hint, is_problem=True)
    except (OSError, ValueError) as error:
        return ModelNote(f"The file {folder / 'config.json'} cannot be read: {error}.", is_problem=True)
    weights = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    if not weights:
        hint = "Only safetensors are loaded, because other weight files can carry code."
        return ModelNote(f"The folder {folder} has no weights in safetensors.", hint, is_problem=True)
    kind = str(config.get("model_type", "unknown")) if isinstance(config, dict) else "unknown"
    return ModelNote(f"A folder on this machine: a {kind} model with {size(weights)} of weights.")
