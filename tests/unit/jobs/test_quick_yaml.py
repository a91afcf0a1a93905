"""Parameters that are read quickly are what YAML makes of them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.parsing import dump_parameters
from qlora_ui.jobs.quick_yaml import load_mapping

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=30),
    st.sampled_from(["on", "y"]),
)
VALUES = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=5), v, max_size=3), max_leaves=5
)
KEYS = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=6), st.sampled_from([None, False]), st.booleans())
def test_any_mapping_is_read_as_yaml_reads_it(values: dict[str, Any], flow: bool | None, unicode: bool) -> None:
    text = yaml.safe_dump(values, default_flow_style=flow, allow_unicode=unicode, width=20)
    assert load_mapping(text) == yaml.safe_load(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: 1\nb:\n- x\n- y\nc:\n  d: 2\n",
        "a: Yes\nb: off\nc: null\nd: Null\ne: ON\nf: text\ng: n\n",
        "a: &x [1]\nb: *x\n",
        "a: 1\na: 2\n",
        'a: "one\n  two: 3"\nb: 1\n',
        "a: |\n  first\n\n  b: 2\nc: 1\n",
        "# a remark\na: 1\n",
        "a: text # a remark\n",
        "a: x: y\n",
        "a: /home/me/my data.jsonl\nb: C:/x\nc: 2026-11-23\nd: 1e-4\ne: text \n",
        "[1, 2",
        "- a\n",
        "word\n",
        "a: 1\n---\nb: 2\n",
        "a: [1,\nb: 2]\n",
        "a: {x: 1,\ny: 2}\n",
        "a: *nobody\n",
        "a: one\ntwo\n",
    ],
)
def test_odd_texts_are_read_as_yaml_reads_them(text: str) -> None:
    try:
        wanted = yaml.safe_load(text)
    except yaml.YAMLError as error:
        with pytest.raises(type(error)):
            load_mapping(text)
        return
    assert load_mapping(text) == wanted


def test_nobody_changes_what_others_read() -> None:
    text = dump_parameters(TrainingParameters(model_name="starter", dataset_path="starter"))
    text += "extra:\n- 1\n"
    first = load_mapping(text)
    first["extra"].append(2)
    assert load_mapping(text) == yaml.safe_load(text)
