"""What is written is read, in every kind, plain and packed; and nothing but rows and sentences comes of any bytes."""

from __future__ import annotations

import csv
import gzip
import io
import json
import pickle
import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qlora_ui.contract.errors import DataError
from qlora_ui.data.readers.files import open_archive, open_file
from qlora_ui.data.readers.kinds import KINDS
from qlora_ui.data.readers.rows import BadRow, DataFile, Row
from tests.unit.data.readers.damage import arrow, parquet, zipped
from tests.unit.data.readers.reading import files, whole_rows

Rows = list[dict[str, Any]]


def _table(rows: Rows, delimiter: str) -> bytes:
    sink = io.StringIO()
    writer = csv.DictWriter(sink, ["q", "a"], quoting=csv.QUOTE_ALL, lineterminator="\n", delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return sink.getvalue().encode()


def _columns(rows: Rows) -> dict[str, Any]:
    return {name: [row[name] for row in rows] for name in ("q", "a")}


def _lines(rows: Rows) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


WRITERS: dict[str, Callable[[Rows], bytes]] = {
    ".jsonl": _lines,
    ".ndjson": lambda rows: "\r\n\n".join(json.dumps(row) for row in rows).encode("utf-8-sig"),
    ".json": lambda rows: json.dumps({"version": "1", "data": rows}, indent=1).encode(),
    ".csv": lambda rows: _table(rows, ","),
    ".tsv": lambda rows: _table(rows, "\t"),
    ".parquet": lambda rows: parquet(_columns(rows), rows_per_group=1 + len(rows) // 4),
    ".arrow": lambda rows: arrow(_columns(rows), rows_per_batch=1 + len(rows) // 4),
}
_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=20)
_ROWS = st.lists(st.fixed_dictionaries({"q": _TEXT.filter(str.strip), "a": _TEXT}), min_size=1, max_size=5)
_QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def rows_of(file: DataFile, *, first: int = 1, start: int = 1) -> list[Row]:
    """Through pickles, as between processes."""
    blocks = [pickle.loads(pickle.dumps(block)) for block in file.blocks(first, start)]
    rows = [row for block in blocks for row in block.rows()]
    assert [row.number for row in rows] == [
        n for block in blocks for n in range(block.first, block.first + block.count)
    ]
    assert all(isinstance(row, Row) for row in rows)
    return rows


@pytest.mark.parametrize("ending", WRITERS)
@_QUICK
@given(rows=_ROWS)
def test_what_is_written_is_read(tmp_path: Path, ending: str, rows: Rows) -> None:
    content = WRITERS[ending](rows)
    for name, packed in (("a", content), ("a.gz", gzip.compress(content))):
        stem, _, gz = name.partition(".")
        path = tmp_path / f"{stem}{ending}{'.' + gz if gz else ''}"
        path.write_bytes(packed)
        assert [row.values for row in rows_of(open_file(path))] == rows
    archive = tmp_path / "a.zip"
    archive.write_bytes(
        zipped({f"b{ending}.gz": gzip.compress(content), f"part/a{ending}": content, "README.md": b"#"})
    )
    assert [file.name for file in open_archive(archive)] == [f"a.zip/b{ending}.gz", f"a.zip/part/a{ending}"]
    assert [row.values for row in whole_rows(archive)] == rows + rows


@pytest.mark.parametrize("ending", [*WRITERS, ".txt", ".md"])
def test_reading_begins_at_any_row(tmp_path: Path, ending: str) -> None:
    texts = {
        ".txt": "\n\n".join(f"Absatz {n}\nzwei" for n in range(3000)),
        ".md": "\n".join(f"# {n}" for n in range(3000)),
    }
    rows = [{"q": f"Frage {n}" * 50, "a": "x\n" * (n % 9)} for n in range(3000)]
    path = tmp_path / f"a{ending}"
    path.write_bytes(WRITERS[ending](rows) if ending in WRITERS else texts[ending].encode())
    file = open_file(path)
    whole = rows_of(file)
    assert len(whole) == 3000
    assert len(list(file.blocks())) > 1
    assert sum(block.bytes for block in file.blocks()) == pytest.approx(path.stat().st_size, rel=0.3)
    for start in (1, 2, 999, 1001, 2999, 3000):
        assert rows_of(file, start=start) == whole[start - 1 :]
    later = rows_of(file, first=501, start=2001)
    assert (later[0].number, later[0].row_in_file, later[0].place) == (2501, 2001, whole[2000].place)
    assert rows_of(file, start=3001) == []


def test_a_fingerprint_follows_the_content(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({"a.jsonl": b'{"q": 1}', "b.jsonl": b'{"q": 1}'}))
    first, second = open_archive(path)
    before = {first.fingerprint(), second.fingerprint(), first.stamp, second.stamp}
    assert first.fingerprint() == open_archive(path)[0].fingerprint()
    path.write_bytes(zipped({"a.jsonl": b'{"q": 2, "a": 1}', "b.jsonl": b'{"q": 1}'}))
    after = open_archive(path)
    assert len(before | {file.fingerprint() for file in after} | {file.stamp for file in after}) == 8


_SEEDS = [{"q": "Größe 𝄞", "a": 'eins, "zwei"\n[3]'}, {"q": "x", "a": ""}, {"q": "y", "a": "z" * 300}]
_ENDINGS = [*WRITERS, ".txt", ".md"]


def _seed(ending: str) -> bytes:
    return WRITERS[ending](_SEEDS) if ending in WRITERS else "# Größe\n\n```\n# no\n```\n\n## zwei\n".encode()


def _mutated(content: bytes, chance: random.Random) -> bytes:
    marks = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(marks) + 1)
        match chance.randrange(5):
            case 0:
                del marks[at : at + chance.randint(1, 20)]
            case 1:
                marks[at:at] = chance.choice(
                    [b"\0", b'"', b"\xff", b"[" * 200, b"\n", b"\r", b"{", b"1" * 9, b",,", b"\\ud800"]
                )
            case 2:
                marks[at : at + 1] = bytes([chance.randrange(256)])
            case 3:
                marks[at:at] = marks[: chance.randint(1, 40)]
            case _:
                del marks[at:]
    return bytes(marks)


def _read_any(path: Path) -> None:
    try:
        for file in files(path):
            for block in file.blocks():
                assert all(isinstance(row, Row | BadRow) for row in pickle.loads(pickle.dumps(block)).rows())
    except DataError as error:
        assert error.place
        assert error.message.startswith(error.place)


@pytest.mark.parametrize("ending", [*_ENDINGS, ".jsonl.gz", ".parquet.gz", ".zip", ".file.arrow"])
def test_nothing_but_rows_and_sentences_comes_of_mutated_files(tmp_path: Path, ending: str) -> None:
    chance = random.Random(ending)
    made = {".zip": zipped({"a.jsonl": _seed(".jsonl"), "b.csv": _seed(".csv")})}
    made[".file.arrow"] = arrow({**_columns(_SEEDS), "turns": [["x"], [], None]}, is_stream=False, rows_per_batch=2)
    plain = made.get(ending) or _seed(ending.removesuffix(".gz"))
    content = gzip.compress(plain) if ending.endswith(".gz") else plain
    path = tmp_path / f"a{ending}"
    tracemalloc.start()
    for _ in range(250):
        path.write_bytes(_mutated(content, chance))
        _read_any(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50 * 1024**2


@_QUICK
@given(ending=st.sampled_from(sorted(KINDS)), content=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_nothing_but_rows_and_sentences_comes_of_any_bytes(tmp_path: Path, ending: str, content: bytes) -> None:
    path = tmp_path / f"a{ending}"
    path.write_bytes(content)
    _read_any(path)
