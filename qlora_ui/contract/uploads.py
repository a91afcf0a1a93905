"""What may be uploaded: browser, HTTP interface and store go by the same endings and bounds."""

from __future__ import annotations

from pydantic import BaseModel

PLAIN_ENDINGS = (
    ".jsonl",
    ".ndjson",
    ".json",
    ".csv",
    ".tsv",
    ".parquet",
    ".arrow",
    ".txt",
    ".md",
    ".markdown",
)
ENDINGS = (*PLAIN_ENDINGS, *(f"{ending}.gz" for ending in PLAIN_ENDINGS), ".zip")
"""What the name of a data file ends in, in any case of letters."""

MAX_FILES = 10_000
"""Files in one folder that is uploaded."""
MAX_DEPTH = 8
"""Folders that a file may lie in, one inside the other."""
MAX_TEXT_BYTES = 20 * 1024**2
"""Text that is pasted."""
PART_BYTES = 8 * 1024**2
"""What a browser sends in one request; a broken connection costs no more than that."""


class UploadedFile(BaseModel):
    """One file of an upload that is under way."""

    path: str
    """As the sender gave it."""
    offset: int
    """Bytes that are safely on the disk: the next part begins here."""
    total: int
    """Bytes of the whole file, as the sender announced them."""


class UploadState(BaseModel):
    """How far an upload has come."""

    files: list[UploadedFile]


def ending_of(name: str) -> str:
    """The ending of a data file's name as it is written there; empty when it is none of `ENDINGS`."""
    lower = name.lower()
    length = max((len(ending) for ending in ENDINGS if lower.endswith(ending)), default=0)
    return name[len(name) - length :]
