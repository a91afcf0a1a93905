"""Models that are built otherwise than a Llama: each is made tiny, with random weights, and trained for some steps."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from qlora_ui.contract.events import Event, Log, Metric
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import Workspace, dataset_location, model_location
from qlora_ui.contract.records import JobKind, JobRecord, now
from qlora_ui.worker.context import Context
from qlora_ui.worker.control import Control

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.usefixtures("environment"),
]
SHAPE: dict[str, Any] = {
    "vocab_size": 2048, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 2, "head_dim": 32, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip


def make_model(folder: Path, config: Any) -> Path:
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(Path(model_location("starter")) / name, folder)
    return folder


def train_on_8_rows(home: Path, model: Path) -> list[Event]:
    from qlora_ui.worker.devices import choose
    from qlora_ui.worker.train import train

    paths = Workspace(home).run("run")
    paths.folder.mkdir(parents=True)
    data = home / "rows.jsonl"
    data.write_text("".join(dataset_location("starter").read_text().splitlines(keepends=True)[:8]), encoding="utf-8")
    parameters = TrainingParameters(
        model_name=str(model), dataset_path=str(data), validation_share=0.2, evaluations=1, num_train_epochs=4,
        batch_size=4, gradient_accumulation=2, learning_rate=1e-2, compute_type="float32", device="cpu",
    )  # fmt: skip
    record = JobRecord(id="run", kind=JobKind.TRAINING, name="run", created_at=now(), queued_at=now(), attempt=1)
    events: list[Event] = []
    control = Control(paths.command, 1)
    train(Context(paths, Workspace(home), record, parameters, events.append, control, True), choose("cpu", "float32"))
    assert (paths.adapter / "adapter_model.safetensors").is_file()
    return events


def losses_of(events: list[Event]) -> list[float]:
    return [event.values["loss"] for event in events if isinstance(event, Metric) and "loss" in event.values]


def test_attention_that_the_fused_kernel_cannot_do(tmp_path: Path) -> None:
    """Gemma 2 caps its attention scores; the library then has to choose its plain attention."""
    from transformers import Gemma2Config

    losses = losses_of(train_on_8_rows(tmp_path, make_model(tmp_path / "model", Gemma2Config(**SHAPE))))
    assert losses[-1] < losses[0] < 2 * math.log(2048)


def test_a_model_whose_own_loss_takes_no_count_of_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gemma 3 with eyes, trained on text; relatives of it say that their loss takes no count, as it does here."""
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration

    monkeypatch.setattr(Gemma3ForConditionalGeneration, "accepts_loss_kwargs", False, raising=False)
    text = {**SHAPE, "sliding_window": 16, "layer_types": ["sliding_attention", "full_attention"]}
    vision = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    vision |= {"image_size": 28, "patch_size": 14}
    config = Gemma3Config(text_config=text, vision_config=vision, mm_tokens_per_image=4, image_token_index=7)
    losses = losses_of(train_on_8_rows(tmp_path, make_model(tmp_path / "model", config)))
    assert losses[-1] < losses[0] < 2 * math.log(2048)


@pytest.mark.filterwarnings("ignore:The following .* keys did not match:RuntimeWarning")  # of peft, for any mixture
def test_experts_that_stay_out_of_4_bits_are_told_of(tmp_path: Path) -> None:
    from transformers import MixtralConfig

    config = MixtralConfig(**SHAPE, num_local_experts=4, num_experts_per_tok=2)
    events = train_on_8_rows(tmp_path, make_model(tmp_path / "model", config))
    warnings = [event.message for event in events if isinstance(event, Log)]
    assert any("of the weights could be put into 4 bits" in message for message in warnings)
    losses = losses_of(events)
    assert losses[-1] < losses[0]
