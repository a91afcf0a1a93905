"""The same prompts, answered at each evaluation: what a person sees of the progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from qlora_ui.contract.events import Sample
from qlora_ui.data.encoding.tokens import prompt_of, render_prompt
from qlora_ui.data.prepare import Prepared
from qlora_ui.worker.report import Report
from qlora_ui.worker.scores.generation import Writer

HELD_OUT = 2
"""Held-out rows that are answered where no prompts were given."""
_TOKENS = 64
_AT_ONCE = 4
"""Prompts that are answered together; in between a request to stop is heard."""


@dataclass(frozen=True)
class Prompt:
    """One of them; `reference` is the answer of the row, if it is one."""

    text: str
    ids: list[int]
    reference: str = ""


def prompts_of(own: list[str], data: Prepared, tokenizer: PreTrainedTokenizerBase) -> list[Prompt]:
    """A person's own prompts, or else the first held-out rows that are within the longest length.

    Prompts of a training on plain text are texts that are written on; else each is a message of a user. Raises
    DataError when the chat template refuses a prompt.
    """
    if own:
        return [Prompt(text, _own(text, data, tokenizer)) for text in own]
    prompts = []
    for asked in data.validation_prompts[:HELD_OUT]:
        if (pair := prompt_of(asked)) is not None:
            messages, reference = pair
            ids = render_prompt(messages, tokenizer, asked.tools)
            prompts.append(Prompt(messages[-1]["content"], ids, reference))
    return prompts


def show(report: Report, writer: Writer, prompts: list[Prompt], step: int, check: Callable[[], None]) -> None:
    """Report what the model answers now, in the order of the prompts. `check` may raise to end it."""
    for start in range(0, len(prompts), _AT_ONCE):
        check()
        some = prompts[start : start + _AT_ONCE]
        for prompt, answer in zip(some, writer.write([prompt.ids for prompt in some], _TOKENS), strict=True):
            report(Sample(step=step, prompt=prompt.text, answer=answer, reference=prompt.reference))


def _own(text: str, data: Prepared, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    if data.template:
        return render_prompt([{"role": "user", "content": text}], tokenizer)
    ids: list[int] = tokenizer(text, verbose=False).input_ids
    return ids
