"""The browser's tab tells how far the run at work is, on every page and after the connection was lost."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from qlora_ui.contract.events import Progress
from qlora_ui.contract.files import write_atomically
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import ExitRecord, JobStatus
from qlora_ui.worker.report import EventWriter
from tests.e2e.conftest import OpenPage, StartApp
from tests.fakes.runs import FakeRun, write_run


@dataclass
class Run:
    """A run that is as far as a test says."""

    paths: RunPaths
    url: str

    def comes_to(self, step: int) -> None:
        with EventWriter(self.paths.events) as report:
            report(Progress(step=step, total_steps=100, seconds_left=60.0))


@pytest.fixture
def run(start_app: StartApp, tmp_path: Path) -> Iterator[Run]:
    worker = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = ProcessIdentity.of(worker.pid)
    fake = FakeRun("tone", JobStatus.RUNNING, steps=20, total_steps=100, minutes_ago=1, process=process)
    paths = write_run(Workspace(tmp_path / "home"), fake)
    yield Run(paths, start_app(tmp_path / "home").url)
    worker.communicate(b"\n", timeout=10)


def tab(page: Page, percent: int, title: str) -> None:
    expect(page).to_have_title(re.compile(rf"^\({percent}\s?%\) {title}"), timeout=10_000)


def test_it_follows_the_run_from_page_to_page_until_it_ends(run: Run, open_page: OpenPage) -> None:
    page = open_page(f"{run.url}/settings").page
    tab(page, 20, "Settings")
    run.comes_to(53)
    tab(page, 53, "Settings")
    page.get_by_role("link", name="Train", exact=True).first.click()
    tab(page, 53, "New fine-tune")
    write_atomically(run.paths.exit, ExitRecord(status=JobStatus.COMPLETED, attempt=1).model_dump_json())
    expect(page).to_have_title(re.compile("^New fine-tune"), timeout=10_000)


def test_what_happened_while_the_connection_was_lost_is_shown_after_it(run: Run, open_page: OpenPage) -> None:
    page = open_page(f"{run.url}/settings").page
    tab(page, 20, "Settings")
    page.evaluate("window.socket.disconnect()")
    run.comes_to(71)
    other = open_page(f"{run.url}/settings").page
    tab(other, 71, "Settings")  # by now the server has told everybody whom it could reach
    page.evaluate("window.socket.connect()")
    tab(page, 71, "Settings")
