"""The steps of a recipe, carried out on one conversation.

The order is that of `contract.recipe.StepName`, whatever the recipe's. `skip_bad_rows`, `remove_duplicates` and
`remove_near_duplicates` concern all rows together: who goes through these carries them out. Each step gives the same
when it is carried out once more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from qlora_ui.contract.recipe import Recipe, StepName
from qlora_ui.data.checks.encoding import repaired
from qlora_ui.data.checks.rows import is_empty
from qlora_ui.data.checks.secrets import mask_secrets
from qlora_ui.data.conversation import Conversation
from qlora_ui.data.steps.length import Length, cut_at_turn, split_long
from qlora_ui.data.steps.order import mend_order
from qlora_ui.data.steps.text import change_text


@dataclass(frozen=True, slots=True)
class Applied:
    """What the steps made of a conversation."""

    conversations: tuple[Conversation, ...]
    """Mostly one; several where it was split; none where it is left out."""
    left_out: StepName | Literal[""] = ""
    """Which step left it out."""
    pieces_lost: int = 0
    """Pieces of it that were left out while others were kept: they hold nothing to learn, or are too long."""


class Steps:
    """The steps of one recipe, made ready once for many rows."""

    def __init__(self, recipe: Recipe, length: Length | None = None) -> None:
        """`length` counts the tokens of a conversation, before any cut. Without it, as without a tokenizer, the steps
        that go by length do nothing."""
        self._dropped = recipe.rows_dropped
        self._changes = [change for name, change in _CHANGES.items() if recipe.does(name)]
        self._drops_empty = recipe.does("drop_empty")
        self._cuts, self._splits, self._drops_long = (
            length is not None and recipe.does(name) for name in ("cut_at_turn", "split_long", "drop_long")
        )
        self._length = length or (lambda conversation: 0)
        self._max_length = recipe.max_length

    def apply(self, conversation: Conversation) -> Applied:
        if conversation.number in self._dropped:
            return Applied((), "drop_rows")
        for change in self._changes:
            conversation = change(conversation)
        if self._drops_empty and any(is_empty(turn) for turn in conversation.turns):
            return Applied((), "drop_empty")
        if self._cuts:
            conversation = cut_at_turn(conversation, self._length, self._max_length)
        conversations, lost = [conversation], 0
        if self._splits:
            conversations, lost = split_long(conversation, self._length, self._max_length)
        if self._drops_long:
            fitting = [one for one in conversations if self._length(one) <= self._max_length]
            conversations, lost = fitting, lost + len(conversations) - len(fitting)
        if not conversations:
            return Applied((), "drop_long")
        return Applied(tuple(conversations), pieces_lost=lost)


def apply(conversation: Conversation, recipe: Recipe, length: Length | None = None) -> Applied:
    """The same for a single conversation; for many rows, make `Steps` once."""
    return Steps(recipe, length).apply(conversation)


_CHANGES: dict[StepName, Callable[[Conversation], Conversation]] = {
    "repair_encoding": lambda conversation: change_text(conversation, repaired, calls=True),
    "trim_space": lambda conversation: change_text(conversation, str.strip),
    "mend_order": mend_order,
    "mask_secrets": lambda conversation: change_text(conversation, mask_secrets, calls=True),
}
