"""The app's pages in a simulated browser, on real services whose queue nobody works on."""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nicegui.storage import Storage
from nicegui.testing import User, user_simulation

from qlora_ui import pages
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.jobs.manager import JobManager
from qlora_ui.jobs.workers.launcher import LocalLauncher
from qlora_ui.services import Services
from qlora_ui.settings import AppSettings
from tests.fakes.runs import busy_workspace

FAKE_WORKER = (sys.executable, str(Path(__file__).parents[1] / "fakes" / "worker.py"))


@pytest.fixture
def services(tmp_path: Path) -> Services:
    """A home on its first day. Jobs can be queued, and nothing starts them."""
    return Services.open(AppSettings(home=tmp_path / "home"))


@pytest.fixture
async def busy_services(services: Services) -> Services:
    """A home with a run of every kind, one of them at work in a process that does nothing."""
    busy_workspace(services.workspace.home, ProcessIdentity.of())
    await services.jobs.refresh()
    return services


@pytest.fixture
async def jobs(services: Services) -> AsyncIterator[JobManager]:
    """The services' jobs, with a scripted worker that starts them."""
    services.jobs = JobManager(services.workspace, LocalLauncher(FAKE_WORKER), poll_seconds=0.02)
    await services.jobs.start()
    yield services.jobs
    for job in list(services.jobs.jobs.values()):
        if job.can_stop:
            await services.jobs.stop(job.id)
            await services.jobs.ended(job)
    await services.jobs.close()


@pytest.fixture
async def user(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[User]:
    """A person with a browser. An error in the log fails the test."""
    monkeypatch.setattr(Storage, "path", tmp_path / "web")
    async with user_simulation() as user:
        pages.register(services)
        yield user
    errors = [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert errors == []
