"""What each kind of finding says to a person, and which steps would do away with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qlora_ui.contract.inspection import Finding, Level, Mend
from qlora_ui.contract.recipe import Step

ROWS_NAMED = 50
"""How many rows a finding names at most."""


def finding(
    kind: str, rows: Sequence[int] = (), count: int | None = None, *, level: Level | None = None, **facts: Any
) -> Finding:
    """The finding of that kind.

    `rows`: the numbers of the first rows it is true of, or of all; `count`: how many there are, where that is more.
    `level`: instead of the usual one. `facts`: what the sentences have places for; see `FACTS`. Where all rows are
    known and taking them out would help, that is offered as well.
    """
    told = _KINDS[kind]
    count = len(rows) if count is None else count
    mends = [_MENDS[name] for name in told.mends]
    if told.can_drop and 0 < count == len(rows):
        mends.append(Mend(step=Step(do="drop_rows", rows=tuple(rows)), label="Drop these rows"))
    return Finding(
        kind=kind,
        level=level or told.level,
        message=told.message.format_map(facts),
        hint=told.hint.format_map(facts),
        rows=list(rows[:ROWS_NAMED]),
        count=count,
        mends=mends,
    )


def gravest_first(findings: list[Finding]) -> list[Finding]:
    """Errors, warnings, notes; within each what must not get out first, then what concerns the most rows."""
    return sorted(findings, key=lambda one: (_GRAVITY.index(one.level), one.kind not in _PRIVATE, -one.count))


_PRIVATE = ("secrets", "personal")
_GRAVITY: tuple[Level, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class _Kind:
    level: Level
    message: str
    hint: str = ""
    mends: tuple[str, ...] = ()
    """Keys of `_MENDS`."""
    can_drop: bool = False
    """Leaving out its rows one by one is a way to deal with it."""


_MENDS = {
    "skip_bad_rows": Mend(step=Step(do="skip_bad_rows"), label="Skip these rows"),
    "repair_encoding": Mend(step=Step(do="repair_encoding"), label="Repair the text"),
    "trim_space": Mend(step=Step(do="trim_space"), label="Trim the space"),
    "mend_order": Mend(step=Step(do="mend_order"), label="Put the turns in order"),
    "mask_secrets": Mend(step=Step(do="mask_secrets"), label="Mask them"),
    "drop_empty": Mend(step=Step(do="drop_empty"), label="Drop rows with an empty answer"),
    "cut_at_turn": Mend(step=Step(do="cut_at_turn"), label="Cut at a turn"),
    "split_long": Mend(step=Step(do="split_long"), label="Split long rows"),
    "drop_long": Mend(step=Step(do="drop_long"), label="Drop long rows"),
    "remove_duplicates": Mend(step=Step(do="remove_duplicates"), label="Remove duplicates"),
    "remove_near_duplicates": Mend(step=Step(do="remove_near_duplicates"), label="Remove near duplicates"),
}

_KINDS = {
    "bad_rows": _Kind("error", "{problem}", "{hint}", ("skip_bad_rows",)),
    "order": _Kind("error", "{problem}", "{hint}", ("mend_order", "skip_bad_rows")),
    "empty_answer": _Kind(
        "error",
        "The answer of these rows is empty, so there is nothing to learn.",
        "Fill it in, or leave the rows out.",
        ("drop_empty",),
    ),
    "untrainable": _Kind(
        "warning",
        "No token of these rows would be trained; rows are cut at {max_length} tokens.",
        "Training leaves them out. If they are cut before the answer, raise the longest example.",
    ),
    "truncated": _Kind(
        "warning",
        "These rows are cut at {max_length} tokens, so their end is not learnt.",
        "Raise the longest example, which takes more memory, or shorten the rows.",
        ("split_long", "cut_at_turn", "drop_long"),
    ),
    "long_answer": _Kind(
        "warning",
        "One answer of these rows alone has more than {max_length} tokens, so it is never learnt whole.",
        "Raise the longest example, or leave these rows out: a model that sees no end learns none.",
        ("drop_long",),
    ),
    "duplicates": _Kind(
        "warning",
        "These rows are equal to an earlier one.",
        "They are trained as often as they are there. Take them out unless they should weigh more.",
        ("remove_duplicates",),
    ),
    "near_duplicates": _Kind(
        "warning",
        "These rows are almost equal to an earlier one.",
        "The model sees them nearly as often as if they were equal. Look at a few, and take them out unless their "
        "small differences are what it should learn.",
        ("remove_near_duplicates",),
    ),
    "overlap": _Kind(
        "warning",
        "These rows are equal, or almost equal, to rows that are held out.",
        "Equal ones are not trained. Almost equal ones are, and make the evaluation look better than it is: take them "
        "out. If rows belong together, hold out by a column that groups them.",
        can_drop=True,
    ),
    "pieces_lost": _Kind(
        "warning",
        "Parts of these rows are left out: they hold nothing to learn, or are too long even after the split.",
    ),
    "control_tokens": _Kind(
        "warning",
        "The text of these rows contains a control token of the model, which it reads as such.",
        "Take it out of the text: the chat template puts in what is needed.",
        can_drop=True,
    ),
    "damaged": _Kind(
        "warning",
        "The text of these rows is damaged: letters decoded wrongly (é as Ã©), lost (�), or control characters.",
        "What was decoded wrongly can be repaired. What is lost cannot: look at these rows in their source.",
        ("repair_encoding",),
        can_drop=True,
    ),
    "secrets": _Kind(
        "warning",
        "These rows seem to contain secrets: keys, passwords, or numbers of cards or accounts.",
        "A model may repeat word by word what it was trained on. Mask them, and have keys that are in use replaced.",
        ("mask_secrets",),
        can_drop=True,
    ),
    "personal": _Kind(
        "warning",
        "These rows seem to contain e-mail addresses or telephone numbers.",
        "A model may repeat word by word what it was trained on. Mask them unless they are meant to be known.",
        ("mask_secrets",),
        can_drop=True,
    ),
    "placeholder": _Kind(
        "warning",
        "These rows contain a placeholder, a name in double braces, that was never filled in.",
        "Fill it in where the data was made, or leave the rows out.",
        can_drop=True,
    ),
    "few_rows": _Kind(
        "warning",
        "So few examples ({examples}) are rather learned by heart than learned from.",
        "Add more, or train for few epochs and compare with rows that are held out.",
    ),
    "spaces": _Kind(
        "note",
        "An answer of these rows starts or ends with white space, which the model learns to write.",
        "Trim it unless it is meant.",
        ("trim_space",),
    ),
    "system_folded": _Kind(
        "note", "The model knows no system turn, so its text is put at the head of the first user turn."
    ),
    "end_added": _Kind(
        "note", "The model's chat template ends an answer with no token; its end of sequence is put behind it."
    ),
    "undesired": _Kind(
        "note",
        "The answers of these rows are marked as not wanted, so they are not trained.",
        "Supervised training learns from wanted answers only.",
    ),
    "rejected_ignored": _Kind(
        "note",
        "These rows have a rejected answer, which is not used: the chosen one is trained.",
        "Supervised training learns from wanted answers only.",
    ),
    "unused_columns": _Kind("note", "These columns are not used: {columns}."),
}

KINDS = frozenset(_KINDS)

FACTS = {
    "bad_rows": ("problem", "hint"),
    "order": ("problem", "hint"),
    "untrainable": ("max_length",),
    "truncated": ("max_length",),
    "long_answer": ("max_length",),
    "few_rows": ("examples",),
    "unused_columns": ("columns",),
}
"""Kind → what has to be told besides its rows."""
