"""A home folder without a server, services on it one after the other, and a web server that answers as it is told."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import nicegui.core
import pytest
from nicegui import background_tasks

from qlora_ui.services import Services
from qlora_ui.settings import AppSettings

Open = Callable[[], Services]
Start = Callable[[], Awaitable[Services]]


@dataclass
class Answer:
    """What the server says to one request."""

    status: int = 200
    body: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)
    hold: bool = False
    """Say nothing until the test is over."""


@dataclass
class Receiver:
    """A web server on this machine: `answers` are given one after the other, then 200 for ever."""

    url: str
    answers: list[Answer] = field(default_factory=list)
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    """Method, path and the JSON of the body."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            received.requests.append((self.command, self.path, json.loads(body) if body else None))
            answer = received.answers.pop(0) if received.answers else Answer()
            if answer.hold:
                over.wait(30)
                return
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = answer  # noqa: N815  # the names that http.server looks for

        def log_message(self, *_arguments: object) -> None:
            """Keep the output of the tests clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        received = Receiver(f"http://127.0.0.1:{server.server_port}/hooks/s3cret")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield received
        over.set()
        server.shutdown()
        thread.join()


@pytest.fixture
async def open_services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Open]:
    """Opens services on one and the same home, as servers do one after the other or at once; closes all at the end."""
    monkeypatch.setattr(nicegui.core, "loop", asyncio.get_running_loop())
    opened: list[Services] = []

    def open_services() -> Services:
        opened.append(Services.open(AppSettings(home=tmp_path / "home")))
        return opened[-1]

    yield open_services
    for services in opened:
        await services.close()


@pytest.fixture
def start(open_services: Open) -> Start:
    """Opens services and starts them."""

    async def start() -> Services:
        services = open_services()
        await services.start()
        return services

    return start


async def look(services: Services) -> None:
    """Look at the runs now, and wait until everybody who follows them is done with what is new."""
    await services.jobs.refresh()
    while begun := set(background_tasks.running_tasks):
        await asyncio.wait(begun)
