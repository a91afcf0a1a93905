"""What the glossary says of one word."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """One entry. The texts are English and marked for the catalogs: show them through `_`."""

    name: str
    question: str
    """What a person may ask, whole, because languages build it differently: `What is a base model?`"""
    meaning: str
    docs: str = ""
    """The page of the docs that says more, as in `/help/<docs>`; empty when none does."""
