"""Does the worker do its work on a CUDA device? Ends with 0 (yes), 1 (no) or 3 (no CUDA device here).

    python benchmarks/cuda_check.py              # the demo, then a model of Llama 3 8B's shape with random weights
    python benchmarks/cuda_check.py --rehearse   # the same on the processor with a tiny shape, to check this script

The large model is trained for a few steps at 2,048 tokens on one batch, over and over: its loss must be finite and
fall, the saved adapter must come back from PEFT bit for bit, and the peak of memory is shown beside its estimate. Needs
about 20 GB of disk for the weights, which are written layer by layer and removed at the end.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, LlamaConfig

from qlora_ui.contract.events import Event, Facts, Metric, parse_event
from qlora_ui.contract.parsing import dump_parameters, parse_parameters
from qlora_ui.contract.paths import RunPaths, Workspace, model_location
from qlora_ui.contract.records import ExitRecord, JobKind, JobRecord, now
from qlora_ui.worker.devices import choose
from qlora_ui.worker.model.loading import load_adapter, load_base

LENGTH, BATCH, STEPS, RANK = 2048, 4, 12, 16
DEMO_STEPS = 120
GIB = 1 << 30


@dataclass(frozen=True)
class Shape:
    hidden: int = 4096
    inner: int = 14336
    layers: int = 32
    heads: int = 32
    key_heads: int = 8
    vocabulary: int = 128_256

    def config(self) -> LlamaConfig:
        return LlamaConfig(
            hidden_size=self.hidden,
            intermediate_size=self.inner,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.key_heads,
            vocab_size=self.vocabulary,
            max_position_embeddings=8192,
            rope_theta=500_000.0,
            tie_word_embeddings=False,
            dtype="bfloat16",
            bos_token_id=1,
            eos_token_id=2,
        )


def main() -> int:
    """Run both trainings and say what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rehearse", action="store_true", help="on the processor, with a tiny shape and few steps")
    rehearse = parser.parse_args().rehearse
    if not rehearse and not torch.cuda.is_available():
        print("no CUDA device here")
        return 3
    device = "cpu" if rehearse else "cuda:0"
    shape = Shape(hidden=64, inner=128, layers=2, heads=4, key_heads=2, vocabulary=2048) if rehearse else Shape()
    home = Path(tempfile.mkdtemp(prefix="cuda-check-"))
    try:
        checks = [*check_demo(home, device, 8 if rehearse else DEMO_STEPS)]
        checks += check_shape(home, device, shape, 256 if rehearse else LENGTH)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    for passed, text in checks:
        print("ok  " if passed else "FAIL", text)
    return 0 if all(passed for passed, _ in checks) else 1


def check_demo(home: Path, device: str, steps: int) -> Iterator[tuple[bool, str]]:
    """The starter model on its own data."""
    settings = {"model_name": "starter", "dataset_path": "starter", "learning_rate": 2e-3, "batch_size": 8}
    run, ending = train(home, "demo", device, settings | {"max_steps": steps, "gradient_accumulation": 1})
    losses = losses_of(run)
    facts = facts_of(run)
    yield ending.status == "completed", f"demo: {ending.status} {ending.error}"
    if losses:
        yield losses[-1] < losses[0], f"demo: loss {losses[0]:.3f} → {losses[-1]:.3f} in {len(losses)} steps"
    yield facts.get("device") == device, f"demo: on {facts.get('device')} in {facts.get('compute_type')}"


def check_shape(home: Path, device: str, shape: Shape, length: int) -> Iterator[tuple[bool, str]]:
    """A large model with random weights, a few steps on one batch."""
    folder = home / "model"
    write_random_model(folder, shape)
    rows = home / "rows.jsonl"
    rows.write_text("".join(json.dumps({"text": random_text(seed, length)}) + "\n" for seed in range(BATCH)))
    settings = {"model_name": str(folder), "dataset_path": str(rows), "max_length": length, "batch_size": BATCH}
    settings |= {"max_steps": STEPS, "gradient_accumulation": 1, "num_train_epochs": STEPS, "learning_rate": 1e-3}
    settings |= {"validation_share": 0, "save_steps": STEPS, "lora_rank": RANK, "warmup_share": 0}
    run, ending = train(home, "shape", device, settings)
    losses = losses_of(run)
    yield ending.status == "completed", f"8B shape: {ending.status} {ending.error}"
    if not losses:
        return
    yield all(map(math.isfinite, losses)), "8B shape: every loss is finite"
    yield (
        losses[-1] < losses[0],
        f"8B shape: loss on one batch {losses[0]:.3f} → {losses[-1]:.3f} in {len(losses)} steps",
    )
    speeds = sorted(event.values["tokens_per_second"] for event in metrics_of(run)[2:])
    yield True, f"8B shape: {speeds[len(speeds) // 2]:,.0f} tokens/s in the median step, {BATCH} × {length} tokens"
    if peak := ending.summary.get("peak_memory"):
        estimate = estimated_peak(shape, facts_of(run)["trainable_parameters"], BATCH * length)
        yield (
            True,
            f"8B shape: peak {peak / GIB:.2f} GiB, estimated {estimate / GIB:.2f} GiB ({peak / estimate - 1:+.0%})",
        )
    yield comes_back(folder, run, device), "8B shape: PEFT gives the saved adapter back bit for bit"


def train(home: Path, name: str, device: str, settings: dict[str, Any]) -> tuple[RunPaths, ExitRecord]:
    """One training in a worker of its own."""
    run = Workspace(home).run(name)
    run.folder.mkdir(parents=True)
    parameters = parse_parameters(JobKind.TRAINING, settings | {"device": device, "offline": True})
    run.parameters.write_text(dump_parameters(parameters), encoding="utf-8")
    record = JobRecord(id=name, kind=JobKind.TRAINING, name=name, created_at=now(), queued_at=now(), attempt=1)
    run.job.write_text(record.model_dump_json(), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "qlora_ui.worker", str(run.folder)], check=False)
    return run, ExitRecord.model_validate_json(run.exit.read_bytes())


def write_random_model(folder: Path, shape: Shape) -> None:
    """A model folder with random weights, of which only one layer is in memory at a time."""
    folder.mkdir()
    config = shape.config()
    config.architectures = ["LlamaForCausalLM"]
    config.save_pretrained(str(folder))
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(Path(model_location("starter")) / name, folder)
    with torch.device("meta"):
        weights = AutoModelForCausalLM.from_config(config).state_dict()
    files: dict[str, dict[str, torch.Size]] = {}
    for name, weight in weights.items():
        part = name.split(".")[2] if ".layers." in name else name.replace(".", "-")
        files.setdefault(f"part-{part}.safetensors", {})[name] = weight.shape
    index = {name: file for file, names in files.items() for name in names}
    random_device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    for file, names in files.items():
        tensors = {name: random_weight(name, size, random_device) for name, size in names.items()}
        save_file(tensors, folder / file, metadata={"format": "pt"})
    total = sum(weight.numel() * 2 for weight in weights.values())
    manifest = {"metadata": {"total_size": total}, "weight_map": index}
    (folder / "model.safetensors.index.json").write_text(json.dumps(manifest), encoding="utf-8")


def random_weight(name: str, size: torch.Size, device: str) -> torch.Tensor:
    if len(size) == 1:
        return torch.ones(size, dtype=torch.bfloat16)
    return (torch.randn(size, dtype=torch.bfloat16, device=device) * 0.02).cpu()


def random_text(seed: int, length: int) -> str:
    """Words enough for `length` tokens: no token stands for more than one of them."""
    chance = random.Random(seed)
    return " ".join("".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(length))


def estimated_peak(shape: Shape, trainable: int, tokens: int) -> float:
    """Bytes: NF4 weights, embeddings and head, adapter with AdamW in float32, checkpointed activations, logits."""
    heads = shape.hidden * shape.hidden * 2 + 2 * shape.hidden * (shape.hidden // shape.heads) * shape.key_heads
    linear = shape.layers * (heads + 3 * shape.hidden * shape.inner)
    embeddings = 2 * shape.vocabulary * shape.hidden * 2
    states = trainable * (2 * 4 + 8)
    activations = shape.layers * tokens * 2 * shape.hidden + tokens * (30 * shape.hidden + 8.2 * shape.inner)
    logits = tokens * shape.vocabulary * 14
    return linear * 0.516 + embeddings + states + activations + logits + 2 * shape.hidden * shape.inner + 0.6 * GIB


def comes_back(folder: Path, run: RunPaths, device: str) -> bool:
    saved = load_file(run.adapter / "adapter_model.safetensors")
    base = load_base(str(folder), choose(device, "auto"), offline=True)
    loaded = get_peft_model_state_dict(load_adapter(base, run.adapter))
    return saved.keys() == loaded.keys() and all(torch.equal(saved[name], loaded[name].cpu()) for name in saved)


def events_of(run: RunPaths) -> list[Event]:
    return [parse_event(line) for line in run.events.read_bytes().splitlines()]


def metrics_of(run: RunPaths) -> list[Metric]:
    return [event for event in events_of(run) if isinstance(event, Metric) and "tokens_per_second" in event.values]


def losses_of(run: RunPaths) -> list[float]:
    return [event.values["loss"] for event in events_of(run) if isinstance(event, Metric) and "loss" in event.values]


def facts_of(run: RunPaths) -> dict[str, Any]:
    return {name: value for e in events_of(run) if isinstance(e, Facts) for name, value in e.values.items()}


if __name__ == "__main__":
    sys.exit(main())
