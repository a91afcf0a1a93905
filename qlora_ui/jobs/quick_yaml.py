"""Frozen parameters of thousands of runs, read at the start of the app: what they have in common is parsed once."""

from __future__ import annotations

import re
from copy import deepcopy
from functools import lru_cache
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it was built
_NEXT_ENTRY = re.compile(r"^(?=[a-z_])", re.MULTILINE)
_FOREIGN = re.compile(r"^[^a-z_ \n-]", re.MULTILINE)
"""A line that neither begins an entry of a plain mapping nor goes on with one."""
_TEXT = re.compile(r"([a-z_]+): ([A-Za-z/](?:[\w ./-]*[\w.])?)\n", re.ASCII)
"""An entry that is a text, or one of the words that YAML takes for something else."""
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def load_mapping(text: str) -> Any:
    """What YAML's safe loader makes of a text; quick for a plain mapping whose entries were met before.

    Raises yaml.YAMLError.
    """
    before, *entries = _NEXT_ENTRY.split(text)
    if entries and not before and not _FOREIGN.search(text):
        values: dict[str, Any] = {}
        try:
            for entry in entries:
                values.update(_text_in(entry) or _entry(entry))
        except (yaml.YAMLError, ValueError):
            pass  # its entries do not stand for themselves
        else:
            own = {name: deepcopy(value) for name, value in values.items() if isinstance(value, list | dict)}
            return values | own
    return yaml.load(text, _LOADER)  # noqa: S506  # a safe one


def _text_in(entry: str) -> dict[str, str] | None:
    found = _TEXT.fullmatch(entry)
    return {found[1]: found[2]} if found and found[2].lower() not in _WORDS else None


@lru_cache(4096)
def _entry(text: str) -> dict[str, Any]:
    """One entry. Raises ValueError or yaml.YAMLError for what is none."""
    value = yaml.load(text, _LOADER)  # noqa: S506  # a safe one
    if not isinstance(value, dict):
        raise ValueError("no entry of a mapping")
    return value
