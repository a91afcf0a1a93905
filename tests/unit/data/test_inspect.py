from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.inspection import Finding, Inspection
from qlora_ui.data.encoding.tokenizer import load_tokenizer
from qlora_ui.data.inspect import inspect_file
from qlora_ui.data.prepare import prepare

from .conftest import MakeTokenizer, WriteRows


@pytest.fixture
def model(tmp_path: Path, byte_tokenizer: MakeTokenizer) -> Path:
    """A model folder with a tokenizer that has no chat template."""
    return save_model(tmp_path / "model", byte_tokenizer)


def save_model(folder: Path, byte_tokenizer: MakeTokenizer, template: str | None = None) -> Path:
    byte_tokenizer(template).save_pretrained(folder)
    (folder / "config.json").write_text('{"model_type": "llama"}', encoding="utf-8")
    return folder


def row(ask: str, answer: str = "ho", **more: Any) -> dict[str, Any]:
    return {"question": ask, "answer": answer, **more}


def finding(inspection: Inspection, word: str) -> Finding:
    [found] = [finding for finding in inspection.findings if word in finding.message]
    return found


def test_a_file_without_a_model(write_rows: WriteRows) -> None:
    file = write_rows(row("a", id=1), row("b", id=2), row("a", id=3))
    inspection = inspect_file(file, limit=1, start=2)
    assert (inspection.file, inspection.bytes, inspection.rows) == ("train.jsonl", file.stat().st_size, 3)
    assert (inspection.format, inspection.columns) == ("question_answer", ["question", "answer", "id"])
    [view] = inspection.views
    assert (view.number, view.original, view.tokens) == (2, row("b", id=2), None)
    assert [(turn.role, turn.content, turn.trained) for turn in view.turns] == [
        ("user", "b", False),
        ("assistant", "ho", True),
    ]
    assert (inspection.tokens, inspection.rows_truncated, inspection.template) == (None, None, "")
    assert inspection.duplicates == 1
    assert finding(inspection, "equal to an earlier one").rows == [3]
    assert finding(inspection, "not used: id").level == "note"


def test_the_tokens_shown_are_the_tokens_trained(write_rows: WriteRows, model: Path) -> None:
    file = write_rows(row("Größe?", "2 m"), row("b"))
    inspection = inspect_file(file, model=str(model))
    prepared = prepare(file, load_tokenizer(str(model)))
    for view, example in zip(inspection.views, prepared.train, strict=True):
        assert view.tokens is not None
        assert [token.id for token in view.tokens] == example.input_ids
        assert [token.id if token.trained else -100 for token in view.tokens] == example.labels
    tokens = inspection.views[0].tokens or []
    assert "".join(token.text for token in tokens) == "### User:\nGröße?\n\n### Assistant:\n2 m<|end|>\n\n"
    assert [token.text for token in tokens if token.special] == ["<|end|>"]
    assert (inspection.tokens, inspection.tokens_trained) == (prepared.counts.tokens, prepared.counts.tokens_trained)
    assert finding(inspection, "plain headings").level == "note"
    assert "plain headings" in inspection.template


def test_rows_that_are_cut(write_rows: WriteRows, model: Path) -> None:
    file = write_rows(row("a"), row("long " * 30), row("b", "long " * 30))
    inspection = inspect_file(file, model=str(model), max_length=60)
    assert (inspection.rows_truncated, inspection.rows_untrainable) == (2, 1)
    assert [view.truncated for view in inspection.views] == [False, True, True]
    assert [len(view.tokens or []) for view in inspection.views][1:] == [60, 60]
    assert finding(inspection, "cut at 60 tokens, so").rows == [2, 3]
    lost = finding(inspection, "No token of these rows")
    assert (lost.level, lost.rows, lost.count) == ("warning", [2], 1)
    every = inspect_file(write_rows(row("long " * 30)), model=str(model), max_length=60)
    assert finding(every, "No token of these rows").level == "error"


def test_rows_that_cannot_be_used_are_gathered(write_rows: WriteRows, model: Path) -> None:
    empty = [row("a", "") for _ in range(60)]
    inspection = inspect_file(write_rows(row("a"), *empty, {"text": "b"}), model=str(model), limit=2)
    bad = finding(inspection, "Answer is empty.")
    assert (bad.level, bad.count, bad.rows) == ("error", 60, list(range(2, 52)))
    assert finding(inspection, "row 62 has the columns text".capitalize()).rows == [62]
    assert (inspection.views[1].turns, inspection.views[1].tokens) == ([], None)


def test_many_kinds_of_mistakes_are_summed_up(write_rows: WriteRows) -> None:
    odd = [{"messages": [{"role": f"role{i}", "content": "x"}]} for i in range(30)]
    good = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    inspection = inspect_file(write_rows(good, *odd))
    assert len(inspection.findings) == 21
    assert finding(inspection, "for other reasons").count == 10


def test_control_tokens_in_the_text_are_told(write_rows: WriteRows, model: Path) -> None:
    inspection = inspect_file(write_rows(row("a"), row("what is <|end|>?")), model=str(model))
    assert finding(inspection, "control token").rows == [2]


def test_what_a_template_does_to_rows_is_told(
    write_rows: WriteRows, tmp_path: Path, byte_tokenizer: MakeTokenizer
) -> None:
    template = (
        "{%- if messages[0].role == 'system' -%}{{- raise_exception('no system') -}}{%- endif -%}"
        "{%- for m in messages -%}{{- m.role + ': ' + m.content + '\\n' -}}{%- endfor -%}"
    )
    folder = save_model(tmp_path / "other", byte_tokenizer, template)
    inspection = inspect_file(write_rows(row("a", system="s"), row("b")), model=str(folder))
    assert finding(inspection, "knows no system turn").rows == [1]
    assert finding(inspection, "ends an answer with no token").count == 2
    assert inspection.template == "The model's own chat template is used."


def test_plain_text_uses_no_template(tmp_path: Path, model: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n\ntwo", encoding="utf-8")
    inspection = inspect_file(tmp_path / "a.txt", model=str(model))
    assert inspection.template == "Plain text: no chat template is used."
    assert [token.text for token in inspection.views[0].tokens or []] == ["o", "n", "e", "<|end|>"]
    assert inspection.findings == []


def test_anything_in_a_table_can_be_shown_as_json(tmp_path: Path) -> None:
    odd = {"text": ["a"], "day": [date(2026, 8, 1)], "raw": [b"\xff"], "n": [float("nan")], "l": [[date(2026, 8, 2)]]}
    pyarrow.parquet.write_table(pyarrow.table(odd), tmp_path / "a.parquet")
    original = json.loads(inspect_file(tmp_path / "a.parquet").model_dump_json())["views"][0]["original"]
    assert (original["day"], original["l"]) == ("2026-08-01", ["2026-08-02"])


def test_a_file_that_breaks_off_is_an_error_with_the_place(write_rows: WriteRows) -> None:
    file = write_rows(row("a"))
    file.write_text(file.read_text() + '{"question": ')
    with pytest.raises(DataError, match=r"train\.jsonl, line 2"):
        inspect_file(file)
