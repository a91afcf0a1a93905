"""All rows → the examples that are trained and those that are held out, with every row accounted for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.recipe import DataQuery, HeldOut
from qlora_ui.data.prepare.near import almost_in, almost_repeated
from qlora_ui.data.prepare.prepared import Counts
from qlora_ui.data.prepare.rows import Group, Rows
from qlora_ui.data.prepare.split import split, times

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Range:
    """The rows of one source."""

    name: str
    weight: float
    numbers: range


@dataclass(frozen=True)
class Chosen:
    """Indices of examples. Those of evaluation data of their own are counted on after all of the training data's."""

    train: NDArray[np.int64]
    """By weight: some twice, some not at all."""
    held_out: NDArray[np.int64]
    counts: Counts
    groups: dict[str, Group]
    """`duplicates`, `near_duplicates`, `overlap`, `untrainable`, `truncated` → the rows it is true of."""
    untrainable: int
    """Examples."""
    left_out: dict[str, Group]
    """Step → rows."""
    problem: DataError | None
    """Why nothing can be trained."""


def choose(query: DataQuery, rows: Rows, evaluation: Rows | None, sources: Sequence[Range]) -> Chosen:
    """Leave out duplicates where that is a step, hold out, and weigh; the same arguments give the same choice."""
    is_repeated = repeated(rows.digests)
    alive = np.ones(len(rows.numbers), dtype=np.bool_)
    left_out = dict(rows.left_out)
    if query.recipe.does("remove_duplicates"):
        alive &= ~is_repeated
        left_out |= _removed("remove_duplicates", rows, is_repeated)
    is_near = almost_repeated(rows, ~is_repeated)
    if query.recipe.does("remove_near_duplicates"):
        left_out |= _removed("remove_near_duplicates", rows, alive & (is_near | is_repeated))
        alive &= ~(is_near | is_repeated)
    is_held, problem = np.zeros(len(alive), dtype=np.bool_), None
    if evaluation is None:
        is_held, problem = _hold_out(query.held_out, rows, alive, sources)
    side = _Side(rows, alive, is_held, evaluation)
    often = _often(rows, side.used, sources, query.held_out.seed)
    train = np.flatnonzero(side.trains)
    train = np.repeat(train, often[side.row_of[train]])
    counts = side.count(often, train, left_out)
    overlap = side.is_back | _near_overlap(rows, side, is_near, evaluation)
    lost = alive[side.row_of] & ~rows.learns & ~rows.is_undesired
    return Chosen(
        train=train,
        held_out=side.held_out,
        counts=counts,
        groups={
            "duplicates": Group.of(rows.numbers[is_repeated]),
            "near_duplicates": Group.of(rows.numbers[is_near]),
            "overlap": Group.of(rows.numbers[overlap]),
            "untrainable": Group.of(rows.numbers[side.row_of[lost]]),
            "truncated": Group.of(rows.numbers[side.row_of[alive[side.row_of] & rows.learns & rows.is_cut]]),
        },
        untrainable=int(np.count_nonzero(lost)),
        left_out=left_out,
        problem=problem or (None if len(train) else _nothing_trained(query, counts, sources)),
    )


def _removed(step: str, rows: Rows, which: Mask) -> dict[str, Group]:
    return {step: Group.of(rows.numbers[which])} if which.any() else {}


def _near_overlap(rows: Rows, side: _Side, is_near: Mask, evaluation: Rows | None) -> Mask:
    """Rows that are trained although they are almost equal to one that is held out."""
    if evaluation is not None:
        return almost_in(rows, side.used, evaluation, np.ones(len(evaluation.numbers), dtype=np.bool_))
    if not is_near.any() or not side.is_held.any():  # none is near another, so none is near a held-out one
        return np.zeros(len(is_near), dtype=np.bool_)
    return almost_in(rows, side.used, rows, side.is_held)


def repeated(digests: NDArray[np.bytes_]) -> Mask:
    """True for what is equal to an earlier one."""
    _, first = np.unique(digests, return_index=True)
    again = np.ones(len(digests), dtype=np.bool_)
    again[first] = False
    return again


class _Side:
    """Which examples of the training data are trained, and what keeps the others from it."""

    def __init__(self, rows: Rows, alive: Mask, is_held: Mask, evaluation: Rows | None) -> None:
        self._rows, self._alive, self.is_held, self._evaluation = rows, alive, is_held, evaluation
        self.row_of = row_of = rows.row_of
        own = np.flatnonzero(is_held[row_of])
        known = rows.example_digests[own] if evaluation is None else evaluation.example_digests
        self.trains = (alive & ~is_held)[row_of]
        # also a piece of a row that is equal to a held-out one
        again = self.trains & np.isin(rows.example_digests, known)
        self.trains = self.trains & ~again & rows.learns
        self.used = self._any(self.trains)
        """Of each row: whether anything of it can be trained."""
        self.is_back = ~self.used & self._any(again)
        held = own[rows.learns[own]]
        self.held_out = held if evaluation is None else len(row_of) + np.flatnonzero(evaluation.learns)

    def count(self, often: NDArray[np.int64], train: NDArray[np.int64], left_out: dict[str, Group]) -> Counts:
        rows, evaluation = self._rows, self._evaluation
        own = self._any(self.is_held[self.row_of] & rows.learns)
        unwanted = ~self.used & ~self.is_back & ~own & self._any(rows.is_undesired)
        dropped = self._alive & ~self.used & ~self.is_back & ~own & ~unwanted
        used = (self.trains & (often > 0)[self.row_of]) | (self.is_held[self.row_of] & rows.learns)
        counts = Counts(
            rows=rows.total,
            rows_train=int(np.count_nonzero(often)),
            rows_validation=int(np.count_nonzero(own)),
            rows_dropped=int(np.count_nonzero(dropped)),
            rows_held_back=int(np.count_nonzero(self.is_back)),
            rows_left_out=sum(group.count for group in left_out.values()),
            rows_bad=rows.bad.count,
            rows_undesired=int(np.count_nonzero(self._alive & unwanted)),
            rows_not_drawn=int(np.count_nonzero(self.used & (often == 0))),
            rows_truncated=int(np.count_nonzero(self._any(rows.is_cut & used))),
            examples=len(train),
            tokens=int(rows.kept[train].sum(dtype=np.int64)) if rows.has_tokens else 0,
            tokens_trained=int(rows.learnt[train].sum(dtype=np.int64)) if rows.has_tokens else 0,
            dropped=[rows.places[number] for number in rows.numbers[dropped].tolist() if number in rows.places],
            bad=list(rows.bad_places),
        )
        if evaluation is not None:
            of_rows = partial(_any, row_of=evaluation.row_of, rows=len(evaluation.numbers))
            scored, cut = of_rows(evaluation.learns), of_rows(evaluation.is_cut & evaluation.learns)
            undesired = ~scored & of_rows(evaluation.is_undesired)
            counts.rows_validation += int(np.count_nonzero(scored))
            counts.rows_undesired += int(np.count_nonzero(undesired))
            counts.rows_dropped += int(np.count_nonzero(~scored & ~undesired))
            counts.rows_validation_bad = evaluation.bad.count
            counts.bad += evaluation.bad_places
            counts.rows_truncated += int(np.count_nonzero(cut))
        return counts

    def _any(self, examples: Mask) -> Mask:
        return _any(examples, self.row_of, len(self._rows.numbers))


def _any(examples: Mask, row_of: NDArray[np.int64], rows: int) -> Mask:
    """Of each row: whether it is true of one of its examples."""
    found = np.zeros(rows, dtype=np.bool_)
    found[row_of[examples]] = True
    return found


def _hold_out(held_out: HeldOut, rows: Rows, alive: Mask, sources: Sequence[Range]) -> tuple[Mask, DataError | None]:
    """Which rows are held out, and why that cannot be done as it was asked."""
    living = np.flatnonzero(alive)
    wanted = held_out.rows
    if wanted is None:
        wanted = max(1, round(held_out.share * len(living))) if held_out.share > 0 else 0
    is_held = np.zeros(len(alive), dtype=np.bool_)
    is_held[living[split(rows.groups[living], wanted, held_out.seed)]] = True
    name = sources[0].name
    if held_out.rows and held_out.rows >= len(living) > 0:
        problem = f"{held_out.rows:,} rows are to be held out, but there are only {len(living):,}."
        return is_held, DataError(f"{name}: {problem}", "Hold out fewer, so that some are left to train.", name)
    if wanted and held_out.column and not is_held.any() and len(living):
        problem = f"all rows have the same value in the column {held_out.column}, so none can be held out alone."
        return is_held, DataError(f"{name}: {problem}", "Choose another column, or none.", name)
    return is_held, None


def _often(rows: Rows, used: Mask, sources: Sequence[Range], seed: int) -> NDArray[np.int64]:
    """How often each row goes in."""
    often = used.astype(np.int64)
    for index, source in enumerate(sources):
        first, end = np.searchsorted(rows.numbers, [source.numbers.start, source.numbers.stop])
        drawn = first + np.flatnonzero(used[first:end])
        if source.weight != 1:
            often[drawn] = times(len(drawn), source.weight, np.random.default_rng([seed, index]))
    return often


def _nothing_trained(query: DataQuery, counts: Counts, sources: Sequence[Range]) -> DataError:
    file, left = sources[0].name, counts.rows - counts.rows_bad - counts.rows_left_out
    if left <= 0:
        problem = "no row is left to train: all are left out by the steps, or cannot be used."
        return DataError(f"{file}: {problem}", "Look at the rows in the inspector, and take a step away.", file)
    if counts.rows_held_back == left:
        problem = "every row is in the evaluation file as well, so none is left to train."
        return DataError(f"{file}: {problem}", "Use different rows to evaluate.", file)
    problem = f"no row has a token to train; rows are cut at {query.recipe.max_length} tokens."
    hint = "If they are cut before the answer, raise the longest example (max_length) or shorten the prompts."
    return DataError(f"{file}: {problem}", hint, file)
