"""The shipped starter model and demo data are what their script makes, small, and free of leakage."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer

from scripts.starter_text import Conversation, conversations, demo_rows

ROOT = Path(__file__).resolve().parents[2]
STARTER = ROOT / "qlora_ui" / "assets" / "starter"
MODEL = STARTER / "model"
SEED, TRAIN_ROWS, HELDOUT_ROWS = 1, 600, 120

CHAT = [
    {"role": "system", "content": "Answer in one word."},
    {"role": "user", "content": "Mia needs three red lamps by Tuesday.\nWhich colour?"},
    {"role": "assistant", "content": "red"},
    {"role": "user", "content": "How many?"},
    {"role": "assistant", "content": "3"},
]


def rows(name: str) -> list[Conversation]:
    """The conversations of one demo file."""
    lines = (STARTER / "data" / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["messages"] for line in lines]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """The shipped tokenizer."""
    return AutoTokenizer.from_pretrained(MODEL)


def test_the_files_are_small_and_readable() -> None:
    files = [path for path in STARTER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 10_000_000
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in files), "a wheel keeps the modes"


def test_demo_rows_have_the_openai_form_and_do_not_overlap() -> None:
    train, heldout = rows("train.jsonl"), rows("heldout.jsonl")
    assert (len(train), len(heldout)) == (TRAIN_ROWS, HELDOUT_ROWS)
    for chat in train + heldout:
        assert [turn["role"] for turn in chat] == ["user", "assistant"]
        assert list(json.loads(chat[1]["content"])) == ["name", "item", "colour", "count", "day"]
    for turn in (0, 1):
        texts = [chat[turn]["content"] for chat in train + heldout]
        assert len(texts) == len(set(texts))


def test_demo_files_are_what_the_seed_gives() -> None:
    train, heldout, _ = demo_rows(SEED, TRAIN_ROWS, HELDOUT_ROWS)
    for name, chats in (("train.jsonl", train), ("heldout.jsonl", heldout)):
        written = "".join(json.dumps({"messages": chat}, ensure_ascii=False) + "\n" for chat in chats)
        assert (STARTER / "data" / name).read_bytes() == written.encode()


def test_pretraining_text_holds_no_record_and_no_demo_text() -> None:
    _, _, orders = demo_rows(SEED, TRAIN_ROWS, HELDOUT_ROWS)
    demo = {turn["content"] for chat in rows("train.jsonl") + rows("heldout.jsonl") for turn in chat}
    for chat in islice(conversations(SEED, skip=orders), 20_000):
        for turn in chat:
            assert '{"' not in turn["content"] and '":' not in turn["content"]
            assert not {turn["content"], turn["content"].split("\n")[0]} & demo


def test_tokenizer_gives_back_every_text(tokenizer: Any) -> None:
    texts = [turn["content"] for chat in rows("heldout.jsonl") for turn in chat]
    for text in [*texts, "Grüße, 你好 🙂\n\tdéjà vu  \u00a0 end ", "<not a token>"]:
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert len(tokenizer) == 2048
    assert len({tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id}) == 3


def test_chat_template_ends_every_turn_once_and_starts_it_once(tokenizer: Any) -> None:
    text = tokenizer.apply_chat_template(CHAT, tokenize=False)
    assert text == "".join(f"<|im_start|>{turn['role']}\n{turn['content']}<|im_end|>\n" for turn in CHAT)
    ids = tokenizer(text)["input_ids"]
    assert ids.count(tokenizer.eos_token_id) == ids.count(tokenizer.bos_token_id) == len(CHAT)
    assert ids == tokenizer(text, add_special_tokens=False)["input_ids"], "no second BOS"
    assert tokenizer.apply_chat_template(CHAT[:2], tokenize=False, add_generation_prompt=True).endswith(
        "<|im_end|>\n<|im_start|>assistant\n"
    )


def test_chat_template_marks_the_answers_with_their_end_of_turn(tokenizer: Any) -> None:
    encoded = tokenizer.apply_chat_template(CHAT, return_dict=True, return_assistant_tokens_mask=True)
    trained = [token for token, mark in zip(encoded["input_ids"], encoded["assistant_masks"], strict=True) if mark]
    assert tokenizer.decode(trained) == "red<|im_end|>3<|im_end|>"


def test_weights_are_a_small_bfloat16_llama_that_nf4_can_block() -> None:
    config = json.loads((MODEL / "config.json").read_text(encoding="utf-8"))
    assert config["model_type"] == "llama" and config["dtype"] == "bfloat16"
    with safe_open(MODEL / "model.safetensors", framework="pt") as weights:
        for name in weights.keys():  # noqa: SIM118 - not a mapping
            piece = weights.get_slice(name)
            assert piece.get_dtype() == "BF16"
            assert all(side % 64 == 0 for side in piece.get_shape()), name


def test_the_base_answers_a_question_and_knows_no_record(tokenizer: Any) -> None:
    model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32)

    def answer(chat: Conversation) -> str:
        ids = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=True, return_tensors="pt")
        with torch.inference_mode():
            out = model.generate(**ids, do_sample=False, max_new_tokens=40)
        return str(tokenizer.decode(out[0, ids["input_ids"].shape[1] :], skip_special_tokens=True))

    assert answer(CHAT[:2]) == "red"
    assert answer([{"role": "user", "content": "Who are you?"}]).startswith("I am Starter")
    assert "{" not in answer(rows("heldout.jsonl")[0][:1])
