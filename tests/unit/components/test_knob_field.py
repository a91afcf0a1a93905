from __future__ import annotations

from typing import Any

import pytest

from qlora_ui.components.knob_field import AUTOMATIC, beside_label, in_words, widget_for
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


def test_every_knob_of_every_job_has_a_widget_that_can_show_its_default() -> None:
    for model in PARAMETERS.values():
        for knob in knobs(model).values():
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
