"""The well-known templates, in the forms that their models were trained with."""

from __future__ import annotations

from typing import Any

import pytest

from qlora_ui.contract.errors import ModelError
from qlora_ui.contract.recipe import CHAT_TEMPLATES
from qlora_ui.data.templates.named import LIBRARY, apply_template, name_of, own_text
from qlora_ui.data.templates.render import render, template_source
from tests.unit.data.conftest import MakeTokenizer

SYSTEM: Any = {"role": "system", "content": "be brief"}
ASKED: Any = [
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": "ho"},
    {"role": "user", "content": "?"},
]
CALLED: Any = [
    {"role": "user", "content": "rain?"},
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"type": "function", "function": {"name": "sky", "arguments": {"at": "Köln"}}}],
    },
    {"role": "tool", "content": "wet"},
    {"role": "assistant", "content": "yes"},
]
TOOL = {"type": "function", "function": {"name": "sky", "description": "looks up", "parameters": {}}}

OPENING = "Below is an instruction that describes a task. Write a response that appropriately completes the request."
CHAT = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions."
)


@pytest.mark.parametrize(
    ("name", "with_system", "without"),
    [
        (
            "chatml",
            "<|im_start|>system\nbe brief<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n"
            "<|im_start|>assistant\nho<|im_end|>\n<|im_start|>user\n?<|im_end|>\n<|im_start|>assistant\n",
            "<|im_start|>user\nhi<|im_end|>\n",
        ),
        (
            "llama3",
            "<|bos|><|start_header_id|>system<|end_header_id|>\n\nbe brief<|eot_id|>"
            "<|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
            "ho<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n?<|eot_id|>"
            "<|start_header_id|>assistant<|end_header_id|>\n\n",
            "<|bos|><|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|>",
        ),
        (
            "mistral",
            "<|bos|>[INST] be brief\n\nhi[/INST] ho<|end|>[INST] ?[/INST]",
            "<|bos|>[INST] hi[/INST] ho<|end|>",
        ),
        (
            "gemma",
            "<|bos|><start_of_turn>user\nbe brief\n\nhi<end_of_turn>\n<start_of_turn>model\nho<end_of_turn>\n"
            "<start_of_turn>user\n?<end_of_turn>\n<start_of_turn>model\n",
            "<|bos|><start_of_turn>user\nhi<end_of_turn>\n",
        ),
        (
            "phi",
            "<|system|>\nbe brief<|end|>\n<|user|>\nhi<|end|>\n<|assistant|>\nho<|end|>\n"
            "<|user|>\n?<|end|>\n<|assistant|>\n",
            "<|user|>\nhi<|end|>\n",
        ),
        (
            "zephyr",
            "<|system|>\nbe brief<|end|>\n<|user|>\nhi<|end|>\n<|assistant|>\nho<|end|>\n"
            "<|user|>\n?<|end|>\n<|assistant|>\n",
            "<|user|>\nhi<|end|>\n",
        ),
        (
            "alpaca",
            "be brief\n\n### Instruction:\nhi\n\n### Response:\nho<|end|>\n\n### Instruction:\n?\n\n### Response:\n",
            OPENING + "\n\n### Instruction:\nhi\n\n### Response:\nho<|end|>",
        ),
        ("vicuna", "be brief USER: hi ASSISTANT: ho<|end|>USER: ? ASSISTANT:", CHAT + " USER: hi ASSISTANT: ho<|end|>"),
        (
            "plain",
            "### System:\nbe brief\n\n### User:\nhi\n\n### Assistant:\nho<|end|>\n\n### User:\n?\n\n### Assistant:\n",
            "### User:\nhi\n\n### Assistant:\nho<|end|>",
        ),
    ],
)
def test_the_forms_of_the_library(byte_tokenizer: MakeTokenizer, name: str, with_system: str, without: str) -> None:
    tokenizer = apply_template(byte_tokenizer(), name)
    assert render([SYSTEM, *ASKED], tokenizer, generation_prompt=True) == with_system
    assert render(ASKED, tokenizer).startswith(without)


def test_every_template_of_the_library_can_be_chosen_and_has_its_form_tested() -> None:
    assert tuple(LIBRARY) == CHAT_TEMPLATES
    forms = test_the_forms_of_the_library.pytestmark[0].args[1]
    assert [form[0] for form in forms] == list(LIBRARY)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        (
            "chatml",
            [
                '<tools>\n{"type": "function", "function": {"name": "sky"',
                "<|im_start|>assistant\n<tool_call>\n"
                '{"name": "sky", "arguments": {"at": "Köln"}}\n</tool_call><|im_end|>\n',
                "<|im_start|>user\n<tool_response>\nwet\n</tool_response><|im_end|>\n",
            ],
        ),
        (
            "llama3",
            [
                '"name": "sky"',
                '<|end_header_id|>\n\n{"name": "sky", "parameters": {"at": "Köln"}}<|eot_id|>',
                "<|start_header_id|>ipython<|end_header_id|>\n\nwet<|eot_id|>",
            ],
        ),
        (
            "mistral",
            [
                '[AVAILABLE_TOOLS] [{"type": "function"',
                '[/INST][TOOL_CALLS] [{"name": "sky", "arguments": {"at": "Köln"}}]<|end|>',
                '[TOOL_RESULTS] {"content": "wet"}[/TOOL_RESULTS] yes<|end|>',
            ],
        ),
        (
            "gemma",
            [
                'user\nYou can call these tools by writing {"name": …, "arguments": {…}}:\n[{"type": "function"',
                '<start_of_turn>model\n{"name": "sky", "arguments": {"at": "Köln"}}<end_of_turn>\n',
                "<start_of_turn>user\nwet<end_of_turn>\n",
            ],
        ),
    ],
)
def test_tools_are_written_as_the_family_has_them_and_as_json_elsewhere(
    byte_tokenizer: MakeTokenizer, name: str, parts: list[str]
) -> None:
    text = render(CALLED, apply_template(byte_tokenizer(), name), tools=[TOOL])
    for part in parts:
        assert part in text
        text = text[text.index(part) + len(part) :]


@pytest.mark.parametrize("name", [name for name in LIBRARY if name not in ("chatml", "llama3", "mistral")])
def test_no_call_is_lost_by_a_family_without_tools(byte_tokenizer: MakeTokenizer, name: str) -> None:
    text = render([SYSTEM, *CALLED], apply_template(byte_tokenizer(), name), tools=[TOOL])
    for part in ('{"name": "sky", "arguments": {"at": "Köln"}}', "wet", "looks up", "be brief"):
        assert text.count(part) == 1
    assert text.index("looks up") < text.index("be brief") < text.index("rain?")


def test_the_begin_of_sequence_is_written_where_the_model_wants_it(byte_tokenizer: MakeTokenizer) -> None:
    added, none = byte_tokenizer(adds_bos=True), byte_tokenizer(bos=None)
    for name in LIBRARY:
        assert render(ASKED, apply_template(added, name)).count("<|bos|>") == 1
        assert "bos" not in render(ASKED, apply_template(none, name))


def test_the_given_tokenizer_stays_as_it_is(byte_tokenizer: MakeTokenizer, tmp_path: Any) -> None:
    from transformers import PreTrainedTokenizerFast

    tokenizer = byte_tokenizer("own")
    made = apply_template(tokenizer, " ChatML ")
    assert tokenizer.chat_template == "own"
    assert name_of(made.chat_template) == "chatml"
    assert made("Größe <|im_end|>").input_ids == tokenizer("Größe <|im_end|>").input_ids
    made.save_pretrained(tmp_path)
    assert PreTrainedTokenizerFast.from_pretrained(tmp_path).chat_template == made.chat_template
    assert apply_template(tokenizer, "") is tokenizer


def test_names_and_mistakes_are_told(byte_tokenizer: MakeTokenizer) -> None:
    with pytest.raises(ModelError, match="no chat template named llama4") as caught:
        apply_template(byte_tokenizer(), "llama4")
    assert "chatml, llama3" in caught.value.hint
    with pytest.raises(ModelError, match="a mistake in line 2: unexpected '}'"):
        apply_template(byte_tokenizer(), "{% if x %}\n{{ x }{% endif %}")
    with pytest.raises(ModelError, match="no end-of-sequence token"):
        apply_template(byte_tokenizer(eos=None), "")
    with pytest.raises(ModelError, match="vicuna ends answers with the end-of-sequence token"):
        apply_template(byte_tokenizer(eos=None), "vicuna")
    assert name_of(apply_template(byte_tokenizer(eos=None), "chatml").chat_template) == "chatml"


def test_a_tokenizer_with_several_templates_uses_its_default(byte_tokenizer: MakeTokenizer) -> None:
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = {"default": "{{- 1 -}}", "tool_use": "{{- 2 -}}"}
    assert own_text(tokenizer) == apply_template(tokenizer, "").chat_template == "{{- 1 -}}"
    tokenizer.chat_template = {"rag": "{{- 1 -}}", "tool_use": "{{- 2 -}}"}
    with pytest.raises(ModelError, match="none of them is its default"):
        own_text(tokenizer)


def test_where_a_template_comes_from_is_told(byte_tokenizer: MakeTokenizer) -> None:
    assert template_source(byte_tokenizer("own")) == "The model's own chat template is used."
    assert template_source(byte_tokenizer()).startswith("The model has no chat template: plain headings")
    assert template_source(byte_tokenizer(), "llama3") == "The chat template Llama 3 was chosen."
    assert template_source(byte_tokenizer(), "{{- 1 -}}") == "A chat template of your own is used."


def test_templates_that_insist_on_ids_of_calls_get_them(byte_tokenizer: MakeTokenizer) -> None:
    template = (
        "{%- for m in messages -%}{%- for c in m.tool_calls or [] -%}"
        "{%- if c.id is not defined or c.id | length != 9 -%}{{- raise_exception('no id') -}}{%- endif -%}"
        "{{- c.id + c.function.name -}}{{- c.function.arguments | tojson -}}{%- endfor -%}"
        "{{- (m.tool_call_id or '') + m.content -}}{%- endfor -%}"
    )
    assert render(CALLED, byte_tokenizer(template)) == 'rain?call00000sky{"at": "Köln"}call00000wetyes'
