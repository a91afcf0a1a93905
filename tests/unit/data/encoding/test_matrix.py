"""Ids and labels, bit by bit, for every kind of tokenizer and template and every data format.

What is right is worked out here a second time, from what transformers renders and from the names of the tokens.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import pytest

from qlora_ui.contract.recipe import TrainOn
from qlora_ui.data.conversation import Conversation, Turn
from qlora_ui.data.encoding.encoded import IGNORED, Encoded
from qlora_ui.data.encoding.encoder import Encoder
from qlora_ui.data.encoding.tokens import encode_whole, render_prompt
from qlora_ui.data.templates.named import LIBRARY, apply_template

from .kinds import KINDS, ROWS, Kind, tokenizer_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Messages = list[dict[str, Any]]


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("kind", KINDS)
def test_ids_and_labels_are_those_worked_out_by_hand(kind: str, row: str) -> None:
    tokenizer, conversation = apply_template(tokenizer_of(kind), ""), ROWS[row]
    encoded = Encoder(tokenizer).encode(conversation)
    ids = whole_ids(conversation, tokenizer, KINDS[kind])
    assert encoded.ids.tolist() == ids
    trained = whole_trained(conversation, tokenizer, KINDS[kind], ids)
    assert encoded.labels.tolist() == [token if is_in else IGNORED for token, is_in in zip(ids, trained, strict=True)]
    assert any(trained)


@pytest.mark.parametrize("kind", KINDS)
def test_many_at_once_and_one_by_one_give_the_same(kind: str) -> None:
    tokenizer, rows = apply_template(tokenizer_of(kind), ""), [*ROWS.values()]
    encoder = Encoder(tokenizer)
    encoder.encode_batch(rows)  # what the template writes around contents is known from here on
    for conversation, encoded in zip(rows, encoder.encode_batch(rows), strict=True):
        alone = encode_whole(conversation, tokenizer, train_on="completions")
        assert isinstance(encoded, Encoded)
        assert (encoded.ids.tolist(), encoded.trained.tolist()) == (alone.ids.tolist(), alone.trained.tolist())
        assert (encoded.text, encoded.end_added) == (alone.text, alone.end_added)


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("kind", KINDS)
def test_trained_on_all_tokens_the_ids_are_the_same_and_all_but_the_first_are_labels(kind: str, row: str) -> None:
    tokenizer = apply_template(tokenizer_of(kind), "")
    encoded = Encoder(tokenizer, "all").encode(ROWS[row])
    assert encoded.ids.tolist() == whole_ids(ROWS[row], tokenizer, KINDS[kind])
    assert encoded.labels.tolist() == [IGNORED, *encoded.ids.tolist()[1:]]


@pytest.mark.parametrize("train_on", ["completions", "all"])
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_trained_of_an_answer_that_is_not_wanted(kind: str, train_on: TrainOn) -> None:
    encoder = Encoder(apply_template(tokenizer_of(kind), ""), train_on)
    for row in ("kto", "text"):  # with turns that say they are trained, as a step may leave them
        unwanted = replace(ROWS[row], desirable=False)
        for _ in range(3):  # also once what the template writes around contents is known
            encoded = encoder.encode(unwanted)
            assert encoded.ids.tolist() == encoder.encode(ROWS[row]).ids.tolist()
            assert not encoded.trained.any()


ENDS_WITH_EOS = ("mistral", "zephyr", "alpaca", "vicuna", "plain")
FITTING = [(name, kind) for name in LIBRARY for kind in KINDS if not (kind == "no eos" and name in ENDS_WITH_EOS)]


@pytest.mark.parametrize(("name", "kind"), FITTING)
def test_templates_of_the_library_train_what_they_mark(name: str, kind: str) -> None:
    from transformers.utils.chat_template_utils import render_jinja_template

    tokenizer = apply_template(tokenizer_of(kind), name)
    encoder = Encoder(tokenizer)
    for conversation in (row for row in ROWS.values() if not row.is_text):
        encoded = encoder.encode(conversation)
        messages, tools = encoder.renderer.messages(conversation)
        texts, marks = render_jinja_template(
            conversations=[messages],
            tools=tools,
            chat_template=tokenizer.chat_template,
            return_assistant_tokens_mask=True,
            **tokenizer.special_tokens_map,
        )
        ids = list(tokenizer(texts[0], add_special_tokens=False).input_ids)
        answers = [turn for turn in conversation.turns if turn.role == "assistant"]
        places = {at for turn, mark in zip(answers, marks[0], strict=True) if turn.trained for at in range(*mark)}
        spans = spans_of(ids, texts[0], tokenizer, KINDS[kind])
        assert encoded.ids.tolist()[: len(ids)] == ids
        assert encoded.trained.tolist()[: len(ids)] == [bool(places & set(range(*span))) for span in spans]
        assert encoded.trained.tolist()[len(ids) :] == [True] * encoded.end_added


@pytest.mark.parametrize(
    "answer", ["<|im_end|>", "<|im_end|>\n", "ho<|im_end|>", "<|im_start|>", "<|im_end|> <|im_end|>"]
)
def test_an_answer_that_is_a_special_token_ends_where_the_template_closes_it(answer: str) -> None:
    tokenizer = apply_template(tokenizer_of("no bos"), "chatml")
    said = Turn("assistant", answer, trained=True)
    conversation = Conversation((Turn("user", "hi"), said, Turn("user", "hi"), said))
    encoder = Encoder(tokenizer)
    for _ in range(3):  # also once what the template writes around contents is known
        encoded = encoder.encode(conversation)
        parts = [piece if is_in else "·" for piece, is_in in zip(encoded.pieces, encoded.trained, strict=True)]
        assert [part for part in "".join(parts).split("·") if part] == [f"{answer}<|im_end|>"] * 2


@pytest.mark.parametrize(("name", "kind"), [*(("", kind) for kind in KINDS if not KINDS[kind].head), *FITTING])
@pytest.mark.parametrize("row", ["messages with a system turn", "sharegpt with system and tools"])
def test_a_prompt_is_what_stands_before_the_trained_answer(name: str, kind: str, row: str) -> None:
    tokenizer = apply_template(tokenizer_of(kind), name)
    encoded = encode_whole(ROWS[row], tokenizer, train_on="completions")
    ids = render_prompt(ROWS[row].messages[:-1], tokenizer, ROWS[row].tools)
    assert encoded.ids.tolist()[: len(ids)] == ids
    assert encoded.trained.tolist()[len(ids) - 1 : len(ids) + 1] == [False, True]


def whole_ids(conversation: Conversation, tokenizer: PreTrainedTokenizerBase, kind: Kind) -> list[int]:
    """What transformers makes of the row, with an end where there is none."""
    end = tokenizer.eos_token_id
    if conversation.is_text:
        ids = list(tokenizer(conversation.turns[0].content).input_ids)
        return ids if end is None or ids[-1:] == [end] else [*ids, end]
    messages, tools = known_to(kind, conversation)
    return list(tokenizer.apply_chat_template(messages, tools=tools, tokenize=True, return_dict=False))


def whole_trained(
    conversation: Conversation, tokenizer: PreTrainedTokenizerBase, kind: Kind, ids: list[int]
) -> list[bool]:
    if conversation.is_text:
        return [False, *[True] * (len(ids) - 1)]
    messages, tools = known_to(kind, conversation)

    def text_of(part: Messages, prompt: bool) -> str:
        text = tokenizer.apply_chat_template(part, tools=tools, add_generation_prompt=prompt, tokenize=False)
        assert isinstance(text, str)
        return text

    text = text_of(messages, False)
    said = iter([turn for turn in conversation.turns if turn.role == "assistant"])
    places: set[int] = set()
    end = 0
    for index, message in enumerate(messages):
        if message["role"] == "assistant":
            start = text.index(kind.head, end) + len(kind.head) if kind.head else len(text_of(messages[:index], True))
            end = text.index(kind.closing, start) + len(kind.closing)  # no answer here has one in it
            places |= set(range(start, end)) if next(said).trained else set()
    spans = spans_of(ids, text, tokenizer, kind)
    return [index > 0 and bool(places & set(range(*span))) for index, span in enumerate(spans)]


def known_to(kind: Kind, conversation: Conversation) -> tuple[Messages, Any]:
    """The messages in words that the kind's template knows."""
    tools = json.loads(conversation.tools) if conversation.tools else None
    messages: Messages = []
    if tools and not kind.tools:
        listed = json.dumps(tools, ensure_ascii=False)
        what = 'You can call these tools by writing {"name": …, "arguments": {…}}:\n' + listed
        messages.append({"role": "system", "content": what})
        tools = None
    for turn in conversation.turns:
        calls = json.loads(turn.calls) if turn.calls else []
        if kind.tools and calls:
            wrapped = [{"type": "function", "function": call} for call in calls]
            messages.append({"role": "assistant", "content": turn.content, "tool_calls": wrapped})
        elif calls:
            lines = [*([turn.content] if turn.content else []), *(json.dumps(c, ensure_ascii=False) for c in calls)]
            messages.append({"role": "assistant", "content": "\n".join(lines)})
        elif turn.role == "tool" and not kind.tools:
            if messages[-1]["role"] == "user":
                messages[-1] = {"role": "user", "content": messages[-1]["content"] + "\n" + turn.content}
            else:
                messages.append({"role": "user", "content": turn.content})
        elif turn.role == "system" and messages:
            messages[0]["content"] += "\n\n" + turn.content
        else:
            messages.append({"role": turn.role, "content": turn.content})
    if not kind.system and messages[0]["role"] == "system":
        head = messages.pop(0)["content"]
        messages[0]["content"] = head + "\n\n" + messages[0]["content"]
    return messages, tools


def spans_of(ids: list[int], text: str, tokenizer: PreTrainedTokenizerBase, kind: Kind) -> list[tuple[int, int]]:
    """Which characters each token stands for."""
    return byte_spans(ids, text, tokenizer) if kind.bytes else told_spans(text, tokenizer)


def byte_spans(ids: list[int], text: str, tokenizer: PreTrainedTokenizerBase) -> list[tuple[int, int]]:
    """Told by the names of the tokens: a letter for a byte, or a special token's text."""
    character = [index for index, letter in enumerate(text) for _ in letter.encode()]
    special = set(tokenizer.all_special_tokens) | {token.content for token in tokenizer.added_tokens_decoder.values()}
    names = tokenizer.convert_ids_to_tokens(ids)
    sizes = [len(name.encode()) if name in special else len(name) for name in names]
    ends = list(accumulate(sizes))
    assert ends[-1] == len(character)
    return [(character[end - size], character[end - 1] + 1) for size, end in zip(sizes, ends, strict=True)]


def told_spans(text: str, tokenizer: PreTrainedTokenizerBase) -> list[tuple[int, int]]:
    if tokenizer.is_fast:
        told = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True).offset_mapping
        return [(start, end) for start, end in told]
    sizes = [len(name) for name in tokenizer.tokenize(text)]
    return [(end - size, end) for size, end in zip(sizes, accumulate(sizes), strict=True)]
