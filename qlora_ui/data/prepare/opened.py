"""The data of a query, found and understood: where blocks come from, and where a row is found again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.recipe import Reading, Recipe, Source
from qlora_ui.data.formats.detect import SAMPLE, Detected, detect, understand
from qlora_ui.data.prepare.choose import Range
from qlora_ui.data.readers.rows import BadRow, Block, Row
from qlora_ui.data.sources.open import OpenSource, open_sources


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
        source = self.sources[index]
        head = list(islice((row for file in source.files for block in file.blocks() for row in block.rows()), SAMPLE))
        readable = [row for row in head if isinstance(row, Row)]
        if not readable:
            bad = next((row.error for row in head if isinstance(row, BadRow)), None)
            name = source.view.name
            raise bad or DataError(f"{name}: there are no rows.", "Add at least one example.", name)
        detected = understand(readable, reading.data_format, reading.mapping, reading.roles)
        try:
            detect(readable, reading.data_format, reading.mapping, reading.roles)
        except DataError as doubt:
            return Understood(detected, doubt)
        return Understood(detected)

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
