"""The bytes of a file, plain, packed with gzip or in a ZIP archive, as one stream that is bounded and never hangs."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, cast

from qlora_ui.contract.errors import DataError
from qlora_ui.data.places import data_error
from qlora_ui.data.readers.limits import BLOCK
from qlora_ui.data.readers.streams import COPY_AGAIN, Gunzipped, Member, Plain, Stream


@dataclass(frozen=True, slots=True)
class Content:
    """Where the bytes of a data file lie, and how they are packed. It can be pickled."""

    path: Path
    name: str
    """As places name it."""
    bytes: int
    """On the disk, packed as it is."""
    stamp: str
    """Path, device, inode, size and times of change."""
    member: int | None = None
    """The place in the list of an archive."""
    gzipped: bool = False

    @contextmanager
    def open(self) -> Iterator[Stream]:
        """The unpacked bytes from the beginning. Raises DataError, OSError."""
        with open_regular(self.path, self.name) as file:
            if self.member is None:
                yield self._unpacked(Plain(file, self.name))
                return
            info = _info(file, self.path, self.member, self.name)
            with _member(file, info, self.name) as packed:
                yield self._unpacked(Member(packed, info, self.name))

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
            digest = _digest(self.path, stamp)
        except OSError as error:
            raise unreadable(self.name, error) from None
        return digest if self.member is None else hashlib.sha256(f"{digest} {self.member}".encode()).hexdigest()

    def _unpacked(self, stream: Stream) -> Stream:
        return Gunzipped(stream, self.name) if self.gzipped else stream


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
    """Another one whenever the file may have changed, also when its time was set back, as copying with `cp -p` does."""
    times = f"{status.st_mtime_ns} {status.st_ctime_ns}"
    return f"{path} {status.st_dev} {status.st_ino} {status.st_size} {times}"


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


def _require_regular(status: os.stat_result, name: str) -> None:
    mode = status.st_mode
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise data_error(name, "this is a folder.", "Choose one file inside it.")
    what = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}.get(stat.S_IFMT(mode), "a device")
    raise data_error(name, f"this is {what}, not a file.", "Write its content to a file, and choose that.")


@lru_cache(maxsize=256)
def _digest(path: Path, stamp: str) -> str:
    """Remembered as long as `stamp` says that the file is the same: once for all members of an archive."""
    with open_regular(path, path.name) as file:
        return hashlib.file_digest(cast("io.FileIO", file), "sha256").hexdigest()


def _info(file: BinaryIO, path: Path, index: int, name: str) -> zipfile.ZipInfo:
    members = _members(path, stamp_of(path, os.fstat(file.fileno())))
    if index >= len(members):
        raise data_error(name, "the archive was changed while it was read.", "Start again once it is complete.")
    return members[index]


@lru_cache(maxsize=4)
def _members(path: Path, stamp: str) -> list[zipfile.ZipInfo]:
    """Read once for all members, not for each: listing an archive of 10,000 takes a tenth of a second."""
    with open_regular(path, path.name) as file, open_zip(file, path.name) as archive:
        return archive.infolist()


def _member(file: BinaryIO, info: zipfile.ZipInfo, name: str) -> zipfile.ZipExtFile:
    try:
        archive = zipfile.ZipFile(io.BytesIO(_EMPTY_ZIP))
        archive.fp = file  # its list is known already
        return cast("zipfile.ZipExtFile", archive.open(info))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError) as error:
        raise data_error(name, f"it cannot be unpacked ({error}).", COPY_AGAIN) from None


_EMPTY_ZIP = b"PK\5\6" + bytes(18)
