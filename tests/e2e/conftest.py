"""The real app in a process of its own, and a real browser that opens its pages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import JobStatus
from tests.fakes.runs import FakeRun, busy_workspace, write_run
from tests.fakes.server import RunningServer

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

LONG_NAME = "answers-of-the-customer-service-in-german-and-english-without-names-second-try"
HOSTILE_NAME = '<img src="/nosuch" onerror="document.title=1"><b>bold'
"""What a person may have called a run; it is text on every page."""
AT_WORK = Path(__file__).parents[1] / "fakes" / "at_work.py"


@dataclass
class Visit:
    """A page in the browser, with what it complained about and whom it asked besides its own server."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)


StartApp = Callable[..., RunningServer]
OpenPage = Callable[..., Visit]


@pytest.fixture(scope="session")
def start_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartApp]:
    """Starts the app: `start_app(home=None)`. At the end of the tests every server is stopped."""
    with ExitStack() as started:
        yield lambda home=None: started.enter_context(RunningServer(home or tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session")
def fresh_app(start_app: StartApp) -> RunningServer:
    """An app whose home is empty, as on the first day."""
    return start_app()


@pytest.fixture(scope="session")
def busy_app(start_app: StartApp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """An app with a run of every kind: finished, failed, interrupted, waiting, paused, and one seemingly at work."""
    home = tmp_path_factory.mktemp("busy")
    at_work = subprocess.Popen([sys.executable, str(AT_WORK), str(home)], stdin=subprocess.PIPE)
    workspace = busy_workspace(home, ProcessIdentity.of(at_work.pid))
    for name in (LONG_NAME, HOSTILE_NAME):
        write_run(workspace, FakeRun(name, steps=20, minutes_ago=2000))
    write_run(workspace, FakeRun("night-shift", JobStatus.PAUSED, steps=40, minutes_ago=90))
    yield start_app(home)
    at_work.communicate(b"\n", timeout=10)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        reason = f"No browser was found; one of {', '.join(names)} is needed for these tests."
        if os.environ.get("QLORA_UI_REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens an address in a browser of its own, and waits until the page talks with its server.

    `open_page(url, width=1440, scheme="light", language="en-US")`
    """
    contexts = []

    def open_page(
        url: str, *, width: int = 1440, scheme: Literal["light", "dark"] = "light", language: str = "en-US"
    ) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", locale=language
        )
        contexts.append(context)
        visit = Visit(context.new_page())
        _watch(visit, url)
        visit.page.goto(url)
        visit.page.wait_for_function("window.did_handshake === true")
        return visit

    yield open_page
    for context in contexts:
        context.close()


def _watch(visit: Visit, url: str) -> None:
    own = "/".join(url.split("/")[:3])
    page, complaints = visit.page, visit.complaints
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith((own, "data:", "blob:")) else visit.strangers.append(request.url)
        ),
    )
