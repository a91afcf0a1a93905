from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.paths import dataset_location
from qlora_ui.contract.references import FileReference, HubReference, parse_reference


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("train.jsonl", FileReference(path="train.jsonl")),
        ("  ~/data/parts  ", FileReference(path="~/data/parts")),
        ("starter/heldout", FileReference(path="starter/heldout")),
        ("archive.zip", FileReference(path="archive.zip")),
        ("C:\\data\\train.csv", FileReference(path="C:\\data\\train.csv")),
        ("what?.jsonl", FileReference(path="what?.jsonl")),
        ("folder?split=test", FileReference(path="folder", split="test")),
        ("hub:owner/name", HubReference(name="owner/name")),
        ("hub:owner/name?", HubReference(name="owner/name")),
        ("HUB:owner/name?split=train", HubReference(name="owner/name", split="train")),
        (
            "hub:owner/name?config=en-de&split=train[:1000]",
            HubReference(name="owner/name", config="en-de", split="train[:1000]"),
        ),
        ("hub:owner/name?split=train[10%:20%]", HubReference(name="owner/name", split="train[10%:20%]")),
        ("hub:owner/name?split=train[-5:]+test", HubReference(name="owner/name", split="train[-5:]+test")),
        ("hub:owner/n.a-me_1?revision=v1.0", HubReference(name="owner/n.a-me_1", revision="v1.0")),
        ("hf://datasets/owner/name", HubReference(name="owner/name")),
        ("hf://datasets/owner/name@main", HubReference(name="owner/name")),
        (
            "hf://datasets/owner/name@refs%2Fconvert%2Fparquet",
            HubReference(name="owner/name", revision="refs/convert/parquet"),
        ),
        ("https://huggingface.co/datasets/owner/name", HubReference(name="owner/name")),
        ("https://www.huggingface.co/datasets/owner/name/", HubReference(name="owner/name")),
        ("https://hf.co/datasets/owner/name#usage", HubReference(name="owner/name")),
        ("https://huggingface.co/datasets/owner/name/tree/main", HubReference(name="owner/name")),
        ("https://huggingface.co/datasets/owner/name/tree/v2", HubReference(name="owner/name", revision="v2")),
        (
            "https://huggingface.co/datasets/owner/name/viewer/en/test?row=3",
            HubReference(name="owner/name", config="en", split="test"),
        ),
    ],
)
def test_what_people_type_or_paste_is_understood(text: str, reference: FileReference | HubReference) -> None:
    assert parse_reference(text) == reference
    assert parse_reference(str(reference)) == reference


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "No data are named"),
        ("a\0b", "a NUL byte"),
        ("hub:", "is no name of a hub dataset"),
        ("hub:squad", "has no owner"),
        ("hub:owner/name/more", "is no name of a hub dataset"),
        ("hub:../etc", "is no name of a hub dataset"),
        ("hub:owner/..", "is no name of a hub dataset"),
        ("hub:owner/a..b", "is no name of a hub dataset"),
        ("hub:owner/na me", "is no name of a hub dataset"),
        ("hub:owner/name?file=x", "asks for 'file', which is not known"),
        ("hub:owner/name?split", "asks for 'split', which is not known"),
        ("hub:owner/name?split=a&split=b", "names split twice"),
        ("hub:owner/name?split=train[", "The split 'train[' cannot be read"),
        ("hub:owner/name?split=train[5]", "cannot be read"),
        ("hub:owner/name?split=train[:10%]+", "cannot be read"),
        ("hub:owner/name?split=train[5:10%]", "cannot be read"),
        ("hub:owner/name?split=../x", "cannot be read"),
        ("hub:owner/name?config=../x", "is no name of a configuration"),
        ("hub:owner/name?revision=../x", "is no revision"),
        ("folder?split=../x", None),
        ("folder?split=", "The split '' of folder cannot be read"),
        ("hf://models/owner/name", "names no dataset"),
        ("hf://datasets/owner/name/train.jsonl", "names one file"),
        ("https://huggingface.co/owner/name", "is not the page of a dataset"),
        ("https://huggingface.co/datasets/owner/name/resolve/main/a.jsonl", "names one file"),
        ("https://example.org/train.jsonl", "is an address on the web, which is not fetched"),
        ("https://huggingface.co.example.org/datasets/owner/name", "is an address on the web"),
        ("https://[", "is no whole address"),
    ],
)
def test_what_cannot_be_meant_is_told_in_one_sentence(text: str, problem: str | None) -> None:
    if problem is None:  # a path may hold a question mark
        assert parse_reference(text) == FileReference(path=text)
        return
    with pytest.raises(ParameterError, match=problem.replace("[", r"\[")) as caught:
        parse_reference(text)
    assert caught.value.hint and "\n" not in caught.value.message


@given(st.text(max_size=60) | st.text("hub:/?=&[]%+@.a1", max_size=30).map(lambda end: f"hub:{end}"))
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    try:
        reference = parse_reference(text)
    except ParameterError:
        return
    assert parse_reference(str(reference)) == reference
    if isinstance(reference, HubReference):
        assert ".." not in str(reference)


def test_a_file_reference_knows_where_it_is() -> None:
    assert FileReference(path="starter").location == dataset_location("starter")
    assert FileReference(path="starter").is_starter
    assert not FileReference(path="train.jsonl").is_starter
