"""What becomes of the settings when data are chosen, mixed and taken away."""

from __future__ import annotations

from pathlib import Path

import pytest

from qlora_ui.contract.recipe import Source, Step
from qlora_ui.pages.train.data import choosing
from qlora_ui.pages.train.data.words import source_name

ONE, TWO = Source(path="/data/one.jsonl", weight=2.0), Source(path="/data/two.jsonl")
DROP, TRIM = Step(do="drop_rows", rows=(1,)), Step(do="trim_space")


def test_the_first_source_has_knobs_of_its_own() -> None:
    assert choosing.as_knobs([ONE, TWO]) == {
        "dataset_path": "/data/one.jsonl",
        "dataset_weight": 2.0,
        "more_data": [TWO],
    }
    assert choosing.as_knobs([])["dataset_path"] == ""


def test_rows_that_were_left_out_by_number_are_others_once_a_source_before_them_is_gone() -> None:
    knobs = choosing.without([ONE, TWO], 0, [DROP, TRIM])
    assert (knobs["dataset_path"], knobs["more_data"], knobs["data_steps"]) == ("/data/two.jsonl", [], [TRIM])
    assert "data_steps" not in choosing.without([ONE, TWO], 1, [DROP, TRIM])


def test_a_weight_is_changed_in_its_place() -> None:
    assert choosing.weighted([ONE, TWO], 1, 0.5)["more_data"] == [TWO.model_copy(update={"weight": 0.5})]


def test_the_same_data_have_the_same_name_however_they_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    name = choosing.name_of([Source(path="~/rows.jsonl"), TWO])
    assert name == f"{tmp_path}/rows.jsonl\n/data/two.jsonl"
    assert choosing.name_of([Source(path="starter")]) == "starter"
    page = Source(path="https://huggingface.co/datasets/owner/name")
    assert choosing.name_of([page]) == choosing.name_of([Source(path="hub:owner/name")])


def test_data_have_a_short_name() -> None:
    assert source_name("/data/rows.jsonl") == "rows.jsonl"
    assert source_name("hub:owner/name?split=train[:10]") == "owner/name"
    assert source_name("starter") == "Starter data"
    assert source_name("https://") == "https://"
