"""Inputs are looked at before a job enters the queue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qlora_ui.cli.inputs import check_inputs
from qlora_ui.contract.errors import DataError, ModelError
from qlora_ui.contract.parameters import EvaluationParameters, TrainingParameters
from qlora_ui.contract.recipe import Source


def written(folder: Path, name: str, *lines: str) -> str:
    (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(folder / name)


def training(path: str, **more: Any) -> TrainingParameters:
    return TrainingParameters(model_name="owner/model", dataset_path=path, **more)


def test_data_that_are_understood_pass(tmp_path: Path) -> None:
    good = written(tmp_path, "good.jsonl", '{"question": "q", "answer": "a"}')
    check_inputs(training(good, validation_path=good))
    check_inputs(EvaluationParameters(model_name="owner/model", dataset_path=good))


def test_data_that_fit_no_format_are_told_wherever_they_are_named(tmp_path: Path) -> None:
    good = written(tmp_path, "good.jsonl", '{"question": "q", "answer": "a"}')
    bad = written(tmp_path, "bad.jsonl", '{"n": 1}')
    for parameters in (
        training(bad),
        training(good, validation_path=bad),
        training(good, more_data=[Source(path=bad)]),
        EvaluationParameters(model_name="owner/model", dataset_path=bad),
    ):
        with pytest.raises(DataError, match=r"bad\.jsonl, line 1: the columns n fit no known format"):
            check_inputs(parameters)


def test_data_of_which_nobody_can_be_sure_how_they_are_meant_are_told(tmp_path: Path) -> None:
    unsure = written(tmp_path, "unsure.csv", "betreff,text_a,text_b", "Hallo,Wie geht es dir heute so,Mir geht es gut")
    with pytest.raises(DataError, match="the columns betreff, text_a and text_b fit no known format"):
        check_inputs(training(unsure))


def test_data_that_are_mixed_in_are_read_in_their_own_way(tmp_path: Path) -> None:
    first = written(tmp_path, "first.jsonl", '{"ask": "q", "say": "a"}')
    other = written(tmp_path, "other.jsonl", '{"text": "t"}')
    mapping = {"question": "ask", "answer": "say"}
    check_inputs(training(first, data_mapping=mapping, more_data=[Source(path=other)], validation_path=first))


def test_what_is_elsewhere_or_not_there_is_left_to_others() -> None:
    check_inputs(training("hub:owner/data"))
    check_inputs(training("/no/such/rows.jsonl"))


def test_a_folder_that_holds_no_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        check_inputs(TrainingParameters(model_name=str(tmp_path), dataset_path="starter"))
