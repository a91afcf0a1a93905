"""What the libraries' errors mean when a model cannot be loaded. They say it in words only, so words are looked at."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError

from qlora_ui.contract.errors import ModelError
from qlora_ui.contract.paths import model_location


def explain(model_name: str, error: Exception) -> ModelError:
    """The error for the person, of what a library said about the model of this name."""
    text = str(error)
    if known := _of_architecture(model_name, text) or _of_hub(model_name, text):
        return known
    if "safetensors" in text.lower() or isinstance(error, SafetensorError):
        return ModelError(
            f"{model_name} has no safetensors weights that can be read.",
            "Choose a model that is stored as safetensors, or copy it again if a file is cut off.",
        )
    first = text.strip().splitlines()[0] if text.strip() else type(error).__name__
    return ModelError(
        f"The model {model_name} cannot be loaded: {first}", "The console log of the run has the details."
    )


def _of_architecture(model_name: str, text: str) -> ModelError | None:
    """The library does not know how to compute it."""
    if "trust_remote_code" in text:
        return ModelError(
            f"The model {model_name} can only be loaded by running code that comes with it, which is not done here.",
            "Choose a model whose architecture the transformers library knows by itself.",
        )
    if "does not recognize this architecture" in text or "model_type" in text or "Unrecognized model" in text:
        kind = _model_type(model_name)
        return ModelError(
            f"The architecture of {model_name}{f' ({kind})' if kind else ''} is unknown to the transformers library.",
            "Choose another model, or update transformers if the model is newer than it.",
        )
    if "Unrecognized configuration class" in text:
        return ModelError(
            f"{model_name} is no causal language model, so it cannot be trained to write.",
            "Choose a model that writes text, such as one of the Llama or Qwen families.",
        )
    return None


def _of_hub(model_name: str, text: str) -> ModelError | None:
    """It is neither here nor given out."""
    lowered = text.lower()
    if "gated" in lowered or "401" in text or "403" in text:
        return ModelError(
            f"The hub does not give out {model_name} without a permission.",
            "Accept its licence on the hub and enter a hub token in the settings, or choose another model.",
        )
    if Path(model_location(model_name)).is_dir():
        return None
    if "offline" in lowered or "couldn't connect" in lowered or "local_files_only" in lowered:
        return ModelError(
            f"The model {model_name} is not on this machine, and the hub cannot be asked (offline).",
            "Give a model folder on this machine, or go online for the download.",
        )
    if "not a valid model identifier" in lowered or "404" in text or "not a local folder" in lowered:
        return ModelError(f"The hub has no model called {model_name}.", "Check the name: it reads like owner/model.")
    return None


def _model_type(model_name: str) -> str:
    try:
        config = json.loads((Path(model_location(model_name)) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(config.get("model_type", "")) if isinstance(config, dict) else ""
