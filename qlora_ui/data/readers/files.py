"""A local file → the rows in it: JSONL, JSON, CSV, TSV, Parquet, Arrow, text and Markdown, each plain or packed.

    path ─ content, streams ─▶ bytes ─ json_lines, json_list, delimited, prose, columns ─▶ blocks ─▶ rows

The bytes are unpacked and bounded; `kinds` says which of the five reads what. A damaged row is a BadRow, and reading
goes on; a file that is damaged as a whole ends it with a DataError. Nothing is ever written under a name that an
archive gives.
"""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path, PurePosixPath, PureWindowsPath

from qlora_ui.data.places import data_error
from qlora_ui.data.readers.content import Content, open_regular, open_zip, stamp_of
from qlora_ui.data.readers.kinds import is_archive_name, is_data_name, kind_of, readable
from qlora_ui.data.readers.limits import MOST_MEMBERS
from qlora_ui.data.readers.rows import DataFile
from qlora_ui.data.readers.streams import require_bounded

_AGAIN = "Pack the files anew, with plain names and without links or a password."
_ENCRYPTED = 0x1


def open_file(path: Path, name: str | None = None) -> DataFile:
    """The file as something that gives blocks of rows; the ending of its path tells how, `name` stands in places.

    Text must be UTF-8, with or without a byte order mark. Raises DataError for a file that is absent, empty, of an
    unknown ending or other than its ending says, and for what is no file; it never waits for a pipe or a device.
    """
    place = name or str(path)
    with open_regular(path, place) as file:
        status = os.fstat(file.fileno())
    if path.suffix.lower() == ".zip":
        raise data_error(place, "this is an archive, which may hold several files.", "Choose one file inside it.")
    place = name or path.name
    kind, is_gzipped = kind_of(path.name, place)
    return readable(Content(path, place, status.st_size, stamp_of(path, status), gzipped=is_gzipped), kind, place)


def open_archive(path: Path, name: str | None = None) -> list[DataFile]:
    """The data files in a ZIP archive, in the order of their names; `name` stands for the archive in places.

    What is hidden, describes the data or is of another kind is left aside. Raises DataError for an archive that is
    damaged, encrypted, made to do harm or without data, and for one inside another.
    """
    place = name or str(path)
    name = name or path.name
    with open_regular(path, place) as file, open_zip(file, place) as archive:
        status = os.fstat(file.fileno())
        members = archive.infolist()
        if len(members) > MOST_MEMBERS:
            raise data_error(place, f"the archive has more than {MOST_MEMBERS:,} members.", "Pack fewer, longer files.")
        chosen = [(info.filename, index, info) for index, info in enumerate(members) if _is_wanted(info, name)]
    if not chosen:
        inside = ", ".join(info.filename for info in members[:5]) or "nothing"
        hint = "Pack files such as .jsonl, .csv or .parquet."
        raise data_error(place, f"the archive holds no file of a known kind; it has {inside[:200]}.", hint)
    require_bounded(sum(info.file_size for _, _, info in chosen), status.st_size, place)
    stamp = stamp_of(path, status)
    chosen.sort(key=lambda member: member[:2])
    return [_member(path, stamp, f"{name}/{filename}", index, info) for filename, index, info in chosen]


def _is_wanted(info: zipfile.ZipInfo, archive: str) -> bool:
    """Whether it is a data file. Raises DataError for what no honest archive has."""
    parts = PurePosixPath(info.filename).parts
    shown = info.filename.encode("unicode_escape").decode()[:200]
    if PureWindowsPath(info.filename).anchor or ".." in parts or "\\" in info.orig_filename:
        raise data_error(archive, f"the member {shown} has a name that points outside of the archive.", _AGAIN)
    if info.is_dir() or any(part.startswith(".") or part == "__MACOSX" for part in parts):
        return False
    if stat.S_ISLNK(info.external_attr >> 16):
        raise data_error(archive, f"the member {shown} is a link.", _AGAIN)
    if is_archive_name(info.filename):
        raise data_error(archive, f"the member {shown} is an archive inside the archive.", "Unpack it first.")
    if not is_data_name(info.filename):
        return False
    if info.flag_bits & _ENCRYPTED:
        raise data_error(archive, f"the member {shown} is encrypted.", _AGAIN)
    return True


def _member(path: Path, stamp: str, name: str, index: int, info: zipfile.ZipInfo) -> DataFile:
    require_bounded(info.file_size, info.compress_size, name)
    kind, is_gzipped = kind_of(info.filename, name)
    return readable(Content(path, name, info.compress_size, f"{stamp} {index}", index, is_gzipped), kind, name)
