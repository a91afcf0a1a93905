"""What a job is given to compute with: prepared data, single rows, and the tokenizer with the template that fits."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from qlora_ui.contract.events import Log
from qlora_ui.contract.inspection import SurveyProgress
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.references import HUB
from qlora_ui.data.encoding.tokenizer import load_tokenizer
from qlora_ui.data.prepare import Prepared, prepare
from qlora_ui.worker.context import Context

PROGRESS_SECONDS = 1.0
"""Between two words on how far the tokens are."""
PLACES = 5
"""Rows that a line of the log names."""


def prepare_data(context: Context, parameters: TrainingParameters, tokenizer: PreTrainedTokenizerBase) -> Prepared:
    """The data as tokens, from the cache where they were prepared before; says how far it is, and what was left out."""
    told = time.monotonic()

    def tell(progress: SurveyProgress) -> None:
        nonlocal told
        context.control.check()
        if time.monotonic() - told >= PROGRESS_SECONDS:
            told = time.monotonic()
            context.phase("data", _so_far(progress))

    if any(source.path.startswith(HUB) for source in parameters.recipe.sources):
        context.phase("data", "It has the data of the hub fetched, unless they are on this machine already.")
    data = prepare(parameters.query, tokenizer, cache=context.workspace.prepared, on_progress=tell)
    if data.survey.from_cache:
        context.report(Log(message="The data were prepared before: their tokens come from the cache."))
    counts = data.counts
    if skipped := counts.rows_bad + counts.rows_validation_bad:
        context.warn(f"{skipped:,} rows that cannot be used were skipped: {some(counts.bad)}.")
    if counts.rows_held_back:
        context.report(Log(message=f"{counts.rows_held_back:,} rows are not trained: they are held out as well."))
    if counts.rows_left_out:
        context.report(Log(message=f"{counts.rows_left_out:,} rows were left out by the steps of the recipe."))
    if counts.rows_undesired:
        context.report(Log(message=f"{counts.rows_undesired:,} rows are marked as not wanted and were left out."))
    return data


def _so_far(progress: SurveyProgress) -> str:
    share = f" ({progress.bytes / progress.bytes_total:.0%})" if progress.bytes_total else ""
    return f"It turns the data into tokens: {progress.rows:,} rows{share}."


def some(places: Sequence[str]) -> str:
    """The first few places, so that a line of the log stays a line."""
    return ", ".join(places[:PLACES]) + (" …" if len(places) > PLACES else "")


def adapters_tokenizer(
    model_name: str, adapter: str | Path, offline: bool, chat_template: str = ""
) -> PreTrainedTokenizerBase:
    """The tokenizer of the base with the chat template that the adapter was trained with, unless another is chosen.

    Raises ModelError like `load_tokenizer`.
    """
    trained_with = _template_of(Path(adapter).expanduser()) if adapter else ""
    return load_tokenizer(model_name, offline, chat_template or trained_with)


def _template_of(adapter: Path) -> str:
    """The chat template that lies beside an adapter; empty for none."""
    try:
        return (adapter / "chat_template.jinja").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        pass
    try:
        template = json.loads((adapter / "tokenizer_config.json").read_bytes()).get("chat_template")
    except (OSError, ValueError, AttributeError):
        return ""
    return template if isinstance(template, str) else ""
