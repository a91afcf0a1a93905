"""The data of a query, found and understood: where blocks come from, and where a row is found again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.recipe import DataQuery, Source
from qlora_ui.data.formats.detect import SAMPLE, Detected, detect, understand
from qlora_ui.data.prepare.choose import Range
from qlora_ui.data.readers.rows import BadRow, Block, Row
from qlora_ui.data.sources.open import OpenSource, open_sources


@dataclass
class Side:
    """The training data, or evaluation data of their own."""

    sources: list[OpenSource]
    ends: list[int] = field(default_factory=list)
    """Of each source: the number of its last row, once all blocks were dealt."""

    @classmethod
    def open(cls, sources: Sequence[Source], offline: bool) -> Side:
        return cls(open_sources(sources, offline))

    @property
    def name(self) -> str:
        return self.sources[0].view.name

    @property
    def bytes(self) -> int | None:
        sizes = [source.view.bytes for source in self.sources]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    def blocks(self) -> Iterator[Block]:
        """All blocks, their rows numbered from 1 on over all files."""
        number = 1
        self.ends.clear()
        for source in self.sources:
            for file in source.files:
                for block in file.blocks(number):
                    number = block.first + block.count
                    yield block
            self.ends.append(number - 1)

    def ranges(self) -> list[Range]:
        starts = [1, *(end + 1 for end in self.ends)]
        return [
            Range(source.view.name, source.source.weight, range(start, end + 1))
            for source, start, end in zip(self.sources, starts, self.ends, strict=False)
        ]

    def understand(self, query: DataQuery) -> tuple[Detected, DataError | None]:
        """How all its rows are read, told from the first 100, and what a person would first have to be asked.

        Raises DataError when no row can be read.
        """
        head = list(islice(self._rows(), SAMPLE))
        readable = [row for row in head if isinstance(row, Row)]
        if not readable:
            bad = next((row.error for row in head if isinstance(row, BadRow)), None)
            raise bad or DataError(f"{self.name}: there are no rows.", "Add at least one example.", self.name)
        recipe = query.recipe
        detected = understand(readable, recipe.data_format, recipe.mapping, recipe.roles)
        if not recipe.mapping:
            try:
                detect(readable, recipe.data_format)
            except DataError as doubt:
                return detected, doubt
        return detected, None

    def find(self, numbers: Sequence[int]) -> Iterator[Row]:
        """The rows with these numbers (rising), read again; bad ones are passed over."""
        wanted = set(numbers)
        for block in self.blocks():
            if wanted & set(range(block.first, block.first + block.count)):
                for row in block.rows():
                    if row.number in wanted and isinstance(row, Row):
                        yield row
                    wanted.discard(row.number)
            if not wanted:
                return

    def _rows(self) -> Iterator[Row | BadRow]:
        for block in self.blocks():
            yield from block.rows()
