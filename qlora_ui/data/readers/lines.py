"""Whole lines of a stream, by the megabyte or one by one, with their numbers and with what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from qlora_ui.contract.errors import DataError
from qlora_ui.data.places import data_error
from qlora_ui.data.readers.limits import BLOCK, LONGEST_ROW, megabytes
from qlora_ui.data.readers.streams import Stream

BOM = b"\xef\xbb\xbf"
_SURROGATE = re.compile("[\udc80-\udcff]")
_KEPT = 8000
"""Bytes of a line that is too long, enough for the 2,000 characters that are shown of it."""


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    """From 1."""
    text: str
    """With its line feed; bytes that are not UTF-8 stand as lone surrogates."""
    problem: DataError | None = None


def line_chunks(stream: Stream) -> Iterator[tuple[bytes, bool]]:
    """About a megabyte of whole lines at a time, and whether they are whole; without a byte order mark.

    A line that is too long comes alone, cut, and is not whole. Raises DataError, OSError.
    """
    open_line: list[bytes] = []
    length = 0
    is_first = True
    while piece := stream.read(BLOCK):
        if is_first:
            piece, is_first = piece.removeprefix(BOM), False
        end = piece.rfind(b"\n") + 1
        if end:
            yield b"".join([*open_line, memoryview(piece)[:end]]), True
            open_line, length = [piece[end:]], len(piece) - end
            continue
        open_line.append(piece)
        length += len(piece)
        if length > LONGEST_ROW:
            yield b"".join(open_line)[:_KEPT], False
            rest = _after_line(stream)
            open_line, length = [rest], len(rest)
    if last := b"".join(open_line):
        yield last, True


def text_lines(stream: Stream, name: str) -> Iterator[Line]:
    """Every line, also what is not to be used. A lone carriage return ends no line. Raises DataError, OSError."""
    number = 0
    for chunk, is_whole in line_chunks(stream):
        for raw in _split(chunk):
            number += 1
            place = f"{name}, line {number}"
            text = raw.decode("utf-8", "surrogateescape")
            yield Line(number, text, problem_in(text, place) if is_whole else too_long(place))


def too_long(place: str) -> DataError:
    hint = "Look whether line breaks or quotes are missing; no text of this length could be trained in one piece."
    return data_error(place, f"the row is longer than {megabytes(LONGEST_ROW)}.", hint)


def not_utf8(place: str, byte: int) -> DataError:
    hint = "Save the file as UTF-8; Excel calls that “CSV UTF-8” under Save as."
    return data_error(place, f"the byte 0x{byte:02x} is not UTF-8.", hint)


def nul_byte(place: str) -> DataError:
    return data_error(place, "there is a NUL byte, which plain text never has.", "Export the file again as UTF-8 text.")


def problem_in(text: str, place: str) -> DataError | None:
    """Of a line whose wrong bytes stand as lone surrogates: the first of them, or a NUL byte; None for neither."""
    if "\0" in text:
        return nul_byte(f"{place}, column {text.index(chr(0)) + 1}")
    wrong = _SURROGATE.search(text)
    return wrong and not_utf8(f"{place}, column {wrong.start() + 1}", ord(wrong[0]) - 0xDC00)


def _split(chunk: bytes) -> list[bytes]:
    """Lines with their line feeds; `bytes.splitlines` would split at a lone carriage return as well."""
    if b"\r" not in chunk:
        return chunk.splitlines(keepends=True)
    *lines, last = chunk.split(b"\n")
    return [line + b"\n" for line in lines] + ([last] if last else [])


def _after_line(stream: Stream) -> bytes:
    """What was read beyond the line feed that ends the present line."""
    while piece := stream.read(BLOCK):
        end = piece.find(b"\n") + 1
        if end:
            return piece[end:]
    return b""
