"""Preparing: look in the cache, and else go through all blocks once, choose, survey and keep the result."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, nullcontext, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.inspection import Survey, SurveyProgress, Understanding
from qlora_ui.contract.recipe import DataQuery, Source
from qlora_ui.data.conversation import Conversation
from qlora_ui.data.formats.detect import Detected
from qlora_ui.data.prepare.cache import Cache, writing
from qlora_ui.data.prepare.choose import Chosen, choose
from qlora_ui.data.prepare.fingerprint import data_fingerprint, whole_fingerprint
from qlora_ui.data.prepare.opened import Side
from qlora_ui.data.prepare.pool import Dealt, do_blocks
from qlora_ui.data.prepare.prepared import (
    Counts,
    Examples,
    Prepared,
    Tokens,
    dump_conversation,
    load_conversation,
)
from qlora_ui.data.prepare.rows import Gatherer, Rows, TokenFiles
from qlora_ui.data.prepare.survey import bad_findings, make_survey
from qlora_ui.data.prepare.work import Task
from qlora_ui.data.templates.render import template_source

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

OnProgress = Callable[[SurveyProgress], None]
"""Called several times a second; may raise to give up."""

PROMPTS = 8
"""Held-out conversations that are kept as such."""


def prepare(
    query: DataQuery,
    tokenizer: PreTrainedTokenizerBase | None,
    *,
    cache: Path | None = None,
    on_progress: OnProgress = lambda _: None,
    processes: int | None = None,
    strict: bool = True,
    checks: bool = True,
) -> Prepared:
    """Read, mend, tokenise, split and weigh the data of a query: the same query gives the same result, to the last bit.

    `tokenizer` is that of `query.model` with the recipe's chat template; None surveys the rows without tokens. `cache`
    is the folder of prepared data; without one they live as long as the result. By default all cores are used, but for
    small data, which are done in this process. Where it gives up, nothing stays behind: no process, and no file.

    Raises DataError when the data cannot be read. `strict`, as a training wants it, also raises it for the first row
    that cannot be used, unless the recipe skips such rows, and when nothing is left to train; else these are findings.
    Without `checks` the text of the rows is not looked at, and near duplicates are not told.
    """
    training = Side.open(query.recipe.sources, query.offline)
    path = query.held_out.path
    evaluation = Side.open([Source(path=path)], query.offline) if path else None
    with nullcontext(cache) if cache else tempfile.TemporaryDirectory(prefix="qlora-ui-") as folder:
        kept = Cache(Path(folder))
        making = _Making(query, tokenizer, training, evaluation, kept, on_progress, processes, checks)
        prepared = making.find() or making.make(strict)
        if strict and making.problem is not None:
            raise making.problem
        return prepared


class _Making:
    def __init__(
        self,
        query: DataQuery,
        tokenizer: PreTrainedTokenizerBase | None,
        training: Side,
        evaluation: Side | None,
        cache: Cache,
        on_progress: OnProgress,
        processes: int | None,
        checks: bool,
    ) -> None:
        self._query, self._tokenizer, self._cache = query, tokenizer, cache
        self._sides = [training] if evaluation is None else [training, evaluation]
        self._gathered = [Gatherer() for _ in self._sides]
        self._on_progress, self._processes, self._checks = on_progress, processes, checks
        remember = cache.remembered
        self._prints = [data_fingerprint(side.sources, remember) for side in self._sides]
        others = evaluation.sources if evaluation else []
        self._fingerprint = whole_fingerprint(query, training.sources, others, tokenizer, checks, remember)
        self._began = time.perf_counter()
        self._side_of: list[int] = []
        """Task → its side; a side has a task for each of its sources."""
        self._doubt: DataError | None = None
        self.problem: DataError | None = None
        """Why this cannot be trained."""

    def find(self) -> Prepared | None:
        """What was prepared before, if it is whole."""
        found = self._cache.find(self._fingerprint)
        if found is None:
            return None
        with suppress(OSError, ValidationError, ValueError, KeyError, TypeError):  # as good as none
            return self._open(*found, from_cache=True)
        return None

    def make(self, strict: bool) -> Prepared:
        with self._cache.making(self._fingerprint) as folder:
            tasks = [task for side in range(len(self._sides)) for task in self._tasks(side)]
            if strict and self._doubt is not None:
                raise self._doubt
            tokens = TokenFiles(folder)
            with closing(tokens):
                self._gather(tasks, tokens, strict)
            rows, *others = (gatherer.rows() for gatherer in self._gathered)
            evaluation = others[0] if others else None
            chosen = choose(self._query, rows, evaluation, self._sides[0].ranges())
            notes = self._notes(tasks, rows, evaluation, chosen)
            with writing(folder.parent):
                _write_arrays(folder, rows, evaluation, chosen)
                kept = self._cache.keep(folder, self._fingerprint, notes)
            return self._open(kept, notes, from_cache=False)

    def _tasks(self, side: int) -> Iterator[Task]:
        """What is done to the blocks of each source of a side."""
        recipe, column = self._query.recipe, self._query.held_out.column
        if side:  # the numbers of single rows, and the column that groups them, are those of the training data
            recipe, column = recipe.without("drop_rows"), ""
        for understood in self._sides[side].understand(recipe):
            self._doubt = self._doubt or understood.doubt
            self._side_of.append(side)
            yield Task(recipe, understood.detected, self._tokenizer, column, self._checks)

    def _gather(self, tasks: Sequence[Task], tokens: TokenFiles, strict: bool) -> None:
        """Go through all blocks. Raises DataError at the first bad row when that is asked for."""
        stops = strict and not self._query.recipe.does("skip_bad_rows")
        with closing(do_blocks(tasks, self._dealt(), self._processes, self._tell)) as results:
            for index, done in results:
                if stops and done.bad:
                    raise done.bad[0].error
                with writing(tokens.folder):
                    tokens.add(done)
                self._gathered[self._side_of[index]].add(done)
        self._tell()

    def _dealt(self) -> Iterator[Dealt]:
        for number, side in enumerate(self._sides):
            first = self._side_of.index(number)
            for source, block in side.blocks():
                yield first + source, block

    def _tell(self) -> None:
        sizes = [side.bytes for side in self._sides]
        self._on_progress(
            SurveyProgress(
                rows=sum(gatherer.total for gatherer in self._gathered),
                bytes=sum(gatherer.bytes for gatherer in self._gathered),
                bytes_total=None if None in sizes else sum(size for size in sizes if size is not None),
                findings=bad_findings(self._gathered[0].problems, numbered=True),
            )
        )

    def _notes(self, tasks: Sequence[Task], rows: Rows, evaluation: Rows | None, chosen: Chosen) -> dict[str, Any]:
        survey = make_survey(self._query, self._understood(tasks), self._tokenizer, rows, evaluation, chosen)
        seconds = time.perf_counter() - self._began
        survey = survey.model_copy(update={"fingerprint": self._fingerprint, "seconds": seconds})
        skips = self._query.recipe.does("skip_bad_rows")
        bad = next((side.first_bad for side in (rows, evaluation) if side and side.first_bad and not skips), None)
        problem = self._doubt or bad or chosen.problem
        return {
            "survey": survey.model_dump(mode="json"),
            "counts": asdict(chosen.counts),
            "understanding": tasks[0].detected.view().model_dump(mode="json"),
            "template": self._template(self._understood(tasks)),
            "prompts": [dump_conversation(prompt) for prompt in self._prompts(tasks, rows, evaluation, chosen)],
            "problem": [problem.message, problem.hint, problem.place] if problem else None,
        }

    def _understood(self, tasks: Sequence[Task]) -> list[Detected]:
        """How each source of the training data is read."""
        return [task.detected for task, side in zip(tasks, self._side_of, strict=True) if side == 0]

    def _template(self, understood: Sequence[Detected]) -> str:
        if self._tokenizer is None or all(detected.format == "text" for detected in understood):
            return ""
        return template_source(self._tokenizer, self._query.recipe.chat_template)

    def _prompts(
        self, tasks: Sequence[Task], rows: Rows, evaluation: Rows | None, chosen: Chosen
    ) -> list[Conversation]:
        """The first held-out conversations that are not cut, read again."""
        side, held, source, first = rows, chosen.held_out, self._sides[0], 0
        if evaluation is not None:
            side, held, source = evaluation, held - len(rows.example_digests), self._sides[1]
            first = self._side_of.index(1)
        if self._tokenizer is None:
            return []
        held = held[~side.is_cut[held]][:PROMPTS]
        wanted = {(int(side.row_of[i]), int(i - side.starts[side.row_of[i]])) for i in held}
        numbers = {int(side.numbers[row]): row for row, _ in wanted}
        pieces = {
            (numbers[row.number], place): piece
            for index, row in source.find(sorted(numbers))
            for place, piece in enumerate(tasks[first + index].conversations(row).conversations)
        }
        return [pieces[key] for key in sorted(wanted) if not pieces[key].is_text]

    def _open(self, folder: Path, notes: dict[str, Any], *, from_cache: bool) -> Prepared:
        tokens = Tokens.map(folder)
        train, held_out = (np.fromfile(folder / f"{name}.i64", dtype=np.int64) for name in ("train", "held_out"))
        if notes["problem"]:
            self.problem = DataError(*notes["problem"])
        survey = Survey.model_validate(notes["survey"]).model_copy(update={"from_cache": from_cache})
        return Prepared(
            train=Examples(tokens, train),
            validation=Examples(tokens, held_out),
            validation_prompts=[load_conversation(values) for values in notes["prompts"]],
            counts=Counts(**notes["counts"]),
            survey=survey,
            understanding=Understanding.model_validate(notes["understanding"]),
            fingerprint=self._prints[0],
            validation_fingerprint=self._prints[1] if len(self._prints) > 1 else "",
            template=notes["template"],
        )


def _write_arrays(folder: Path, rows: Rows, evaluation: Rows | None, chosen: Chosen) -> None:
    sides = [rows] if evaluation is None else [rows, evaluation]
    kept = np.concatenate([side.kept for side in sides])
    np.cumsum(kept, dtype=np.int64).tofile(folder / "ends.i64")
    np.concatenate([side.is_cut for side in sides])[: len(kept)].tofile(folder / "truncated.u8")
    chosen.train.astype(np.int64).tofile(folder / "train.i64")
    chosen.held_out.astype(np.int64).tofile(folder / "held_out.i64")
