"""Asking a package index, which may answer anything or not at all."""

from __future__ import annotations

import json

import pytest

from qlora_ui.notifications.updates import UpdateCheck
from tests.unit.notifications.conftest import Answer, Receiver


def answer(version: object, **more: object) -> Answer:
    return Answer(body=json.dumps({"info": {"version": version, **more}, "releases": {}}).encode())


@pytest.mark.parametrize(
    ("current", "said", "newest"),
    [
        ("0.9.0", answer("0.10.0"), "0.10.0"),
        ("0.10.0", answer("0.9.0"), None),
        ("1.0", answer("1.0.0"), None),
        ("1.0", answer("2.0rc1"), None),
        ("2.0rc1", answer("2.0rc2"), "2.0rc2"),
        ("1.0", answer("2.0", yanked=True), None),
    ],
)
async def test_versions_are_compared_as_versions(
    receiver: Receiver, current: str, said: Answer, newest: str | None
) -> None:
    receiver.answers = [said]
    assert await UpdateCheck(receiver.url, current=current).newest() == newest
    assert [method for method, _, _ in receiver.requests] == ["GET"]


@pytest.mark.parametrize(
    "said",
    [
        Answer(404),
        Answer(500),
        Answer(302, headers={"Location": "/elsewhere"}),
        Answer(body=b"<html>"),
        Answer(body=b"[]"),
        Answer(body=b'{"info": []}'),
        answer("not a version"),
        answer(None),
        Answer(hold=True),
    ],
    ids=["absent", "trouble", "redirect", "html", "list", "no info", "no version", "null", "silent"],
)
async def test_an_index_that_does_not_help_is_no_trouble(
    receiver: Receiver, said: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    receiver.answers = [said]
    assert await UpdateCheck(receiver.url, current="0.1", timeout_s=2 if not said.hold else 0.3).newest() is None
    assert [path for _, path, _ in receiver.requests] == ["/hooks/s3cret"]
    assert not [record for record in caplog.records if record.levelname not in {"DEBUG", "INFO"}]
