"""How the places of bad data are named."""

from __future__ import annotations

from qlora_ui.contract.errors import DataError


def data_error(place: str, problem: str, hint: str = "") -> DataError:
    """A DataError whose message starts with its place: `train.jsonl, line 17: the value is no object.`"""
    return DataError(f"{place}: {problem}", hint, place)


def problem_of(error: DataError) -> str:
    """What is wrong, without the place: equal for the same mistake in two rows."""
    return error.message.removeprefix(f"{error.place}: ")
