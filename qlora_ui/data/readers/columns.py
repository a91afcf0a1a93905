"""Parquet and Arrow: columns, cut into record batches; rows of Python values are made where they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from qlora_ui.data.places import data_error
from qlora_ui.data.readers.blocks import Numbering, RowsBlock
from qlora_ui.data.readers.cells import rows_of_batch, rows_one_by_one
from qlora_ui.data.readers.content import Content
from qlora_ui.data.readers.limits import BLOCK
from qlora_ui.data.readers.rows import BadRow, Block, Raw, Row
from qlora_ui.data.readers.streams import COPY_AGAIN

if TYPE_CHECKING:
    import pyarrow

_MOST_ROWS = 4096
"""Of one batch."""
_FILE_MAGIC = b"ARROW1"
_END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"


@dataclass(frozen=True, slots=True)
class ColumnsBlock:
    """One record batch."""

    first: int
    count: int
    bytes: int
    name: str
    """Of the file."""
    shift: int
    """How much higher the numbers of rows are than in the file."""
    batch: Raw
    """As an Arrow stream, which takes along no more than these rows when it is pickled."""

    def rows(self) -> Iterator[Row | BadRow]:
        import pyarrow.ipc

        numbering = Numbering(self.name, self.shift, self.first - self.shift - 1)
        for batch in pyarrow.ipc.open_stream(self.batch):
            yield from rows_of_batch(batch, numbering)


def cut_parquet(content: Content, start: int, shift: int) -> Iterator[Block]:
    """Blocks from row `start` on; rows are numbered `shift` higher than in the file. Raises DataError, OSError."""
    import pyarrow.parquet

    cutter = _Cutter(content, start, shift)
    with content.open_seekable() as file, cutter.naming_damage("Parquet"):
        parquet = pyarrow.parquet.ParquetFile(_Honest(file), buffer_size=BLOCK)
        groups = [parquet.metadata.row_group(index) for index in range(parquet.num_row_groups)]
        cutter.total = sum(group.num_rows for group in groups)
        for index, group in enumerate(groups):
            if cutter.row + group.num_rows <= start:
                cutter.row += group.num_rows
                continue
            rows = BLOCK * group.num_rows // max(group.total_byte_size, 1)
            batch_size = min(max(rows, 1), _MOST_ROWS)
            for batch in parquet.iter_batches(batch_size=batch_size, row_groups=[index]):
                yield from cutter.cut(batch)


def cut_arrow(content: Content, start: int, shift: int) -> Iterator[Block]:
    """As `cut_parquet`, for Arrow IPC files and streams, as the library `datasets` saves them."""
    cutter = _Cutter(content, start, shift)
    with content.open_seekable() as file, cutter.naming_damage("Arrow"):
        for batch in _arrow_batches(_Honest(file), content.name):
            yield from cutter.cut(batch)


def _arrow_batches(file: _Honest, name: str) -> Iterator[pyarrow.RecordBatch]:
    import pyarrow.ipc

    is_file = file.read(len(_FILE_MAGIC)) == _FILE_MAGIC
    file.seek(0)
    if is_file:
        reader = pyarrow.ipc.open_file(file)
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index)
        return
    yield from pyarrow.ipc.open_stream(file)
    file.seek(-len(_END_OF_STREAM), 2)
    if file.read() != _END_OF_STREAM:  # a stream that stops between two batches looks whole otherwise
        raise data_error(name, "this is no whole Arrow file (its end is missing).", COPY_AGAIN)


class _Honest:
    """A file that is never asked for more than it has: a damaged length would make Python reserve that much memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file.seek(0, 2)
        file.seek(0)
        self.seek, self.tell, self.close = file.seek, file.tell, file.close

    @property
    def closed(self) -> bool:
        return self._file.closed

    def read(self, size: int = -1) -> bytes:
        left = max(self._size - self._file.tell(), 0)
        return self._file.read(left if size < 0 else min(size, left))


class _Cutter:
    """Turns record batches into blocks."""

    def __init__(self, content: Content, start: int, shift: int) -> None:
        self.row = 1
        """The next one's number in the file."""
        self.total: int | None = None
        """Rows in the file, where known."""
        self._content = content
        self._start = start
        self._shift = shift

    def cut(self, batch: pyarrow.RecordBatch) -> Iterator[Block]:
        """Blocks of about a megabyte, without the rows before `start`. Raises DataError, pyarrow's errors."""
        names = batch.schema.names
        if twice := next((name for name in names if names.count(name) > 1), None):
            problem = f"the column {twice} appears twice."
            raise data_error(self._content.name, problem, "Give each column its own name.")
        skipped = min(max(self._start - self.row, 0), batch.num_rows)
        held = batch.get_total_buffer_size()  # `nbytes` follows offsets, which may lead anywhere in a damaged file
        size = min(max(BLOCK * batch.num_rows // max(held, 1), 1), _MOST_ROWS)
        for offset in range(skipped, batch.num_rows, size):
            yield self._block(batch.slice(offset, size), self.row + offset, held // batch.num_rows)
        self.row += batch.num_rows

    def _block(self, batch: pyarrow.RecordBatch, row: int, bytes_per_row: int) -> Block:
        import pyarrow

        first, count = row + self._shift, batch.num_rows
        share = count * (self._content.bytes // self.total if self.total else bytes_per_row)
        try:
            batch.validate(full=True)
            batch = _without_dictionaries(batch)
        except (pyarrow.ArrowException, ValueError):  # what Arrow finds wrong must not be copied, let alone used
            rows = list(rows_one_by_one(batch, Numbering(self._content.name, self._shift, row - 1)))
            return RowsBlock(first, count, share, rows)
        sink = pyarrow.BufferOutputStream()
        with pyarrow.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        return ColumnsBlock(first, count, share, self._content.name, self._shift, sink.getvalue().to_pybytes())

    @contextmanager
    def naming_damage(self, kind: str) -> Iterator[None]:
        """Turn what pyarrow says of a damaged file into one sentence with its place."""
        import pyarrow

        try:
            yield
        except (pyarrow.ArrowException, ValueError, ArithmeticError, LookupError, MemoryError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            name = self._content.name
            place = f"{name}, after row {self.row - 1}" if self.row > 1 else name
            reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")[:200]
            raise data_error(place, f"this is no whole {kind} file ({reason}).", COPY_AGAIN) from None


def _without_dictionaries(batch: pyarrow.RecordBatch) -> pyarrow.RecordBatch:
    """With the values themselves: else each block would take along a whole dictionary."""
    import pyarrow

    columns = [c.dictionary_decode() if pyarrow.types.is_dictionary(c.type) else c for c in batch.columns]
    return pyarrow.RecordBatch.from_arrays(columns, names=batch.schema.names)
