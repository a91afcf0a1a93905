"""Does the instant estimate of memory hold? Real trainings on this processor, each in a worker of its own.

    python benchmarks/estimate.py [--only NAME ...] [--threads 2]

Trains the starter model and two larger ones with random weights, with settings that move one term each: rank, batch,
length, accumulation, packing, dropout, activation checkpointing, optimiser. Prints for each the estimated peak, the
peak of the worker's resident memory as the system counted it, and their ratio; it fails where one is off by more than a
fifth. A GPU is not needed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from qlora_ui.contract.estimate import Lengths, estimate
from qlora_ui.contract.model_shape import shape_of_folder
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.parsing import dump_parameters
from qlora_ui.contract.paths import Workspace, model_location
from qlora_ui.contract.records import JobKind, JobRecord, now

FAR = 0.2
"""A larger difference, as a share of what was measured, is a failure."""
ROWS = 24

MODELS: dict[str, dict[str, Any]] = {
    "wide": {"vocab_size": 32000, "hidden_size": 512, "intermediate_size": 1408, "num_hidden_layers": 4,
             "num_attention_heads": 8, "num_key_value_heads": 8},
    "deep": {"vocab_size": 8192, "hidden_size": 1024, "intermediate_size": 2816, "num_hidden_layers": 8,
             "num_attention_heads": 16, "num_key_value_heads": 8, "tie_word_embeddings": True},
}  # fmt: skip
"""Beside the starter: many words, and many layers."""
SETTINGS: dict[str, dict[str, Any]] = {
    "starter": {"model_name": "starter", "max_length": 256, "batch_size": 8},
    "starter, long": {"model_name": "starter", "max_length": 1024, "batch_size": 8, "lora_rank": 64},
    "wide": {"model_name": "wide", "max_length": 512, "batch_size": 2},
    "wide, accumulated": {"model_name": "wide", "max_length": 256, "batch_size": 1, "gradient_accumulation": 4},
    "wide, packed": {"model_name": "wide", "max_length": 1024, "batch_size": 1, "packing": True},
    "wide, checkpointing": {
        "model_name": "wide", "max_length": 1024, "batch_size": 2, "activation_checkpointing": True,
    },
    "deep": {"model_name": "deep", "max_length": 512, "batch_size": 2},
    "deep, dropout": {"model_name": "deep", "max_length": 512, "batch_size": 2, "lora_dropout": 0.05},
    "deep, rank 256": {"model_name": "deep", "max_length": 128, "batch_size": 1, "lora_rank": 256},
    "deep, Adafactor": {
        "model_name": "deep", "max_length": 128, "batch_size": 1, "lora_rank": 256, "optimizer": "adafactor",
    },
    "deep, checkpointing": {
        "model_name": "deep", "max_length": 1024, "batch_size": 2, "activation_checkpointing": True,
    },
}  # fmt: skip


def main() -> None:
    """Measure and compare; the exit code says whether all of it held."""
    options = parse_options()
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        make_rows(room / "rows.jsonl")
        subprocess.run([sys.executable, __file__, "--make", room], check=True)  # torch stays out of this process
        print(f"{'':22} {'estimate':>10} {'measured':>10} {'ratio':>6}")
        for name, settings in SETTINGS.items():
            if options.only and name not in options.only:
                continue
            parameters = parameters_of(settings, room)
            expected, measured = expected_peak(parameters), measured_peak(parameters, room, name, options.threads)
            worst = max(worst, abs(expected / measured - 1))
            print(
                f"{name:22} {expected / 1e6:7,.0f} MB {measured / 1e6:7,.0f} MB {expected / measured:6.2f}", flush=True
            )
    if worst > FAR:
        sys.exit(f"The estimate is off by {worst:.0%} where at most {FAR:.0%} are allowed.")


def parameters_of(settings: dict[str, Any], room: Path) -> TrainingParameters:
    model = settings["model_name"]
    folder = model if model == "starter" else str(room / model)
    return TrainingParameters(
        **{"gradient_accumulation": 1, **settings, "model_name": folder},
        dataset_path=str(room / "rows.jsonl"),
        train_on="all",
        evaluations=0,
        max_steps=3,
        device="cpu",
        compute_type="float32",
        offline=True,
    )


def expected_peak(parameters: TrainingParameters) -> float:
    """Every row is longer than the longest length, so each batch is full."""
    shape = shape_of_folder(Path(model_location(parameters.model_name)))
    assert shape is not None  # all are Llamas
    return estimate(shape, parameters, Lengths(longest=parameters.max_length), device="cpu").memory


def measured_peak(parameters: TrainingParameters, room: Path, name: str, threads: int) -> float:
    """The most that a worker held, in bytes of resident memory."""
    paths = Workspace(room).run(name.replace(", ", "-").replace(" ", "-"))
    paths.folder.mkdir(parents=True)
    paths.parameters.write_text(dump_parameters(parameters), encoding="utf-8")
    record = JobRecord(id=paths.id, kind=JobKind.TRAINING, name=name, created_at=now(), queued_at=now(), attempt=1)
    paths.job.write_text(record.model_dump_json(), encoding="utf-8")
    command = [sys.executable, "-m", "qlora_ui.worker", str(paths.folder)]
    surroundings = os.environ | {"OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"}
    with (room / "console").open("wb") as console:
        worker = subprocess.Popen(command, env=surroundings, stdout=console, stderr=console)
        _pid, status, used = os.wait4(worker.pid, 0)
        worker.returncode = os.waitstatus_to_exitcode(status)
    if worker.returncode:
        sys.exit((room / "console").read_text(errors="replace"))
    return used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def make_rows(file: Path) -> None:
    """Rows of more tokens than any length above."""
    words = "The meter in the cellar shows a number that nobody has asked for. " * 200
    file.write_text("".join(json.dumps({"text": f"{i} {words}"}) + "\n" for i in range(ROWS)), encoding="utf-8")


def make_models(room: Path) -> None:
    """Llamas with random weights, and the starter's tokenizer."""
    from transformers import AutoModelForCausalLM, LlamaConfig

    for name, shape in MODELS.items():
        AutoModelForCausalLM.from_config(LlamaConfig(**shape)).save_pretrained(room / name)
        for file in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
            shutil.copy(Path(model_location("starter")) / file, room / name)


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these settings")
    parser.add_argument("--threads", type=int, default=2, help="OMP_NUM_THREADS of the workers")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    if "--make" in sys.argv:
        make_models(parse_options().make)
    else:
        main()
