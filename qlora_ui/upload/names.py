"""Names and paths of uploaded files, which come from outside and are not believed."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.uploads import MAX_DEPTH, PLAIN_ENDINGS, ending_of

MAX_NAME_BYTES = 120
_ENDINGS_SHOWN = f"{', '.join(PLAIN_ENDINGS)}, each also with .gz, or .zip"


def clean_name(name: str) -> str:
    """A name that is safe as a file's: the last part of a path, without control or path characters.

    Raises DataError when nothing is left of it or its ending is none of `ENDINGS`.
    """
    base = _plain(name).rpartition("/")[2].strip(" .")
    ending = ending_of(base)
    stem = _shortened(base.removesuffix(ending), MAX_NAME_BYTES - len(ending))
    if not stem.strip(" ._") or not ending:
        shown = base[:80] or "without a name"
        raise DataError(f"A file {shown} cannot be taken in.", f"Its name must end in {_ENDINGS_SHOWN}.", place=shown)
    return stem + ending


def clean_path(path: str) -> PurePosixPath:
    """A relative path whose every part is safe; a lone name is treated as `clean_name` does.

    Raises DataError for an absolute path, for hidden parts, for `.` and `..`, for more than `MAX_DEPTH` folders and for
    an ending that is none of `ENDINGS`.
    """
    *folders, name = _plain(path).split("/")
    shown = _plain(path)[:80]
    if not folders:
        return PurePosixPath(clean_name(name))
    if any(not part.strip(" .") or part.startswith(".") for part in (*folders, name)):
        raise DataError(
            f"The path {shown} cannot be taken in.",
            "It must be relative, without hidden folders, hidden files and `..`.",
            place=shown,
        )
    if len(folders) > MAX_DEPTH:
        raise DataError(
            f"The path {shown} lies deeper than {MAX_DEPTH} folders.", "Choose a folder further inside.", place=shown
        )
    return PurePosixPath(*(_shortened(part, MAX_NAME_BYTES) for part in folders), clean_name(name))


def _plain(path: str) -> str:
    """With `/` between its parts and without what file systems do not take, or what turns the text around it."""
    path = unicodedata.normalize("NFC", path).replace("\\", "/")
    return re.sub(r'[\x00-\x1f\x7f-\x9f<>:"|?*\u202a-\u202e\u2066-\u2069\ud800-\udfff]', "_", path)


def _shortened(name: str, room: int) -> str:
    """At most `room` bytes of it, and no space or dot at the ends, which Windows takes away."""
    return name.encode()[:room].decode(errors="ignore").strip(" .")
