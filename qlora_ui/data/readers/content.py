"""The bytes of a file, plain, packed with gzip or in a ZIP archive, as one stream that is bounded and never hangs."""

from __future__ import annotations

import errno
import hashlib
import io
import lzma
import os
import stat
import tempfile
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, cast

from qlora_ui.contract.errors import DataError
from qlora_ui.data.places import data_error
from qlora_ui.data.readers.limits import BLOCK, FREE_UNPACKED, HIGHEST_RATIO, MOST_UNPACKED, megabytes

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


@dataclass(frozen=True, slots=True)
class Content:
    """Where the bytes of a data file lie, and how they are packed. It can be pickled."""

    path: Path
    name: str
    """As places name it."""
    bytes: int
    """On the disk, packed as it is."""
    stamp: str
    """Path, device, inode, size and time of change."""
    member: int | None = None
    """The place in the list of an archive."""
    gzipped: bool = False

    @contextmanager
    def open(self) -> Iterator[Stream]:
        """The unpacked bytes from the beginning. Raises DataError, OSError."""
        with open_regular(self.path, self.name) as file:
            if self.member is None:
                yield self._unpacked(_Plain(file, self.name))
                return
            with open_zip(file, self.name) as archive, _member(archive, self.member, self.name) as packed:
                yield self._unpacked(_Member(packed, archive.infolist()[self.member], self.name))

    @contextmanager
    def open_seekable(self) -> Iterator[BinaryIO]:
        """The unpacked bytes as a file: the file itself, or a nameless temporary one that is gone afterwards."""
        if self.member is None and not self.gzipped:
            with open_regular(self.path, self.name) as file:
                yield file
            return
        with tempfile.TemporaryFile() as unpacked, self.open() as stream:
            while piece := stream.read(BLOCK):
                unpacked.write(piece)
            unpacked.seek(0)
            yield cast("BinaryIO", unpacked)

    def fingerprint(self) -> str:
        """SHA-256 of the file on the disk, and of which member it is. Raises DataError."""
        try:
            with open_regular(self.path, self.name) as file:
                stamp = stamp_of(self.path, os.fstat(file.fileno()))
            digest = _digest(self.path, self.name, stamp)
        except OSError as error:
            raise unreadable(self.name, error) from None
        return digest if self.member is None else hashlib.sha256(f"{digest} {self.member}".encode()).hexdigest()

    def _unpacked(self, stream: Stream) -> Stream:
        return _Gunzipped(stream, self.name) if self.gzipped else stream


def open_regular(path: Path, name: str) -> BinaryIO:
    """Open what is a plain file, without waiting for the other end of what is none. Raises DataError, OSError."""
    try:
        status = path.stat()
        _require_regular(status, name)
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0)
    except FileNotFoundError:
        raise data_error(name, "there is no such file.", "Check the path for a typing mistake.") from None
    except OSError as error:
        raise unreadable(name, error) from None
    except ValueError:  # a NUL byte in the path
        raise data_error(name.replace("\0", "?"), "this is no name that a file can have.", "Check the path.") from None
    try:
        _require_regular(os.fstat(file.fileno()), name)  # it may have been exchanged in between
    except DataError:
        file.close()
        raise
    return cast("BinaryIO", file)


def stamp_of(path: Path, status: os.stat_result) -> str:
    """Another one whenever the file may have changed."""
    return f"{path} {status.st_dev} {status.st_ino} {status.st_size} {status.st_mtime_ns}"


def unreadable(name: str, error: OSError) -> DataError:
    hint = {
        errno.EACCES: "Give the user that runs this program the right to read it.",
        errno.ELOOP: "It is a link that leads back to itself: make it anew, or choose the file it should lead to.",
        errno.ENOSPC: "Free some disk space: packed files of columns are unpacked into the temporary folder.",
    }.get(error.errno or 0, "Look whether the disk or the network folder it lies on is still there.")
    return data_error(name, f"the file cannot be read: {error.strerror or error}.", hint)


def open_zip(file: BinaryIO, name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise data_error(name, f"this is no whole ZIP archive ({error}).", COPY_AGAIN) from None


def require_bounded(unpacked: int, packed: int, name: str) -> None:
    """Refuse what unpacks to far more than any data would. Raises DataError."""
    if unpacked > MOST_UNPACKED:
        problem = f"unpacked, it would hold more than {megabytes(MOST_UNPACKED)}."
    elif unpacked > FREE_UNPACKED and unpacked > HIGHEST_RATIO * packed:
        problem = f"it unpacks to more than {HIGHEST_RATIO:,} times its size, as only a file made to do harm would."
    else:
        return
    raise data_error(name, problem, "If you trust it, unpack it yourself and choose the file inside.")


def _require_regular(status: os.stat_result, name: str) -> None:
    mode = status.st_mode
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise data_error(name, "this is a folder.", "Choose one file inside it.")
    what = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}.get(stat.S_IFMT(mode), "a device")
    raise data_error(name, f"this is {what}, not a file.", "Write its content to a file, and choose that.")


@lru_cache(maxsize=256)
def _digest(path: Path, name: str, stamp: str) -> str:
    """Remembered as long as `stamp` says that the file is the same."""
    with open_regular(path, name) as file:
        return hashlib.file_digest(cast("io.FileIO", file), "sha256").hexdigest()


class _Plain(Stream):
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


class _Member(Stream):
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


class _Gunzipped(Stream):
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


def _member(archive: zipfile.ZipFile, index: int, name: str) -> zipfile.ZipExtFile:
    try:
        return cast("zipfile.ZipExtFile", archive.open(archive.infolist()[index]))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, IndexError) as error:
        raise data_error(name, f"it cannot be unpacked ({error}).", COPY_AGAIN) from None
