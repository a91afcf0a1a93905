"""Answers: what a model writes after a prompt, always taking the likeliest token (greedy)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import GenerationConfig, PreTrainedTokenizerBase

from qlora_ui.data.encoding.tokens import IGNORED, Example
from qlora_ui.worker.devices import Device
from qlora_ui.worker.scores.scoring import inference


class Writer:
    """Writes answers to batches of prompts with one model."""

    def __init__(
        self, model: Any, tokenizer: PreTrainedTokenizerBase, device: Device, examples: Sequence[Example] = ()
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._device = device
        self._stops = _stop_tokens(model, tokenizer, examples)
        # The model's own settings would be added to those of `write`: a penalty on repetition is no likeliest token.
        model.generation_config = GenerationConfig()
        self._pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else self._stops[0]

    def write(self, prompts: Sequence[Sequence[int]], max_new_tokens: int) -> list[str]:
        """The answers to prompts given as token ids, without special tokens and surrounding white space."""
        longest = max(len(prompt) for prompt in prompts)
        ids = torch.tensor([[self._pad] * (longest - len(prompt)) + list(prompt) for prompt in prompts])
        mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
        settings = GenerationConfig(
            do_sample=False, max_new_tokens=max_new_tokens, eos_token_id=self._stops, pad_token_id=self._pad
        )
        with inference(self._model, self._device):
            written = self._model.generate(
                input_ids=ids.to(self._device.torch_name),
                attention_mask=mask.to(self._device.torch_name),
                generation_config=settings,
            )
        return [self._text(row[longest:]) for row in written]

    def _text(self, ids: torch.Tensor) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)).strip()


def _stop_tokens(model: Any, tokenizer: PreTrainedTokenizerBase, examples: Sequence[Example]) -> list[int]:
    """The model's and the tokenizer's end tokens, and the one that training rows end an answer with."""
    configured = model.generation_config.eos_token_id
    stops = set(configured if isinstance(configured, list) else [configured]) | {tokenizer.eos_token_id}
    special = set(tokenizer.all_special_ids) | {
        number for number, token in tokenizer.added_tokens_decoder.items() if token.special
    }
    for example in examples[:8]:
        trained = [label for label in example.labels if label != IGNORED]
        if trained and not example.truncated and trained[-1] in special:
            stops.add(trained[-1])
    return sorted(number for number in stops if number is not None) or [0]
