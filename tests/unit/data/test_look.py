from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.inspection import Look
from qlora_ui.contract.recipe import DataQuery, Recipe, Source, Step
from qlora_ui.data.look import head, look
from qlora_ui.data.prepare import prepare
from qlora_ui.data.readers.kinds import ReadableFile
from qlora_ui.data.readers.rows import Block

from .conftest import MakeTokenizer, WriteRows


def row(ask: str, answer: str = "ho", **more: Any) -> dict[str, Any]:
    return {"question": ask, "answer": answer, **more}


def query(*files: Path, **recipe: Any) -> DataQuery:
    sources = tuple(Source(path=str(file)) for file in files)
    return DataQuery(recipe=Recipe(sources=sources, **recipe), model="made in the test")


def numbers(seen: Look) -> list[int]:
    return [view.number for view in seen.views]


def test_rows_as_they_were_and_as_conversations(write_rows: WriteRows) -> None:
    file = write_rows(row("a", id=1), row("b", id=2), row("a", id=3))
    seen = look(query(file), None, start=2, limit=1)
    [view] = seen.views
    assert (view.number, view.place, view.original) == (2, "train.jsonl, line 2", row("b", id=2))
    [example] = view.examples
    assert [(turn.role, turn.content, turn.trained) for turn in example.turns] == [
        ("user", "b", False),
        ("assistant", "ho", True),
    ]
    assert (example.tokens, example.rendered, seen.template) == (None, None, None)
    assert (seen.understanding.format, seen.understanding.sureness) == ("question_answer", "certain")
    assert seen.has_more and not look(query(file), None, start=3, limit=5).has_more


def test_the_tokens_shown_are_the_tokens_trained(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    asked, tokenizer = query(write_rows(row("Größe?", "2 m"), row("b"))), byte_tokenizer()
    seen, prepared = look(asked, tokenizer), prepare(asked, tokenizer)
    for view, example in zip(seen.views, prepared.train, strict=True):
        tokens = view.examples[0].tokens or []
        assert [token.id for token in tokens] == list(example.input_ids)
        assert [token.id if token.trained else -100 for token in tokens] == list(example.labels)
    tokens = seen.views[0].examples[0].tokens or []
    text = "### User:\nGröße?\n\n### Assistant:\n2 m<|end|>\n\n"
    assert "".join(token.text for token in tokens) == text == seen.views[0].examples[0].rendered
    assert [token.text for token in tokens if token.special] == ["<|end|>"]
    assert seen.template is not None and seen.template.name == "plain"


def test_an_example_that_is_cut_shows_what_is_left_of_it(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    file = write_rows(row("a"), row("b", "long " * 30))
    short, long = (view.examples[0] for view in look(query(file, max_length=60), byte_tokenizer()).views)
    assert not short.truncated and long.truncated
    assert len(long.tokens or []) == 60 and (long.length or 0) > 150


def test_a_row_that_a_step_splits_has_several_examples(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    file = write_rows({"text": "One sentence is here. " * 20})
    asked = query(file, steps=(Step(do="split_long"),), max_length=100)
    examples = look(asked, byte_tokenizer()).views[0].examples
    assert len(examples) >= 4 and all((example.length or 0) <= 100 for example in examples)
    assert "".join(turn.content for example in examples for turn in example.turns).count("One sentence") == 20


def test_a_row_says_which_step_leaves_it_out(write_rows: WriteRows) -> None:
    asked = query(
        write_rows(row("a"), row("b"), row("c", "")), steps=(Step(do="drop_rows", rows=(2,)), Step(do="drop_empty"))
    )
    views = look(asked, None).views
    assert [view.left_out for view in views] == ["", "drop_rows", "drop_empty"]
    assert [len(view.examples) for view in views] == [1, 0, 0]


def test_a_row_that_cannot_be_used_is_shown_with_its_problem(write_rows: WriteRows) -> None:
    file = write_rows(row("a"), row("b", ""))
    file.write_text(file.read_text() + '{"question": \n' + json.dumps(row("c")) + "\n")
    _, empty, broken, good = look(query(file), None).views
    assert "empty" in empty.problem and empty.original == row("b", "") and not empty.examples
    assert "JSON" in broken.problem and broken.place == "train.jsonl, line 3, column 13" and broken.original
    assert (good.number, len(good.examples)) == (4, 1)


def test_rows_are_numbered_over_all_sources_and_found_by_number(tmp_path: Path, write_rows: WriteRows) -> None:
    first = write_rows(row("a"), row("b"))
    second = tmp_path / "second.csv"
    second.write_text("question,answer\nc,ho\nd,ho\ne,ho\n")
    asked = query(first, second)
    assert numbers(look(asked, None)) == [1, 2, 3, 4, 5]
    found = look(asked, None, rows=[5, 2])
    assert [(view.number, view.original["question"], view.place) for view in found.views] == [
        (5, "e", "second.csv, line 4"),
        (2, "b", "train.jsonl, line 2"),
    ]
    assert numbers(look(asked, None, start=4, limit=1)) == [4]
    assert look(asked, None, start=9).views == []


def test_a_file_that_grew_is_counted_anew(tmp_path: Path, write_rows: WriteRows) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text(json.dumps(row("z")) + "\n")
    first = write_rows(row("a"))
    assert look(query(first, other), None, start=2).views[0].original == row("z")
    first.write_text(first.read_text() + json.dumps(row("b")) + "\n")
    assert look(query(first, other), None, start=3).views[0].original == row("z")


def test_a_large_file_is_gone_through_once_and_not_counted(
    write_rows: WriteRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    blocks = ReadableFile.blocks

    def told(file: ReadableFile, first: int = 1, start: int = 1) -> Iterator[Block]:
        begun.append(start)
        return blocks(file, first, start)

    asked = query(write_rows(*(row(name) for name in "abcdef")))
    monkeypatch.setattr(ReadableFile, "blocks", told)
    assert numbers(look(asked, None, start=3, limit=2)) == [3, 4]
    assert begun == [1, 3]
    assert numbers(look(asked, None, rows=[6, 2, 5])) == [6, 2, 5]
    assert begun == [1, 3, 1, 1]


def test_plain_text_uses_no_template(tmp_path: Path, byte_tokenizer: MakeTokenizer) -> None:
    (tmp_path / "a.txt").write_text("one\n\ntwo", encoding="utf-8")
    seen = look(query(tmp_path / "a.txt"), byte_tokenizer())
    assert seen.template is None
    assert [token.text for token in seen.views[0].examples[0].tokens or []] == ["o", "n", "e", "<|end|>"]


def test_anything_in_a_table_can_be_shown_as_json(tmp_path: Path) -> None:
    odd = {"text": ["a"], "day": [date(2026, 8, 1)], "raw": [b"\xff"], "n": [float("nan")], "l": [[date(2026, 8, 2)]]}
    pyarrow.parquet.write_table(pyarrow.table(odd), tmp_path / "a.parquet")
    original = json.loads(look(query(tmp_path / "a.parquet"), None).model_dump_json())["views"][0]["original"]
    assert (original["day"], original["l"]) == ("2026-08-01", ["2026-08-02"])


@pytest.mark.parametrize("read", [lambda asked: look(asked, None), lambda asked: head(asked.recipe.sources)])
def test_data_without_a_readable_row_are_refused_with_the_first_reason(
    write_rows: WriteRows, read: Callable[[DataQuery], object]
) -> None:
    file = write_rows(row("a"))
    file.write_text('{"question": ')
    with pytest.raises(DataError, match=r"train\.jsonl, line 1"):
        read(query(file))
