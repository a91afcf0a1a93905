"""Bytes as they come off the disk or out of a packed file: bounded, and ended by one sentence where damage begins."""

from __future__ import annotations

import lzma
import os
import zipfile
import zlib
from abc import ABC, abstractmethod
from typing import BinaryIO

from qlora_ui.contract.errors import DataError
from qlora_ui.data.places import data_error
from qlora_ui.data.readers.limits import FREE_UNPACKED, HIGHEST_RATIO, MOST_UNPACKED, megabytes

COPY_AGAIN = "It may be cut off or damaged: copy it again, or pack it anew."
_GZIP = b"\x1f\x8b"
_PIECE = 64 * 1024
"""Bytes unpacked at a time, so that little is lost where the damage begins."""


class Stream(ABC):
    """Bytes in order, once. What can be had before the damage is given before the error is raised."""

    def __init__(self) -> None:
        self.given = 0
        """Bytes read from here so far."""
        self._failure: DataError | OSError | None = None

    def read(self, size: int) -> bytes:
        """`size` bytes, fewer only at the end or before damage. Raises DataError, OSError."""
        pieces: list[bytes] = []
        missing = size
        while missing > 0 and self._failure is None:
            try:
                piece = self._piece(missing)
            except (DataError, OSError) as error:
                self._failure = error
                break
            if not piece:
                break
            pieces.append(piece)
            missing -= len(piece)
        if self._failure is not None and not pieces:
            raise self._failure
        self.given += size - missing
        return b"".join(pieces)

    @property
    @abstractmethod
    def position(self) -> int:
        """How many bytes on the disk have been used for what was given."""

    @abstractmethod
    def _piece(self, size: int) -> bytes:
        """At most `size` bytes; none at the end."""


class Plain(Stream):
    def __init__(self, file: BinaryIO, name: str) -> None:
        super().__init__()
        self._file = file
        self._name = name
        self._size = os.fstat(file.fileno()).st_size
        self._position = 0

    @property
    def position(self) -> int:
        return self._position

    def _piece(self, size: int) -> bytes:
        piece = self._file.read(size)
        self._position += len(piece)
        if not piece and self._position < self._size:
            raise data_error(
                self._name,
                f"the file became shorter while it was read: {self._position:,} of {self._size:,} bytes were there.",
                "Wait until whatever writes it has finished, then start again.",
            )
        return piece


class Member(Stream):
    """A member of an archive; it gives no more than the archive says that it holds."""

    def __init__(self, packed: zipfile.ZipExtFile, info: zipfile.ZipInfo, name: str) -> None:
        super().__init__()
        self._packed = packed
        self._share = info.compress_size / max(info.file_size, 1)
        self._name = name
        require_bounded(info.file_size, info.compress_size, name)

    @property
    def position(self) -> int:
        return int(self.given * self._share)

    def _piece(self, size: int) -> bytes:
        try:
            return self._packed.read1(min(size, _PIECE))
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, OSError) as error:
            raise data_error(self._name, f"it cannot be unpacked ({error or 'cut off'}).", COPY_AGAIN) from None


class Gunzipped(Stream):
    """One gzip member after the other, as `cat a.gz b.gz` puts them together."""

    def __init__(self, packed: Stream, name: str) -> None:
        super().__init__()
        self._packed = packed
        self._name = name
        self._member = zlib.decompressobj(wbits=31)
        self._ahead = b""
        self._begun = False
        self._unpacked = 0

    @property
    def position(self) -> int:
        return self._packed.position

    def _piece(self, size: int) -> bytes:
        while True:
            if self._member.eof:
                self._ahead = self._member.unused_data
                self._member, self._begun = zlib.decompressobj(wbits=31), False
            self._ahead = self._ahead or self._member.unconsumed_tail or self._packed.read(_PIECE)
            if not self._ahead:
                return self._end()
            if self._unpacked and not self._begun:
                self._ahead = self._ahead.lstrip(b"\0")  # tapes and some tools fill up with zeros
            if self._ahead and (piece := self._unpack(min(size, _PIECE))):
                self._unpacked += len(piece)
                require_bounded(self._unpacked, self._packed.position, self._name)
                return piece

    def _unpack(self, size: int) -> bytes:
        try:
            piece = self._member.decompress(self._ahead, size)
        except zlib.error as error:
            if self._begun or self._ahead.startswith(_GZIP):
                problem = f"it cannot be unpacked ({str(error).partition(': ')[2] or error})."
            elif self._unpacked:
                problem = "behind the packed data stands something that is not packed with gzip."
            else:
                problem = "this is not packed with gzip, whatever its name says."
            raise data_error(self._name, problem, COPY_AGAIN) from None
        self._ahead, self._begun = b"", True
        return piece

    def _end(self) -> bytes:
        if self._begun and not self._member.eof:
            raise data_error(self._name, "the packed data ends too early.", COPY_AGAIN)
        return b""


def require_bounded(unpacked: int, packed: int, name: str) -> None:
    """Refuse what unpacks to far more than any data would. Raises DataError."""
    if unpacked > MOST_UNPACKED:
        problem = f"unpacked, it would hold more than {megabytes(MOST_UNPACKED)}."
    elif unpacked > FREE_UNPACKED and unpacked > HIGHEST_RATIO * packed:
        problem = f"it unpacks to more than {HIGHEST_RATIO:,} times its size, as only a file made to do harm would."
    else:
        return
    raise data_error(name, problem, "If you trust it, unpack it yourself and choose the file inside.")
