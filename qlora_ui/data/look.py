"""A few rows of the data as a training will meet them: the quick half of the inspector."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.inspection import ExampleView, Look, RowView, TemplateView, TokenView, TurnView
from qlora_ui.contract.recipe import DataQuery, Source
from qlora_ui.data.conversation import Conversation, Turn
from qlora_ui.data.encoding.describe import describe
from qlora_ui.data.encoding.tokens import Encoded, encode_whole
from qlora_ui.data.formats.detect import SAMPLE, Detected, to_conversation, understand
from qlora_ui.data.formats.requirements import require_trainable
from qlora_ui.data.places import problem_of
from qlora_ui.data.readers.rows import BadRow, Block, DataFile, Row
from qlora_ui.data.sources.open import first_rows, open_sources
from qlora_ui.data.steps import apply
from qlora_ui.data.templates.render import special_tokens

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LOOKED_AT = 20
"""Rows that are shown unless another number is asked for."""


def look(
    query: DataQuery,
    tokenizer: PreTrainedTokenizerBase | None,
    *,
    start: int = 1,
    limit: int = LOOKED_AT,
    rows: Sequence[int] = (),
) -> Look:
    """`limit` rows from row `start` on, or the `rows` with these numbers, and how all rows are understood.

    `tokenizer` is that of `query.model` with the recipe's template; None shows rows without tokens. A row that cannot
    be used is shown with its problem. Raises DataError where nothing can be read.
    """
    opened = open_sources(query.recipe.sources, query.offline)
    heads = [first_rows(source, SAMPLE) for source in opened]
    readings = [query.recipe.reading(index) for index in range(len(opened))]
    understood = [
        understand(rows, reading.data_format, reading.mapping, reading.roles)
        for rows, reading in zip(heads, readings, strict=True)
    ]
    viewer = _Viewer(query, understood, tokenizer)
    files = [(index, file) for index, source in enumerate(opened) for file in source.files]
    if rows:
        chosen, has_more = _numbered(files, rows), False
    else:
        chosen = list(islice(_from(files, start, limit + 1), limit + 1))
        chosen, has_more = chosen[:limit], len(chosen) > limit
    return Look(
        sources=[
            source.view.model_copy(update={"format": detected.format, "seen": detected.seen})
            for source, detected in zip(opened, understood, strict=True)
        ],
        understanding=understood[0].view(),
        views=[viewer.view(index, row) for index, row in chosen],
        template=viewer.template(heads[0][0]),
        has_more=has_more,
    )


def head(sources: Sequence[Source], offline: bool = False) -> list[Row]:
    """The first rows of the first source that can be read, by which its format is told. Raises DataError."""
    return first_rows(open_sources(sources, offline)[0], SAMPLE)


_Files = Sequence[tuple[int, DataFile]]
"""All files in their order, each with the index of its source."""
_Found = tuple[int, Row | BadRow]
"""The index of its source, and a row."""


def _blocks(files: _Files) -> Iterator[tuple[int, Block]]:
    number = 1
    for index, file in files:
        for block in file.blocks(number):
            yield index, block
            number = block.first + block.count


def _numbered(files: _Files, numbers: Sequence[int]) -> list[_Found]:
    """The rows with these numbers, found in one pass that unpacks their blocks only."""
    wanted, found = set(numbers), dict[int, _Found]()
    for index, block in _blocks(files):
        here = {number for number in wanted if block.first <= number < block.first + block.count}
        if here:
            found |= {row.number: (index, row) for row in block.rows() if row.number in here}
            wanted -= here
        if not wanted:
            break
    return [found[number] for number in numbers if number in found]


def _from(files: _Files, start: int, limit: int) -> Iterator[_Found]:
    """Up to `limit` rows from row `start` on, without unpacking the rows before."""
    first = 1
    for index, file in files:
        is_last = file is files[-1][1]  # and need not be counted, as a large file takes a while to be
        if not is_last and start > first and start - first >= _count(file):
            first += _count(file)
            continue
        for block in file.blocks(first, max(1, start - first + 1)):
            for row in block.rows():
                if row.number >= start:
                    yield index, row
                    limit -= 1
                if limit == 0:
                    return
        if not is_last:
            first = start = first + _count(file)


def _count(file: DataFile) -> int:
    """How many rows a file has; counted again only when it may have changed."""
    key = (file.name, file.stamp)
    if key not in _counts:
        _counts[key] = sum(block.count for block in file.blocks())
    return _counts[key]


_counts: dict[tuple[str, str], int] = {}


@dataclass(frozen=True)
class _Viewer:
    query: DataQuery
    understood: Sequence[Detected]
    """Of each source."""
    tokenizer: PreTrainedTokenizerBase | None

    def view(self, source: int, row: Row | BadRow) -> RowView:
        if isinstance(row, BadRow):
            return RowView(
                number=row.number,
                place=row.error.place,
                original=row.content,
                problem=problem_of(row.error),
                hint=row.error.hint,
            )
        view = RowView(number=row.number, place=row.place, original=plain(row.values))
        if row.number in self.query.recipe.rows_dropped:
            return view.model_copy(update={"left_out": "drop_rows"})
        try:
            applied = apply(to_conversation(row, self.understood[source]), self.query.recipe, self._length)
            examples = []
            for conversation in applied.conversations:
                require_trainable(conversation)
                examples.append(self._example(conversation))
        except DataError as error:
            return view.model_copy(update={"problem": problem_of(error), "hint": error.hint})
        return view.model_copy(update={"examples": examples, "left_out": applied.left_out})

    @property
    def _length(self) -> Callable[[Conversation], int] | None:
        if self.tokenizer is None:
            return None
        tokenizer, train_on = self.tokenizer, self.query.recipe.train_on
        return lambda conversation: len(encode_whole(conversation, tokenizer, train_on=train_on).ids)

    def _example(self, conversation: Conversation) -> ExampleView:
        view = ExampleView(turns=_turns(conversation.turns), rejected=_turns(conversation.rejected))
        if self.tokenizer is None:
            return view
        encoded = encode_whole(conversation, self.tokenizer, train_on=self.query.recipe.train_on)
        length = len(encoded.ids)
        return view.model_copy(
            update={
                "rendered": encoded.text,
                "tokens": self._tokens(encoded),
                "length": length,
                "truncated": length > self.query.recipe.max_length,
            }
        )

    def _tokens(self, encoded: Encoded) -> list[TokenView]:
        assert self.tokenizer is not None
        special = set(self.tokenizer.convert_tokens_to_ids(list(special_tokens(self.tokenizer))))
        kept = islice(zip(encoded.ids, encoded.pieces, encoded.trained, strict=True), self.query.recipe.max_length)
        return [
            TokenView(id=int(id_), text=text, trained=bool(trained), special=int(id_) in special)
            for id_, text, trained in kept
        ]

    def template(self, sample: Row) -> TemplateView | None:
        if self.tokenizer is None or all(detected.format == "text" for detected in self.understood):
            return None
        try:
            conversation = to_conversation(sample, self.understood[0])
        except DataError:
            conversation = None
        return describe(self.tokenizer, self.query.recipe.chat_template, conversation)


def _turns(turns: Sequence[Turn]) -> list[TurnView]:
    return [TurnView(role=turn.role, content=_with_calls(turn), trained=turn.trained) for turn in turns]


def _with_calls(turn: Turn) -> str:
    return "\n".join(part for part in (turn.content, turn.calls) if part)


def plain(value: Any) -> Any:
    """The value as JSON can hold it: dates, bytes and the like as their text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return f"({len(value):,} bytes)"  # a picture, say: nobody reads its bytes
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
