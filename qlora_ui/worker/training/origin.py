"""What a run stands on: the base model and the data, told apart from later ones of the same name.

A checkpoint holds an adapter only. On another base it would go on without an error, and every figure would be nonsense.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from huggingface_hub import try_to_load_from_cache
from pydantic import BaseModel, ValidationError

from qlora_ui.contract.errors import DataError, ModelError
from qlora_ui.contract.files import write_atomically
from qlora_ui.contract.paths import model_location

_SAMPLE_BYTES = 1 << 16
_SAMPLES = 16
_NEW_RUN = "A checkpoint goes on only from what it was made with. Bring that back, or start a new run."


class Origin(BaseModel):
    """Fingerprints of the base model, of the data file and of the evaluation file, whose rows are not trained."""

    base: str
    data: str
    validation: str = ""


def check_origin(file: Path, origin: Origin, *, resumes: bool) -> None:
    """Write down what a new run stands on; for one that goes on, compare. Raises ModelError, DataError."""
    if not resumes:
        write_atomically(file, origin.model_dump_json())
        return
    try:
        began = Origin.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return  # the checkpoint itself was found whole; only this comparison is lost
    if began.base != origin.base:
        raise ModelError("The base model is not the one that this run began with.", _NEW_RUN)
    if began.data != origin.data:
        raise DataError("The data file is not the one that this run began with.", _NEW_RUN)
    if began.validation != origin.validation:
        raise DataError("The evaluation file is not the one that this run began with.", _NEW_RUN)


def base_fingerprint(model_name: str) -> str:
    """A short name for the weights, from their files' sizes and samples of them; empty where they cannot be found.

    A model of the hub is looked at where it was fetched to. Its commit would not do: it changes with every word of the
    model's page, and a run could then not go on with weights that are the same.

    It tells models apart, and does not prove that two are equal to the last byte: at 16 places of each file, 64 KiB are
    looked at, so that a folder of 100 GB costs no more than a small one.
    """
    folder = Path(model_location(model_name))
    if not folder.is_dir():
        fetched = try_to_load_from_cache(model_name, "config.json")
        if not isinstance(fetched, str):
            return ""
        folder = Path(fetched).parent
    digest = hashlib.sha256((folder / "config.json").read_bytes())
    for file in sorted(folder.glob("*.safetensors")):
        size = file.stat().st_size
        digest.update(f"{file.name}:{size}".encode())
        with file.open("rb") as weights:
            for part in range(_SAMPLES):
                weights.seek(part * max(0, size - _SAMPLE_BYTES) // (_SAMPLES - 1))
                digest.update(weights.read(_SAMPLE_BYTES))
    return digest.hexdigest()
