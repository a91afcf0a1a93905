"""Files → rows, one at a time: JSONL, JSON, CSV, TSV, Parquet and plain text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qlora_ui.contract.errors import DataError
from qlora_ui.data.places import data_error
from qlora_ui.data.readers.delimited import delimited_rows, guess_delimiter
from qlora_ui.data.readers.lines import text_lines
from qlora_ui.data.readers.recognise import refuse_binary, unclosed

_PARQUET_BATCH = 512
"""Rows; about what is in memory at once."""


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a file."""

    number: int
    """1 for the first row."""
    values: dict[str, Any]
    """Column → value."""
    line: int | None = None
    """The line of the file on which the row starts, from 1; None where the file has no lines or they are not known."""
    file: str = ""

    @property
    def place(self) -> str:
        return f"{self.file}, line {self.line}" if self.line is not None else f"{self.file}, row {self.number}"


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a file, read as they are asked for; the ending of its name tells how.

    Only a `.json` file is held in memory as a whole. Text must be UTF-8, with or without a byte order mark.
    Raises DataError, with its place, for a file that is absent, empty, damaged or of another kind.
    """
    number = 0
    try:
        read = _reader(path)
        for number, (line, values) in enumerate(read(path), start=1):
            yield Row(number, values, line, path.name)
    except OSError as error:
        raise data_error(str(path), f"the file cannot be read: {error.strerror or error}.") from error
    if number == 0:
        raise data_error(path.name, "the file holds no rows.", "Add at least one example.")


_Rows = Iterator[tuple[int | None, dict[str, Any]]]


def _read_jsonl(path: Path) -> _Rows:
    for number, line in text_lines(path):
        if line.strip():
            place = f"{path.name}, line {number}"
            hint = "Each line must be one whole JSON object, with names and text in double quotes."
            yield number, _object(_parse_json(line, place, hint), place)


def _read_json(path: Path) -> _Rows:
    content = "".join(line for _, line in text_lines(path))
    if not content.strip():
        return
    hint = "The file must be one list of objects, [{…}, {…}]. Save it as .jsonl if each line is an object of its own."
    try:
        parsed = _parse_json(content, path.name, hint, many_lines=True)
    except DataError:
        if not _is_jsonl(content):
            raise
        yield from _read_jsonl(path)
        return
    for number, value in enumerate(_json_list(parsed, path.name), start=1):
        yield None, _object(value, f"{path.name}, row {number}")


def _read_csv(path: Path) -> _Rows:
    yield from delimited_rows(path, guess_delimiter(path))


def _read_tsv(path: Path) -> _Rows:
    yield from delimited_rows(path, "\t")


def _read_parquet(path: Path) -> _Rows:
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        with path.open("rb") as source, pyarrow.parquet.ParquetFile(source) as file:
            for batch in file.iter_batches(batch_size=_PARQUET_BATCH):
                for values in batch.to_pylist():
                    number += 1
                    yield None, values
    except (pyarrow.ArrowException, ValueError, EOFError) as error:
        place = f"{path.name}, after row {number}" if number else path.name
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        hint = "It may be cut off or damaged: copy it again, or export it anew."
        raise data_error(place, f"this is no whole Parquet file ({reason}).", hint) from None


def _read_text(path: Path) -> _Rows:
    start = 0
    paragraph: list[str] = []
    for number, line in text_lines(path):
        if line.strip():
            start = start if paragraph else number
            paragraph.append(line)
        elif paragraph:
            yield start, {"text": "".join(paragraph).rstrip("\r\n")}
            paragraph = []
    if paragraph:
        yield start, {"text": "".join(paragraph).rstrip("\r\n")}


READERS: dict[str, Callable[[Path], _Rows]] = {
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".json": _read_json,
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".parquet": _read_parquet,
    ".txt": _read_text,
}
"""How a file is read, by the ending of its name in lower case."""


def _reader(path: Path) -> Callable[[Path], _Rows]:
    """How to read the file. Raises DataError for what is no file, holds nothing or has an unknown ending."""
    if path.is_dir():
        raise data_error(str(path), "this is a folder.", "Choose one file inside it.")
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise data_error(str(path), "there is no such file.", "Check the path for a typing mistake.") from None
    except OSError as error:
        raise data_error(str(path), f"the file cannot be read: {error.strerror}.") from None
    read = READERS.get(path.suffix.lower())
    if read is None:
        ending = f"the ending {path.suffix}" if path.suffix else "a name without an ending"
        raise data_error(path.name, f"{ending} does not tell how to read it.", f"Known endings: {', '.join(READERS)}.")
    if size == 0:
        raise data_error(path.name, "the file is empty.", "Add at least one example.")
    refuse_binary(path)
    return read


def _parse_json(content: str, place: str, hint: str, *, many_lines: bool = False) -> Any:
    content = content.rstrip()  # else what is missing at the end of a line would be missed at the start of the next
    try:
        value = json.loads(content)
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        line = f", line {error.lineno}" if many_lines else ""
        reason = (error.pos >= len(content) and unclosed(content)) or error.msg[:1].lower() + error.msg[1:]
        raise data_error(f"{place}{line}, column {error.colno}", f"the JSON is broken: {reason}.", hint) from None
    except UnicodeEncodeError as error:  # JSON can spell half a character, which no tokenizer takes
        half = f"\\u{ord(error.object[error.start]):04x}"
        problem = f"the text contains {half}, which is one half of a character."
        raise data_error(place, problem, "Write both halves, or the character itself.") from None
    except (RecursionError, ValueError) as error:
        raise data_error(place, f"the JSON cannot be read: {error}.", hint) from None
    return value


def _is_jsonl(content: str) -> bool:
    """Objects one after the other, under the wrong ending: the first line is a whole object by itself."""
    first, _, rest = content.lstrip().partition("\n")
    try:
        return bool(rest.strip()) and isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _object(value: Any, place: str) -> dict[str, Any]:
    if isinstance(value, dict) and value:
        return value
    kind = "an empty object" if value == {} else _KINDS.get(type(value), "null")
    hint = 'Write each row as {"column": "value", …}.'
    raise data_error(place, f"a row must be an object with columns, but this is {kind}.", hint)


_KINDS: dict[type, str] = {list: "a list", str: "a text", int: "a number", float: "a number", bool: "true or false"}


def _json_list(parsed: Any, file: str) -> list[Any]:
    """The rows of a `.json` file: a list, or the list under `data`, or the only value of an object if it is a list."""
    rows = parsed
    if isinstance(parsed, dict):
        rows = parsed.get("data", next(iter(parsed.values()), None) if len(parsed) == 1 else None)
    if isinstance(rows, list):
        return rows
    raise data_error(file, "a .json file must hold a list of objects.", 'Write [{…}, {…}] or {"data": [{…}, {…}]}.')
