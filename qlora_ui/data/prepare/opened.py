"""The data of a query, found and understood: where blocks come from, and where a row is found again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.recipe import Reading, Recipe, Source
from qlora_ui.data.formats.detect import SAMPLE, Detected, doubt, understand
from qlora_ui.data.prepare.choose import Range
from qlora_ui.data.readers.rows import Block, Row
from qlora_ui.data.sources.open import OpenSource, first_rows, open_sources


@dataclass(frozen=True)
class Understood:
    """How the rows of one source are read."""

    detected: Detected
    doubt: DataError | None = None
    """What a person would have to be asked before they are trained."""


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

    def blocks(self) -> Iterator[tuple[int, Block]]:
        """All blocks, each with the index of its source; their rows are numbered from 1 on over all files."""
        number = 1
        self.ends.clear()
        for index, source in enumerate(self.sources):
            for file in source.files:
                for block in file.blocks(number):
                    number = block.first + block.count
                    yield index, block
            self.ends.append(number - 1)

    def ranges(self) -> list[Range]:
        starts = [1, *(end + 1 for end in self.ends)]
        return [
            Range(source.view.name, source.source.weight, range(start, end + 1))
            for source, start, end in zip(self.sources, starts, self.ends, strict=False)
        ]

    def understand(self, recipe: Recipe) -> list[Understood]:
        """How the rows of each source are read, told from its first 100. Raises DataError when none can be read."""
        return [self._understood(index, recipe.reading(index)) for index in range(len(self.sources))]

    def _understood(self, index: int, reading: Reading) -> Understood:
        head = first_rows(self.sources[index], SAMPLE)
        detected = understand(head, reading.data_format, reading.mapping, reading.roles)
        return Understood(detected, doubt(detected, head, reading.data_format))

    def find(self, numbers: Sequence[int]) -> Iterator[tuple[int, Row]]:
        """The rows with these numbers (rising), read again, each with the index of its source; no bad ones."""
        wanted = set(numbers)
        for index, block in self.blocks():
            if not wanted.isdisjoint(range(block.first, block.first + block.count)):
                for row in block.rows():
                    if row.number in wanted and isinstance(row, Row):
                        yield index, row
                    wanted.discard(row.number)
            if not wanted:
                return
