"""What the inspector shows is what a training step gets: ids and labels, bit by bit, for every format of data."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from qlora_ui.contract.inspection import ExampleView, TokenView
from qlora_ui.contract.recipe import DataQuery, HeldOut, Recipe, Source, Step
from qlora_ui.data.look import look
from qlora_ui.data.prepare import prepare
from tests.unit.data.encoding.kinds import tokenizer_of

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")

_TOOLS = json.dumps([{"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": {}}}])
_CALL = {"type": "function", "function": {"name": "add", "arguments": '{"a": 1, "b": 2}'}}
_ASKED = [{"role": "user", "content": "What is 1 + 2?"}]

FORMATS: dict[str, dict[str, Any]] = {
    "alpaca": {
        "instruction": "Translate.",
        "input": "Fluss",
        "output": "river {n}",
        "system": "You translate.",
        "history": [["sea", "Meer"], ["lake", "See"]],
    },
    "sharegpt": {
        "conversations": [
            {"from": "system", "value": "Be brief."},
            {"from": "human", "value": "What is 1 + 2?"},
            {"from": "function_call", "value": '{"name": "add", "arguments": {"a": 1, "b": 2}}'},
            {"from": "observation", "value": "3"},
            {"from": "gpt", "value": "It is 3, {n}."},
        ],
        "tools": _TOOLS,
    },
    "messages": {
        "messages": [
            *_ASKED,
            {"role": "assistant", "content": "", "tool_calls": [_CALL]},
            {"role": "tool", "content": "3"},
            {"role": "assistant", "content": "3 – grüße {n}"},
            {"role": "user", "content": "Sure?"},
            {"role": "assistant", "content": "Not weighed", "weight": 0},
            {"role": "user", "content": "Now?"},
            {"role": "assistant", "content": "Yes 🙂"},
        ]
    },
    "prompt_completion": {"prompt": "The sky is", "completion": " blue {n}."},
    "question_answer": {"question": "Who?", "answer": "Me {n}."},
    "text": {"text": "Once upon a time …\nthe end {n}."},
    "preference": {"prompt": "Which?", "chosen": "This {n}.", "rejected": "That."},
    "kto": {"prompt": "Good?", "completion": "Good {n}.", "label": True},
}


@pytest.mark.parametrize("kind", ["byte-level pairs, tools", "unigram", "no template, bos added", "pad is eos"])
@pytest.mark.parametrize("data_format", FORMATS)
def test_batches_hold_what_the_inspector_shows(tmp_path: Path, data_format: str, kind: str) -> None:
    rows = [json.loads(json.dumps(FORMATS[data_format]).replace("{n}", "many " * n)) for n in range(9)]
    compare(tmp_path, rows, kind, max_length=1000)


@pytest.mark.parametrize("steps", ["", "split_long", "cut_at_turn", "trim_space mask_secrets remove_duplicates"])
def test_also_where_rows_are_cut_and_mended(tmp_path: Path, steps: str) -> None:
    chat = [
        {
            "messages": [
                {"role": role, "content": f" {role} {i} a@b.example " * n}
                for i in range(3)
                for role in ("user", "assistant")
            ]
        }
        for n in (1, 2, 3, 3, 9)
    ]
    compare(tmp_path, chat, "byte-level pairs", max_length=90, steps=steps)


def compare(tmp_path: Path, rows: list[dict[str, Any]], kind: str, *, max_length: int, steps: str = "") -> None:
    """Every batch of an epoch against the tokens of every row's view."""
    from qlora_ui.worker.batches import Collator, ShuffledRows

    file = tmp_path / "train.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    done = tuple(Step.model_validate({"do": name}) for name in steps.split())
    recipe = Recipe(sources=(Source(path=str(file)),), max_length=max_length, steps=done)
    query, tokenizer = DataQuery(recipe=recipe, held_out=HeldOut(), model="made here"), tokenizer_of(kind)
    shown = [pair(view) for row in look(query, tokenizer, limit=50).views for view in row.examples]
    shown = [one for one in shown if any(label != -100 for label in one[1])]
    if "remove_duplicates" in steps:
        shown = list(dict.fromkeys(shown))

    prepared = prepare(query, tokenizer, cache=tmp_path / "cache")
    model = cast(Any, SimpleNamespace(forward=lambda input_ids: None))  # without logits_to_keep, so that nothing is cut
    examples, collate = ShuffledRows(prepared.train, 4, seed=1), Collator(model, pad_id=0, multiple=8)
    trained = []
    for start in range(0, len(examples), 4):
        rows_of_batch = [examples[i] for i in range(start, min(start + 4, len(examples)))]
        batch = collate(rows_of_batch)
        for example, ids, labels in zip(
            rows_of_batch, batch["input_ids"].tolist(), batch["labels"].tolist(), strict=True
        ):
            length = len(example.input_ids)
            trained.append((tuple(ids[:length]), tuple(labels[:length])))
            assert set(ids[length:]) <= {0} and set(labels[length:]) <= {-100}, "what follows is padding"
    assert shown
    assert sorted(trained) == sorted(shown)


def pair(view: ExampleView) -> tuple[tuple[int, ...], tuple[int, ...]]:
    tokens: list[TokenView] = view.tokens or []
    return tuple(token.id for token in tokens), tuple(token.id if token.trained else -100 for token in tokens)
