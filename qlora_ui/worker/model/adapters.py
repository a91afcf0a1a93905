"""The finished adapter: a folder that appears whole, that PEFT loads anywhere, and that says where it came from."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast, get_args

from peft import PeftModel
from transformers import PreTrainedTokenizerBase

from qlora_ui.contract.adapter_parameters import Method
from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.files import sync_folder
from qlora_ui.contract.parsing import parse_yaml
from qlora_ui.contract.paths import RunPaths

CARD = "qlora-ui.json"


def save_adapter(model: PeftModel, tokenizer: PreTrainedTokenizerBase, folder: Path, card: dict[str, Any]) -> None:
    """Write adapter, tokenizer and `qlora-ui.json` (parameters, versions, data, metrics). Raises OSError."""
    with temporary_beside(folder) as temporary:
        model.save_pretrained(str(temporary), safe_serialization=True)
        tokenizer.save_pretrained(str(temporary))
        (temporary / CARD).write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        put_in_place(temporary, folder)


def method_of(folder: Path) -> Method:
    """How the base was held when this adapter or checkpoint was trained; in 4 bits where nothing says otherwise."""
    try:
        told = json.loads((folder / CARD).read_bytes())["parameters"]
    except (OSError, ValueError, KeyError, TypeError):
        told = _told_to_the_run_of(folder)
    method = told.get("method") if isinstance(told, dict) else None
    return cast(Method, method) if method in get_args(Method) else "qlora"


def _told_to_the_run_of(checkpoint: Path) -> dict[str, Any]:
    run = RunPaths(checkpoint.parent.parent)
    try:
        return parse_yaml(run.parameters.read_text(encoding="utf-8")) if checkpoint.parent == run.checkpoints else {}
    except (OSError, UnicodeDecodeError, ParameterError):
        return {}


def copy_adapter(adapter: Path, output_dir: Path, run_id: str) -> Path:
    """Copy the adapter to the folder a person named; where that holds something, to a folder of the run's name inside.

    Nothing that is there is overwritten. Returns where the copy lies. Raises OSError.
    """
    target = output_dir
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        target = output_dir / run_id
    with temporary_beside(target) as temporary:
        shutil.copytree(adapter, temporary, dirs_exist_ok=True)
        put_in_place(temporary, target)
    return target


@contextmanager
def temporary_beside(folder: Path) -> Iterator[Path]:
    """An empty folder next to `folder`, on the same disk, for `put_in_place`; what has no place by the end is removed.

    So is what an earlier attempt left. Half a model of many gigabytes must not fill the disk for good.
    """
    temporary = folder.parent / f".{folder.name}.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def put_in_place(temporary: Path, folder: Path) -> None:
    """Flush a finished folder to the disk and give it its name, so that nobody ever sees half of it."""
    readable = temporary.stat().st_mode & 0o666  # some writers leave files that only their owner may read
    for file in temporary.rglob("*"):
        if file.is_file():
            file.chmod(readable)
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
    sync_folder(temporary)
    if folder.exists():
        shutil.rmtree(folder)
    temporary.rename(folder)
    sync_folder(folder.parent)
