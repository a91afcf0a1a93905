"""What a person is told of a chat template before training with it."""

from __future__ import annotations

import json

import pytest

from qlora_ui.data.conversation import Conversation, Turn
from qlora_ui.data.encoding.describe import describe
from tests.unit.data.conftest import MakeTokenizer

from .kinds import CHATML, MARKED, ROWS, TOOLS, TRIMS

MARKED_WITHOUT_END = (
    "{%- for m in messages -%}{%- if m.role == 'assistant' -%}"
    "### {% generation %}{{- m.content -}}{% endgeneration %}\n"
    "{%- else -%}{{- m.content + '\n' -}}{%- endif -%}{%- endfor -%}{%- if add_generation_prompt -%}### {%- endif -%}"
)


def kinds_of(template: str | None, make: MakeTokenizer, chosen: str = "", **options: object) -> dict[str, str]:
    return {finding.kind: finding.level for finding in describe(make(template, **options), chosen).findings}


@pytest.mark.parametrize("template", [CHATML, MARKED])
def test_nothing_is_said_of_a_template_that_fits(byte_tokenizer: MakeTokenizer, template: str) -> None:
    view = describe(byte_tokenizer(template))
    assert (view.name, view.text, view.findings) == ("own", template, [])


def test_names(byte_tokenizer: MakeTokenizer) -> None:
    assert describe(byte_tokenizer(None)).name == "plain"
    assert describe(byte_tokenizer(CHATML), "Vicuna").name == "vicuna"
    assert describe(byte_tokenizer(CHATML), CHATML + " ").name == "custom"


def test_an_end_that_would_not_be_trained(byte_tokenizer: MakeTokenizer) -> None:
    assert kinds_of(MARKED_WITHOUT_END, byte_tokenizer)["end_not_trained"] == "warning"
    assert kinds_of(MARKED_WITHOUT_END, byte_tokenizer)["end_added"] == "note"
    view = describe(byte_tokenizer(MARKED_WITHOUT_END), "", ROWS["preference"])
    assert [finding.kind for finding in view.findings] == ["end_added"]  # with one answer, the added end is its end


def test_a_begin_of_sequence_too_many_or_missing(byte_tokenizer: MakeTokenizer) -> None:
    assert kinds_of("{{- bos_token -}}" + TRIMS, byte_tokenizer) == {"bos_doubled": "warning"}
    assert kinds_of(TRIMS, byte_tokenizer, adds_bos=True) == {"bos_doubled": "note"}
    assert kinds_of(CHATML, byte_tokenizer, adds_bos=True) == {"bos_missing": "warning"}
    assert kinds_of(TRIMS, byte_tokenizer) == {}


@pytest.mark.parametrize(
    ("name", "marker"), [("gemma", "<end_of_turn> (13 pieces)"), ("phi", "<|assistant|> (13 pieces)")]
)
def test_markers_that_are_no_tokens(byte_tokenizer: MakeTokenizer, name: str, marker: str) -> None:
    finding = next(f for f in describe(byte_tokenizer(), name).findings if f.kind == "markers_cut")
    assert marker in finding.message
    assert finding.count >= 2
    assert "markers_cut" not in kinds_of(None, byte_tokenizer, "chatml")


def test_what_the_template_leaves_out(byte_tokenizer: MakeTokenizer) -> None:
    assert kinds_of(CHATML.replace("in messages", "in messages[1:]"), byte_tokenizer)["drops_system"] == "warning"
    assert kinds_of(CHATML.replace("m.content", "m.content[:9]"), byte_tokenizer)["drops_answer"] == "error"
    shout = CHATML.replace("m.content", "(m.content | upper if m.role == 'user' else m.content)")
    assert kinds_of(shout, byte_tokenizer)["drops_turn"] == "warning"


def test_answers_that_cannot_be_found(byte_tokenizer: MakeTokenizer) -> None:
    finding = next(f for f in describe(byte_tokenizer("{{- messages | tojson -}}")).findings if f.level == "error")
    assert finding.kind == "hides_answers"
    assert finding.message.startswith("The chat template does not show")


def test_a_missing_generation_prompt(byte_tokenizer: MakeTokenizer) -> None:
    bare = CHATML[: CHATML.index("{%- if add")]
    assert kinds_of(bare, byte_tokenizer) == {"no_generation_prompt": "warning"}
    assert "no_generation_prompt" not in kinds_of(None, byte_tokenizer, "mistral")


def test_what_is_written_in_other_words(byte_tokenizer: MakeTokenizer) -> None:
    row = ROWS["sharegpt with system and tools"]
    folds = "{%- if messages[0].role == 'system' -%}{{- raise_exception('no') -}}{%- endif -%}" + CHATML
    found = {finding.kind: finding.level for finding in describe(byte_tokenizer(folds), "", row).findings}
    assert found == {"system_folded": "note", "calls_as_text": "note", "tools_as_text": "note"}
    assert describe(byte_tokenizer(TOOLS.replace("<|tool|>", "")), "", row).findings == []


@pytest.mark.parametrize(
    ("template", "kind", "message"),
    [
        ("{% if %}", "broken", "a mistake in line 1"),
        ("\n{{ messages[0].name.first }}", "broken", "breaks in line 2: 'dict object' has no attribute 'name'"),
        ("{{ raise_exception('Not so.') }}", "refused", "refuses a conversation of this data: Not so."),
        ("chatlm", "broken", "no chat template named chatlm"),
    ],
)
def test_mistakes_are_findings(byte_tokenizer: MakeTokenizer, template: str, kind: str, message: str) -> None:
    view = describe(byte_tokenizer(), template)
    assert [(finding.kind, finding.level) for finding in view.findings] == [(kind, "error")]
    assert message in view.findings[0].message
    assert view.findings[0].hint


def test_a_sample_of_plain_text_or_with_calls_only_is_no_trouble(byte_tokenizer: MakeTokenizer) -> None:
    calls = json.dumps([{"name": "sky", "arguments": {}}])
    only_calls = Conversation((Turn("user", "rain?"), Turn("assistant", "", trained=True, calls=calls)))
    assert describe(byte_tokenizer(TOOLS.replace("<|tool|>", "")), "", only_calls).findings == []
    assert describe(byte_tokenizer(CHATML), "", ROWS["text"]).findings == []
