"""Rows, queries and what to compare of what is prepared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qlora_ui.contract.recipe import DataQuery, HeldOut, Recipe, Source, Step
from qlora_ui.data.prepare import Examples


def row(ask: str, answer: str = "ho", **more: Any) -> dict[str, Any]:
    return {"question": ask, "answer": answer, **more}


def query(
    *files: Path | tuple[Path, float], held_out: HeldOut | None = None, steps: str = "", **recipe: Any
) -> DataQuery:
    """`steps`: names, with spaces between."""
    weighed = (file if isinstance(file, tuple) else (file, 1.0) for file in files)
    sources = tuple(Source(path=str(path), weight=weight) for path, weight in weighed)
    done = tuple(Step.model_validate({"do": name}) for name in steps.split())
    return DataQuery(recipe=Recipe(sources=sources, steps=done, **recipe), held_out=held_out or HeldOut())


def texts(examples: Examples) -> list[str]:
    """The question in each example, as the byte tokenizer and the plain template write it."""
    return [_question(example.input_ids) for example in examples]


def _question(ids: list[int]) -> str:
    from tokenizers import pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    letters = "".join(alphabet[i] for i in ids if i < len(alphabet)).replace("Ċ", "\n").replace("Ġ", " ")
    return letters.removeprefix("### User:\n").partition("\n\n### Assistant:")[0]
