"""What becomes of the settings when data are chosen, mixed and taken away. No widget in here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.paths import is_starter
from qlora_ui.contract.recipe import Source, Step
from qlora_ui.contract.references import FileReference, parse_reference

Knobs = dict[str, Any]
"""Knob → value."""


def as_knobs(sources: Sequence[Source]) -> Knobs:
    """The knobs that name these data; the first has knobs of its own."""
    if not sources:
        return {"dataset_path": "", "dataset_weight": 1.0, "more_data": []}
    first, *more = sources
    return {"dataset_path": first.path, "dataset_weight": first.weight, "more_data": more}


def without(sources: Sequence[Source], index: int, steps: Iterable[Step]) -> Knobs:
    """The knobs without the source at `index`.

    Rows are numbered over all sources, so single rows that were left out are others once one of the first is gone.
    """
    knobs = as_knobs([source for place, source in enumerate(sources) if place != index])
    if index < len(sources) - 1:
        knobs["data_steps"] = [step for step in steps if step.do != "drop_rows"]
    return knobs


def weighted(sources: Sequence[Source], index: int, weight: float) -> Knobs:
    """The knobs with another weight for the source at `index`."""
    changed = [
        source.model_copy(update={"weight": weight}) if place == index else source
        for place, source in enumerate(sources)
    ]
    return as_knobs(changed)


def name_of(sources: Iterable[Source]) -> str:
    """What is remembered of data is found again by this name: that of every source in a line of its own."""
    return "\n".join(_plain(source.path) for source in sources)


def _plain(path: str) -> str:
    try:
        reference = parse_reference(path)
    except ParameterError:
        return path
    if isinstance(reference, FileReference) and not is_starter(reference.path):
        reference = reference.model_copy(update={"path": str(reference.location)})
    return str(reference)
