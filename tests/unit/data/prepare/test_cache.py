"""Prepared data come from the cache when, and only when, nothing that matters has changed and they are whole."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.recipe import DataQuery, HeldOut, Recipe, Source
from qlora_ui.data.prepare import Prepared, prepare
from qlora_ui.data.prepare import cache as cache_module
from qlora_ui.data.prepare.cache import Cache
from tests.unit.data.conftest import MakeTokenizer, WriteRows
from tests.unit.data.prepare.making import query, row, texts

Make = Callable[[DataQuery], Prepared]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "prepared"


@pytest.fixture
def make(folder: Path, byte_tokenizer: MakeTokenizer) -> Make:
    return lambda asked: prepare(asked, byte_tokenizer(), cache=folder)


def entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name != "files")


def test_the_second_time_it_comes_from_the_cache(write_rows: WriteRows, make: Make, folder: Path) -> None:
    asked = query(write_rows(*(row(str(i)) for i in range(20))), held_out=HeldOut(share=0.2))
    first, second = make(asked), make(asked)
    assert (first.survey.from_cache, second.survey.from_cache) == (False, True)
    assert first.survey == second.survey.model_copy(update={"from_cache": False})
    for name in ("train", "validation", "validation_prompts", "counts", "understanding", "fingerprint", "template"):
        assert getattr(first, name) == getattr(second, name), name
    assert [entry.name for entry in entries(folder)] == [first.survey.fingerprint]


def test_whatever_matters_makes_it_anew(write_rows: WriteRows, make: Make, byte_tokenizer: MakeTokenizer) -> None:
    rows = [row(str(i), group=i % 5) for i in range(20)]
    file = write_rows(*rows)
    kept = query(file)
    prints = [make(kept).survey.fingerprint]
    for other in (
        query((file, 2.0)),
        query(file, steps="trim_space"),
        query(file, max_length=500),
        query(file, train_on="all"),
        query(file, data_format="question_answer"),
        query(file, mapping={"question": "answer", "answer": "question"}),
        query(file, held_out=HeldOut(share=0.2)),
        query(file, held_out=HeldOut(share=0.2, seed=1)),
        query(file, held_out=HeldOut(share=0.2, column="group")),
        query(file, held_out=HeldOut(path=str(file.with_name("other.jsonl")))),
    ):
        write_rows(row("x"), name="other.jsonl")
        prints.append(make(other).survey.fingerprint)
    write_rows(*rows[::-1])
    prints.append(make(kept).survey.fingerprint)
    template = "{% for m in messages %}{% generation %}{{ m.content + eos_token }}{% endgeneration %}{% endfor %}"
    for tokenizer in (byte_tokenizer(template), byte_tokenizer(eos="<|im_end|>")):
        prints += [prepare(kept, tokenizer, strict=False).survey.fingerprint]
    assert len(set(prints)) == len(prints)


def test_how_each_source_is_read_matters(write_rows: WriteRows, make: Make) -> None:
    first, second = write_rows(row("a")), write_rows(row("b"), name="second.jsonl")
    turned = {"question": "answer", "answer": "question"}

    def mixed(**reading: Any) -> Prepared:
        sources = (Source(path=str(first)), Source(path=str(second), **reading))
        return make(DataQuery(recipe=Recipe(sources=sources)))

    assert texts(mixed().train) == ["a", "b"]
    assert texts(mixed(data_format="question_answer", mapping=turned).train) == ["a", "ho"]


def test_what_does_not_matter_does_not(write_rows: WriteRows, make: Make, tmp_path: Path) -> None:
    file = write_rows(row("a"), row("b"))
    make(query(file, steps="trim_space drop_empty"))
    assert make(query(file, steps="drop_empty trim_space")).survey.from_cache
    moved = tmp_path / "elsewhere" / file.name
    moved.parent.mkdir()
    shutil.copy(file, moved)
    assert make(query(moved, steps="trim_space drop_empty")).survey.from_cache


@pytest.mark.parametrize("name", ["ids.i32", "trained.u8", "ends.i64", "train.i64", "notes.json", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "flip", "gone"])
def test_what_is_damaged_is_made_anew(write_rows: WriteRows, make: Make, folder: Path, name: str, damage: str) -> None:
    asked = query(write_rows(*(row(str(i)) for i in range(9))))
    before = texts(make(asked).train)
    file = next(folder.glob(f"*/{name}"))
    content = bytearray(file.read_bytes())
    if damage == "gone":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(content[:-1])
    else:
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    mended = make(asked)
    assert texts(mended.train) == before
    assert not mended.survey.from_cache
    assert make(asked).survey.from_cache
    assert len(entries(folder)) == 1


def test_a_foreign_folder_of_that_name_is_replaced(write_rows: WriteRows, make: Make, folder: Path) -> None:
    asked, other = query(write_rows(row("a"))), query(write_rows(row("b"), name="other.jsonl"))
    name, foreign = make(asked).survey.fingerprint, make(other).survey.fingerprint
    shutil.rmtree(folder / name)
    shutil.copytree(folder / foreign, folder / name)
    assert texts(make(asked).train) == ["a"]
    manifest = json.loads((folder / name / "manifest.json").read_bytes())
    assert manifest["fingerprint"] == name


def test_two_at_once_do_no_harm(write_rows: WriteRows, make: Make, folder: Path, byte_tokenizer: MakeTokenizer) -> None:
    asked = query(write_rows(*(row(str(i)) for i in range(9))))
    meeting, results = threading.Barrier(2, timeout=30), []

    def one() -> None:
        is_first = True

        def meet(_: object) -> None:
            nonlocal is_first
            if is_first:
                meeting.wait()  # both have found nothing, and are making it
                is_first = False

        results.append(prepare(asked, byte_tokenizer(), cache=folder, on_progress=meet))

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.survey.from_cache for result in results] == [False, False]
    assert results[0].train == results[1].train
    assert len(entries(folder)) == 1
    assert make(asked).survey.from_cache


def test_the_one_not_used_for_longest_goes_and_mapped_data_stay(tmp_path: Path) -> None:
    cupboard = Cache(tmp_path, most_bytes=5_000)

    def add(name: str, size: int = 2_000) -> None:
        with cupboard.making(name) as folder:
            (folder / "data").write_bytes(bytes(size))
            cupboard.keep(folder, name, {})

    for name in ("a", "b"):
        add(name)
    import os

    os.utime(tmp_path / "a", (1, 1))
    os.utime(tmp_path / "b", (2, 2))
    assert cupboard.find("a") is not None  # used: now b is the older one
    add("c")
    assert [cupboard.find(name) is not None for name in "abc"] == [True, False, True]
    add("huge", 10_000)
    assert [cupboard.find(name) is not None for name in ("a", "c", "huge")] == [False, False, True]


def test_what_is_deleted_can_still_be_trained(write_rows: WriteRows, make: Make, folder: Path) -> None:
    prepared = make(query(write_rows(*(row(str(i)) for i in range(9)))))
    shutil.rmtree(folder)
    assert texts(prepared.train) == [str(i) for i in range(9)]


def test_without_a_cache_nothing_stays_behind(
    write_rows: WriteRows, byte_tokenizer: MakeTokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tempfile

    home = tmp_path / "tmp"
    home.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(home))
    prepared = prepare(query(write_rows(row("a"), row("b"))), byte_tokenizer())
    assert list(home.iterdir()) == []
    assert texts(prepared.train) == ["a", "b"]


def test_what_a_process_left_that_died_is_taken_away(
    write_rows: WriteRows, make: Make, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = folder / ".0123.dead.tmp"
    left.mkdir(parents=True)
    (left / "ids.i32").write_bytes(bytes(100))
    monkeypatch.setattr(cache_module, "YOUNG_S", 0.0)
    cupboard = Cache(folder)
    with cupboard.making("ab") as alive:
        make(query(write_rows(row("a"))))
        assert alive.is_dir() and not left.exists()


def test_a_full_disk_is_told(write_rows: WriteRows, byte_tokenizer: MakeTokenizer, tmp_path: Path) -> None:
    blocked = tmp_path / "prepared"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(WorkspaceError, match="cannot take the prepared data"):
        prepare(query(write_rows(row("a"))), byte_tokenizer(), cache=blocked)


def test_a_file_is_hashed_once(tmp_path: Path) -> None:
    cupboard, calls = Cache(tmp_path), []

    def work_out() -> str:
        calls.append(1)
        return "a" * 64

    assert [cupboard.remembered("stamp", work_out) for _ in range(3)] == ["a" * 64] * 3
    assert len(calls) == 1
    next((tmp_path / "files").iterdir()).write_text("nonsense")
    assert cupboard.remembered("stamp", work_out) == "a" * 64
    assert len(calls) == 2
