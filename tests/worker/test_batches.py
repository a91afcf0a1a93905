"""The order of examples and the tensors of a batch change nothing about what is learned."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from qlora_ui.data.encoding.tokens import Example
from tests.worker.here import Run, curve

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


def examples(count: int, seed: int = 0) -> list[Example]:
    """Rows of 4 to 40 tokens, of which the second half is trained."""
    chance = random.Random(seed)
    rows = []
    for _ in range(count):
        ids = [chance.randrange(3, 2000) for _ in range(chance.randrange(4, 41))]
        half = len(ids) // 2
        rows.append(Example(ids, [-100] * half + ids[half:]))
    return rows


@pytest.mark.parametrize(("count", "batch"), [(1, 4), (7, 8), (8, 8), (203, 4), (500, 1)])
def test_each_example_comes_once_an_epoch(count: int, batch: int) -> None:
    from qlora_ui.worker.batches import ShuffledRows

    rows = examples(count)
    shuffled = ShuffledRows(rows, batch, seed=1)
    for epoch in range(3):
        shuffled.set_epoch(epoch)
        seen = Counter(id(shuffled[i]) for i in range(len(shuffled)))
        assert seen == Counter(map(id, rows))
    batches = -(-count // batch)
    whole = shuffled.size(0, batches)
    assert whole.tokens == sum(len(row.input_ids) for row in rows)
    parts = [shuffled.size(i, i + 1) for i in range(batches)]
    assert tuple(map(sum, zip(*parts, strict=True))) == whole == shuffled.size(0, batches + 5)


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    from qlora_ui.worker.batches import ShuffledRows

    def order(seed: int, epochs: list[int]) -> list[int]:
        shuffled = ShuffledRows(rows, 4, seed)
        for epoch in epochs:
            shuffled.set_epoch(epoch)
        return [id(shuffled[i]) for i in range(len(rows))]

    rows = examples(100)
    assert order(1, [2]) == order(1, [0, 1, 2])
    assert order(1, [2]) != order(2, [2])
    assert order(1, [2]) != order(1, [1])


def test_batches_hold_rows_of_similar_length_and_the_longest_comes_first() -> None:
    from qlora_ui.worker.batches import ShuffledRows

    rows = examples(400)
    shuffled = ShuffledRows(rows, 8, seed=3)
    lengths = [len(shuffled[i].input_ids) for i in range(len(shuffled))]
    padded = sum(8 * max(lengths[i : i + 8]) for i in range(0, 400, 8))
    assert padded < 1.1 * sum(lengths)
    assert shuffled.size(0, 50) == (sum(lengths), padded)
    assert ShuffledRows(rows, 8, seed=3, multiple=64).size(0, 50).places == 400 * 64
    assert max(lengths[:8]) == max(lengths)


def test_the_loss_is_that_of_the_library_with_mask_and_all_logits() -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from qlora_ui.worker.batches import Collator, token_losses

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=2000, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2
    )
    model = LlamaForCausalLM(config).eval()
    rows = examples(5)
    longest = max(len(row.input_ids) for row in rows)
    ids = torch.tensor([row.input_ids + [0] * (longest - len(row.input_ids)) for row in rows])
    mask = torch.tensor([[1] * len(row.input_ids) + [0] * (longest - len(row.input_ids)) for row in rows])
    labels = torch.tensor([row.labels + [-100] * (longest - len(row.labels)) for row in rows])
    expected = model(input_ids=ids, attention_mask=mask, labels=labels).loss
    for multiple in (1, 16):
        batch = Collator(model, pad_id=0, multiple=multiple)(rows)
        targets = batch.pop("labels")
        assert batch["input_ids"].shape[1] % multiple == 0
        logits = model(**batch).logits
        assert logits.shape[1] == targets.shape[1] - 1 < longest
        count = (targets[:, 1:] != -100).sum()
        assert count == sum(row.trained for row in rows)
        torch.testing.assert_close(token_losses(logits, targets).sum() / count, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.usefixtures("environment")
def test_accumulation_and_packing_change_nothing(tmp_path: Path) -> None:
    whole = losses(tmp_path / "8x1", batch_size=8, gradient_accumulation=1)
    assert len(whole) == 4 and whole[-1] < whole[0]
    assert losses(tmp_path / "1x8", batch_size=1, gradient_accumulation=8) == pytest.approx(whole, abs=1e-4)
    assert losses(tmp_path / "3x3", batch_size=3, gradient_accumulation=3) == pytest.approx(whole, abs=1e-4)
    row = losses(tmp_path / "row", batch_size=1, gradient_accumulation=1, packing=True, max_length=512)
    assert row == pytest.approx(whole, abs=1e-4), "all rows are packed into one"
    rows = losses(tmp_path / "rows", batch_size=2, gradient_accumulation=8, packing=True, max_length=128)
    assert rows == pytest.approx(whole, abs=1e-4), "they are packed into several"


def losses(home: Path, **settings: Any) -> list[float]:
    """The loss curve of 4 steps on 8 rows: each step sees all rows, however they are cut into batches."""
    run = Run(home, rows=8, validation_share=0, num_train_epochs=4, learning_rate=5e-3, lora_dropout=0, **settings)
    return list(curve(run.attempt()).values())
