"""What is held out is never trained, however it is chosen; weights concern what is trained only."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.recipe import DataQuery, HeldOut, Recipe, Source, Step
from qlora_ui.data.look import look
from qlora_ui.data.prepare import Examples, Prepared, prepare
from tests.unit.data.conftest import MakeTokenizer, WriteRows
from tests.unit.data.encoding.kinds import byte_level
from tests.unit.data.prepare.making import query, row, texts


@cache
def tokenizer() -> Any:
    return byte_level(None)()


def ids(examples: Examples) -> set[tuple[int, ...]]:
    return {tuple(example.input_ids) for example in examples}


_CHOICES = st.one_of(
    st.builds(HeldOut, share=st.floats(0.01, 0.5), seed=st.integers(0, 99)),
    st.builds(HeldOut, rows=st.integers(1, 5), seed=st.integers(0, 99)),
    st.builds(HeldOut, share=st.floats(0.01, 0.5), column=st.just("topic"), seed=st.integers(0, 99)),
)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("xyz")), min_size=2, max_size=25),
    held_out=_CHOICES,
    weight=st.sampled_from([0.5, 1.0, 1.5, 2.0]),
    steps=st.sampled_from(["", "split_long", "remove_duplicates", "skip_bad_rows split_long"]),
)
def test_no_held_out_row_is_trained(rows: list[tuple[str, str]], held_out: HeldOut, weight: float, steps: str) -> None:
    """The rows are texts of three paragraphs that several rows share, so that pieces of them are equal as well."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "train.jsonl"
        lines = [f'{{"text": "{(name * 30 + " ") * 2}{other * 30}.", "topic": "{other}"}}\n' for name, other in rows]
        file.write_text("".join(lines), encoding="utf-8")
        asked = query((file, weight), held_out=held_out, steps=steps, max_length=40 if steps else 200)
        first, again = (prepare(asked, tokenizer(), strict=False) for _ in range(2))
    assert not ids(first.train) & ids(first.validation)
    assert (first.train, first.validation) == (again.train, again.validation)
    assert first.counts.rows == len(rows)
    assert _accounted(first) == len(rows)


def _accounted(prepared: Prepared) -> int:
    counts = prepared.counts
    left = counts.rows_left_out + counts.rows_bad + counts.rows_undesired + counts.rows_not_drawn
    return left + counts.rows_train + counts.rows_validation + counts.rows_dropped + counts.rows_held_back


def test_rows_of_an_evaluation_file_are_held_back(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    file = write_rows(row("a"), row("b"), row("c"))
    held_out = write_rows(row("b"), row("z"), name="held.jsonl")
    prepared = prepare(query(file, held_out=HeldOut(path=str(held_out), share=0.5)), byte_tokenizer())
    assert [len(prepared.train), len(prepared.validation), prepared.counts.rows_held_back] == [2, 2, 1]
    assert [c.place for c in prepared.validation_prompts] == ["held.jsonl, line 1", "held.jsonl, line 2"]
    assert {f.kind: f.rows for f in prepared.survey.findings}["overlap"] == [2]
    assert prepared.validation_fingerprint and prepared.validation_fingerprint != prepared.fingerprint
    with pytest.raises(DataError, match="every row is in the evaluation file"):
        prepare(query(file, held_out=HeldOut(path=str(file))), byte_tokenizer())


def test_a_row_is_counted_once_whatever_keeps_it_from_training(
    write_rows: WriteRows, byte_tokenizer: MakeTokenizer
) -> None:
    unwanted, wanted = ({"prompt": "c", "completion": "d", "label": label} for label in (False, True))
    file = write_rows(unwanted, wanted, {"prompt": "e", "completion": "f", "label": False})
    held_out = write_rows(unwanted, {"prompt": "g", "completion": "h", "label": True}, name="held.jsonl")
    prepared = prepare(query(file, held_out=HeldOut(path=str(held_out))), byte_tokenizer(), strict=False)
    counts = prepared.counts
    assert (counts.rows_validation, counts.rows_dropped) == (1, 0)
    assert counts.rows_undesired == 1 + 1  # one on either side
    assert counts.rows == counts.rows_train + counts.rows_held_back + 1 == 3


def test_cut_rows_are_counted_and_not_their_pieces(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    rounds = [{"role": role, "content": letter * 200} for letter in "ab" for role in ("user", "assistant")]
    rounds[0]["content"] = rounds[2]["content"] = "c"
    file = write_rows({"messages": rounds})
    prepared = prepare(query(file, steps="split_long", max_length=100), byte_tokenizer())
    assert [example.truncated for example in prepared.train] == [True, True]
    assert prepared.counts.rows_truncated == 1


def test_what_is_almost_in_the_evaluation_is_told_and_trained(
    write_rows: WriteRows, byte_tokenizer: MakeTokenizer
) -> None:
    long = "The quick brown fox jumps over the lazy dog while the cat looks on from the old stone wall by the river"
    file = write_rows(row("a"), row(f"{long}!"), row("c"))
    held_out = write_rows(row(long), name="held.jsonl")
    prepared = prepare(query(file, held_out=HeldOut(path=str(held_out))), byte_tokenizer())
    assert {f.kind: f.rows for f in prepared.survey.findings}["overlap"] == [2]
    assert len(prepared.train) == 3

    several = write_rows(*(row(long + mark) for mark in "!?.,;"), name="several.jsonl")
    prepared = prepare(query(several, held_out=HeldOut(rows=1)), byte_tokenizer())
    assert {f.kind: f.count for f in prepared.survey.findings}["overlap"] == 4


def test_prompts_are_the_first_held_out_rows_that_are_whole(
    write_rows: WriteRows, byte_tokenizer: MakeTokenizer
) -> None:
    rows = [row(f"{i} " * (60 if i % 3 == 0 else 1)) for i in range(60)]
    prepared = prepare(query(write_rows(*rows), held_out=HeldOut(share=0.5), max_length=100), byte_tokenizer())
    whole = [
        text
        for text, example in zip(texts(prepared.validation), prepared.validation, strict=True)
        if not example.truncated
    ]
    asked = [conversation.turns[0].content for conversation in prepared.validation_prompts]
    assert asked == whole[:8] and len(asked) == 8


def test_a_count_of_rows_is_held_out(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    file = write_rows(*(row(str(i)) for i in range(10)))
    prepared = prepare(query(file, held_out=HeldOut(rows=3, share=0.5)), byte_tokenizer())
    assert (len(prepared.train), len(prepared.validation)) == (7, 3)
    with pytest.raises(DataError, match="10 rows are to be held out, but there are only 10"):
        prepare(query(file, held_out=HeldOut(rows=10)), byte_tokenizer())


def test_rows_with_one_value_in_the_column_stay_together(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    file = write_rows(*(row(f"{topic}{i}", topic=topic) for i in range(5) for topic in "abcdef"))
    prepared = prepare(query(file, held_out=HeldOut(share=0.3, column="topic")), byte_tokenizer())
    train, held_out = ({text[0] for text in texts(side)} for side in (prepared.train, prepared.validation))
    assert len(held_out) == 1 and len(train) == 5 and not train & held_out

    alone = write_rows(*(row(str(i), topic="a") for i in range(5)), name="alone.jsonl")
    with pytest.raises(DataError, match="all rows have the same value in the column topic"):
        prepare(query(alone, held_out=HeldOut(share=0.3, column="topic")), byte_tokenizer())


def test_a_row_without_the_column_is_named(write_rows: WriteRows, byte_tokenizer: MakeTokenizer) -> None:
    file = write_rows(row("a", topic="x"), row("b", topic=None), row("c"))
    with pytest.raises(DataError, match=r"train\.jsonl, line 3: there is no column topic") as caught:
        prepare(query(file, held_out=HeldOut(share=0.3, column="topic")), byte_tokenizer())
    assert "question, answer" in caught.value.hint


@pytest.mark.parametrize(("weight", "often"), [(2.0, {2: 20}), (0.5, {1: 10}), (1.5, {1: 10, 2: 10}), (0.01, {})])
def test_weights_say_how_often_rows_go_in(
    write_rows: WriteRows, byte_tokenizer: MakeTokenizer, weight: float, often: dict[int, int]
) -> None:
    weighed = write_rows(*(row(f"w{i}") for i in range(20)), name="weighed.jsonl")
    plain = write_rows(*(row(f"p{i}") for i in range(20)))
    prepared = prepare(query((weighed, weight), plain), byte_tokenizer())
    counted = Counter(texts(prepared.train))
    assert Counter(number for text, number in counted.items() if text[0] == "w") == often
    assert {number for text, number in counted.items() if text[0] == "p"} == {1}
    assert prepared.counts.rows_not_drawn == 20 - sum(often.values())
    assert prepared.survey.examples_train == len(prepared.train) == prepared.counts.examples


def test_weights_are_drawn_by_the_seed_and_leave_the_held_out_rows_alone(
    write_rows: WriteRows, byte_tokenizer: MakeTokenizer
) -> None:
    file, tokens = write_rows(*(row(str(i)) for i in range(40))), byte_tokenizer()
    half, again, other, whole = (
        prepare(query((file, weight), held_out=HeldOut(rows=10, seed=seed)), tokens)
        for weight, seed in ((0.5, 1), (0.5, 1), (0.5, 2), (1.0, 1))
    )
    assert half.train == again.train != other.train
    assert half.validation == whole.validation
    assert (len(half.train), len(whole.train)) == (15, 30)


def test_sources_of_different_forms_are_each_understood_by_themselves(
    write_rows: WriteRows, byte_tokenizer: MakeTokenizer
) -> None:
    first = write_rows(row("a"), row("b"))
    chat = [{"speaker": "Q", "words": "c"}, {"speaker": "A", "words": "ho"}]
    second = write_rows({"talk": chat}, {"talk": chat[:1]}, name="second.jsonl")
    third = write_rows({"instruction": "d", "output": "ho"}, name="third.jsonl")
    mapping = {"turns": "talk", "role_key": "speaker", "content_key": "words"}
    roles = {"Q": "user", "A": "assistant"}
    sources = (
        Source(path=str(first)),
        Source(path=str(second), data_format="sharegpt", mapping=mapping, roles=roles),
        Source(path=str(third), weight=2.0),
    )
    asked = DataQuery(recipe=Recipe(sources=sources, steps=(Step(do="skip_bad_rows"),)))
    prepared = prepare(asked, byte_tokenizer())
    assert sorted(texts(prepared.train)) == ["a", "b", "c", "d", "d"]
    assert prepared.counts.bad == ["second.jsonl, line 2"]
    seen = look(asked, None)
    assert [source.format for source in seen.sources] == ["question_answer", "sharegpt", "alpaca"]
    assert [len(view.examples) for view in seen.views] == [1, 1, 1, 0, 1]


def test_single_rows_are_left_out_of_the_training_data_only(
    write_rows: WriteRows, byte_tokenizer: MakeTokenizer
) -> None:
    file = write_rows(row("a"), row("b"), row("c"))
    held_out = write_rows(row("x"), row("y"), name="held.jsonl")
    asked = query(file, held_out=HeldOut(path=str(held_out)))
    steps = (Step(do="drop_rows", rows=(1, 2)),)
    asked = asked.model_copy(update={"recipe": asked.recipe.model_copy(update={"steps": steps})})
    prepared = prepare(asked, byte_tokenizer())
    assert (texts(prepared.train), texts(prepared.validation)) == (["c"], ["x", "y"])


def test_bad_rows_of_an_evaluation_file_are_told_and_counted(
    write_rows: WriteRows, byte_tokenizer: MakeTokenizer
) -> None:
    file = write_rows(row("a"), row("b"))
    held_out = write_rows(row("x"), row("y", ""), name="held.jsonl")
    asked = query(file, held_out=HeldOut(path=str(held_out)))
    [found] = [one for one in prepare(asked, byte_tokenizer(), strict=False).survey.findings if one.level == "error"]
    assert found.message.startswith("In the evaluation data: ") and (found.count, found.rows) == (1, [])
    with pytest.raises(DataError, match=r"held\.jsonl, line 2"):
        prepare(asked, byte_tokenizer())
    skipping = query(file, held_out=HeldOut(path=str(held_out)), steps="skip_bad_rows")
    prepared = prepare(skipping, byte_tokenizer())
    assert (prepared.counts.rows_validation_bad, prepared.counts.bad) == (1, ["held.jsonl, line 2"])
    assert "error" not in [one.level for one in prepared.survey.findings]
