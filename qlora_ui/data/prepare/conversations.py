"""Rows as conversations, held in memory: for the few hundred rows that an evaluation asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.recipe import Recipe
from qlora_ui.data.conversation import Conversation
from qlora_ui.data.formats.detect import Detected
from qlora_ui.data.prepare.opened import Side
from qlora_ui.data.prepare.work import Task
from qlora_ui.data.readers.rows import BadRow

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Loaded:
    """Rows as conversations, in their order."""

    conversations: list[Conversation]
    detected: Detected
    """Of the first source."""
    rows: int
    """All, also those that came to nothing."""
    left_out: int = 0
    """By steps."""
    bad: list[str] = field(default_factory=list)
    """The places of the rows that were skipped because they cannot be used."""


def load(
    recipe: Recipe,
    tokenizer: PreTrainedTokenizerBase | None = None,
    *,
    offline: bool = False,
    after_row: Callable[[], None] = lambda: None,
) -> Loaded:
    """All rows of the sources as conversations, after the recipe's steps; those that look at several rows at once
    (duplicates) and weights are no matter here.

    Raises DataError, with its place, at the first row that cannot be used, unless the recipe skips such rows.
    """
    side = Side.open(recipe.sources, offline)
    understood = side.understand(recipe)
    for one in understood:
        if one.doubt is not None:
            raise one.doubt
    tasks = [Task(recipe, one.detected, tokenizer, checks=False) for one in understood]
    conversations: list[Conversation] = []
    bad: list[str] = []
    rows = left_out = 0
    for source, block in side.blocks():
        for row in block.rows():
            after_row()
            rows += 1
            try:
                if isinstance(row, BadRow):
                    raise row.error
                applied = tasks[source].conversations(row)
            except DataError as error:
                if not recipe.does("skip_bad_rows"):
                    raise
                bad.append(error.place)
                continue
            left_out += bool(applied.left_out)
            conversations += applied.conversations
    return Loaded(conversations, tasks[0].detected, rows, left_out, bad)
