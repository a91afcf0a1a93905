from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qlora_ui import locales
from qlora_ui.contract.inspection import Inspection
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import RunPaths
from qlora_ui.data.split import split
from qlora_ui.pages.train.form import TrainForm
from qlora_ui.pages.train.plan import ENOUGH_STEPS, epochs_for_enough_steps, plan


@pytest.fixture
def form() -> TrainForm:
    form = TrainForm(starter_settings={"learning_rate": 1e-3, "max_length": 64})
    form.set("model_name", "/models/base")
    form.set("dataset_path", "/data/rows.jsonl")
    return form


def inspection(**changes: Any) -> Inspection:
    known = {"file": "rows.jsonl", "bytes": 10, "rows": 100, "format": "alpaca", "seen": "", "columns": []}
    return Inspection.model_validate({**known, "rows_untrainable": 0, **changes})


def test_what_was_not_set_has_its_default(form: TrainForm) -> None:
    assert form.get("learning_rate") == 2e-4
    assert form.parameters() == TrainingParameters(model_name="/models/base", dataset_path="/data/rows.jsonl")


def test_the_starter_brings_settings_that_suit_it_but_not_over_a_persons_own(form: TrainForm) -> None:
    form.set("max_length", "128")
    form.set("model_name", "starter")
    assert form.parameters().learning_rate == 1e-3
    assert form.parameters().max_length == 128
    form.set("model_name", "/models/base")
    assert form.parameters().learning_rate == 2e-4


@pytest.mark.parametrize("text", ["-1", "abc", "0"])
def test_a_bad_learning_rate_is_named_and_kept(form: TrainForm, text: str) -> None:
    form.set("learning_rate", text)
    assert form.errors == {"learning_rate": f"'{text}' was given, but it must be a number, more than 0, at most 1"}
    assert form.get("learning_rate") == text
    assert not form.is_valid
    form.set("learning_rate", "2e-5")
    assert form.errors == {}
    assert form.parameters().learning_rate == 2e-5


def test_an_emptied_field_goes_back_to_its_default(form: TrainForm) -> None:
    form.set("num_train_epochs", "7")
    form.set("num_train_epochs", " ")
    assert form.parameters().num_train_epochs == 3.0


def test_nothing_is_said_of_fields_that_nobody_touched() -> None:
    form = TrainForm()
    form.set("batch_size", 8)
    assert form.errors == {}
    assert set(form.problems) == {"model_name", "dataset_path"}


def test_a_rule_over_two_fields_shows_as_a_problem_of_the_whole(form: TrainForm) -> None:
    form.set("validation_path", "/data/test.jsonl")
    form.set("evaluations", "0")
    assert form.errors[""].startswith("an evaluation file is given")


def test_yaml_goes_out_and_comes_back(form: TrainForm) -> None:
    form.set("learning_rate", "1e-3")
    text = form.to_yaml()
    assert "learning_rate: 0.001" in text
    other = TrainForm()
    other.load_yaml(text)
    assert other.parameters() == form.parameters()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("model_name: [", "This text is not valid YAML in line 1"),
        ("- a\n- b", "lines of the form"),
        ("model_name: m\ndataset_path: d\nlearning_rat: 1", "did you mean learning_rate?"),
        ("model_name: m\ndataset_path: d\nlearning_rate: -1", "more than 0"),
        ("", "it is missing"),
    ],
)
def test_yaml_that_cannot_be_used_is_explained_and_changes_nothing(form: TrainForm, text: str, words: str) -> None:
    before = form.parameters()
    form.show_as(yaml=True)
    assert form.is_valid
    form.load_yaml(text)
    assert words in form.yaml_problem
    assert form.parameters() == before
    assert not form.is_valid
    form.load_yaml(form.to_yaml())
    assert form.is_valid


def test_an_unknown_setting_in_a_file_is_named_with_its_line(form: TrainForm) -> None:
    form.load_yaml("model_name: m\ndataset_path: d\nlora_rnk: 8\n")
    assert "line 3, lora_rnk: there is no such setting" in form.yaml_problem
    assert "did you mean lora_rank?" in form.yaml_problem


def test_what_is_wrong_with_a_file_is_said_anew_in_each_language(
    form: TrainForm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "de.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "line {line}, {setting}: {problem}"\nmsgstr "{problem} ({setting} in Zeile {line})"\n\n'
        'msgid "a number"\nmsgstr "eine Zahl"\n',
        "utf-8",
    )
    monkeypatch.setattr(locales, "FOLDER", tmp_path)
    locales.languages.cache_clear()
    form.load_yaml("model_name: m\ndataset_path: d\nlearning_rate: fast\n")
    with locales.speaking("de"):
        assert "eine Zahl, more than 0, at most 1 (learning_rate in Zeile 3)" in form.yaml_problem
    assert "line 3, learning_rate: 'fast' was given, but it must be a number" in form.yaml_problem
    locales.languages.cache_clear()


def test_the_first_step_with_an_obstacle_is_known(form: TrainForm) -> None:
    assert form.obstacle_step is None
    form.set("name", "n" * 100)
    assert form.obstacle_step == 4
    form.set("learning_rate", "abc")
    assert form.obstacle_step == 2
    assert form.obstacle == ("Learning rate: 'abc' was given, but it must be a number, more than 0, at most 1.")


def test_a_draft_has_what_was_set_and_not_what_was_found_out(form: TrainForm) -> None:
    form.inspection, form.step, form.test_path = inspection(), 3, "/data/test.jsonl"
    draft = form.draft()
    assert (draft.values, draft.step, draft.test_path) == (form.values, 3, "/data/test.jsonl")
    assert draft.inspection is None
    draft.set("lora_rank", "8")
    assert "lora_rank" not in form.values


def test_few_steps_become_enough_with_more_epochs(form: TrainForm) -> None:
    parameters = form.parameters()
    made = plan(parameters, inspection())
    epochs = epochs_for_enough_steps(parameters, made)
    assert epochs is not None
    form.set("num_train_epochs", epochs)
    assert plan(form.parameters(), inspection()).steps >= ENOUGH_STEPS
    assert epochs_for_enough_steps(form.parameters(), plan(form.parameters(), inspection())) is None


def test_the_plan_counts_as_training_does(form: TrainForm) -> None:
    form.set("batch_size", "4")
    form.set("gradient_accumulation", "4")
    made = plan(form.parameters(), inspection(rows=100, rows_untrainable=0))
    assert (made.rows_trained, made.rows_held_out, made.effective_batch) == (90, 10, 16)
    assert made.steps == 3 * 6  # 90 rows make 23 batches of 4, and those 6 steps an epoch
    assert made.is_exact


def test_the_plan_respects_limits_and_says_when_it_is_not_exact(form: TrainForm) -> None:
    form.set("max_steps", "5")
    assert plan(form.parameters(), inspection()).steps == 5
    assert not plan(form.parameters(), inspection(duplicates=3)).is_exact
    form.set("validation_share", "0")
    made = plan(form.parameters(), inspection(duplicates=3))
    assert (made.rows_trained, made.rows_held_out, made.is_exact) == (100, 0, True)


def test_scoring_uses_the_persons_test_file_else_the_starters_held_out_rows(form: TrainForm, tmp_path: Path) -> None:
    run = RunPaths(tmp_path / "run")
    assert form.evaluation(form.parameters(), "tone", run) is None
    form.test_path = "/data/test.jsonl"
    scored = form.evaluation(form.parameters(), "tone", run)
    assert scored is not None
    assert (scored.dataset_path, scored.adapter_path) == ("/data/test.jsonl", str(run.adapter))
    assert scored.name == "tone score"
    form.test_path = ""
    form.set("dataset_path", "starter")
    scored = form.evaluation(form.parameters(), "tone", run)
    assert scored is not None
    assert scored.dataset_path == "starter/heldout"
    form.wants_score = False
    assert form.evaluation(form.parameters(), "tone", run) is None


def test_the_plan_is_only_about_right_where_rows_are_left_out_or_held_back(form: TrainForm) -> None:
    made = plan(form.parameters(), inspection(rows=104, rows_untrainable=4))
    assert (made.rows_trained, made.rows_held_out, made.is_exact) == (90, 10, False)
    assert not plan(form.parameters(), inspection(rows_untrainable=None)).is_exact
    same = plan(form.parameters(), inspection(rows=20, duplicates=19))
    assert (same.rows_trained, same.rows_held_out) == (20, 0)  # rows that are all equal cannot be split
    form.set("validation_path", "/data/other.jsonl")
    made = plan(form.parameters(), inspection())
    assert (made.rows_trained, made.rows_held_out, made.is_exact) == (100, None, False)


@pytest.mark.parametrize("duplicates", [0, 30])
def test_the_plan_agrees_with_the_split(form: TrainForm, duplicates: int) -> None:
    rows = [f"row {number}" for number in range(237 - duplicates)] + ["row 1"] * duplicates
    train, held_out = split(rows, form.parameters().validation_share, seed=1)
    made = plan(form.parameters(), inspection(rows=237, duplicates=duplicates))
    assert made.is_exact == (duplicates == 0)
    if made.is_exact:
        assert (made.rows_trained, made.rows_held_out) == (len(train), len(held_out))


def test_rows_that_training_would_stumble_over_stand_in_the_way(form: TrainForm) -> None:
    form.inspection = inspection(findings=[{"level": "warning", "message": "Some rows are cut."}])
    assert form.is_valid
    form.inspection = inspection(findings=[{"level": "error", "message": "The answer is empty.", "rows": [3]}])
    assert not form.is_valid


def test_yaml_that_leaves_a_setting_out_means_its_default_even_for_the_starter(form: TrainForm) -> None:
    form.load_yaml("model_name: starter\ndataset_path: starter")
    assert form.parameters() == TrainingParameters(model_name="starter", dataset_path="starter")
