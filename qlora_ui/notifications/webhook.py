"""One message a notification to an address that a person entered: a chat's incoming webhook, or a program of theirs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from qlora_ui import __version__
from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.notifications import Notification
from qlora_ui.contract.records import now
from qlora_ui.jobs.job import Job
from qlora_ui.notifications import http, news

if TYPE_CHECKING:
    import httpx

TIMEOUT_S = 10.0
TRIES = 3
FIRST_PAUSE_S = 1.0
"""Before the second try; four times as long before each further one."""
SHOWN_CHARACTERS = 200
SECRET_CHARACTERS = 4
"""What is shorter in an address gives nothing away, and stands in every answer."""
TEXT_CHARACTERS = 1_500
"""Discord, the strictest of the chats, takes 2,000."""
MAX_ADDRESS = 2_048
_TRY_AGAIN = {429, *range(500, 600)}


class Webhook:
    """Sends messages. It goes where the person said, so `--offline`, which is about model hubs, does not stop it."""

    def __init__(
        self, *, timeout_s: float = TIMEOUT_S, pause: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        self._timeout_s = timeout_s
        self._pause = pause

    async def send(self, url: str, message: dict[str, Any], *, tries: int = TRIES) -> None:
        """Post a message; again after a pause when the server is not reached or has trouble of its own.

        Raises WorkspaceError that says in words why it did not arrive, without the address, which is a secret.
        """
        for number in range(1, tries + 1):
            may_help_to_wait, reason = await self._try(url, message)
            if reason is None:
                return
            if not may_help_to_wait or number == tries:
                raise reason
            await self._pause(FIRST_PAUSE_S * 4 ** (number - 1))

    async def _try(self, url: str, message: dict[str, Any]) -> tuple[bool, WorkspaceError | None]:
        """Whether another try may fare better, and why this one failed; None when it did not."""
        try:
            async with http.client(self._timeout_s) as client, client.stream("POST", url, json=message) as response:
                excerpt = "" if response.is_success else await _excerpt(response, url)
        except TimeoutError:
            return True, _unanswered(self._timeout_s)
        except OSError:
            return True, _unreachable(url)
        if response.is_success:
            return False, None
        return response.status_code in _TRY_AGAIN, _refused(response, excerpt)


def checked(url: str) -> str:
    """The address without blanks around it. Raises WorkspaceError, which does not repeat it, for one that is none."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_web = False
    if not is_web or len(url) > MAX_ADDRESS or not url.isprintable() or " " in url:
        raise WorkspaceError(
            "This is no web address that a message can be sent to.",
            "It begins with https:// or http:// and names a server; copy it from the settings of your chat.",
        )
    return url


def shortened(url: str) -> str:
    """What can be shown of an address whose path and user are secrets: `https://hooks.slack.com/…`."""
    if not url:
        return ""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}/…"


def message_of(notification: Notification, job: Job | None) -> dict[str, Any]:
    """The message in English. `text` is what Slack and Mattermost show, `content` what Discord does."""
    title = news.english(notification)
    text = f"{title}. {notification.body}".strip() if notification.body else title
    return {
        "event": notification.event,
        "code": notification.code,
        "title": title,
        "text": text[:TEXT_CHARACTERS],
        "content": text[:TEXT_CHARACTERS],
        "job": _facts(job, notification) if job is not None else None,
        "time": notification.time.isoformat(),
        "version": __version__,
    }


def test_message() -> dict[str, Any]:
    """What is sent when a person wants to see whether the address works."""
    text = "qlora-ui can reach you here. It will tell you when a run has ended."
    facts = {"event": "test", "code": "", "title": "Test", "text": text, "content": text, "job": None}
    return {**facts, "time": now().isoformat(), "version": __version__}


def _facts(job: Job, told: Notification) -> dict[str, str]:
    """The status is that at the moment of which is told, for it may have gone on since."""
    status = "running" if told.event == "job_alert" else told.event.removeprefix("job_")
    return {"id": job.id, "name": job.name, "kind": job.kind.value, "status": status}


async def _excerpt(response: httpx.Response, url: str) -> str:
    """The first words of an answer, on one line, without the address and what a terminal or a page might obey."""
    said = (await http.beginning(response, 4 * SHOWN_CHARACTERS)).decode("utf-8", errors="replace")
    for secret in _secrets_of(url):
        said = said.replace(secret, "…")
    line = " ".join("".join(c if c.isprintable() else " " for c in said).split())
    return line if len(line) <= SHOWN_CHARACTERS else f"{line[: SHOWN_CHARACTERS - 1]}…"


def _secrets_of(url: str) -> list[str]:
    """What of an address nobody else shall read, the longest first: `/hooks/s3cret`, `s3cret`."""
    parts = urlsplit(url)
    whole = [parts.path, parts.query, parts.username or "", parts.password or ""]
    found = {*whole, *re.split(r"[/=&]", parts.path + "&" + parts.query)}
    found |= {unquote(secret) for secret in found}
    return sorted((secret for secret in found if len(secret) >= SECRET_CHARACTERS), key=len, reverse=True)


def _unanswered(seconds: float) -> WorkspaceError:
    return WorkspaceError(
        f"The webhook's server did not answer within {seconds:g} seconds.", "Check the address, and try again later."
    )


def _unreachable(url: str) -> WorkspaceError:
    host = urlsplit(url).hostname or ""
    return WorkspaceError(
        f"The webhook's server {host} could not be reached.",
        "Check the address, and whether this machine reaches the network.",
    )


def _refused(response: httpx.Response, excerpt: str) -> WorkspaceError:
    status = response.status_code
    if response.is_redirect:
        return WorkspaceError(
            f"The webhook's server answered with a redirect ({status}), which is not followed.",
            "Enter the address that it leads to.",
        )
    refusal = f"The webhook's server refused the message (status {status})."
    if excerpt:
        refusal = f"The webhook's server refused the message (status {status}) and said “{excerpt}”."
    return WorkspaceError(refusal, "Check the address in the settings of your chat; it may have been withdrawn.")
