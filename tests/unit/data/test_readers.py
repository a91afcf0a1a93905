from __future__ import annotations

import csv
import json
import string
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qlora_ui.contract.errors import DataError
from qlora_ui.data.readers.files import read_rows
from qlora_ui.data.readers.kinds import KINDS
from qlora_ui.data.readers.rows import Row


def write(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def values(file: Path) -> list[dict[str, Any]]:
    return [row.values for row in read_rows(file)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", '{"q": "Größe", "a": "1,5 m"}\n\n{"q": "x", "a": "y"}'),
        ("a.NDJSON", '\ufeff{"q": "Größe", "a": "1,5 m"}\r\n{"q": "x", "a": "y"}\r\n'),
        ("a.json", '[{"q": "Größe", "a": "1,5 m"},\n {"q": "x", "a": "y"}]'),
        ("a.json", '{"data": [{"q": "Größe", "a": "1,5 m"}, {"q": "x", "a": "y"}], "version": 1}'),
        ("a.json", '{"examples": [{"q": "Größe", "a": "1,5 m"}, {"q": "x", "a": "y"}]}'),
        ("a.json", '{"q": "Größe", "a": "1,5 m"}\n{"q": "x", "a": "y"}\n'),
        ("a.csv", '\ufeffq,a\nGröße,"1,5 m"\n\nx,y\n'),
        ("a.csv", "q;a\r\nGröße;1,5 m\r\nx;y\r\n"),
        ("a.csv", "q\ta\nGröße\t1,5 m\nx\ty\n"),
        ("a.csv", "q|a\nGröße|1,5 m\nx|y\n"),
        ("a.tsv", "q\ta\nGröße\t1,5 m\nx\ty\n"),
    ],
)
def test_the_same_rows_from_every_kind_of_text(tmp_path: Path, name: str, content: str) -> None:
    assert values(write(tmp_path, name, content)) == [{"q": "Größe", "a": "1,5 m"}, {"q": "x", "a": "y"}]


def test_parquet(tmp_path: Path) -> None:
    rows = [{"q": f"Größe {i}", "turns": [{"role": "user", "n": i}]} for i in range(1200)]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    found = list(read_rows(tmp_path / "a.parquet"))
    assert [row.values for row in found] == rows
    assert (found[1199].number, found[1199].line, found[1199].place) == (1200, None, "a.parquet, row 1200")


def test_text_is_cut_at_blank_lines(tmp_path: Path) -> None:
    file = write(tmp_path, "a.txt", "\n\none\n  two\n \t\nthree\n\n")
    assert list(read_rows(file)) == [
        Row(1, {"text": "one\n  two"}, 3, "a.txt"),
        Row(2, {"text": "three"}, 6, "a.txt"),
    ]


def test_rows_know_their_line(tmp_path: Path) -> None:
    quoted = write(tmp_path, "a.csv", 'q,a\n"one\nmore","x"\n\n"two","y"\n')
    assert [(row.line, row.place) for row in read_rows(quoted)] == [(2, "a.csv, line 2"), (5, "a.csv, line 5")]
    lines = write(tmp_path, "a.jsonl", '{"q": 1}\n\n{"q": 2}\n')
    assert [(row.number, row.line) for row in read_rows(lines)] == [(1, 1), (2, 3)]


def test_rows_are_read_as_they_are_asked_for(tmp_path: Path) -> None:
    rows = read_rows(write(tmp_path, "a.jsonl", '{"q": 1}\nbroken\n'))
    assert next(rows).values == {"q": 1}
    with pytest.raises(DataError):
        next(rows)


def test_a_long_cell_is_read(tmp_path: Path) -> None:
    assert len(values(write(tmp_path, "a.csv", f"text\n{'x' * 300_000}\n"))[0]["text"]) == 300_000


GOOD = '{"q": "x"}\n'


@pytest.mark.parametrize(
    ("name", "content", "place", "problem"),
    [
        ("a.jsonl", "", "a.jsonl", "the file is empty"),
        ("a.jsonl", "\n \n", "a.jsonl", "holds no rows"),
        ("a.csv", "q,a\n", "a.csv", "holds no rows"),
        ("a.json", "[]", "a.json", "holds no rows"),
        ("a.txt", "\n\n", "a.txt", "holds no rows"),
        ("a.jsonl", GOOD * 16 + '{"q" "x"}\n', "a.jsonl, line 17, column 6", "broken: expecting ':' delimiter"),
        ("a.jsonl", GOOD + '{"q": \n' + GOOD, "a.jsonl, line 2, column 6", "broken: the object is not closed"),
        ("a.jsonl", '{"q": "}"\n' + GOOD, "a.jsonl, line 1, column 10", "broken: the object is not closed"),
        ("a.json", '[{"q": 1},\n {"q": 2}\n', "a.json, line 2, column 10", "broken: the list is not closed"),
        ("a.jsonl", GOOD + "[1, 2]\n", "a.jsonl, line 2", "but this is a list"),
        ("a.jsonl", "{}\n", "a.jsonl, line 1", "but this is an empty object"),
        ("a.jsonl", "null\n", "a.jsonl, line 1", "but this is null"),
        ("a.jsonl", GOOD + '{"q": "\\ud83d"}\n', "a.jsonl, line 2", r"contains \\ud83d, which is one half"),
        ("a.jsonl", "[" * 100_000, "a.jsonl, line 1", "cannot be read"),
        ("a.jsonl", '{"q": ' + "1" * 5000 + "}", "a.jsonl, line 1", "cannot be read"),
        (
            "a.jsonl",
            GOOD.encode() + b'{"q": "Gr\xf6\xdfe"}\n',
            "a.jsonl, line 2",
            r"byte 20 of the file \(0xf6\) is not",
        ),
        ("a.csv", b"q,a\nx,y\nGr\xf6,z\n", "a.csv, line 3", r"byte 10 of the file \(0xf6\) is not UTF-8"),
        ("a.txt", b"\xff\xfeh\x00i\x00", "a.txt", "UTF-16"),
        ("a.jsonl", GOOD.encode() + b"ab\x00c\n", "a.jsonl, line 2", "NUL byte at position 3"),
        ("a.csv", b"q,a\nx,\x00\n", "a.csv, line 2", "NUL byte at position 3"),
        ("online.json", '[\n {"q": 1},\n {"q" 2}]', "online.json, line 3, column 7", "broken: expecting ':' delimiter"),
        ("a.json", '[{"q": 1}, 2]', "a.json, row 2", "but this is a number"),
        ("a.json", '"text"', "a.json", "must hold a list"),
        ("a.json", '{"a": 1, "b": 2}', "a.json", "must hold a list"),
        ("a.csv", "q,a\nx,y\nx,y,z\n", "a.csv, line 3", "the row has 3 columns, but the first line names 2: q, a"),
        ("a.tsv", "q\ta\nx\n", "a.tsv, line 2", "the row has 1 column, but"),
        ("a.csv", "q,q\nx,y\n", "a.csv, line 1", "the column q appears twice"),
        ("a.csv", "q,\nx,y\n", "a.csv, line 1", "column 2 has no name"),
        ("a.csv", 'q,a\nx,y\n"x,y\n', "a.csv, line 3", "unexpected end of data"),
        ("a.csv", "q,a\rx,y\r", "a.csv, line 1", "new-line character seen"),
        ("a.parquet", b"PAR1 cut off", "a.parquet", "no whole Parquet file"),
        ("a.xlsx", "x", "a.xlsx", "the ending .xlsx does not tell"),
        ("data", "x", "data", "a name without an ending"),
    ],
)
def test_bad_files_are_named_with_the_place(
    tmp_path: Path, name: str, content: str | bytes, place: str, problem: str
) -> None:
    with pytest.raises(DataError, match=problem) as caught:
        values(write(tmp_path, name, content))
    assert caught.value.place == place
    assert caught.value.message.startswith(f"{place}: ")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"\x89PNG\r\n\x1a\n\0", "a PNG picture"),
        (b"\xff\xd8\xff\xe0", "a JPEG picture"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"PK\x03\x04\x14", "a ZIP archive"),
        (b"\x1f\x8b\x08", "packed with gzip"),
        (b"PAR1\x15\x04PAR1", "a Parquet file"),
    ],
)
def test_what_is_no_text_is_named(tmp_path: Path, head: bytes, what: str) -> None:
    with pytest.raises(DataError, match=rf"a\.jsonl: this is {what}") as caught:
        values(write(tmp_path, "a.jsonl", head))
    assert caught.value.hint


def test_a_text_may_begin_like_parquet(tmp_path: Path) -> None:
    assert values(write(tmp_path, "a.txt", "PAR1 is how it begins.\n"))[0]["text"] == "PAR1 is how it begins."


def test_a_parquet_file_that_is_cut_off(tmp_path: Path) -> None:
    whole = tmp_path / "whole.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"text": ["x" * 50] * 100}), whole)
    with pytest.raises(DataError, match=r"cut\.parquet: this is no whole Parquet file") as caught:
        values(write(tmp_path, "cut.parquet", whole.read_bytes()[:-20]))
    assert "copy it again" in caught.value.hint


def test_what_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="this is a folder"):
        values(tmp_path)
    with pytest.raises(DataError, match="there is no such file"):
        values(tmp_path / "none.jsonl")
    file = write(tmp_path, "a.jsonl", GOOD)

    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match="cannot be read: Permission denied") as caught:
        values(file)
    assert str(file) in caught.value.place


_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=20)
_ROWS = st.lists(st.fixed_dictionaries({"q": _TEXT.filter(str.strip), "a": _TEXT}), min_size=1, max_size=5)
_QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_QUICK
@given(rows=_ROWS)
def test_what_is_written_is_read(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    jsonl = write(tmp_path, "a.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    assert values(jsonl) == rows
    assert values(write(tmp_path, "a.json", json.dumps(rows))) == rows
    with (tmp_path / "a.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["q", "a"], quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    assert values(tmp_path / "a.csv") == rows


@_QUICK
@given(
    ending=st.sampled_from(sorted(KINDS)), content=st.binary(max_size=60) | st.text(string.printable).map(str.encode)
)
def test_nothing_but_a_data_error_comes_of_any_bytes(tmp_path: Path, ending: str, content: bytes) -> None:
    file = write(tmp_path, f"a{ending}", content)
    try:
        rows = values(file)
    except DataError as error:
        assert error.place
    else:
        assert rows
