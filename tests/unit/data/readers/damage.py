"""Damaged files of every kind, made in code: what is wrong with each, and how many of its rows are whole."""

from __future__ import annotations

import gzip
import io
import pickle
import stat
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.ipc
import pyarrow.parquet

GOOD = b'{"q": "x"}\n'
CSV = b"q,a\nx,y\n"


@dataclass(frozen=True, slots=True)
class Damage:
    kind: str
    """In a few words."""
    file: str
    content: bytes | Callable[[], bytes]
    place: str
    problem: str
    """A part of the sentence."""
    good: int = 0
    """Rows that are given all the same."""
    bad: int | None = 1
    """Rows that are given as bad ones; None where reading ends with an error for the file."""

    def write(self, folder: Path) -> Path:
        path = folder / self.file
        path.write_bytes(self.content if isinstance(self.content, bytes) else self.content())
        return path


def zipped(files: dict[str, bytes], *, mode: int = 0o600, flags: int = 0) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFREG | mode if mode < 0o1000 else mode) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    packed = bytearray(sink.getvalue())
    if flags:
        packed[6] |= flags  # of the local header
        packed[packed.index(b"PK\x01\x02") + 8] |= flags  # of the list at the end
    return bytes(packed)


def parquet(columns: dict[str, Any], rows_per_group: int = 1000) -> bytes:
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), sink, row_group_size=rows_per_group)
    return sink.getvalue()


def arrow(columns: dict[str, Any], *, is_stream: bool = True, rows_per_batch: int = 1000) -> bytes:
    sink = io.BytesIO()
    table = pyarrow.table(columns)
    make = pyarrow.ipc.new_stream if is_stream else pyarrow.ipc.new_file
    with make(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=rows_per_batch)
    return sink.getvalue()


def wrong_strings() -> Any:
    """Two strings of which the second is not UTF-8, as only a careless program writes them."""
    return pyarrow.array([b"x", b"\xff"], pyarrow.binary()).view(pyarrow.string())


def far_dates() -> Any:
    return pyarrow.array([0, 10**8], pyarrow.date32())


def _truncated_gzip() -> bytes:
    return gzip.compress(b"".join(b'{"q": "%d"}\n' % number for number in range(100)))[:-40]


def _middle_of_gzip() -> bytes:
    packed = bytearray(gzip.compress(GOOD * 3))
    packed[-6] ^= 0xFF
    return bytes(packed)


def _cut_stream() -> bytes:
    return arrow({"q": ["x" * 100] * 30}, rows_per_batch=10)[:-800]


LONG = 65 * 1024 * 1024

DAMAGES = [
    # JSONL
    Damage("empty file", "a.jsonl", b"", "a.jsonl", "the file is empty", bad=None),
    Damage("white space only", "a.jsonl", b"\n \r\n\t", "a.jsonl", "holds no rows", bad=None),
    Damage("missing colon", "a.jsonl", GOOD * 16 + b'{"q" "x"}\n' + GOOD, "a.jsonl, line 17, column 6", "':'", 17),
    Damage("cut in the middle", "a.jsonl", GOOD + b'{"q": ', "a.jsonl, line 2, column 6", "object is not closed", 1),
    Damage("open text", "a.jsonl", GOOD + b'{"q": "x}\n' + GOOD, "a.jsonl, line 2, column 7", "unterminated string", 2),
    Damage("trailing comma", "a.jsonl", GOOD + b'{"q": 1,}\n' + GOOD, "a.jsonl, line 2, column 9", "comma too many", 2),
    Damage(
        "deep row above many without brackets",
        "a.jsonl",
        b'{"q": ' + b"[" * 150 + b"]" * 150 + b"}\n" + b"1\n" * 200,
        "a.jsonl, line 1",
        "lists and objects lie more than 100 levels inside one another",
        0,
        201,
    ),
    Damage("comment", "a.jsonl", b"// rows\n" + GOOD, "a.jsonl, line 1, column 1", "JSON has no comments", 1),
    Damage("single quotes", "a.jsonl", GOOD + b"{'q': 'x'}\n", "a.jsonl, line 2, column 2", "double quotes", 1),
    Damage(
        "two on one line", "a.jsonl", b'{"q": 1} {"q": 2}\n' + GOOD, "a.jsonl, line 1, column 10", "stands behind", 1
    ),
    Damage("NaN", "a.jsonl", GOOD + b'{"q": "NaN", "a": NaN}\n', "a.jsonl, line 2, column 19", "NaN is no JSON", 1),
    Damage("infinity", "a.jsonl", b'{"q": -Infinity}\n' + GOOD, "a.jsonl, line 1, column 7", "-Infinity is no JSON", 1),
    Damage(
        "a list",
        "a.jsonl",
        GOOD + b"[1, 2]\n" + GOOD,
        "a.jsonl, line 2",
        "an object with columns, but this is a list",
        2,
    ),
    Damage("empty object", "a.jsonl", GOOD + b"{}\n", "a.jsonl, line 2", "this is an empty object", 1),
    Damage("null", "a.jsonl", b"null\n" + GOOD, "a.jsonl, line 1", "this is null", 1),
    Damage("a number", "a.jsonl", GOOD + b"1.5\n", "a.jsonl, line 2", "this is a number", 1),
    Damage("a text", "a.jsonl", GOOD + b'"x"\n', "a.jsonl, line 2", "this is a text", 1),
    Damage("true", "a.jsonl", GOOD + b"true\n", "a.jsonl, line 2", "this is true or false", 1),
    Damage(
        "half a character", "a.jsonl", b'{"q": "\\ud83d"}\n' + GOOD, "a.jsonl, line 1", "one half of a character", 1
    ),
    Damage("deep nesting", "a.jsonl", b"[" * 100_000 + b"\n" + GOOD, "a.jsonl, line 1", "more than 100 levels", 1),
    Damage(
        "101 levels", "a.jsonl", b'{"q":' * 101 + b"1" + b"}" * 101 + b"\n", "a.jsonl, line 1", "more than 100 levels"
    ),
    Damage("5,000 digits", "a.jsonl", b'{"q": ' + b"1" * 5000 + b"}\n" + GOOD, "a.jsonl, line 1", "4,300 digits", 1),
    Damage(
        "Latin-1", "a.jsonl", GOOD + b'{"q": "Gr\xf6"}\n' + GOOD, "a.jsonl, line 2, column 10", "0xf6 is not UTF-8", 2
    ),
    Damage("half UTF-8", "a.jsonl", GOOD + b'{"q": "\xc3', "a.jsonl, line 2, column 8", "0xc3 is not UTF-8", 1),
    Damage("NUL byte", "a.jsonl", GOOD + b'{"q": "\0"}\n' + GOOD, "a.jsonl, line 2, column 8", "NUL byte", 2),
    Damage(
        "control character", "a.jsonl", b'{"q": "\x01"}\n' + GOOD, "a.jsonl, line 1, column 8", "control character", 1
    ),
    Damage("lone CR", "a.jsonl", b'{"q": 1}\r{"q": 2}\n', "a.jsonl, line 1, column 10", "stands behind the end"),
    Damage(
        "a long line",
        "a.jsonl",
        lambda: GOOD + b'{"q": "' + b"x" * LONG + b'"}\n' + GOOD,
        "a.jsonl, line 2",
        "64 MB",
        2,
    ),
    # what a file is not
    Damage("UTF-16", "a.csv", CSV.decode().encode("utf-16"), "a.csv", "text in UTF-16", bad=None),
    Damage("UTF-16 unmarked", "a.txt", CSV.decode().encode("utf-16-le"), "a.txt", "text in UTF-16", bad=None),
    Damage("UTF-32", "a.jsonl", GOOD.decode().encode("utf-32"), "a.jsonl", "text in UTF-32", bad=None),
    Damage("a pickle", "a.jsonl", pickle.dumps([{"q": "x"}]), "a.jsonl", "this is a Python pickle", bad=None),
    Damage("a spreadsheet", "a.csv", zipped({"xl/workbook.xml": b"<x/>"}), "a.csv", "a ZIP archive", bad=None),
    Damage("a picture", "a.jsonl", b"\x89PNG\r\n\x1a\n\0\0", "a.jsonl", "this is a PNG picture", bad=None),
    Damage("a document", "a.txt", b"%PDF-1.7\n", "a.txt", "this is a PDF document", bad=None),
    Damage("a web page", "a.json", b"<!DOCTYPE html>\n<html>", "a.json", "this is a web page", bad=None),
    Damage(
        "an LFS pointer", "a.parquet", b"version https://git-lfs.github.com/spec/v1\n", "a.parquet", "Git LFS", bad=None
    ),
    Damage("unknown ending", "a.xlsx", b"x", "a.xlsx", "the ending .xlsx does not tell", bad=None),
    Damage("no ending", "data", b"x", "data", "a name without an ending", bad=None),
    Damage("a tar archive", "a.tar.gz", gzip.compress(b"x"), "a.tar.gz", "not unpacked here", bad=None),
    # JSON
    Damage(
        "list cut off", "a.json", b'[{"q": 1},\n {"q": 2}\n', "a.json, line 2, column 10", "list is not closed", 2, None
    ),
    Damage(
        "cut in a row", "a.json", b'[{"q": 1},\n {"q": ', "a.json, line 2, column 8", "object is not closed", 1, None
    ),
    Damage("missing colon", "a.json", b'[\n {"q": 1},\n {"q" 2}]', "a.json, line 3, column 7", "':'", 1, None),
    Damage("missing comma", "a.json", b'[{"q": 1}\n {"q": 2}]', "a.json, line 2, column 2", "a comma", 1, None),
    Damage("trailing comma", "a.json", b'[{"q": 1},\n]', "a.json, line 2, column 1", "comma too many", 1, None),
    Damage("comment", "a.json", b'[{"q": 1}, // one\n]', "a.json, line 1, column 12", "no comments", 1, None),
    Damage(
        "behind the list", "a.json", b'[{"q": 1}]\n[]', "a.json, line 2, column 1", "stands behind the end", 1, None
    ),
    Damage("a number in the list", "a.json", b'[{"q": 1}, 2, {"q": 3}]', "a.json, row 2", "this is a number", 2),
    Damage("a nested list", "a.json", b'[[{"q": 1}], {"q": 3}]', "a.json, row 1", "this is a list", 1),
    Damage("NaN", "a.json", b'[{"q": NaN}, {"q": 3}]', "a.json, row 1", "NaN is no JSON value", 1),
    Damage("half a character", "a.json", b'[{"q": "\\uDC00"}, {"q": 3}]', "a.json, row 1", "half of a character", 1),
    Damage("5,000 digits", "a.json", b"[{}, " + b"1" * 5000 + b', {"q": 3}]', "a.json, row 2", "4,300 digits", 1, 2),
    Damage(
        "not UTF-8", "a.json", b'[{"q": 1},\n{"q": "\xff"}]', "a.json, line 2, column 8", "0xff is not UTF-8", 1, None
    ),
    Damage(
        "deep nesting", "a.json", b'[{"q": 1},' + b"[" * 100_000, "a.json, line 1, column 11", "100 levels", 1, None
    ),
    Damage("a text", "a.json", b'"text"', "a.json", "must hold a list", bad=None),
    Damage("settings", "a.json", b'{"a": 1, "b": 2}', "a.json", "must hold a list", bad=None),
    Damage(
        "two lists", "a.json", b'{"a": [{"q": 1}], "b": []}', "a.json", "beside the list a the file holds b", 1, None
    ),
    Damage(
        "uneven columns", "a.json", b'{"a": ["x"], "b": []}', "a.json", "a and b do not have the same rows", bad=None
    ),
    Damage("empty list", "a.json", b"[]", "a.json", "holds no rows", bad=None),
    Damage(
        "a long row", "a.json", lambda: b'[{"q": 1}, "' + b"x" * 2 * LONG, "a.json, line 1, column 12", "64 MB", 1, None
    ),
    # CSV, TSV
    Damage("header only", "a.csv", b"q,a\n", "a.csv", "holds no rows", bad=None),
    Damage(
        "too wide", "a.csv", CSV + b"x,y,z\nv,w\n", "a.csv, line 3", "3 columns, but the first line names 2: q, a", 2
    ),
    Damage("too narrow", "a.tsv", b"q\ta\nx\nv\tw\n", "a.tsv, line 2", "cut at each tab, the row has 1 column", 1),
    Damage("three delimiters", "a.csv", b"q;a\nx;y\nv,w\nr\ts\n", "a.csv, line 3", "cut at each semicolon", 1, 2),
    Damage("twice the same column", "a.csv", b"q,q\nx,y\n", "a.csv, line 1", "the column q appears twice", bad=None),
    Damage("a column without a name", "a.csv", b"q,\nx,y\n", "a.csv, line 1", "column 2 has no name", bad=None),
    Damage("open quote at the end", "a.csv", CSV + b'"x,y\n', "a.csv, line 3, column 1", "is not closed", 1),
    Damage("open quote within", "a.csv", CSV + b'v,"w\nx,y\nr,"s"\n', "a.csv, line 3, column 3", "is not closed", 3),
    Damage("lone CR", "a.csv", b"q,a\rx,y\r", "a.csv, line 1, column 4", "carriage return", bad=None),
    Damage("NUL byte", "a.csv", CSV + b"x,\0\nv,w\n", "a.csv, line 3, column 3", "NUL byte", 2),
    Damage("Latin-1", "a.csv", CSV + b"Gr\xf6,z\nv,w\n", "a.csv, line 3, column 3", "0xf6 is not UTF-8", 2),
    # text
    Damage("Latin-1", "a.txt", b"one\n\nGr\xf6\n\ntwo\n", "a.txt, line 3, column 3", "0xf6 is not UTF-8", 2),
    Damage("NUL byte", "a.md", b"# one\n\0\n# two\n", "a.md, line 2, column 1", "NUL byte", 1),
    Damage("blank lines only", "a.md", b"\n \n", "a.md", "holds no rows", bad=None),
    # packed
    Damage("gzip cut off", "a.jsonl.gz", _truncated_gzip, "a.jsonl.gz", "ends too early", 81, None),
    Damage("gzip and more", "a.jsonl.gz", gzip.compress(GOOD) + b"more", "a.jsonl.gz", "not packed with gzip", 1, None),
    Damage("gzip with wrong sum", "a.jsonl.gz", _middle_of_gzip, "a.jsonl.gz", "incorrect data check", 0, None),
    Damage("no gzip", "a.csv.gz", CSV, "a.csv.gz", "this is not packed with gzip", bad=None),
    Damage("packed without saying", "a.csv", gzip.compress(CSV), "a.csv", "packed with gzip", bad=None),
    Damage("nothing packed", "a.csv.gz", gzip.compress(b""), "a.csv.gz", "the file is empty", bad=None),
    Damage(
        "a broken row in gzip",
        "a.jsonl.gz",
        gzip.compress(GOOD + b"{\n" + GOOD),
        "a.jsonl.gz, line 2, column 2",
        "closed",
        2,
    ),
    Damage("gzip bomb", "a.txt.gz", lambda: gzip.compress(b"x" * 110 * 1024**2), "a.txt.gz", "1,000 times", 0, None),
    # columns
    Damage(
        "Parquet cut in half",
        "a.parquet",
        lambda: parquet({"q": ["x"] * 99})[:200],
        "a.parquet",
        "no whole Parquet",
        bad=None,
    ),
    Damage("Parquet without footer", "a.parquet", b"PAR1" + bytes(100), "a.parquet", "no whole Parquet", bad=None),
    Damage("text as Parquet", "a.parquet", GOOD, "a.parquet", "no whole Parquet", bad=None),
    Damage("Parquet without rows", "a.parquet", lambda: parquet({"q": []}), "a.parquet", "holds no rows", bad=None),
    Damage("wrong text", "a.parquet", lambda: parquet({"q": wrong_strings()}), "a.parquet, row 2, column q", "UTF", 1),
    Damage(
        "far date", "a.parquet", lambda: parquet({"d": far_dates()}), "a.parquet, row 2, column d", "cannot be read", 1
    ),
    Damage("wrong text", "a.arrow", lambda: arrow({"q": wrong_strings()}), "a.arrow, row 2, column q", "UTF", 1),
    Damage("Arrow cut off", "a.arrow", _cut_stream, "a.arrow, after row 20", "no whole Arrow file", 20, None),
    Damage(
        "Arrow without end",
        "a.arrow",
        lambda: arrow({"q": ["x"]})[:-8],
        "a.arrow",
        "end is missing",
        1,
        None,
    ),
    Damage(
        "Arrow file cut off",
        "a.arrow",
        lambda: arrow({"q": ["x"]}, is_stream=False)[:-9],
        "a.arrow",
        "no whole",
        bad=None,
    ),
    Damage("text as Arrow", "a.arrow", GOOD, "a.arrow", "no whole Arrow file", bad=None),
]

ARCHIVES = [
    Damage("name that climbs", "a.zip", zipped({"../a.jsonl": GOOD}), "a.zip", "points outside", bad=None),
    Damage("name on a drive", "a.zip", zipped({"C:a.jsonl": GOOD}), "a.zip", "points outside", bad=None),
    Damage("absolute name", "a.zip", zipped({"/etc/a.jsonl": GOOD}), "a.zip", "points outside", bad=None),
    Damage("backslash", "a.zip", zipped({"..\\a.jsonl": GOOD}), "a.zip", "points outside", bad=None),
    Damage(
        "a link",
        "a.zip",
        zipped({"a.jsonl": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777),
        "a.zip",
        "is a link",
        bad=None,
    ),
    Damage("encrypted", "a.zip", zipped({"a.jsonl": GOOD}, flags=1), "a.zip", "is encrypted", bad=None),
    Damage(
        "archive inside",
        "a.zip",
        lambda: zipped({"b.zip": zipped({"a.jsonl": GOOD})}),
        "a.zip",
        "inside the archive",
        bad=None,
    ),
    Damage(
        "no data inside", "a.zip", zipped({"a.png": b"x", "__MACOSX/a.jsonl": GOOD}), "a.zip", "it has a.png", bad=None
    ),
    Damage("no archive", "a.zip", GOOD, "a.zip", "no whole ZIP archive", bad=None),
    Damage("cut off", "a.zip", zipped({"a.jsonl": GOOD})[:-10], "a.zip", "no whole ZIP archive", bad=None),
    Damage("bomb", "a.zip", lambda: zipped({"a.txt": b"x" * 110 * 1024**2}), "a.zip", "1,000 times", bad=None),
    Damage(
        "broken row", "a.zip", zipped({"b/a.jsonl": GOOD + b"{\n"}), "a.zip/b/a.jsonl, line 2, column 2", "closed", 1
    ),
]
