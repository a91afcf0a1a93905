"""Every row is accounted for, and the same query prepares the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.inspection import SurveyProgress
from qlora_ui.contract.recipe import HeldOut, Recipe, Source, Step
from qlora_ui.data.prepare import Prepared, load, prepare
from tests.unit.data.conftest import MakeTokenizer, WriteRows
from tests.unit.data.prepare.making import query, row, texts


def kinds(prepared: Prepared) -> dict[str, list[int]]:
    return {finding.kind: finding.rows for finding in prepared.survey.findings}


def test_every_row_is_accounted_for(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    rows = [row(f"question {i}") for i in range(20)]
    file = write_rows(*rows, row("long " * 40), row("question", "long " * 40))
    prepared = prepare(query(file, max_length=100, held_out=HeldOut(share=0.2, seed=1)), byte_tokenizer())
    counts = prepared.counts
    assert (counts.rows, counts.rows_dropped, counts.rows_truncated) == (22, 1, 1)
    assert counts.dropped == ["train.jsonl, line 21"]
    assert counts.rows_train + counts.rows_validation + counts.rows_dropped == counts.rows
    assert len(prepared.train) == counts.rows_train == counts.examples
    assert len(prepared.validation) == counts.rows_validation == 4
    assert counts.tokens == sum(len(example.input_ids) for example in prepared.train)
    assert counts.tokens_trained == sum(example.trained for example in prepared.train)
    assert prepared.train.lengths.tolist() == [len(example.input_ids) for example in prepared.train]
    assert prepared.template.startswith("The model has no chat template")
    assert prepared.fingerprint == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (kinds(prepared)["untrainable"], kinds(prepared)["truncated"]) == ([21], [22])


def test_the_same_query_prepares_the_same(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    file, tokenizer = write_rows(*(row(str(i)) for i in range(30))), byte_tokenizer()
    first, again, other = (
        prepare(query(file, held_out=HeldOut(share=0.1, seed=seed)), tokenizer) for seed in (1, 1, 2)
    )
    assert (first.train, first.validation, first.counts) == (again.train, again.validation, again.counts)
    assert first.validation != other.validation


def test_nothing_to_train_is_an_error(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    asked = query(write_rows(row("a" * 200), row("b" * 200)), max_length=50)
    with pytest.raises(DataError, match=r"train\.jsonl: no row has a token to train; rows are cut at 50") as caught:
        prepare(asked, byte_tokenizer())
    assert "max_length" in caught.value.hint
    survey = prepare(asked, byte_tokenizer(), strict=False).survey
    assert [finding.kind for finding in survey.findings if finding.level == "error"] == ["nothing_trained"]


def test_the_first_bad_row_ends_a_training_and_a_survey_counts_all(
    write_rows: WriteRows, byte_tokenizer: MakeTokenizer, tmp_path: Path
) -> None:
    file = write_rows(row("a"), row("b", ""), {"other": 1}, row("c"))
    with file.open("a", encoding="utf-8") as out:
        out.write("{broken\n")
    for cache in (None, tmp_path / "cache", tmp_path / "cache"):
        with pytest.raises(DataError, match=r"train\.jsonl, line 2"):
            prepare(query(file), byte_tokenizer(), cache=cache)
        seen = prepare(query(file), byte_tokenizer(), cache=cache, strict=False)
        assert seen.survey.rows_bad == 3
        bad = {finding.kind: finding.rows for finding in seen.survey.findings if finding.level == "error"}
        assert bad["empty_answer"] == [2]
        assert bad["bad_rows"] in ([3], [5])
        assert all(f.mends for f in seen.survey.findings if f.level == "error")


def test_bad_rows_are_skipped_with_a_count_when_asked(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    file = write_rows(row("a"), row("b", ""), *([{"other": 1}] * 60), row("c"))
    prepared = prepare(query(file, steps="skip_bad_rows"), byte_tokenizer())
    assert texts(prepared.train) == ["a", "c"]
    assert (prepared.counts.rows, prepared.counts.rows_bad, len(prepared.counts.bad)) == (63, 61, 50)
    assert prepared.counts.bad[:2] == ["train.jsonl, line 2", "train.jsonl, line 3"]


def test_duplicates_are_told_and_removed_when_asked(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    file, tokenizer = write_rows(row("a"), row("b"), row("a"), row("a")), byte_tokenizer()
    told = prepare(query(file), tokenizer)
    assert (told.survey.duplicates, kinds(told)["duplicates"], len(told.train)) == (2, [3, 4], 4)
    removed = prepare(query(file, steps="remove_duplicates"), tokenizer)
    assert texts(removed.train) == ["a", "b"]
    assert (removed.counts.rows_left_out, removed.survey.rows_left_out) == (2, 2)
    assert "duplicates" not in kinds(removed)


def test_near_duplicates_are_told_and_removed_when_asked(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    long = "The quick brown fox jumps over the lazy dog while the cat looks on from the old stone wall by the river"
    file, tokenizer = write_rows(row(long), row("b"), row(f"{long}."), row(long)), byte_tokenizer()
    told = prepare(query(file), tokenizer)
    assert (told.survey.duplicates, told.survey.near_duplicates) == (1, 1)
    assert (kinds(told)["near_duplicates"], kinds(told)["duplicates"]) == ([3], [4])
    removed = prepare(query(file, steps="remove_near_duplicates"), tokenizer)
    assert texts(removed.train) == [long, "b"]


def test_rows_can_be_left_out_by_number(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    asked = query(write_rows(row("a"), row("b"), row("c")))
    steps = (Step(do="drop_rows", rows=(2,)),)
    asked = asked.model_copy(update={"recipe": asked.recipe.model_copy(update={"steps": steps})})
    prepared = prepare(asked, byte_tokenizer())
    assert texts(prepared.train) == ["a", "c"]
    assert (prepared.counts.rows, prepared.counts.rows_left_out) == (3, 1)


def test_answers_that_are_not_wanted_are_no_fault(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    rows = [{"prompt": "a", "completion": "b", "label": True}, {"prompt": "c", "completion": "d", "label": False}]
    prepared = prepare(query(write_rows(*rows * 3)), byte_tokenizer())
    assert (len(prepared.train), prepared.counts.rows_undesired, prepared.counts.rows_dropped) == (3, 3, 0)
    assert kinds(prepared)["undesired"] == [2, 4, 6]
    assert "untrainable" not in kinds(prepared)


def test_progress_is_told_and_may_give_up(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    file = write_rows(row("a"), row("b"), row("c"))
    told: list[SurveyProgress] = []
    prepare(query(file), byte_tokenizer(), on_progress=told.append)
    assert (told[-1].rows, told[-1].bytes, told[-1].bytes_total) == (3, file.stat().st_size, file.stat().st_size)

    def give_up(progress: SurveyProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(query(file), byte_tokenizer(), on_progress=give_up)


def test_text_needs_no_template(tmp_path: Path, byte_tokenizer: MakeTokenizer) -> None:
    file = tmp_path / "a.txt"
    file.write_text("one\n\ntwo\n", encoding="utf-8")
    prepared = prepare(query(file, held_out=HeldOut(rows=1)), byte_tokenizer())
    assert (len(prepared.train), prepared.template, prepared.understanding.format) == (1, "", "text")
    assert prepared.validation_prompts == []


def test_without_a_tokenizer_the_rows_are_surveyed_all_the_same(write_rows: WriteRows, tmp_path: Path) -> None:
    asked = query(write_rows(row("a"), row("b", "  x"), row("a"), row("d")), held_out=HeldOut(rows=1))
    for from_cache in (False, True):
        survey = prepare(asked, None, cache=tmp_path / "cache", strict=False).survey
        assert (survey.rows, survey.examples_train, survey.examples_held_out) == (4, 3, 1)
        assert (survey.duplicates, survey.tokens, survey.lengths, survey.untrainable) == (1, None, None, None)
        assert {finding.kind for finding in survey.findings} == {"duplicates", "few_rows", "spaces"}
        assert survey.from_cache == from_cache


def test_a_histogram_of_all_lengths(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    prepared = prepare(query(write_rows(*(row("x" * i) for i in range(1, 101)))), byte_tokenizer())
    lengths = prepared.survey.lengths
    assert lengths is not None
    sizes = prepared.train.lengths
    assert sum(lengths.counts) == 100
    assert (lengths.longest, lengths.edges[-1] > sizes.max()) == (int(sizes.max()), True)
    for start, end, count in zip(lengths.edges, lengths.edges[1:], lengths.counts, strict=False):
        assert count == ((sizes >= start) & (sizes < end)).sum()
    assert lengths.median in sizes and (sizes <= lengths.p95).mean() >= 0.95


def test_columns_that_nothing_uses_are_told(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    asked = query(write_rows(row("a", id=1, topic="x"), row("b", id=2, topic="y")), held_out=HeldOut(column="topic"))
    found = {f.kind: f.message for f in prepare(asked, byte_tokenizer()).survey.findings}
    assert found["unused_columns"] == "These columns are not used: id."


def test_rows_for_an_evaluation(write_rows: WriteRows) -> None:
    file = write_rows(row("a"), row("b", ""), row("c"))
    recipe = Recipe(sources=(Source(path=str(file)),))
    with pytest.raises(DataError, match="line 2"):
        load(recipe)
    loaded = load(recipe.model_copy(update={"steps": (Step(do="skip_bad_rows"),)}))
    assert [conversation.turns[0].content for conversation in loaded.conversations] == ["a", "c"]
    assert (loaded.rows, loaded.bad) == (3, ["train.jsonl, line 2"])
