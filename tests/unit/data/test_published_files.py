"""Files in the forms that LLaMA-Factory and TRL document, from the file to what is trained, untouched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from qlora_ui.contract.recipe import DataQuery, Recipe, Source
from qlora_ui.data.encoding.tokenizer import load_tokenizer
from qlora_ui.data.look import look
from qlora_ui.data.prepare import prepare
from tests.unit.data.formats.test_published_forms import LLAMA_FACTORY, TRL

FORMS: dict[str, Any] = {**LLAMA_FACTORY, **TRL}
ROWS = 3


def as_json(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=2))


def as_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def as_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)


WRITERS = {"demo.json": as_json, "demo.jsonl": as_lines, "demo.parquet": as_parquet}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("form", FORMS)
def test_what_is_shown_of_a_published_file_is_what_is_trained(tmp_path: Path, form: str, name: str) -> None:
    row, data_format, expected = FORMS[form]
    file = tmp_path / name
    WRITERS[name](file, [row] * ROWS)
    query = DataQuery(recipe=Recipe(sources=(Source(path=str(file)),)), model="starter", offline=True)
    tokenizer = load_tokenizer("starter", True)

    seen = look(query, tokenizer)
    assert (seen.understanding.format, seen.understanding.sureness) == (data_format, "certain")
    assert [(view.number, view.problem, len(view.examples)) for view in seen.views] == [
        (number, "", 1) for number in range(1, ROWS + 1)
    ]
    shown = [view.examples[0].tokens or [] for view in seen.views]

    prepared = prepare(query, tokenizer, strict=False)
    if expected.desirable is False:
        undesired = {finding.kind: finding.count for finding in prepared.survey.findings}["undesired"]
        assert undesired == ROWS and not any(token.trained for row in shown for token in row)
        return
    assert [[token.id for token in row] for row in shown] == [list(one.input_ids) for one in prepared.train]
    labels = [[token.id if token.trained else -100 for token in row] for row in shown]
    assert labels == [list(one.labels) for one in prepared.train]
    assert prepared.survey.tokens_trained == sum(token.trained for row in shown for token in row) > 0
