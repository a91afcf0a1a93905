"""What a file or a text that cannot be read is, by how it begins or ends."""

from __future__ import annotations

import re
from pathlib import Path

from qlora_ui.data.places import data_error

_UNPACK = "Unpack it, then choose the file inside."
_EXPORT = "Choose a file with rows of text, such as .jsonl or .csv."
_PARQUET = b"PAR1"
_BINARY = {
    b"\x89PNG\r\n\x1a\n": ("a PNG picture", _EXPORT),
    b"\xff\xd8\xff": ("a JPEG picture", _EXPORT),
    b"%PDF-": ("a PDF document", _EXPORT),
    b"PK\x03\x04": ("a ZIP archive (or an office document, which is one inside)", _UNPACK),
    b"\x1f\x8b": ("packed with gzip", _UNPACK),
    _PARQUET: ("a Parquet file", "Give it a name that ends in .parquet."),
}
"""The first bytes → what that is, and what to do. Of Parquet the end counts too: a text may begin so."""


def refuse_binary(path: Path) -> None:
    """Raise DataError for a file that is no text, whatever its name says. Raises OSError when it cannot be read."""
    with path.open("rb") as file:
        head = file.read(8)
        for magic, (what, hint) in _BINARY.items():
            if not head.startswith(magic):
                continue
            if magic == _PARQUET and (path.suffix.lower() == ".parquet" or not _ends_as_parquet(path)):
                continue
            raise data_error(path.name, f"this is {what}, whatever its name says.", hint)


def _ends_as_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - len(_PARQUET)))
        return file.read() == _PARQUET


_JSON_PART = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)
_KINDS = {"{": "object", "[": "list"}


def unclosed(content: str) -> str:
    """What a JSON text that ends too early has left open: `the object is not closed`; empty when that is nothing."""
    opened: list[str] = []
    for part in _JSON_PART.findall(content):
        if part in _KINDS:
            opened.append(part)
        elif part in {"}", "]"} and opened:
            opened.pop()
    return f"the {_KINDS[opened[-1]]} is not closed" if opened else ""
