"""What a run is called that nobody named."""

from __future__ import annotations

import pytest

from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.records import JobKind
from qlora_ui.jobs.intake import new_record


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("/data/legal summaries.jsonl", "legal summaries"),
        ("/data/bill \u202egnp\n.jsonl", "bill gnp"),
        ("/data/" + "x" * 200 + ".jsonl", "x" * 80),
        ("/data/\u200b.jsonl", "training"),
    ],
)
def test_it_is_named_after_its_data_on_one_line_that_can_be_seen(data: str, name: str) -> None:
    parameters = TrainingParameters(model_name="starter", dataset_path=data)
    assert new_record(JobKind.TRAINING, parameters).name == name
