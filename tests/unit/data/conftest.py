"""Tiny tokenizers whose ids can be worked out by hand, with the kinds of chat template that models come with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

SPECIALS = ["<|pad|>", "<|bos|>", "<|end|>", "<|im_start|>", "<|im_end|>"]
"""Their ids are 256 and up; below are the 256 bytes in the alphabet's order."""

MakeTokenizer = Callable[..., "PreTrainedTokenizerFast"]
WriteRows = Callable[..., Path]


@pytest.fixture
def byte_tokenizer() -> MakeTokenizer:
    """Every byte is a token; `template`, `eos`, `bos`, `pad` and `adds_bos` as asked."""

    def make(
        template: str | None = None,
        *,
        eos: str | None = "<|end|>",
        bos: str | None = "<|bos|>",
        pad: str | None = "<|pad|>",
        adds_bos: bool = False,
    ) -> PreTrainedTokenizerFast:
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
        from transformers import PreTrainedTokenizerFast

        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        backend = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(alphabet)}, merges=[]))
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        backend.decoder = decoders.ByteLevel()
        backend.add_special_tokens(SPECIALS)
        if adds_bos:
            backend.post_processor = processors.TemplateProcessing(
                single="<|bos|> $A", special_tokens=[("<|bos|>", 257)]
            )
        made = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token=bos, eos_token=eos, pad_token=pad)
        made.chat_template = template
        return made

    return make


@pytest.fixture
def spaced_tokenizer() -> MakeTokenizer:
    """In the manner of SentencePiece: words carry the space before them as `▁`."""

    def make(template: str | None = None) -> PreTrainedTokenizerFast:
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers
        from transformers import PreTrainedTokenizerFast

        letters = [(letter, -10.0) for letter in "▁abcdefghijklmnopqrstuvwxyz[]/INST.?#:\n"]
        words = [("▁hello", -1.0), ("▁yes", -1.0), ("▁[INST]", -1.0), ("▁[/INST]", -1.0)]
        vocabulary = [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0), *words, *letters]
        backend = Tokenizer(models.Unigram(vocabulary, unk_id=0))
        backend.pre_tokenizer = pre_tokenizers.Metaspace()
        backend.decoder = decoders.Metaspace()
        made = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
        made.chat_template = template
        return made

    return make


@pytest.fixture
def write_rows(tmp_path: Path) -> WriteRows:
    """Write objects as JSON Lines."""

    def write(*rows: Any, name: str = "train.jsonl") -> Path:
        file = tmp_path / name
        file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        return file

    return write
