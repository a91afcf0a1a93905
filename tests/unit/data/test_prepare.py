from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from qlora_ui.contract.errors import DataError
from qlora_ui.data.prepare import load, prepare

from .conftest import MakeTokenizer, WriteRows


def row(ask: str, answer: str = "ho") -> dict[str, Any]:
    return {"question": ask, "answer": answer}


def test_loading_tells_format_and_fingerprint(write_rows: WriteRows) -> None:
    file = write_rows(row("a"), row("b"))
    loaded = load(file)
    assert (loaded.rows, loaded.detected.format) == (2, "question_answer")
    assert [conversation.place for conversation in loaded.conversations] == [
        "train.jsonl, line 1",
        "train.jsonl, line 2",
    ]
    assert loaded.fingerprint == hashlib.sha256(file.read_bytes()).hexdigest()


def test_every_row_is_accounted_for(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    rows = [row(f"question {i}") for i in range(20)]
    file = write_rows(*rows, row("long " * 40), row("question", "long " * 40))
    prepared = prepare(file, byte_tokenizer(), max_length=100, validation_share=0.2, seed=1)
    counts = prepared.counts
    assert (counts.rows, counts.rows_dropped, counts.rows_truncated) == (22, 1, 1)
    assert counts.dropped == ["train.jsonl, line 21"]
    assert counts.rows_train + counts.rows_validation + counts.rows_dropped == counts.rows
    assert len(prepared.train) == counts.rows_train
    assert len(prepared.validation) == len(prepared.validation_conversations) == counts.rows_validation
    assert counts.tokens == sum(len(example.input_ids) for example in prepared.train)
    assert counts.tokens_trained == sum(example.trained for example in prepared.train)
    assert prepared.template.startswith("The model has no chat template")


def test_the_same_arguments_prepare_the_same(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    file, tokenizer = write_rows(*(row(str(i)) for i in range(30))), byte_tokenizer()
    first, again, other = (prepare(file, tokenizer, validation_share=0.1, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.validation != other.validation


def test_held_out_rows_are_never_trained(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    file = write_rows(*(row(str(i % 7)) for i in range(21)))
    prepared = prepare(file, byte_tokenizer(), validation_share=0.3, seed=5)
    trained = {tuple(example.input_ids) for example in prepared.train}
    assert prepared.validation
    assert not trained & {tuple(example.input_ids) for example in prepared.validation}


def test_rows_of_an_evaluation_file_are_held_back(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    file = write_rows(row("a"), row("b"), row("c"))
    held_out = write_rows(row("b"), row("z"), name="held.jsonl")
    prepared = prepare(file, byte_tokenizer(), validation_path=held_out, validation_share=0.5)
    assert [len(prepared.train), len(prepared.validation), prepared.counts.rows_held_back] == [2, 2, 1]
    assert [c.place for c in prepared.validation_conversations] == ["held.jsonl, line 1", "held.jsonl, line 2"]
    with pytest.raises(DataError, match="every row is in the evaluation file"):
        prepare(file, byte_tokenizer(), validation_path=file)


def test_nothing_to_train_is_an_error(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    file = write_rows(row("a" * 200), row("b" * 200))
    with pytest.raises(DataError, match=r"train\.jsonl: no row has a token to train; rows are cut at 50") as caught:
        prepare(file, byte_tokenizer(), max_length=50)
    assert "max_length" in caught.value.hint


def test_progress_is_told_row_by_row_and_may_give_up(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    file, calls = write_rows(row("a"), row("b"), row("c")), []
    prepare(file, byte_tokenizer(), on_progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 3), (2, 3), (3, 3)]

    def give_up(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(file, byte_tokenizer(), on_progress=give_up)


def test_text_needs_no_template(tmp_path: Path, byte_tokenizer: MakeTokenizer) -> None:
    file = tmp_path / "a.txt"
    file.write_text("one\n\ntwo\n", encoding="utf-8")
    prepared = prepare(file, byte_tokenizer())
    assert (len(prepared.train), prepared.template, prepared.detected.format) == (2, "", "text")
