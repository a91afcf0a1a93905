"""Messages to a real server on this machine, which does what servers do."""

from __future__ import annotations

import gzip
import re
import socket
from collections.abc import AsyncIterator

import httpx
import pytest

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.notifications import http, webhook
from qlora_ui.notifications.webhook import Webhook, checked, shortened
from tests.unit.notifications.conftest import Answer, Receiver

MESSAGE = {"event": "test", "text": "hello"}


class Patient:
    """Notes the pauses in place of making them."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.pauses.append(seconds)


async def test_a_server_in_trouble_gets_another_chance(receiver: Receiver) -> None:
    receiver.answers = [Answer(500), Answer(429)]
    patient = Patient()
    await Webhook(pause=patient).send(receiver.url, MESSAGE)
    assert [body for _, _, body in receiver.requests] == [MESSAGE] * 3
    assert patient.pauses == [1.0, 4.0]


async def test_three_tries_are_enough(receiver: Receiver) -> None:
    receiver.answers = [Answer(503)] * 5
    with pytest.raises(WorkspaceError, match=r"status 503"):
        await Webhook(pause=Patient()).send(receiver.url, MESSAGE)
    assert len(receiver.requests) == 3


async def test_a_refusal_is_final_and_little_of_its_words_is_shown(receiver: Receiver) -> None:
    receiver.answers = [Answer(404, b"\x1b[31m<b>gone</b>\r\n" + b"x" * 100_000)]
    with pytest.raises(WorkspaceError) as caught:
        await Webhook(pause=Patient()).send(receiver.url, MESSAGE)
    said = caught.value.message
    assert "status 404" in said and "<b>gone</b>" in said
    assert said.isprintable()
    assert len(said) < 200 + webhook.SHOWN_CHARACTERS
    assert "s3cret" not in str(caught.value)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    "echo", ["Cannot POST /hooks/s3cret?key=p%21ss", "no hook s3cret", "key p!ss is unknown", "key p%21ss is unknown"]
)
async def test_an_address_that_the_server_repeats_is_not_passed_on(receiver: Receiver, echo: str) -> None:
    receiver.answers = [Answer(404, echo.encode())]
    with pytest.raises(WorkspaceError, match="…") as caught:
        await Webhook(pause=Patient()).send(f"{receiver.url}?key=p%21ss", MESSAGE)
    assert not {"s3cret", "p!ss", "p%21ss"} & set(re.split(r"[ /=?”.]", caught.value.message))


async def test_an_answer_is_not_unpacked(receiver: Receiver) -> None:
    receiver.answers = [Answer(500, gzip.compress(b"bomb" * 50_000), {"Content-Encoding": "gzip"})]
    with pytest.raises(WorkspaceError) as caught:
        await Webhook().send(receiver.url, MESSAGE, tries=1)
    assert "bomb" not in caught.value.message


async def test_a_host_name_that_can_be_none_is_a_server_that_is_not_reached() -> None:
    with pytest.raises(WorkspaceError, match="could not be reached"):
        await Webhook().send("http://xn--/s3cret", MESSAGE, tries=1)


async def test_no_more_is_read_than_is_wanted() -> None:
    sent: list[bytes] = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            sent.append(b"x" * 100)
            yield sent[-1]

    assert await http.beginning(httpx.Response(500, content=endless()), 250) == b"x" * 250
    assert len(sent) == 3


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answers = [Answer(307, headers={"Location": "/elsewhere"})]
    with pytest.raises(WorkspaceError, match="redirect"):
        await Webhook(pause=Patient()).send(receiver.url, MESSAGE)
    assert [path for _, path, _ in receiver.requests] == ["/hooks/s3cret"]


async def test_a_server_that_does_not_answer_is_not_waited_for(receiver: Receiver) -> None:
    receiver.answers = [Answer(hold=True)]
    with pytest.raises(WorkspaceError, match=r"did not answer within 0\.3 seconds"):
        await Webhook(timeout_s=0.3).send(receiver.url, MESSAGE, tries=1)


async def test_a_server_that_is_not_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/s3cret"
    patient = Patient()
    with pytest.raises(WorkspaceError, match=r"127\.0\.0\.1 could not be reached") as caught:
        await Webhook(pause=patient).send(url, MESSAGE)
    assert len(patient.pauses) == 2
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.org/x",
        "ftp://example.org/x",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://",
        "https:///path",
        "http://example.org:port/",
        "http://[::1/",
        "http://example.org/a b",
        "http://example.org/\nx",
        f"https://example.org/{'x' * 2048}",
    ],
)
def test_what_is_no_web_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(WorkspaceError) as caught:
        checked(url)
    assert "example" not in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://hooks.slack.com/services/T0/B0/secret", "https://hooks.slack.com/…"),
        ("http://ada:secret@[::1]:8065/hooks/secret?key=secret#secret", "http://[::1]:8065/…"),
        ("", ""),
    ],
)
def test_what_is_shown_of_an_address(url: str, shown: str) -> None:
    assert shortened(url) == shown
