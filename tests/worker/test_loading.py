"""The loaded model: the trap in 4-bit layers on some processors, and answers without chance."""

from __future__ import annotations

import pytest

from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.worker import devices

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


def test_an_evaluation_in_between_does_not_change_the_gradients() -> None:
    """On processors with AVX512-BF16 it would, were it not for keep_layout: elsewhere this holds by itself."""
    import torch
    from bitsandbytes.nn import Linear4bit

    from qlora_ui.worker.model.loading import load_base
    from qlora_ui.worker.model.lora import attach_lora
    from qlora_ui.worker.scores.scoring import inference

    device = devices.choose("cpu", "float32")
    base = load_base("starter", device, offline=True)
    layers = [module for module in base.modules() if isinstance(module, Linear4bit)]
    assert all(layer.weight.quant_type == "nf4" and layer.weight.quant_state.nested for layer in layers)
    model = attach_lora(base, TrainingParameters(model_name="starter", dataset_path="d"))
    ids = torch.randint(3, 2000, (2, 20), generator=torch.Generator().manual_seed(0))

    def gradients() -> torch.Tensor:
        model.zero_grad()
        model.train()
        model(input_ids=ids, labels=ids).loss.backward()
        return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])

    before = gradients()
    with inference(model, device):
        model(input_ids=ids)
    assert before.norm() > 0
    torch.testing.assert_close(gradients(), before)


def test_answers_are_greedy_whatever_the_model_asks_for() -> None:
    """Some models come with a penalty on repetition, which would keep them from repeating what they were asked for."""
    import torch

    from qlora_ui.data.encoding.tokenizer import load_tokenizer
    from qlora_ui.data.encoding.tokens import render_prompt
    from qlora_ui.worker.model.loading import load_base
    from qlora_ui.worker.scores.generation import Writer

    device, tokenizer = devices.choose("cpu", "float32"), load_tokenizer("starter", True)
    prompts = [render_prompt([{"role": "user", "content": "Repeat: red lamp red lamp red lamp"}], tokenizer)]
    model = load_base("starter", device, offline=True)
    expected = Writer(model, tokenizer, device).write(prompts, 16)
    model.generation_config.repetition_penalty = 5.0
    bent = model.generate(torch.tensor(prompts), max_new_tokens=16)[0][len(prompts[0]) :]
    assert tokenizer.decode(bent, skip_special_tokens=True).strip() != expected[0], "the penalty is felt elsewhere"
    model.generation_config.repetition_penalty = 5.0
    assert Writer(model, tokenizer, device).write(prompts, 16) == expected
