"""Tokenizers and chat templates of the kinds that models come with, and a conversation of every data format."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from qlora_ui.data.conversation import Conversation, Turn

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SPECIALS = ["<|pad|>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|tool|>"]

CHATML = (
    "{%- for m in messages -%}{{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' -}}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)
MARKED = (
    "{%- for m in messages -%}{{- '<|im_start|>' + m.role + '\\n' -}}"
    "{%- if m.role == 'assistant' -%}{% generation %}{{- m.content -}}{% endgeneration %}"
    "{%- else -%}{{- m.content -}}{%- endif -%}{{- '<|im_end|>\\n' -}}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)
TRIMS = (
    "{{- bos_token -}}{%- for m in messages -%}"
    "{{- '<|im_start|>' + m.role + '\\n\\n' + m.content | trim + '<|im_end|>' -}}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n\\n' -}}{%- endif -%}"
)
TRIMS_ANSWERS = CHATML.replace("m.content", "(m.content | trim if m.role == 'assistant' else m.content)")
THINKING = (
    "{%- for m in messages -%}{{- '<|im_start|>' + m.role + '\\n' -}}"
    "{%- if m.role == 'assistant' and not loop.last -%}{{- m.content.split('</think>')[-1] -}}"
    "{%- elif m.role == 'assistant' and '</think>' not in m.content -%}{{- '<think></think>' + m.content -}}"
    "{%- else -%}{{- m.content -}}{%- endif -%}{{- '<|im_end|>\\n' -}}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)
TOOLS = (
    "{%- if tools -%}{{- '<|im_start|>system\\n' -}}"
    "{%- for t in tools -%}{{- t | tojson + '\\n' -}}{%- endfor -%}{{- '<|im_end|>\\n' -}}{%- endif -%}"
    "{%- for m in messages -%}{{- '<|im_start|>' + m.role + '\\n' + (m.content or '') -}}"
    "{%- for c in m.tool_calls or [] -%}"
    "{{- '<|tool|>' -}}{{- {'name': c.function.name, 'arguments': c.function.arguments} | tojson -}}{%- endfor -%}"
    "{{- '<|im_end|>\\n' -}}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)
_EOS_LAST = "{%- if not add_generation_prompt -%}{{- eos_token -}}{%- endif -%}"
FINAL_EOS = CHATML.replace("{%- if add", _EOS_LAST + "{%- if add")
TOOLS_FINAL_EOS = TOOLS.replace("{%- if add", _EOS_LAST + "{%- if add")
NO_SYSTEM = (
    "{%- if messages[0].role == 'system' -%}{{- raise_exception('System role not supported') -}}{%- endif -%}" + CHATML
)
SPACED = (
    "{{- bos_token -}}{%- for m in messages -%}"
    "{%- if m.role == 'assistant' -%}{{- ' ' + m.content + ' ' + eos_token -}}"
    "{%- else -%}{{- '[INST] ' + m.content + ' [/INST]' -}}{%- endif -%}{%- endfor -%}"
)

OPENS_THOUGHT = CHATML.replace("assistant\\n' -}}{%- endif", "assistant\\n<think>\\n' -}}{%- endif")
"""The prompt opens a thought that answers in a conversation do not have."""
SYSTEM_LAST = (
    "{%- set ns = namespace(system='') -%}"
    "{%- if messages[0].role == 'system' -%}{%- set ns.system = messages[0].content + '\\n' -%}{%- endif -%}"
    "{%- for m in messages -%}{%- if m.role == 'assistant' -%}{{- ' ' + m.content + eos_token -}}"
    "{%- elif m.role != 'system' -%}"
    "{{- '[INST] ' + (ns.system if loop.index0 >= messages | length - 2 else '') + m.content + '[/INST]' -}}"
    "{%- endif -%}{%- endfor -%}"
)
"""The system turn stands before the last question, wherever that is."""
CLOSES_TWICE = CHATML.replace("m.content + '<|im_end|>", "m.content + '<|tool|></s>")


@dataclass(frozen=True)
class Kind:
    make: Callable[[], PreTrainedTokenizerBase]
    closing: str
    """What ends an answer."""
    system: bool = True
    """The template knows system turns; and so on."""
    tools: bool = False
    head: str = ""
    """What an answer follows, where that is not what the prompt ends with."""
    bytes: bool = True
    """The text of a token is told by its name, a letter for each byte."""


def byte_level(
    template: str | None, *, bos: bool = True, eos: str | None = "</s>", pad: str = "<|pad|>", adds_bos: bool = False
) -> Callable[[], Any]:
    """Every byte is a token."""

    def make() -> Any:
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
        from transformers import PreTrainedTokenizerFast

        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        backend = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(alphabet)}, merges=[]))
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        backend.decoder = decoders.ByteLevel()
        backend.add_special_tokens(SPECIALS)
        if adds_bos:
            backend.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 257)])
        made = PreTrainedTokenizerFast(
            tokenizer_object=backend, bos_token="<s>" if bos else None, eos_token=eos, pad_token=pad
        )
        made.chat_template = template
        return made

    return make


def trained_bpe(template: str) -> Callable[[], Any]:
    """Byte-level pairs with merges over spaces, whose offsets leave the space before a word out."""

    def make() -> Any:
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
        from transformers import PreTrainedTokenizerFast

        backend = Tokenizer(models.BPE())
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        backend.decoder = decoders.ByteLevel()
        backend.post_processor = processors.ByteLevel(trim_offsets=True)
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=400, special_tokens=SPECIALS, initial_alphabet=alphabet, show_progress=False
        )
        words = [turn.content for row in ROWS.values() for turn in row.turns]
        backend.train_from_iterator(words * 3, trainer)
        made = PreTrainedTokenizerFast(
            tokenizer_object=backend, bos_token="<s>", eos_token="<|im_end|>", pad_token="<|pad|>"
        )
        made.chat_template = template
        return made

    return make


def unigram(template: str | None) -> Any:
    """In the manner of SentencePiece: a space before the first word, words carry the space before them."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    text = "".join(turn.content + turn.calls for row in ROWS.values() for turn in row.turns)
    letters = [(letter, -10.0) for letter in sorted({*text, *map(chr, range(33, 127)), "▁", "\n", "…"})]
    words = [("▁Paris", -1.0), ("▁the", -1.0), ("▁is", -1.0), ("▁[INST]", -1.0), ("▁of", -1.0)]
    backend = Tokenizer(models.Unigram([("<unk>", 0.0), *words, *letters], unk_id=0))
    backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    backend.decoder = decoders.Metaspace()
    backend.add_special_tokens(SPECIALS)
    made = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    made.chat_template = template
    return made


def word_piece(template: str | None) -> Any:
    """Lower case, no accents; spaces are in no token."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = [chr(i) for i in range(33, 127)]
    names = ["[UNK]", *letters, *(f"##{letter}" for letter in letters), "paris", "##is", "the"]
    backend = Tokenizer(models.WordPiece({name: i for i, name in enumerate(names)}, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece()
    backend.add_special_tokens(SPECIALS)
    made = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="</s>", unk_token="[UNK]", pad_token="<|pad|>")
    made.chat_template = template
    return made


def letters(template: str | None) -> Any:
    """Written in Python, without offsets: every character is a token."""
    from transformers import PreTrainedTokenizer

    class Letters(PreTrainedTokenizer):  # type: ignore[misc]  # transformers has no types
        @property
        def vocab_size(self) -> int:
            return 0x1F680

        def get_vocab(self) -> dict[str, int]:
            return {chr(i): i for i in range(1000)}

        def _tokenize(self, text: str, **kwargs: object) -> list[str]:
            return list(text)

        def _convert_token_to_id(self, token: str) -> int:
            return ord(token)

        def _convert_id_to_token(self, index: int) -> str:
            return chr(index)

        def convert_tokens_to_string(self, tokens: list[str]) -> str:
            return "".join(tokens)

    made = Letters(eos_token="<|im_end|>", pad_token="<|im_end|>", additional_special_tokens=["<|im_start|>"])
    made.chat_template = template
    return made


KINDS: dict[str, Kind] = {
    "bos added by the tokenizer and the template": Kind(byte_level(TRIMS, adds_bos=True), "<|im_end|>"),
    "no bos": Kind(byte_level(CHATML, bos=False), "<|im_end|>"),
    "pad is eos": Kind(byte_level(CHATML, eos="<|im_end|>", pad="<|im_end|>"), "<|im_end|>"),
    "no template": Kind(byte_level(None), "</s>"),
    "no template, bos added": Kind(byte_level(None, adds_bos=True), "</s>"),
    "no eos": Kind(byte_level(CHATML, eos=None), "<|im_end|>"),
    "generation marks without the end": Kind(byte_level(MARKED), "<|im_end|>"),
    "trims answers only": Kind(byte_level(TRIMS_ANSWERS), "<|im_end|>"),
    "takes thinking out": Kind(byte_level(THINKING), "<|im_end|>"),
    "tools": Kind(byte_level(TOOLS), "<|im_end|>", tools=True),
    "tools, end of sequence after everything": Kind(byte_level(TOOLS_FINAL_EOS), "<|im_end|>", tools=True),
    "end of sequence after everything": Kind(byte_level(FINAL_EOS), "<|im_end|>"),
    "refuses system turns": Kind(byte_level(NO_SYSTEM), "<|im_end|>", system=False),
    "opens a thought": Kind(byte_level(OPENS_THOUGHT), "<|im_end|>", head="<|im_start|>assistant\n"),
    "system turn last": Kind(byte_level(SYSTEM_LAST), "</s>", head="[/INST]"),
    "closes answer and turn": Kind(byte_level(CLOSES_TWICE), "</s>"),
    "byte-level pairs": Kind(trained_bpe(CHATML), "<|im_end|>"),
    "byte-level pairs, tools": Kind(trained_bpe(TOOLS), "<|im_end|>", tools=True),
    "byte-level pairs, no generation prompt": Kind(trained_bpe(SPACED), "<|im_end|>"),
    "unigram": Kind(lambda: unigram(SPACED), "</s>", bytes=False),
    "unigram, no template": Kind(lambda: unigram(None), "</s>", bytes=False),
    "word pieces": Kind(lambda: word_piece(CHATML), "<|im_end|>", bytes=False),
    "word pieces, tools": Kind(lambda: word_piece(TOOLS), "<|im_end|>", tools=True, bytes=False),
    "written in Python": Kind(lambda: letters(CHATML), "<|im_end|>", bytes=False),
}

_CALL = json.dumps([{"name": "weather", "arguments": {"city": "Paris", "days": 3}}])
_TWO_CALLS = json.dumps([{"name": "weather", "arguments": {"city": "Köln"}}, {"name": "time", "arguments": {}}])
_TOOLS = json.dumps([
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"Tells the {name}.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": []},
        },
    }
    for name in ("weather", "time")
])  # fmt: skip


def _said(answer: str, calls: str = "") -> Turn:
    return Turn("assistant", answer, trained=True, calls=calls)


ROWS: dict[str, Conversation] = {
    "alpaca with history": Conversation(
        (
            Turn("user", "What is the capital of France?"),
            _said("The capital of France is Paris."),
            Turn("user", "Translate.\n\nGrüße aus Köln 🙂"),
            _said("Greetings from Cologne 🙂."),
        )
    ),
    "sharegpt with system and tools": Conversation(
        (
            Turn("system", "Be brief."),
            Turn("user", "Weather in Paris?"),
            _said("", _CALL),
            Turn("tool", '{"sky": "clear"}'),
            _said("Clear."),
        ),
        tools=_TOOLS,
    ),
    "messages with tool calls": Conversation(
        (
            Turn("user", "Weather and time in Köln?"),
            _said("I look it up.", _TWO_CALLS),
            Turn("tool", "rain"),
            Turn("tool", "12:00"),
            _said("It rains at noon."),
            Turn("user", "And Paris?"),
            _said("Wait", _CALL),
        ),
        tools=_TOOLS,
    ),
    "messages of weight zero": Conversation(
        (Turn("user", "a"), Turn("assistant", "b"), Turn("user", "c"), _said("d"), Turn("user", "e"), _said("d"))
    ),
    "messages with a system turn": Conversation((Turn("system", "Be brief."), Turn("user", "hi"), _said("ho"))),
    "messages with thinking": Conversation(
        (Turn("user", "1+1?"), _said("<think>hm</think>2"), Turn("user", "2+2?"), _said("<think>well</think>4"))
    ),
    "prompt and completion": Conversation((Turn("user", "The sky is"), _said(" blue."))),
    "question and answer": Conversation((Turn("user", "  Who?\n"), _said("\n Me. \n"))),
    "an answer like its prompt": Conversation((Turn("user", "assistant"), _said("user\nassistant"))),
    "text": Conversation((Turn("text", "Once upon a time …\nthe end", trained=True),)),
    "preference": Conversation(
        (Turn("user", "Which is better?"), _said("This one.")), rejected=(Turn("assistant", "That one."),)
    ),
    "kto": Conversation((Turn("user", "Is it good?"), _said("It is é good.")), desirable=True),
}
"""What the rows of each format become."""


@cache
def tokenizer_of(kind: str) -> PreTrainedTokenizerBase:
    return KINDS[kind].make()
