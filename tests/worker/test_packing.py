"""Packed examples are trained as if each were alone; where a model cannot do that, it is refused."""

from __future__ import annotations

import random
from collections import Counter
from types import MethodType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlora_ui.contract.errors import ModelError
from qlora_ui.data.encoding.tokens import Example

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")
SHAPE: dict[str, Any] = {
    "vocab_size": 2048, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2,
    "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
GROUPED = SHAPE | {"num_key_value_heads": 2, "head_dim": 32}
SLIDING = {"sliding_window": 8, "layer_types": ["sliding_attention", "full_attention"]}
VISION = {
    "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 28,
    "patch_size": 14,
}  # fmt: skip
PACKABLE: dict[str, dict[str, Any]] = {
    "LlamaConfig": GROUPED,
    "MistralConfig": GROUPED | {"sliding_window": 8},
    "MixtralConfig": GROUPED | {"num_local_experts": 4, "num_experts_per_tok": 2},
    "Qwen2Config": GROUPED,
    "Qwen3Config": GROUPED,
    "Phi3Config": GROUPED,
    "Gemma2Config": GROUPED | {"sliding_window": 8},
    "Gemma3TextConfig": GROUPED | SLIDING,
    "Gemma3Config": {
        "text_config": GROUPED | SLIDING, "vision_config": VISION, "mm_tokens_per_image": 4, "image_token_index": 7
    },
    "GPTNeoXConfig": SHAPE,
    "GPT2Config": {"vocab_size": 2048, "n_embd": 64, "n_layer": 2, "n_head": 2, "bos_token_id": 1, "eos_token_id": 2},
}  # fmt: skip
NOT_PACKABLE: dict[str, dict[str, Any]] = {
    "OPTConfig": SHAPE | {"ffn_dim": 128, "word_embed_proj_dim": 64},
    "BloomConfig": {"vocab_size": 2048, "hidden_size": 64, "n_layer": 2, "n_head": 2},
    "MambaConfig": {"vocab_size": 2048, "hidden_size": 64, "num_hidden_layers": 2},
}


def make(kind: str, values: dict[str, Any]) -> Any:
    """A tiny model with random weights, wrapped as an adapter would wrap it."""
    import torch
    import transformers

    torch.manual_seed(0)
    config = getattr(transformers, kind)(**values)
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    model.get_base_model = MethodType(lambda self: self, model)
    return model


def examples(*lengths: int) -> list[Example]:
    chance = random.Random(1)
    rows = []
    for length in lengths:
        ids = [chance.randrange(3, 2000) for _ in range(length)]
        rows.append(Example(ids, [-100] * (length // 2) + ids[length // 2 :]))
    return rows


def logits(model: Any, batch: dict[str, Any]) -> tuple[Any, Any]:
    """Logits and labels of all predictions, row after row [predictions, …]."""
    import torch

    labels = batch.pop("labels")[:, 1:]
    with torch.no_grad():
        scores = model(**batch).logits[:, : labels.shape[1]]
    trained = labels != -100
    return scores[trained], labels[trained]


@pytest.mark.parametrize("kind", PACKABLE)
def test_packed_logits_are_those_of_each_example_alone(kind: str) -> None:
    import torch

    from qlora_ui.worker.batches import Collator
    from qlora_ui.worker.devices import choose
    from qlora_ui.worker.training.packing import PackedCollator, check_packing

    model, rows = make(kind, PACKABLE[kind]), examples(20, 33, 14, 40)
    collate = Collator(model, pad_id=0)
    alone = [logits(model, collate([row])) for row in rows]
    expected = torch.cat([scores for scores, _ in alone])
    packed, labels = logits(model, PackedCollator(collate)([rows[:3], rows[3:]]))
    assert torch.equal(labels, torch.cat([labels for _, labels in alone]))
    torch.testing.assert_close(packed, expected, rtol=0, atol=1e-5)
    check_packing(model, kind, collate, choose("cpu", "float32"), rows)


def test_a_cache_would_let_them_see_each_other() -> None:
    """What the library does by itself; should that change, `use_cache` need not be said any more."""
    from qlora_ui.worker.batches import Collator
    from qlora_ui.worker.training.packing import PackedCollator

    model, rows = make("LlamaConfig", GROUPED), examples(20, 33)
    packed = PackedCollator(Collator(model, pad_id=0))
    apart = logits(model, packed([rows]))[0]
    seeing = logits(model, packed([rows]) | {"use_cache": True})[0]
    assert (apart - seeing).abs().max() > 0.01


@pytest.mark.parametrize("kind", NOT_PACKABLE)
def test_a_model_that_cannot_keep_them_apart_is_refused(kind: str) -> None:
    from qlora_ui.worker.batches import Collator
    from qlora_ui.worker.devices import choose
    from qlora_ui.worker.training.packing import check_packing

    model = make(kind, NOT_PACKABLE[kind])
    with pytest.raises(ModelError, match="cannot be packed") as raised:
        check_packing(model, kind, Collator(model, pad_id=0), choose("cpu", "float32"), examples(20, 33))
    assert "packing off" in raised.value.hint


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(1, 64), min_size=1, max_size=300), st.integers(0, 5))
def test_every_example_is_in_one_row_that_it_fits_in(lengths: list[int], seed: int) -> None:
    from qlora_ui.worker.training.packing import pack

    known = np.array(lengths, dtype=np.int64)
    rows = pack(known, 64, seed)
    assert Counter(np.concatenate(rows).tolist()) == Counter(range(len(lengths)))
    assert all(known[row].sum() <= 64 for row in rows)
    fills = sorted(known[row].sum() for row in rows)
    assert len(fills) == 1 or fills[0] + fills[1] > 64, "no two rows could have been one"
    assert [row.tolist() for row in pack(known, 64, seed)] == [row.tolist() for row in rows]


def test_rows_share_their_room_by_chance_and_leave_little_of_it() -> None:
    from qlora_ui.worker.batches import ShuffledRows
    from qlora_ui.worker.training.packing import PackedRows

    rows = examples(*[random.Random(i).randrange(5, 60) for i in range(2000)])
    packed = PackedRows(rows, 256, seed=1)
    order = ShuffledRows(packed, 4, seed=1)
    seen = Counter(id(example) for i in range(len(order)) for example in order[i])
    assert seen == Counter(map(id, rows))
    size = order.size(0, len(order))
    assert size.tokens == sum(len(row.input_ids) for row in rows)
    assert size.tokens > 0.99 * size.places
    others = PackedRows(rows, 256, seed=2)
    assert {id(example) for example in others[0]} != {id(example) for example in packed[0]}
