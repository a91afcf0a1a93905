"""Is the worker at least as fast as a plain script of Trainer, PEFT and bitsandbytes with the same settings?

    python benchmarks/compare_training.py [--pairs 5] [--steps 100] [--threads 1] [--settings FILE.yaml]

Runs the two in turn, each in a process of its own, in changing order, so that a machine that slows down hurts both.
Compared is the time of the whole training loop with its checkpoints, without loading and without evaluation; tokens are
counted without padding. Prints each pair, then the medians and the ratio with its smallest and largest pair.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from qlora_ui.contract.events import Phase, parse_event
from qlora_ui.contract.parsing import dump_parameters, parse_parameters
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.records import JobKind, JobRecord, now

SETTINGS: dict[str, Any] = {
    "model_name": "starter",
    "dataset_path": "starter",
    "offline": True,
    "batch_size": 8,
    "gradient_accumulation": 1,
    "learning_rate": 2e-3,
    "max_length": 256,
    "evaluations": 0,
}
PLAIN = Path(__file__).with_name("plain_trainer.py")


def main() -> None:
    """Run the pairs and print what came out."""
    options = parse_options()
    settings = yaml.safe_load(options.settings.read_text(encoding="utf-8")) if options.settings else SETTINGS
    settings |= {"max_steps": options.steps, "evaluations": 0}
    ratios, plain_speeds, worker_speeds = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for pair in range(options.pairs):
            sides = [run_plain, run_worker] if pair % 2 == 0 else [run_worker, run_plain]
            speeds = {side: side(settings, Path(folder), f"{pair}", options.threads) for side in sides}
            plain, worker = speeds[run_plain], speeds[run_worker]
            plain_speeds.append(plain)
            worker_speeds.append(worker)
            ratios.append(worker / plain)
            print(f"pair {pair + 1}: plain {plain:8,.0f}   worker {worker:8,.0f} tokens/s   ratio {worker / plain:.2f}")
    plain, worker = statistics.median(plain_speeds), statistics.median(worker_speeds)
    print(
        f"median: plain {plain:,.0f}, worker {worker:,.0f} tokens/s; "
        f"ratio {statistics.median(ratios):.2f} (from {min(ratios):.2f} to {max(ratios):.2f})"
    )


def run_plain(settings: dict[str, Any], folder: Path, name: str, threads: int) -> float:
    """Tokens per second of the plain script."""
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    done = subprocess.run([sys.executable, PLAIN, file], env=environment(threads), capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    figures = json.loads(done.stdout.splitlines()[-1])
    return float(figures["tokens"]) / float(figures["seconds"])


def run_worker(settings: dict[str, Any], folder: Path, name: str, threads: int) -> float:
    """Tokens per second of the worker, by the times that it wrote into its events."""
    paths = Workspace(folder).run(name)
    paths.folder.mkdir(parents=True)
    paths.parameters.write_text(dump_parameters(parse_parameters(JobKind.TRAINING, settings)), encoding="utf-8")
    record = JobRecord(id=name, kind=JobKind.TRAINING, name=name, created_at=now(), queued_at=now(), attempt=1)
    paths.job.write_text(record.model_dump_json(), encoding="utf-8")
    command = [sys.executable, "-m", "qlora_ui.worker", str(paths.folder)]
    done = subprocess.run(command, env=environment(threads), capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    tokens = json.loads(paths.exit.read_text(encoding="utf-8"))["summary"]["tokens"]
    return float(tokens) / seconds_of_training(paths)


def seconds_of_training(paths: RunPaths) -> float:
    """From the moment the loop was begun to the moment the adapter was about to be saved, checkpoints included."""
    events = [parse_event(line) for line in paths.events.read_bytes().splitlines()]
    phases = {event.name: event.time for event in events if isinstance(event, Phase)}
    return (phases["saving"] - phases["training"]).total_seconds()


def environment(threads: int) -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"}


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5, help="how often each side runs")
    parser.add_argument("--steps", type=int, default=100, help="optimiser steps a run")
    parser.add_argument("--threads", type=int, default=1, help="OMP_NUM_THREADS of both sides")
    parser.add_argument("--settings", type=Path, help="YAML with the settings of a training, instead of the starter's")
    return parser.parse_args()


if __name__ == "__main__":
    main()
