"""Models of many kinds: each is made tiny, with random weights, trained for some steps, and used where it must work."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from qlora_ui.contract.events import Event, Log, Metric
from qlora_ui.contract.parameters import EvaluationParameters, MergeParameters, TrainingParameters
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
HEADS: dict[str, Any] = {name: value for name, value in SHAPE.items() if name != "head_dim"}
"""For the kinds that compute it from the other sizes."""
EXPERTS: dict[str, Any] = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64}

KINDS: dict[str, tuple[str, dict[str, Any], str]] = {
    "Llama, tied": ("LlamaConfig", SHAPE | {"tie_word_embeddings": True}, ""),
    "Llama, untied": ("LlamaConfig", SHAPE | {"tie_word_embeddings": False}, ""),
    "Mistral": ("MistralConfig", SHAPE | {"sliding_window": 32}, ""),
    "Qwen2": ("Qwen2Config", HEADS, ""),
    "Qwen3": ("Qwen3Config", SHAPE, ""),
    "Gemma 3": (
        "Gemma3TextConfig",
        SHAPE | {"sliding_window": 32, "layer_types": ["sliding_attention", "full_attention"]},
        "",
    ),
    "Phi-3": ("Phi3Config", HEADS | {"original_max_position_embeddings": 512, "max_position_embeddings": 512}, ""),
    "GPT-NeoX": ("GPTNeoXConfig", {k: v for k, v in HEADS.items() if k != "num_key_value_heads"}, ""),
    "GPT-2": (
        "GPT2Config",
        {"vocab_size": 2048, "n_embd": 64, "n_layer": 2, "n_head": 2, "n_positions": 512, "pad_token_id": 0,
         "bos_token_id": 1, "eos_token_id": 2},
        "",
    ),
    "Mixtral": (
        "MixtralConfig",
        SHAPE | {"num_local_experts": 4, "num_experts_per_tok": 2},
        "of the weights could be put into 4 bits",
    ),
    "Qwen2-MoE": (
        "Qwen2MoeConfig",
        HEADS | EXPERTS | {"shared_expert_intermediate_size": 64},
        "of the weights could be put into 4 bits",
    ),
}  # fmt: skip
"""What each kind is made from, and what its training has to warn of."""


@pytest.fixture(autouse=True)
def exact_arithmetic(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some processors have a kernel that computes in 16 bits, which we switch off; do so for plain libraries as well.

    That kernel cannot compute a layer with one output either, such as the gate of shared experts.
    """
    from bitsandbytes.nn import modules

    monkeypatch.setattr(modules, "has_avx512bf16", lambda: False)


def make_kind(folder: Path, kind: str) -> Path:
    import transformers

    config, values, _warning = KINDS[kind]
    return make_model(folder, getattr(transformers, config)(**values))


def make_model(folder: Path, config: Any) -> Path:
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(Path(model_location("starter")) / name, folder)
    return folder


def first_rows(home: Path) -> Path:
    data = home / "rows.jsonl"
    data.write_text("".join(dataset_location("starter").read_text().splitlines(keepends=True)[:8]), encoding="utf-8")
    return data


def context_of(home: Path, kind: JobKind, parameters: Any, events: list[Event]) -> Context:
    paths = Workspace(home).run(kind.value)
    paths.folder.mkdir(parents=True)
    record = JobRecord(id=kind.value, kind=kind, name="run", created_at=now(), queued_at=now(), attempt=1)
    return Context(paths, Workspace(home), record, parameters, events.append, Control(paths.command, 1), True)


def train_on_8_rows(home: Path, model: Path, **values: Any) -> list[Event]:
    from qlora_ui.worker.devices import choose
    from qlora_ui.worker.training.train import train

    settings: dict[str, Any] = {
        "model_name": str(model), "dataset_path": str(first_rows(home)), "validation_share": 0.2, "evaluations": 1,
        "num_train_epochs": 4, "batch_size": 4, "gradient_accumulation": 2, "learning_rate": 1e-2,
        "compute_type": "float32", "device": "cpu",
    }  # fmt: skip
    events: list[Event] = []
    context = context_of(home, JobKind.TRAINING, TrainingParameters(**settings | values), events)
    train(context, choose("cpu", "float32"))
    assert (context.paths.adapter / "adapter_model.safetensors").is_file()
    return events


def adapter_in(home: Path) -> Path:
    return Workspace(home).run(JobKind.TRAINING.value).adapter


def evaluate_8_rows(home: Path, model: Path) -> list[dict[str, Any]]:
    """What our evaluation says of each row."""
    from qlora_ui.worker.devices import choose
    from qlora_ui.worker.scores.evaluate import evaluate

    parameters = EvaluationParameters(
        model_name=str(model), adapter_path=str(adapter_in(home)), dataset_path=str(first_rows(home)),
        max_new_tokens=0, compute_type="float32", device="cpu",
    )  # fmt: skip
    context = context_of(home, JobKind.EVALUATION, parameters, [])
    evaluate(context, choose("cpu", "float32"))
    return [json.loads(line) for line in context.paths.answers.read_text(encoding="utf-8").splitlines()]


def merge_into(home: Path, model: Path, target: str) -> dict[str, Any]:
    from qlora_ui.worker.devices import choose
    from qlora_ui.worker.merge import merge

    settings = {"model_name": str(model), "adapter_path": str(adapter_in(home)), "target": target}
    parameters = MergeParameters.model_validate(settings | {"device": "cpu", "save_type": "float32"})
    return merge(context_of(home, JobKind.MERGE, parameters, []), choose("cpu", "float32"))


def load_plainly(model: Path, adapter: Path | None, **options: Any) -> Any:
    """As anyone would, without a line of ours."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32, device_map={"": "cpu"}, **options)
    return base if adapter is None else PeftModel.from_pretrained(base, str(adapter)).eval()


def in_nf4() -> Any:
    import torch
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.float32,
    )  # fmt: skip


def scores(model: Any) -> Any:
    """The logits of some tokens."""
    import torch

    with torch.no_grad():
        return model(input_ids=torch.arange(3, 60)[None] * 31 % 2048).logits[0]


def losses_of_rows(model: Any, tokenizer_folder: Path, data: Path) -> list[float]:
    """The mean loss of each row's answer, computed by the library alone."""
    import torch
    from transformers import AutoTokenizer

    from qlora_ui.contract.recipe import Recipe, Source
    from qlora_ui.data.encoding.tokens import encode
    from qlora_ui.data.prepare import load

    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
    rows = load(Recipe(sources=(Source(path=str(data)),)), tokenizer, offline=True).conversations
    found = []
    for row in rows:
        example = encode(row, tokenizer, max_length=2048, train_on="completions")
        with torch.no_grad():
            ids, labels = torch.tensor([example.input_ids]), torch.tensor([example.labels])
            found.append(float(model(input_ids=ids, labels=labels).loss))
    return found


@pytest.mark.filterwarnings("ignore:The following .* keys did not match:RuntimeWarning")  # of peft, for any mixture
@pytest.mark.parametrize("kind", KINDS)
def test_an_adapter_scores_elsewhere_as_it_does_here(tmp_path: Path, kind: str) -> None:
    """It learns, and plain peft on the plain library's NF4 base sees the very same adapter."""
    import torch

    from qlora_ui.worker.devices import choose
    from qlora_ui.worker.model.loading import load_adapter, load_base

    model = make_kind(tmp_path / "model", kind)
    events = train_on_8_rows(tmp_path, model)
    losses = losses_of(events)
    assert losses[-1] < losses[0] < 2 * math.log(2048)
    warning = KINDS[kind][2]
    assert [event.message for event in events if isinstance(event, Log) and warning in event.message] or not warning

    adapter = adapter_in(tmp_path)
    plain = load_plainly(model, adapter, quantization_config=in_nf4())
    ours = load_adapter(load_base(str(model), choose("cpu", "float32"), offline=True), adapter).eval()
    torch.testing.assert_close(scores(ours), scores(plain), rtol=1e-4, atol=1e-4)
    with plain.disable_adapter():
        assert (scores(plain) - scores(ours)).abs().max() > 0.05, "the adapter does something"
    rows = evaluate_8_rows(tmp_path, model)
    expected = losses_of_rows(plain, adapter, tmp_path / "rows.jsonl")
    assert [row["adapter_loss"] for row in rows] == pytest.approx(expected, rel=1e-4)
    assert sum(row["adapter_loss"] for row in rows) < sum(row["base_loss"] for row in rows)


@pytest.mark.filterwarnings("ignore:The following .* keys did not match:RuntimeWarning")  # of peft, for any mixture
@pytest.mark.parametrize("target", ["dequantised", "original"])
@pytest.mark.parametrize("kind", ["Llama, tied", "GPT-2", "Qwen2-MoE"])
def test_a_merged_model_is_one_of_its_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, target: str
) -> None:
    """Layers that are stored transposed, shared embeddings and experts are back where plain software expects them."""
    from safetensors.torch import load_file

    from qlora_ui.worker import merge

    # random weights hardly prefer one token to another, so that the first one changes with the smallest difference
    monkeypatch.setattr(merge, "LIMITS", {"dequantised": merge.LIMITS["dequantised"], "original": (2e-2, 0.5)})
    model = make_kind(tmp_path / "model", kind)
    train_on_8_rows(tmp_path, model)
    merged = Path(merge_into(tmp_path, model, target)["model"])
    before, after = (load_file(folder / "model.safetensors") for folder in (model, merged))
    assert {name: weight.shape for name, weight in before.items()} == {n: w.shape for n, w in after.items()}
    reference = load_plainly(model, adapter_in(tmp_path), quantization_config=in_nf4())
    distance = (scores(load_plainly(merged, None)) - scores(reference)).abs().max()
    assert distance < (1e-3 if target == "dequantised" else 1.0)


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
