"""Which kind of file a name promises, and the file as something that gives blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from qlora_ui.data.places import data_error
from qlora_ui.data.readers.columns import cut_arrow, cut_parquet
from qlora_ui.data.readers.content import Content, unreadable
from qlora_ui.data.readers.delimited import cut_csv, cut_tsv
from qlora_ui.data.readers.json_lines import cut_json_lines
from qlora_ui.data.readers.json_list import cut_json
from qlora_ui.data.readers.prose import cut_paragraphs, cut_sections
from qlora_ui.data.readers.recognise import HEAD, is_spread_list, refuse_other
from qlora_ui.data.readers.rows import Block

Cut = Callable[[Content, int, int], Iterator[Block]]
"""Content, the first row that is wanted (from 1), and how much higher rows are numbered than in the file → blocks."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How files with one ending are read."""

    cut: Cut
    magic: tuple[bytes, ...] = ()
    """How it may begin, where it is no text."""
    is_prose: bool = False
    """It may hold any text, so that little can be told from how it begins."""


KINDS: dict[str, Kind] = {
    ".jsonl": Kind(cut_json_lines),
    ".ndjson": Kind(cut_json_lines),
    ".json": Kind(cut_json),
    ".csv": Kind(cut_csv),
    ".tsv": Kind(cut_tsv),
    ".parquet": Kind(cut_parquet, magic=(b"PAR1",)),
    ".arrow": Kind(cut_arrow, magic=(b"ARROW1", b"\xff\xff\xff\xff")),
    ".txt": Kind(cut_paragraphs, is_prose=True),
    ".md": Kind(cut_sections, is_prose=True),
    ".markdown": Kind(cut_sections, is_prose=True),
}
"""By the ending of a name in lower case; each may have `.gz` behind it."""

_ARCHIVES = {".tar", ".tgz", ".tbz2", ".txz", ".7z", ".rar", ".bz2", ".xz", ".zst", ".lz4"}
_COMPANIONS = {"readme", "license", "licence", "notice", "changelog", "citation"}
_DESCRIPTIONS = {"dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"}


@dataclass(frozen=True, slots=True)
class ReadableFile:
    """A file on the disk, or in an archive, as a `DataFile`."""

    name: str
    bytes: int
    """On the disk; packed, where it is."""
    content: Content
    kind: Kind

    @property
    def stamp(self) -> str:
        return self.content.stamp

    def blocks(self, first: int = 1, start: int = 1) -> Iterator[Block]:
        """As `DataFile.blocks`. Raises DataError, also when the file holds no rows at all."""
        is_empty = True
        try:
            for block in self.kind.cut(self.content, max(start, 1), first - 1):
                is_empty = False
                yield block
        except OSError as error:
            raise unreadable(self.name, error) from None
        if is_empty and start <= 1:
            raise data_error(self.name, "the file holds no rows.", "Add at least one example.")

    def fingerprint(self) -> str:
        """SHA-256 in hexadecimal; remembered while the file stays the same. Raises DataError."""
        return self.content.fingerprint()


def is_data_name(name: str) -> bool:
    """Whether a file in a folder or an archive is taken for data: not what is hidden, describes it or is a licence."""
    path = PurePath(name)
    if any(part.startswith(".") or part == "__MACOSX" for part in path.parts) or path.name in _DESCRIPTIONS:
        return False
    ending, _ = _ending(path.name)
    if ending in {".md", ".markdown", ".txt"} and path.name.split(".")[0].lower() in _COMPANIONS:
        return False
    return ending in KINDS


def is_archive_name(name: str) -> bool:
    """Whether the ending is that of an archive, or of a way of packing that is not unpacked here."""
    return PurePath(name.lower().removesuffix(".gz")).suffix in {".zip", *_ARCHIVES}


def kind_of(filename: str, place: str) -> tuple[Kind, bool]:
    """The kind, and whether it is packed with gzip. Raises DataError for an ending that is not known."""
    ending, is_gzipped = _ending(filename)
    if kind := KINDS.get(ending):
        return kind, is_gzipped
    known = f"Known endings: {', '.join(KINDS)}, each also with .gz behind it; and .zip."
    if is_archive_name(filename):
        problem = f"archives and packed files that end in {PurePath(filename).suffix} are not unpacked here."
        raise data_error(place, problem, "Unpack it, or pack its files as .zip or .gz.")
    what = f"the ending {ending}" if ending else "a name without an ending"
    raise data_error(place, f"{what} does not tell how to read it.", known)


def readable(content: Content, kind: Kind, place: str) -> ReadableFile:
    """The file, after a look at how it begins. Raises DataError when it is empty or something else."""
    try:
        with content.open() as stream:
            head = stream.read(HEAD)
    except OSError as error:
        raise unreadable(place, error) from None
    if not head:
        raise data_error(place, "the file is empty.", "Add at least one example.")
    if not head.startswith(kind.magic or b"\0never"):
        refuse_other(head, place, is_prose=kind.is_prose)
    if kind.cut is cut_json_lines and is_spread_list(head):
        kind = KINDS[".json"]
    return ReadableFile(content.name, content.bytes, content, kind)


def _ending(filename: str) -> tuple[str, bool]:
    name = filename.lower()
    is_gzipped = name.endswith(".gz")
    return PurePath(name.removesuffix(".gz")).suffix, is_gzipped
