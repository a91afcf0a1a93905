from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pyarrow
import pytest

from qlora_ui.contract.errors import DataError
from qlora_ui.data.readers.rows import BadRow, Row
from qlora_ui.data.sources import table as tables
from qlora_ui.data.sources.table import HubTable, Part


def write(path: Path, columns: dict[str, Any]) -> Path:
    """An Arrow stream in batches of two rows, as `datasets` writes it."""
    table = pyarrow.table(columns)
    with pyarrow.ipc.new_stream(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    return path


def table_of(*parts: Part, columns: tuple[str, ...] = ("text",), identity: str = "commit") -> HubTable:
    return HubTable("hub:a/b", parts, columns, identity)


def rows_of(table: HubTable, first: int = 1, start: int = 1) -> list[Row | BadRow]:
    return [row for block in table.blocks(first, start) for row in pickle.loads(pickle.dumps(block)).rows()]


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HubTable:
    """Rows 1…9: four of one file (without its first) and five of another, three to a block."""
    monkeypatch.setattr(tables, "_BLOCK", 300)
    one = write(tmp_path / "one.arrow", {"text": list("-1234-")})
    two = write(tmp_path / "two.arrow", {"text": list("56789")})
    return table_of(Part(one, 1, 4, 400), Part(two, 0, 5, 500))


def test_rows_of_all_parts_follow_each_other(table: HubTable) -> None:
    blocks = list(table.blocks())
    assert [(block.first, block.count, block.bytes) for block in blocks] == [
        (1, 3, 300),
        (4, 1, 100),
        (5, 3, 300),
        (8, 2, 200),
    ]
    assert [row.values["text"] for row in rows_of(table) if isinstance(row, Row)] == list("123456789")
    assert table.bytes == 900


@pytest.mark.parametrize("start", [1, 2, 4, 5, 6, 9, 10])
def test_reading_may_start_anywhere(table: HubTable, start: int) -> None:
    rows = rows_of(table, first=101, start=start)
    assert [row.number for row in rows] == list(range(100 + start, 110))
    assert [row.values["text"] for row in rows if isinstance(row, Row)] == list("123456789")[start - 1 :]
    assert [row.place for row in rows[:1] if isinstance(row, Row)] == [f"hub:a/b, row {start}"][: len(rows)]


def test_the_fingerprint_is_that_of_commit_and_rows(table: HubTable, tmp_path: Path) -> None:
    one, two = table.parts
    same = table_of(one, two)
    assert table.fingerprint() == same.fingerprint() == table.stamp
    others = [
        table_of(one),
        table_of(two, one),
        table_of(one, two, identity="other"),
        table_of(one, two, columns=("other",)),
        table_of(Part(one.path, 2, 3, 300), two),
    ]
    assert len({table.fingerprint(), *(other.fingerprint() for other in others)}) == 6


def test_json_texts_become_objects(tmp_path: Path) -> None:
    texts = pyarrow.array(['{"a": 1}', None, "[2]"], pyarrow.string())
    plain = pyarrow.ExtensionArray.from_storage(pyarrow.json_(), texts)
    nested = pyarrow.ListArray.from_arrays([0, 1, 1, 3], plain)
    inside = pyarrow.StructArray.from_arrays([plain, texts], ["json", "text"])
    file = write(tmp_path / "x.arrow", {"plain": plain, "nested": nested, "inside": inside})
    rows = rows_of(table_of(Part(file, 0, 3, 100), columns=("plain", "nested", "inside")))
    assert [row.values for row in rows if isinstance(row, Row)] == [
        {"plain": {"a": 1}, "nested": [{"a": 1}], "inside": {"json": {"a": 1}, "text": '{"a": 1}'}},
        {"plain": None, "nested": [], "inside": {"json": None, "text": None}},
        {"plain": [2], "nested": [None, [2]], "inside": {"json": [2], "text": "[2]"}},
    ]


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda path: path.unlink(), "cannot be read"),
        (lambda path: path.write_bytes(b""), "cannot be read"),
        (lambda path: path.write_bytes(path.read_bytes()[:300]), "cannot be read"),
        (lambda path: write(path, {"other": ["1", "2", "3"]}), "cannot be read"),
        (lambda path: write(path, {"text": ["1"]}), "has fewer rows than it should"),
    ],
)
def test_a_damaged_cache_is_told(tmp_path: Path, damage: Any, problem: str) -> None:
    file = write(tmp_path / "x.arrow", {"text": ["1", "2", "3"]})
    table = table_of(Part(file, 0, 3, 100))
    damage(file)
    with pytest.raises(DataError, match=problem) as caught:
        rows_of(table)
    assert "fetch it again" in caught.value.hint and json.dumps(caught.value.place) == '"hub:a/b"'
