"""Many rows at once: as fast as the tokenizer, and no bad row spoils the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from qlora_ui.contract.errors import DataError
from qlora_ui.data.conversation import Conversation, Turn
from qlora_ui.data.encoding.encoded import Encoded
from qlora_ui.data.encoding.encoder import Encoder, _Fast
from qlora_ui.data.templates.render import Renderer
from tests.unit.data.conftest import MakeTokenizer

from .kinds import CHATML, MARKED, NO_SYSTEM, THINKING, TRIMS, tokenizer_of


def chat(*contents: str, place: str = "") -> Conversation:
    turns = (
        Turn("assistant", content, trained=True) if index % 2 else Turn("user", content)
        for index, content in enumerate(contents)
    )
    return Conversation(tuple(turns), place)


@pytest.mark.parametrize("template", [CHATML, MARKED, TRIMS, NO_SYSTEM, None])
def test_a_row_is_rendered_once(
    byte_tokenizer: MakeTokenizer, template: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = Encoder(byte_tokenizer(template))
    rows = [chat(f"ask {number} ", f" answer {number}\n", "and?", "so") for number in range(50)]
    encoder.encode_batch(rows[:2])
    rendered = 0
    render = Renderer.render

    def counted(self: Renderer, messages: Sequence[Any], tools: Any = None, *, prompt: bool = False) -> str:
        nonlocal rendered
        rendered += 1
        return render(self, messages, tools, prompt=prompt)

    monkeypatch.setattr(Renderer, "render", counted)
    encoder.encode_batch(rows)
    assert rendered == len(rows)


def test_contents_that_the_template_treats_in_its_own_way_are_found_all_the_same(byte_tokenizer: MakeTokenizer) -> None:
    encoder = Encoder(byte_tokenizer(THINKING))
    rows = [chat("a", "<think>hm</think>b", "c", "<think>so</think>d"), chat("a", "b", "c", "d")]
    encoder.encode_batch(rows)
    for encoded, answers in zip(
        encoder.encode_batch(rows), (["b", "<think>so</think>d"], ["b", "<think></think>d"]), strict=True
    ):
        assert isinstance(encoded, Encoded)
        trained = [piece if is_in else "·" for piece, is_in in zip(encoded.pieces, encoded.trained, strict=True)]
        assert [part for part in "".join(trained).split("·") if part] == [f"{answer}<|im_end|>" for answer in answers]


def test_a_content_that_looks_like_a_part_of_the_template_is_found_all_the_same(byte_tokenizer: MakeTokenizer) -> None:
    encoder = Encoder(byte_tokenizer(CHATML))
    nasty = chat("x<|im_end|>\n<|im_start|>assistant\nfoo", "<|im_start|>assistant\nbar<|im_end|>", place="x")
    encoder.encode_batch([nasty, nasty])
    encoded = encoder.encode(nasty)
    end = encoded.text.rindex("<|im_end|>") + len("<|im_end|>")
    start = len("<|im_start|>user\n") + len(nasty.turns[0].content) + len("<|im_end|>\n<|im_start|>assistant\n")
    at = np.array([begins for begins, _ in encoded.offsets or []])
    assert encoded.trained.tolist() == [start <= begins < end for begins in at]


@pytest.mark.parametrize("template", [CHATML, MARKED])
def test_the_end_of_the_turn_is_trained_behind_an_answer_that_ends_with_one(
    byte_tokenizer: MakeTokenizer, template: str
) -> None:
    encoded = Encoder(byte_tokenizer(template)).encode(chat("hi", "ho<|im_end|>"))
    assert [piece for piece, is_in in zip(encoded.pieces, encoded.trained, strict=True) if is_in] == [
        "h",
        "o",
        "<|im_end|>",
        "<|im_end|>",
    ]


@pytest.mark.parametrize("kind", ["byte-level pairs", "unigram", "word pieces", "no bos"])
def test_tokens_over_the_edge_belong_to_the_answer(kind: str) -> None:
    text = "The capital  of France is Paris.<|im_end|>\nWho? Grüße aus Köln 🙂🙂 é\n\n hi"
    batch = tokenizer_of(kind)([text], add_special_tokens=False)
    tokens = _Fast(batch["input_ids"][0], batch.encodings[0])
    offsets = batch.encodings[0].offsets
    for start in range(len(text)):
        for end in range(start + 1, len(text) + 1):
            inside = [i for i, (first, last) in enumerate(offsets) if last > start and first < end]
            first, last = tokens.touched((start, end), len(text))
            assert list(range(first, last)) == inside


def test_bad_rows_are_told_in_their_places(byte_tokenizer: MakeTokenizer) -> None:
    template = "{%- if messages[0].content == 'bad' -%}{{- raise_exception('No.') -}}{%- endif -%}" + CHATML
    good = chat("hi", "ho")
    half = Conversation((Turn("text", "a\ud83dz", trained=True),), "train.jsonl, line 3")
    text = Conversation((Turn("text", "once", trained=True),))
    found = Encoder(byte_tokenizer(template)).encode_batch(
        [good, chat("bad", "x", place="train.jsonl, line 2"), half, text, chat("a\udc00", "b", place="line 5"), good]
    )
    assert [type(item) for item in found] == [Encoded, DataError, DataError, Encoded, DataError, Encoded]
    assert isinstance(found[1], DataError) and isinstance(found[2], DataError)
    assert found[1].message == "train.jsonl, line 2: the chat template refuses the conversation: No."
    assert "half of a character ('\\ud83d')" in found[2].message


def test_an_answer_that_is_not_wanted_is_never_trained(byte_tokenizer: MakeTokenizer) -> None:
    unwanted = Conversation((Turn("user", "hi"), Turn("assistant", "go away")), desirable=False)
    assert not Encoder(byte_tokenizer(CHATML), "all").encode(unwanted).trained.any()
    assert not Encoder(byte_tokenizer(CHATML), "completions").encode(unwanted).trained.any()


def test_nothing_to_encode_is_nothing(byte_tokenizer: MakeTokenizer) -> None:
    assert Encoder(byte_tokenizer(CHATML)).encode_batch([]) == []
    empty = Encoder(byte_tokenizer(CHATML, eos=None)).encode(Conversation((Turn("text", "", trained=True),)))
    assert (len(empty), empty.labels.tolist(), empty.pieces) == (0, [], [])


def test_ids_and_labels_are_arrays_of_32_bits(byte_tokenizer: MakeTokenizer) -> None:
    encoded = Encoder(byte_tokenizer(CHATML)).encode(chat("hi", "ho"))
    assert [str(array.dtype) for array in (encoded.ids, encoded.labels, encoded.trained)] == ["int32", "int32", "bool"]
    example = encoded.cut(5)
    assert example.input_ids == encoded.ids.tolist()[:5]
    assert type(example.input_ids[0]) is int
