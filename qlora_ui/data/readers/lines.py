"""Lines of UTF-8 text with their numbers, and what is said when a file is something else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from qlora_ui.contract.errors import DataError
from qlora_ui.data.places import data_error

_BOM = b"\xef\xbb\xbf"
_UTF16 = {b"\xff\xfe", b"\xfe\xff"}


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Line number and line, with its line feed; a lone carriage return ends no line. Raises DataError, OSError."""
    offset = 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if number == 1 and raw[:2] in _UTF16:
                raise data_error(path.name, "the text is UTF-16.", "Save the file as UTF-8.")
            if 0 in raw:
                problem = f"there is a NUL byte at position {raw.index(0) + 1} of the line, so this is no plain text."
                raise data_error(f"{path.name}, line {number}", problem, "Export the file again as UTF-8 text.")
            try:
                yield number, raw.removeprefix(_BOM if number == 1 else b"").decode("utf-8")
            except UnicodeDecodeError:
                raise _not_utf8(f"{path.name}, line {number}", raw, offset) from None
            offset += len(raw)


def _not_utf8(place: str, line: bytes, offset: int) -> DataError:
    """Name the first byte that is wrong; `offset` is where the line begins in the file."""
    try:
        line.decode("utf-8")
        raise AssertionError("the line is UTF-8")
    except UnicodeDecodeError as error:
        problem = f"byte {offset + error.start} of the file (0x{line[error.start]:02x}) is not UTF-8."
        return data_error(place, problem, "Save the file as UTF-8.")
