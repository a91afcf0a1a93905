"""Parameters from files, forms and command lines: bounds, clear words, and a way back to YAML."""

from pathlib import Path
from typing import Any

import pytest

from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.knobs import GROUPS, knobs
from qlora_ui.contract.parameters import PARAMETERS, JobParameters, TrainingParameters
from qlora_ui.contract.parsing import dump_parameters, parse_parameters, read_parameters
from qlora_ui.contract.records import JobKind

NEEDED = {"model_name": "starter", "dataset_path": "starter"}


@pytest.mark.parametrize("model", PARAMETERS.values())
def test_every_knob_can_be_explained(model: type[JobParameters]) -> None:
    for knob in knobs(model).values():
        assert knob.title and knob.group in GROUPS
        assert knob.help.endswith("."), f"{knob.name}: help is a sentence"
        assert knob.help.count(". ") <= 1
        if knob.kind in {"integer", "number"} and knob.name != "save_steps":
            assert knob.minimum is not None, f"{knob.name} has no lower bound"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("learning_rate", -1, "-1 was given, but it must be a number, more than 0, at most 1"),
        ("learning_rate", "abc", "'abc' was given, but it must be a number"),
        ("learning_rate", float("nan"), "it must be a number, more than 0"),
        ("num_train_epochs", 0, "more than 0"),
        ("batch_size", 1.5, "it must be a whole number, at least 1"),
        ("batch_size", None, "it must be a whole number"),
        ("lora_rank", 0, "at least 1"),
        ("lr_scheduler_type", "cosin", "one of linear, cosine"),
        ("device", "gpu", "auto, cpu or cuda:0"),
        ("model_name", "   ", "it must be text"),
        ("offline", "maybe", "true or false"),
        ("learning_rte", 1e-4, "there is no such setting; did you mean learning_rate?"),
    ],
)
def test_a_bad_value_is_named_with_what_it_must_be(field: str, value: Any, words: str) -> None:
    with pytest.raises(ParameterError) as caught:
        parse_parameters(JobKind.TRAINING, {**NEEDED, field: value})
    assert set(caught.value.fields) == {field}
    assert words in caught.value.fields[field]
    assert field in str(caught.value)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a\0b", "ab"),
        ("two\nlines\u2028of \t it ", "two lines of it"),
        ("bill \u202egnp.exe", "bill gnp.exe"),
        ("\u2066a\u2069\u200b\ufeff\ud800", "a"),
        ("\u200b \u200d", ""),
        ("👩\u200d👧 Größe می\u200cخواهم", "👩\u200d👧 Größe می\u200cخواهم"),
        (7, "7"),
    ],
)
def test_a_name_is_one_line_that_can_be_seen(given: Any, kept: str) -> None:
    assert parse_parameters(JobKind.TRAINING, {**NEEDED, "name": given}).name == kept


@pytest.mark.parametrize("given", ["x" * 81, "x" * 10_000, "\0" * 10_000])
def test_a_name_that_is_too_long_is_refused(given: str) -> None:
    with pytest.raises(ParameterError, match="at most 80 characters"):
        parse_parameters(JobKind.TRAINING, {**NEEDED, "name": given})


def test_every_bad_value_is_named_at_once() -> None:
    with pytest.raises(ParameterError) as caught:
        parse_parameters(JobKind.TRAINING, {"dataset_path": "a", "batch_size": 0, "seed": -1})
    assert set(caught.value.fields) == {"model_name", "batch_size", "seed"}
    assert caught.value.fields["model_name"] == "it is missing"


def test_settings_that_contradict_each_other_are_told() -> None:
    with pytest.raises(ParameterError, match="evaluations is 0"):
        parse_parameters(JobKind.TRAINING, {**NEEDED, "evaluations": 0, "validation_path": "v.jsonl"})


def test_yaml_and_back(tmp_path: Path) -> None:
    parameters = parse_parameters(JobKind.TRAINING, {**NEEDED, "learning_rate": 3e-4, "name": "Größe"})
    file = tmp_path / "run.yaml"
    file.write_text(dump_parameters(parameters), encoding="utf-8")
    assert read_parameters(file, JobKind.TRAINING) == parameters


def test_changes_lie_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("model_name: starter\ndataset_path: starter\nlearning_rate: 2e-4\n")
    parameters = read_parameters(file, JobKind.TRAINING, {"learning_rate": 0.5})
    assert isinstance(parameters, TrainingParameters)
    assert parameters.learning_rate == 0.5
    plain = read_parameters(file, JobKind.TRAINING)
    assert isinstance(plain, TrainingParameters)
    assert plain.learning_rate == 2e-4, "YAML reads 2e-4 as text, which is a number all the same"


def test_paths_are_taken_from_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text("{}")
    (tmp_path / "starter").mkdir()
    file = tmp_path / "run.yaml"
    file.write_text("model_name: starter\ndataset_path: mine.jsonl\n")
    parameters = read_parameters(file, JobKind.TRAINING)
    assert isinstance(parameters, TrainingParameters)
    assert parameters.dataset_path == str(tmp_path / "mine.jsonl")
    assert parameters.model_name == "starter", "a folder of that name does not hide what travels with the program"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a: [1, 2\nb: 3\n", "not valid YAML in line 2"),
        (b"- 1\n- 2\n", "must hold lines of the form"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"", "model_name: it is missing"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "run.yaml"
    file.write_bytes(content)
    with pytest.raises(ParameterError, match=words):
        read_parameters(file, JobKind.TRAINING)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="No such file"):
        read_parameters(tmp_path / "no.yaml", JobKind.TRAINING)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"early_stopping_patience": 2, "evaluations": 0}, "nothing is evaluated"),
        ({"early_stopping_patience": 2, "validation_share": 0}, "nothing is evaluated"),
        ({"early_stopping_patience": 4, "evaluations": 4}, "no more than 4 evaluations"),
        ({"load_best_at_end": True, "evaluations": 0}, "load_best_at_end goes by eval_loss"),
        ({"best_metric": "eval_perplexity", "evaluations": 0}, "best_metric is eval_perplexity"),
    ],
)
def test_what_watches_nothing_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError, match=words) as raised:
        parse_parameters(JobKind.TRAINING, NEEDED | values)
    assert list(raised.value.fields) == [next(name for name in values if name != "evaluations")]


@pytest.mark.parametrize(
    "values",
    [
        {"evaluations": 0},
        {"early_stopping_patience": 3, "evaluations": 4},
        {"early_stopping_patience": 3, "evaluations": 0, "best_metric": "loss"},
        {"load_best_at_end": True, "evaluations": 0, "best_metric": "loss"},
        {"load_best_at_end": True, "validation_share": 0, "validation_rows": 5},
        {"best_metric": "eval_perplexity", "validation_share": 0, "validation_path": "x.jsonl"},
    ],
)
def test_what_can_be_watched_is_taken(values: dict[str, Any]) -> None:
    assert parse_parameters(JobKind.TRAINING, NEEDED | values)


def test_a_list_may_be_written_on_one_line() -> None:
    values = {"trackers": "wandb, mlflow,wandb", "sample_prompts": "How much is it?"}
    parameters = parse_parameters(JobKind.TRAINING, NEEDED | values)
    assert isinstance(parameters, TrainingParameters)
    assert (parameters.trackers, parameters.sample_prompts) == (["wandb", "mlflow"], ["How much is it?"])
    with pytest.raises(ParameterError, match="it must be some of tensorboard, wandb, mlflow, trackio"):
        parse_parameters(JobKind.TRAINING, NEEDED | {"trackers": 3})
    with pytest.raises(ParameterError, match="it must be a list of at most 20 texts"):
        parse_parameters(JobKind.TRAINING, NEEDED | {"sample_prompts": 3})
    with pytest.raises(ParameterError, match="input should be 'tensorboard'"):
        parse_parameters(JobKind.TRAINING, NEEDED | {"trackers": ["comet"]})
