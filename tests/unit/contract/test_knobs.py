from __future__ import annotations

import pytest

from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.knobs import knobs
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.parsing import parse_parameters
from qlora_ui.contract.records import JobKind

KNOBS = knobs(TrainingParameters)


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("batch_size", 0, "0 was given, but it must be a whole number, at least 1, at most 4,096"),
        ("learning_rate", "abc", "'abc' was given, but it must be a number, more than 0, at most 1"),
        ("use_rslora", "maybe", "'maybe' was given, but it must be true or false"),
        ("train_on", "some", "'some' was given, but it must be one of completions, all"),
        ("device", "gpu", "'gpu' was given, but it must be auto, cpu or cuda:0, cuda:1 …"),
        ("name", "n" * 81, "'nnnnnnnnnnnn...nnnnnnnnnnnnn' was given, but it must be text of at most 80 characters"),
    ],
)
def test_a_value_is_refused_with_what_it_must_be(name: str, given: object, said: str) -> None:
    assert KNOBS[name].refusal(given) == said
    values = {"model_name": "m", "dataset_path": "d", name: given}
    with pytest.raises(ParameterError) as raised:
        parse_parameters(JobKind.TRAINING, values)
    assert raised.value.fields == {name: said}
