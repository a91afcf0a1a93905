"""Sources → files that rows come from, with what a person should know of each."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.inspection import SourceView
from qlora_ui.contract.recipe import Source
from qlora_ui.contract.references import FileReference, HubReference, parse_reference
from qlora_ui.data.places import data_error
from qlora_ui.data.readers.content import unreadable
from qlora_ui.data.readers.rows import BadRow, DataFile, Row
from qlora_ui.data.sources.folder import open_folder, open_path
from qlora_ui.data.sources.progress import OnNote


@dataclass(frozen=True)
class OpenSource:
    """One source, found. Its weight is carried in `source`; whoever prepares the rows applies it."""

    source: Source
    files: list[DataFile]
    """In order; at least one."""
    view: SourceView


def open_sources(sources: Sequence[Source], offline: bool = False, on_note: OnNote | None = None) -> list[OpenSource]:
    """Find all sources, in their order; what is on the hub is fetched, or taken from what is cached when `offline`.

    No row is read. Raises ParameterError for a reference that cannot be understood, and DataError for a source that is
    not there, holds no data or cannot be fetched.
    """
    return [_open(source, offline, on_note or (lambda note: None)) for source in sources]


def first_rows(source: OpenSource, count: int) -> list[Row]:
    """Those among the first `count` rows of a source that can be read, numbered as if it were the only one.

    Raises DataError where there are none: that of the first row, where there is one.
    """
    first = list(islice(_rows(source), count))
    readable = [row for row in first if isinstance(row, Row)]
    if readable:
        return readable
    bad = next((row.error for row in first if isinstance(row, BadRow)), None)
    name = source.view.name
    raise bad or DataError(f"{name}: there are no rows.", "Add at least one example.", name)


def _rows(source: OpenSource) -> Iterator[Row | BadRow]:
    number = 1
    for file in source.files:
        for block in file.blocks(number):
            number = block.first + block.count
            yield from block.rows()


def _open(source: Source, offline: bool, on_note: OnNote) -> OpenSource:
    reference = parse_reference(source.path)
    if isinstance(reference, HubReference):
        from qlora_ui.data.sources.hub import open_dataset

        files, note = open_dataset(reference, offline, on_note)
        name = str(reference)
    else:
        files, note = _open_local(reference)
        name = source.path if reference.is_starter else reference.location.name
    sizes = [file.bytes for file in files if file.bytes is not None]
    known = sum(sizes) if len(sizes) == len(files) else None
    return OpenSource(source, files, SourceView(path=source.path, name=name, bytes=known, files=len(files), note=note))


def _open_local(reference: FileReference) -> tuple[list[DataFile], str]:
    path = reference.location
    mode = _mode(path)
    if stat.S_ISDIR(mode):
        return open_folder(path, reference.split)
    if reference.split:
        raise data_error(path.name, "only a folder or a hub dataset has splits.", "Leave ?split=… away.")
    if not stat.S_ISREG(mode):
        raise data_error(str(path), f"this is {_what(mode)}, not a file.", "Choose a file or a folder.")
    return open_path(path, path.name), ""


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        raise data_error(str(path), "there is no such file.", "Check the path for a typing mistake.") from None
    except NotADirectoryError:
        hint = "Check the path; what is inside of an archive is found by itself."
        raise data_error(str(path), "a part of this path is a file, not a folder.", hint) from None
    except OSError as error:
        raise unreadable(str(path), error) from None


def _what(mode: int) -> str:
    kinds = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
    return kinds.get(stat.S_IFMT(mode), "something else")
