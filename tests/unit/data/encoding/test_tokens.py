"""The ids and labels of rows, worked out by hand for the kinds of chat template that models come with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from qlora_ui.contract.errors import DataError, ModelError
from qlora_ui.data.conversation import Conversation, Turn
from qlora_ui.data.encoding.tokens import IGNORED, Encoded, encode, encode_whole, prompt_of, render_prompt
from tests.unit.data.conftest import SPECIALS, MakeTokenizer

from .kinds import CHATML, FINAL_EOS, MARKED, NO_SYSTEM, THINKING, letters

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LLAMA3 = (
    "{{- bos_token -}}{%- for m in messages -%}"
    "{{- '<|im_start|>' + m.role + '<|pad|>\\n\\n' + m.content | trim + '<|im_end|>' -}}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant<|pad|>\\n\\n' -}}{%- endif -%}"
)
"""Emits the begin of sequence itself, trims content, no line feed after the end of a turn."""
NO_END = (
    "{%- for m in messages -%}{{- m.role + ': ' + m.content + '\\n' -}}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- 'assistant: ' -}}{%- endif -%}"
)
SPACED = (
    "{{- bos_token -}}{%- for m in messages -%}{%- if m.role == 'user' -%}{{- '[INST] ' + m.content + ' [/INST]' -}}"
    "{%- else -%}{{- ' ' + m.content + ' ' + eos_token -}}{%- endif -%}{%- endfor -%}"
)
"""No generation prompt of its own, a space before and after the answer."""
HIDING = "{%- for m in messages -%}{{- '<|im_start|>' + m.content[:2] + '<|im_end|>' -}}{%- endfor -%}"


def chat(*contents: str, system: str = "") -> Conversation:
    turns = [
        Turn("user", content) if index % 2 == 0 else Turn("assistant", content, trained=True)
        for index, content in enumerate(contents)
    ]
    return Conversation((*([Turn("system", system)] if system else []), *turns), "train.jsonl, line 7", 7)


def byte_ids(text: str) -> list[int]:
    """The ids of the byte tokenizer, told without it."""
    order = sorted([*range(33, 127), *range(161, 173), *range(174, 256)])
    letters = {byte: chr(byte) for byte in order}
    letters |= {byte: chr(256 + i) for i, byte in enumerate(b for b in range(256) if b not in order)}
    rank = {letter: i for i, letter in enumerate(sorted(letters.values()))}
    ids: list[int] = []
    while text:
        special = next((token for token in SPECIALS if text.startswith(token)), None)
        ids += [256 + SPECIALS.index(special)] if special else [rank[letters[b]] for b in text[0].encode()]
        text = text[len(special or text[0]) :]
    return ids


def check(found: Encoded, *parts: str) -> None:
    """`parts` are by turns not trained and trained; together they are the whole row."""
    ids, labels = [], []
    for index, part in enumerate(parts):
        ids += byte_ids(part)
        labels += byte_ids(part) if index % 2 else [IGNORED] * len(byte_ids(part))
    example = found.cut(10_000)
    assert example.input_ids == ids
    assert example.labels == labels
    assert not example.truncated


def whole(
    conversation: Conversation,
    tokenizer: PreTrainedTokenizerBase,
    train_on: Literal["completions", "all"] = "completions",
) -> Encoded:
    return encode_whole(conversation, tokenizer, train_on=train_on)


@pytest.mark.parametrize("template", [CHATML, MARKED], ids=["asked", "marked"])
def test_answers_and_the_token_that_ends_them_are_trained(byte_tokenizer: MakeTokenizer, template: str) -> None:
    check(
        whole(chat("hi", "ho", "why?", "because", system="be brief"), byte_tokenizer(template)),
        "<|im_start|>system\nbe brief<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n",
        "ho<|im_end|>",
        "\n<|im_start|>user\nwhy?<|im_end|>\n<|im_start|>assistant\n",
        "because<|im_end|>",
        "\n",
    )


@pytest.mark.parametrize("template", [CHATML, MARKED], ids=["asked", "marked"])
def test_an_answer_of_weight_zero_is_not_trained(byte_tokenizer: MakeTokenizer, template: str) -> None:
    turns = (Turn("user", "a"), Turn("assistant", "b"), Turn("user", "c"), Turn("assistant", "d", trained=True))
    check(
        whole(Conversation(turns), byte_tokenizer(template)),
        "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n"
        "<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n",
        "d<|im_end|>",
        "\n",
    )


def test_the_begin_of_sequence_is_there_once(byte_tokenizer: MakeTokenizer) -> None:
    check(
        whole(chat("hi", "  ho \n"), byte_tokenizer(LLAMA3, adds_bos=True)),
        "<|bos|><|im_start|>user<|pad|>\n\nhi<|im_end|><|im_start|>assistant<|pad|>\n\n",
        "ho<|im_end|>",
    )


def test_the_end_is_trained_when_it_is_the_padding_too(byte_tokenizer: MakeTokenizer) -> None:
    tokenizer = byte_tokenizer(CHATML, eos="<|im_end|>", pad="<|im_end|>")
    assert whole(chat("hi", "ho"), tokenizer).cut(99).labels[-2:] == [260, IGNORED]


def test_thinking_is_trained_where_the_template_keeps_it(byte_tokenizer: MakeTokenizer) -> None:
    check(
        whole(chat("hi", "<think>hm</think>ho", "and?", "done"), byte_tokenizer(THINKING)),
        "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n",
        "ho<|im_end|>",
        "\n<|im_start|>user\nand?<|im_end|>\n<|im_start|>assistant\n",
        "<think></think>done<|im_end|>",
        "\n",
    )


def test_only_the_first_token_that_ends_a_turn_is_trained(byte_tokenizer: MakeTokenizer) -> None:
    check(
        whole(chat("hi", "ho"), byte_tokenizer(FINAL_EOS)),
        "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n",
        "ho<|im_end|>",
        "\n<|end|>",
    )


def test_a_refused_system_turn_moves_into_the_first_user_turn(byte_tokenizer: MakeTokenizer) -> None:
    tokenizer = byte_tokenizer(NO_SYSTEM)
    head = "<|im_start|>user\nbe brief\n\nhi<|im_end|>\n<|im_start|>assistant\n"
    check(whole(chat("hi", "ho", system="be brief"), tokenizer), head, "ho<|im_end|>", "\n")
    prompt = prompt_of(chat("hi", "ho", system="be brief"))
    assert prompt is not None
    assert render_prompt(prompt[0], tokenizer) == byte_ids(head)


def test_an_end_is_added_where_the_template_has_none(byte_tokenizer: MakeTokenizer) -> None:
    encoded = whole(chat("hi", "ho"), byte_tokenizer(NO_END))
    check(encoded, "user: hi\nassistant: ", "ho", "\n", "<|end|>")
    assert encoded.end_added


def test_without_a_template_plain_headings_are_used(byte_tokenizer: MakeTokenizer) -> None:
    parts = (
        "### System:\nbe brief\n\n### User:\nhi\n\n### Assistant:\n",
        "ho<|end|>",
        "\n\n### User:\nwhy\n\n### Assistant:\n",
        "so<|end|>",
        "\n\n",
    )
    conversation = chat("hi", "ho", "why", "so", system="be brief")
    check(whole(conversation, byte_tokenizer()), *parts)
    check(whole(conversation, byte_tokenizer(adds_bos=True)), "<|bos|>" + parts[0], *parts[1:])


def test_without_a_template_and_an_end_nothing_can_be_trained(byte_tokenizer: MakeTokenizer) -> None:
    with pytest.raises(ModelError, match="no end-of-sequence token"):
        whole(chat("hi", "ho"), byte_tokenizer(eos=None))


def test_words_that_carry_their_space_belong_to_the_answer(spaced_tokenizer: MakeTokenizer) -> None:
    tokenizer = spaced_tokenizer(SPACED)
    encoded = whole(chat("hello", "yes"), tokenizer)
    names = tokenizer.convert_ids_to_tokens(encoded.ids)
    assert names == ["<s>", "▁[INST]", "▁hello", "▁[/INST]", "▁yes", "▁", "</s>"]
    assert [name for name, trained in zip(names, encoded.trained, strict=True) if trained] == ["▁yes", "▁", "</s>"]


def test_plain_text_is_trained_whole_with_begin_and_end(byte_tokenizer: MakeTokenizer) -> None:
    text = Conversation((Turn("text", "Größe", trained=True),))
    check(whole(text, byte_tokenizer(CHATML, adds_bos=True)), "<|bos|>", "Größe<|end|>")
    check(whole(text, byte_tokenizer(CHATML)), "G", "röße<|end|>")
    assert prompt_of(text) is None


def test_all_trains_every_token_that_can_be_predicted(byte_tokenizer: MakeTokenizer) -> None:
    rest = "user\nhi<|im_end|>\n<|im_start|>assistant\nho<|im_end|>\n"
    check(whole(chat("hi", "ho"), byte_tokenizer(CHATML), "all"), "<|im_start|>", rest)


@pytest.mark.parametrize("template", [CHATML, MARKED, LLAMA3, FINAL_EOS, NO_SYSTEM, NO_END, None])
def test_the_prompt_of_an_evaluation_is_the_one_before_the_trained_answer(
    byte_tokenizer: MakeTokenizer, template: str | None
) -> None:
    tokenizer = byte_tokenizer(template, adds_bos=True)
    conversation = chat("a", "b", "c", "the answer", system="s")
    encoded, prompt = whole(conversation, tokenizer), prompt_of(conversation)
    assert prompt is not None
    messages, reference = prompt
    ids = render_prompt(messages, tokenizer)
    assert encoded.ids[: len(ids)].tolist() == ids
    assert encoded.trained[len(ids) - 1 : len(ids) + 1].tolist() == [False, True]
    assert reference == "the answer"


def test_an_answer_that_reads_like_its_prompt_is_found(byte_tokenizer: MakeTokenizer) -> None:
    check(
        whole(chat("assistant", "user", "user", "assistant"), byte_tokenizer(CHATML)),
        "<|im_start|>user\nassistant<|im_end|>\n<|im_start|>assistant\n",
        "user<|im_end|>",
        "\n<|im_start|>user\nuser<|im_end|>\n<|im_start|>assistant\n",
        "assistant<|im_end|>",
        "\n",
    )


def test_a_cut_example_says_so_and_keeps_its_left_side(byte_tokenizer: MakeTokenizer) -> None:
    tokenizer, conversation = byte_tokenizer(CHATML), chat("hi", "ho")
    full = encode(conversation, tokenizer, max_length=999, train_on="completions")
    prompt = len(byte_ids("<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"))
    short = encode(conversation, tokenizer, max_length=prompt + 1, train_on="completions")
    assert (short.input_ids, short.labels) == (full.input_ids[: prompt + 1], full.labels[: prompt + 1])
    assert (short.truncated, short.trained) == (True, 1)
    assert encode(conversation, tokenizer, max_length=prompt, train_on="completions").trained == 0


def test_pieces_make_up_the_text(byte_tokenizer: MakeTokenizer) -> None:
    encoded = whole(chat("Größe 🙂", "é"), byte_tokenizer(CHATML))
    assert "".join(encoded.pieces) == "<|im_start|>user\nGröße 🙂<|im_end|>\n<|im_start|>assistant\né<|im_end|>\n"
    assert len(encoded.pieces) == len(encoded.ids)


def test_a_template_that_hides_answers_is_told_with_the_row(byte_tokenizer: MakeTokenizer) -> None:
    with pytest.raises(DataError, match=r"train\.jsonl, line 7: .* does not show") as caught:
        whole(chat("hi", "hooo"), byte_tokenizer(HIDING))
    assert "train_on: all" in caught.value.hint
    assert caught.value.place == "train.jsonl, line 7"
    assert all(whole(chat("hi", "hooo"), byte_tokenizer(HIDING), "all").trained[1:])


def test_a_template_that_refuses_the_turns_is_told_with_the_row(byte_tokenizer: MakeTokenizer) -> None:
    template = "{{- raise_exception('Roles must alternate') -}}"
    with pytest.raises(DataError, match=r"line 7: the chat template refuses .*: Roles must alternate"):
        whole(chat("hi", "ho"), byte_tokenizer(template))
    with pytest.raises(DataError, match="refuses"):
        render_prompt([{"role": "user", "content": "hi"}], byte_tokenizer(template))


def test_a_template_that_breaks_is_told_as_well(byte_tokenizer: MakeTokenizer) -> None:
    with pytest.raises(DataError, match="line 7: the chat template refuses"):
        whole(chat("hi", "ho"), byte_tokenizer("{{- messages[0].content + 1 -}}"))


class TestTokenizersWrittenInPython:
    """They tell no offsets: the ranges of their tokens are found by laying them along the text."""

    def test_the_same_is_trained(self) -> None:
        tokenizer = letters(CHATML)
        encoded = whole(chat("hi you", "ho ho", "a", "b"), tokenizer)
        trained = [tokenizer.decode([i]) if t else "·" for i, t in zip(encoded.ids, encoded.trained, strict=True)]
        assert "".join(trained).strip("·") == "ho ho<|im_end|>" + "·" * 21 + "b<|im_end|>"

    def test_one_that_changes_the_text_is_told(self) -> None:
        tokenizer = letters(CHATML)
        tokenizer._convert_id_to_token = lambda index: "?"
        with pytest.raises(DataError, match="line 7: the model's tokenizer does not show"):
            whole(chat("hi", "ho"), tokenizer)
