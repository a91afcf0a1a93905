from __future__ import annotations

import datetime
import decimal
import json
import pickle
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from qlora_ui.contract.errors import DataError
from qlora_ui.data.readers.files import open_file
from qlora_ui.data.readers.kinds import is_data_name
from qlora_ui.data.readers.rows import BadRow, Row
from tests.unit.data.readers.damage import arrow, parquet, zipped
from tests.unit.data.readers.reading import whole_rows


def write(folder: Path, name: str, content: str | bytes) -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def values(file: Path) -> list[dict[str, Any]]:
    return [row.values for row in whole_rows(file)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", '{"q": "Größe", "a": "1,5 m"}\n\n{"q": "x", "a": "y"}'),
        ("a.NDJSON", '\ufeff{"q": "Größe", "a": "1,5 m"}\r\n{"q": "x", "a": "y"}\r\n'),
        ("a.json", '[{"q": "Größe", "a": "1,5 m"},\n {"q": "x", "a": "y"}]'),
        ("a.json", '{"data": [{"q": "Größe", "a": "1,5 m"}, {"q": "x", "a": "y"}], "version": 1}'),
        ("a.json", '{"examples": [{"q": "Größe", "a": "1,5 m"}, {"q": "x", "a": "y"}]}'),
        ("a.json", '{"q": "Größe", "a": "1,5 m"}\n{"q": "x", "a": "y"}\n'),
        ("a.json", '{"q": {"0": "Größe", "1": "x"}, "a": {"0": "1,5 m", "1": "y"}}'),
        ("a.json", '{"q": ["Größe", "x"], "a": ["1,5 m", "y"]}'),
        ("a.jsonl", '[\n{"q": "Größe", "a": "1,5 m"},\n{"q": "x", "a": "y"}]'),
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
    found = list(whole_rows(tmp_path / "a.parquet"))
    assert [row.values for row in found] == rows
    assert (found[1199].number, found[1199].line, found[1199].place) == (1200, None, "a.parquet, row 1200")


def test_text_is_cut_at_blank_lines(tmp_path: Path) -> None:
    file = write(tmp_path, "a.txt", "\n\none\n  two\n \t\nthree\n\n")
    assert list(whole_rows(file)) == [
        Row(1, {"text": "one\n  two"}, 3, "a.txt"),
        Row(2, {"text": "three"}, 6, "a.txt"),
    ]


def test_rows_know_their_line(tmp_path: Path) -> None:
    quoted = write(tmp_path, "a.csv", 'q,a\n"one\nmore","x"\n\n"two","y"\n')
    assert [(row.line, row.place) for row in whole_rows(quoted)] == [(2, "a.csv, line 2"), (5, "a.csv, line 5")]
    lines = write(tmp_path, "a.jsonl", '{"q": 1}\n\n{"q": 2}\n')
    assert [(row.number, row.line) for row in whole_rows(lines)] == [(1, 1), (2, 3)]


def test_a_long_cell_is_read(tmp_path: Path) -> None:
    assert len(values(write(tmp_path, "a.csv", f"text\n{'x' * 300_000}\n"))[0]["text"]) == 300_000


def test_a_text_may_begin_like_parquet(tmp_path: Path) -> None:
    assert values(write(tmp_path, "a.txt", "PAR1 is how it begins.\n"))[0]["text"] == "PAR1 is how it begins."


def test_markdown_is_cut_before_headings(tmp_path: Path) -> None:
    text = "\n\nbefore\n\n# one\n\n```sh\n# no heading\n```\n## two\n#tag\n\n\n   ### three\nend"
    assert list(whole_rows(write(tmp_path, "a.md", text))) == [
        Row(1, {"text": "before"}, 3, "a.md"),
        Row(2, {"text": "# one\n\n```sh\n# no heading\n```"}, 5, "a.md"),
        Row(3, {"text": "## two\n#tag"}, 10, "a.md"),
        Row(4, {"text": "   ### three\nend"}, 14, "a.md"),
    ]


def test_columns_become_what_json_knows(tmp_path: Path) -> None:
    columns = {
        "word": pyarrow.array(["x"]).dictionary_encode(),
        "price": [decimal.Decimal("1.50")],
        "day": [datetime.date(2024, 2, 29)],
        "when": [datetime.datetime(2024, 2, 29, 12, 30)],
        "bytes": ["Größe".encode()],
        "picture": [b"\x89PNG\xff"],
        "turns": [[{"at": datetime.time(1, 2), "text": None}]],
    }
    expected = {
        "word": "x",
        "price": "1.50",
        "day": "2024-02-29",
        "when": "2024-02-29T12:30:00",
        "bytes": "Größe",
        "picture": b"\x89PNG\xff",
        "turns": [{"at": "01:02:00", "text": None}],
    }
    assert values(write(tmp_path, "a.parquet", parquet(columns))) == [expected]
    assert values(write(tmp_path, "a.arrow", arrow(columns))) == [expected]
    assert values(write(tmp_path, "b.arrow", arrow(columns, is_stream=False))) == [expected]


def test_json_in_a_column_becomes_objects_also_beside_a_bad_row(tmp_path: Path) -> None:
    texts = pyarrow.array(['{"city": "Ulm"}', '{"n": 1}']).cast(pyarrow.json_())
    columns = {"arguments": texts, "d": pyarrow.array([0, 10**8], pyarrow.date32())}
    assert values(write(tmp_path, "a.arrow", arrow({"arguments": texts}))) == [
        {"arguments": {"city": "Ulm"}},
        {"arguments": {"n": 1}},
    ]
    rows = whole_rows(write(tmp_path, "b.arrow", arrow(columns)))
    assert next(rows).values == {"arguments": {"city": "Ulm"}, "d": "1970-01-01"}


def test_a_block_takes_along_its_own_part_of_a_dictionary_only(tmp_path: Path) -> None:
    words = pyarrow.array([f"{number}" * 1000 for number in range(3000)]).dictionary_encode()
    file = open_file(write(tmp_path, "a.arrow", arrow({"q": words, "r": ["y" * 2000] * 3000}, rows_per_batch=3000)))
    assert max(len(pickle.dumps(block)) for block in file.blocks()) < 4 * 1024**2


def test_names_of_data(tmp_path: Path) -> None:
    data = ["a.jsonl", "x/B.CSV", "train.json.gz", "notes.md", "data-00000-of-00001.arrow"]
    other = ["README.md", "LICENSE.txt", ".a.jsonl", ".git/a.txt", "__MACOSX/a.csv", "state.json", "a.py", "a.zip", "a"]
    assert [name for name in data + other if is_data_name(name)] == data


def test_an_archive_is_opened_as_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="this is an archive"):
        open_file(write(tmp_path, "a.zip", zipped({"a.jsonl": b"{}"})))


def test_a_name_of_its_own_stands_in_places(tmp_path: Path) -> None:
    file = write(tmp_path, "3f2a.jsonl", "[]\n")
    block = next(open_file(file, "train.jsonl").blocks())
    assert [row.error.place for row in block.rows() if isinstance(row, BadRow)] == ["train.jsonl, line 1"]


def test_the_numbers_of_a_json_window_move_along(tmp_path: Path) -> None:
    rows = ",\n".join(json.dumps({"q": "ü" * 5000, "n": number}) for number in range(300))
    file = write(tmp_path, "a.json", f"[\n{rows},\n{{'q': 1}}\n]")
    found: list[int] = []
    with pytest.raises(DataError, match="double quotes") as caught:
        found.extend(row.values["n"] for row in whole_rows(file))
    assert caught.value.place == "a.json, line 302, column 2"
    assert found == list(range(300))
