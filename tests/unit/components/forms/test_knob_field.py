from __future__ import annotations

import re
from typing import Any

import pytest

from qlora_ui.components.forms.knob_field import (
    AUTOMATIC,
    beside_label,
    error_in_words,
    in_words,
    range_in_words,
    widget_for,
)
from qlora_ui.contract.knobs import knobs
from qlora_ui.contract.parameters import PARAMETERS, TrainingParameters

KNOBS = knobs(TrainingParameters)


def test_numbers_are_typed_as_text_so_that_2e_4_is_one() -> None:
    widget = widget_for(KNOBS["learning_rate"])
    assert (widget.kind, widget.keyboard) == ("input", "decimal")
    assert widget_for(KNOBS["batch_size"]).keyboard == "numeric"


def test_yes_or_no_is_a_switch_unless_it_may_be_left_open() -> None:
    assert widget_for(KNOBS["use_rslora"]).kind == "switch"
    widget = widget_for(KNOBS["activation_checkpointing"])
    assert widget.options == {None: AUTOMATIC, True: "on", False: "off"}


def test_a_few_known_values_are_a_select() -> None:
    options = widget_for(KNOBS["lr_scheduler_type"]).options
    assert options["constant_with_warmup"] == "constant with warmup"
    assert set(options) == set(KNOBS["lr_scheduler_type"].choices)


def test_a_list_of_known_values_has_check_boxes_and_one_of_texts_has_boxes() -> None:
    widget = widget_for(KNOBS["trackers"])
    assert (widget.kind, list(widget.options)) == ("checks", ["tensorboard", "wandb", "mlflow", "trackio"])
    assert widget_for(KNOBS["sample_prompts"]).kind == "prompts"
    with pytest.raises(ValueError, match="more_data"):
        widget_for(KNOBS["more_data"])


def test_every_knob_of_every_job_has_a_widget_that_can_show_its_default() -> None:
    for model in PARAMETERS.values():
        for knob in knobs(model).values():
            if knob.kind == "structure":
                assert in_words(knob.default) == ""
                if not knob.items:
                    continue
            widget = widget_for(knob)
            assert widget.kind != "select" or knob.required or knob.default in widget.options, knob.name


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, ""), (2e-4, "0.0002"), (1e-5, "1e-05"), (3.0, "3"), (16, "16"), (True, "on"), (False, "off"), ("q", "q")],
)
def test_a_value_is_written_as_a_person_would(value: Any, words: str) -> None:
    assert in_words(value) == words


def test_unit_and_default_stand_beside_the_label() -> None:
    assert beside_label(KNOBS["num_train_epochs"]) == "passes, default 3"
    assert beside_label(KNOBS["save_steps"]) == "steps"
    assert beside_label(KNOBS["use_rslora"]) == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("batch_size", "at least 1, at most 4096"),
        ("learning_rate", "more than 0, at most 1"),
        ("validation_share", "at least 0, at most 0.5"),
        ("max_length", "at least 8, at most 1048576"),
        ("model_name", ""),
    ],
)
def test_a_range_is_written_as_its_ends_are_typed(name: str, words: str) -> None:
    assert range_in_words(KNOBS[name]) == words


def test_a_page_says_of_a_wrong_value_what_the_command_line_says() -> None:
    for model in PARAMETERS.values():
        for knob in knobs(model).values():
            said = knob.refusal("wrong")
            assert error_in_words(knob, "wrong", said) == re.sub(r"(?<=\d),(?=\d)", "", said), knob.name


def test_what_is_said_beyond_a_wrong_value_is_kept() -> None:
    assert error_in_words(KNOBS["batch_size"], 0, "it is missing") == "it is missing"
