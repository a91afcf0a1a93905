from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qlora_ui import locales
from qlora_ui.contract.inspection import Finding, Look, PartView, Survey, Understanding
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.recipe import Source, Step
from qlora_ui.pages.train.form import TrainForm
from qlora_ui.pages.train.plan import ENOUGH_STEPS, epochs_for_enough_steps, plan


@pytest.fixture
def form() -> TrainForm:
    form = TrainForm(starter_settings={"learning_rate": 1e-3, "max_length": 64})
    form.set("model_name", "/models/base")
    form.set("dataset_path", "/data/rows.jsonl")
    return form


def survey(train: int = 90, held_out: int = 10, **changes: Any) -> Survey:
    known = {"rows": train + held_out, "examples": train + held_out, "tokens": 1000, "tokens_trained": 500}
    return Survey.model_validate({**known, "examples_train": train, "examples_held_out": held_out, **changes})


def look(**changes: Any) -> Look:
    known = {"format": "question_answer", "sureness": "certain", "seen": ""}
    return Look(sources=[], understanding=Understanding.model_validate({**known, **changes}), views=[])


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
    form.data.look = look()
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
    form.data.look = look()
    assert form.obstacle_step is None
    form.set("name", "n" * 100)
    assert form.obstacle_step == 4
    form.set("learning_rate", "abc")
    assert form.obstacle_step == 2
    assert form.obstacle == ("Learning rate: 'abc' was given, but it must be a number, more than 0, at most 1.")


def test_data_can_be_seen_while_two_settings_exclude_each_other(form: TrainForm) -> None:
    form.update({"dataset_path": "starter", "validation_path": "/data/held.jsonl", "evaluations": "0"})
    assert "" in form.errors
    asked = form.query()
    assert asked is not None and asked.held_out.path == "/data/held.jsonl"


def test_a_draft_has_what_was_set_and_not_what_was_found_out(form: TrainForm) -> None:
    form.data.look, form.step, form.test_path = look(), 3, "/data/test.jsonl"
    form.before_recall = {"data_format": "auto"}
    draft = form.draft()
    assert (draft.values, draft.step, draft.test_path) == (form.values, 3, "/data/test.jsonl")
    assert draft.before_recall == {"data_format": "auto"}
    assert draft.data.look is None
    draft.set("lora_rank", "8")
    assert "lora_rank" not in form.values


def test_few_steps_become_enough_with_more_epochs(form: TrainForm) -> None:
    parameters = form.parameters()
    made = plan(parameters, survey())
    epochs = epochs_for_enough_steps(parameters, made)
    assert epochs is not None
    form.set("num_train_epochs", epochs)
    assert plan(form.parameters(), survey()).steps >= ENOUGH_STEPS
    assert epochs_for_enough_steps(form.parameters(), plan(form.parameters(), survey())) is None


def test_the_plan_counts_as_training_does(form: TrainForm) -> None:
    form.set("batch_size", "4")
    form.set("gradient_accumulation", "4")
    made = plan(form.parameters(), survey())
    assert (made.examples_trained, made.examples_held_out, made.effective_batch) == (90, 10, 16)
    assert made.steps == 3 * 6  # 90 rows make 23 batches of 4, and those 6 steps an epoch
    assert made.is_exact


def test_the_plan_respects_limits_and_says_when_it_is_not_exact(form: TrainForm) -> None:
    form.set("max_steps", "5")
    assert plan(form.parameters(), survey()).steps == 5
    assert not plan(form.parameters(), survey(tokens=None)).is_exact


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


def test_rows_that_training_would_stumble_over_stand_in_the_way(form: TrainForm) -> None:
    form.data.look = look()
    form.data.survey = survey(findings=[Finding(level="warning", message="Some rows are cut.")])
    assert form.is_valid
    form.data.survey = survey(findings=[Finding(level="error", message="The answer is empty.", rows=[3])])
    assert form.obstacle == "The answer is empty."


def test_what_has_to_be_said_of_the_data_stands_in_the_way(form: TrainForm) -> None:
    form.data.look = look(parts=[PartView(name="answer", required=True, options=["a"])])
    assert form.obstacle == "No column is chosen yet for: Answer."
    form.data.look = look(roles={"user": "user", "bot_2": ""})
    assert form.obstacle == "It has to be said who the speaker “bot_2” is."
    form.set("data_steps", [Step(do="skip_bad_rows")])
    assert form.obstacle == ""


def test_lists_and_tables_go_out_as_yaml_and_come_back(form: TrainForm) -> None:
    form.update(
        {
            "more_data": [Source(path="/data/other.jsonl", weight=0.5)],
            "data_mapping": {"question": "frage", "system": ""},
            "data_roles": {"bot_2": "assistant"},
            "data_steps": [Step(do="remove_duplicates"), Step(do="drop_rows", rows=(3, 7))],
        }
    )
    text = form.to_yaml()
    assert "- path: /data/other.jsonl\n  weight: 0.5\n" in text
    other = TrainForm()
    other.load_yaml(text)
    assert other.parameters() == form.parameters()
    assert other.values["data_steps"] == form.values["data_steps"]
    assert other.sources == [Source(path="/data/rows.jsonl"), Source(path="/data/other.jsonl", weight=0.5)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("data_steps:\n- do: remove_duplicate", "line 3, data_steps: [0].do: input should be"),
        ("data_mapping: question", "line 3, data_mapping: 'question' was given, but it must be a list or a table"),
        ("more_data:\n- {path: a.jsonl, weight: 0}", "line 3, more_data: [0].weight: input should be greater than 0"),
    ],
)
def test_a_mistake_in_a_list_is_named_with_its_line(form: TrainForm, text: str, words: str) -> None:
    form.load_yaml(f"model_name: m\ndataset_path: d\n{text}\n")
    assert words in form.yaml_problem


def test_the_scoring_reads_its_rows_as_the_training_does(form: TrainForm, tmp_path: Path) -> None:
    form.test_path = "/data/test.jsonl"
    form.update({"data_format": "alpaca", "data_mapping": {"instruction": "ask"}, "data_roles": {"bot": "assistant"}})
    form.set("data_steps", [Step(do="trim_space"), Step(do="remove_duplicates")])
    scored = form.evaluation(form.parameters(), "tone", RunPaths(tmp_path / "run"))
    assert scored is not None
    assert (scored.data_format, scored.data_mapping) == ("alpaca", {"instruction": "ask"})
    assert scored.data_roles == {"bot": "assistant"}
    assert scored.data_steps == [Step(do="trim_space")]


def test_yaml_that_leaves_a_setting_out_means_its_default_even_for_the_starter(form: TrainForm) -> None:
    form.load_yaml("model_name: starter\ndataset_path: starter")
    assert form.parameters() == TrainingParameters(model_name="starter", dataset_path="starter")
