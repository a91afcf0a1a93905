"""What a file is that has rows of no kind that its name promises, by how it begins."""

from __future__ import annotations

import re

from qlora_ui.data.places import data_error

HEAD = 512
"""Bytes that are enough to tell."""

_UNPACK = "Unpack it, then choose the file inside."
_EXPORT = "Choose a file with rows of text, such as .jsonl or .csv."
_UTF8 = "Save the file as UTF-8."
_GZ = "If it is packed data, give it a name that ends in .gz, such as train.jsonl.gz."
_ZIP = "An archive must have a name that ends in .zip. From a spreadsheet, export the table as .csv."

_BINARY = {
    b"\x89PNG\r\n\x1a\n": ("a PNG picture", _EXPORT),
    b"\xff\xd8\xff": ("a JPEG picture", _EXPORT),
    b"GIF87a": ("a GIF picture", _EXPORT),
    b"GIF89a": ("a GIF picture", _EXPORT),
    b"%PDF-": ("a PDF document", _EXPORT),
    b"\xd0\xcf\x11\xe0": ("an old office document", "Export the table as .csv."),
    b"PK\x03\x04": ("a ZIP archive (or an office document, which is one inside)", _ZIP),
    b"\x1f\x8b": ("packed with gzip", _GZ),
    b"BZh91AY&SY": ("packed with bzip2", _UNPACK),
    b"\xfd7zXZ\0": ("packed with xz", _UNPACK),
    b"\x28\xb5\x2f\xfd": ("packed with zstd", _UNPACK),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", _UNPACK),
    b"Rar!\x1a\x07": ("a RAR archive", _UNPACK),
    b"SQLite format 3\0": ("an SQLite database", "Export its table as .csv."),
    b"\x89HDF\r\n\x1a\n": ("an HDF5 file", _EXPORT),
    b"\x93NUMPY": ("a NumPy array", _EXPORT),
    b"Obj\x01": ("an Avro file", "Convert it to .parquet."),
    b"\x7fELF": ("a program", _EXPORT),
    b"ARROW1\0\0": ("an Arrow file", "Give it a name that ends in .arrow."),
    b"\xff\xfe\0\0": ("text in UTF-32", _UTF8),
    b"\0\0\xfe\xff": ("text in UTF-32", _UTF8),
    b"\xff\xfe": ("text in UTF-16", _UTF8),
    b"\xfe\xff": ("text in UTF-16", _UTF8),
}
"""The first bytes → what that is, and what to do; the longer one first where two begin alike."""

_PICKLE = re.compile(rb"\x80[\x02-\x05][\x00-\x1f\x80-\xff(}\]cK]")
_PARQUET = re.compile(rb"PAR1[\x00-\x08\x0e-\x1f]")  # a text may begin so, but goes on with letters
_WEB_PAGE = re.compile(rb"\s*<(!doctype html|html)\b", re.IGNORECASE)
_SPREAD_LIST = re.compile(rb"(\xef\xbb\xbf)?\s*\[[ \t\r]*\n\s*\{")
_POINTER = b"version https://git-lfs.github.com/spec/"


def refuse_other(head: bytes, place: str, *, is_prose: bool) -> None:
    """Raise DataError for what begins as no text does; `is_prose` lets pass what a text can be about."""
    if head.startswith(_POINTER):
        problem = "this is only the pointer that Git LFS leaves in place of a file."
        raise data_error(place, problem, "Fetch the file itself with `git lfs pull`.")
    if not is_prose and _WEB_PAGE.match(head):
        hint = "The download may have met a page to sign in: fetch the file itself."
        raise data_error(place, "this is a web page, whatever its name says.", hint)
    if found := _what(head):
        raise data_error(place, f"this is {found[0]}, whatever its name says.", found[1])


def is_spread_list(head: bytes) -> bool:
    """Whether this is a JSON list whose bracket stands on a line of its own, as no row of JSONL does."""
    return _SPREAD_LIST.match(head) is not None


def _what(head: bytes) -> tuple[str, str] | None:
    for magic, found in _BINARY.items():
        if head.startswith(magic):
            return found
    if _PARQUET.match(head):
        return "a Parquet file", "Give it a name that ends in .parquet."
    if _PICKLE.match(head):
        return "a Python pickle", "Pickles can run programs when they are opened: export the data as .jsonl."
    if len(head) >= 4 and (_is_every_other_nul(head[0::2]) or _is_every_other_nul(head[1::2])):
        return "text in UTF-16 or UTF-32", _UTF8
    return None


def _is_every_other_nul(half: bytes) -> bool:
    return half.count(0) > 0.9 * len(half)
