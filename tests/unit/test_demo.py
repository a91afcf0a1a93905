from __future__ import annotations

from pathlib import Path

import pytest

from qlora_ui import demo
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.services import Services
from qlora_ui.settings import AppSettings
from tests.fakes.runs import FakeRun, write_run


@pytest.mark.parametrize(("status", "begun"), [(JobStatus.PENDING, 0), (JobStatus.COMPLETED, 3)])
async def test_a_start_with_demo_begins_nothing_while_a_starter_run_has_not_ended(
    tmp_path: Path, status: JobStatus, begun: int
) -> None:
    """Its training may be done, and its score still wait."""
    services = Services.open(AppSettings(home=tmp_path))
    training = write_run(services.workspace, FakeRun(demo.NAME))
    write_run(services.workspace, FakeRun("starter score", status, JobKind.EVALUATION, after=training.id))
    await services.jobs.refresh()
    before = len(services.jobs.jobs)
    await demo.start_in_app(services)
    assert len(services.jobs.jobs) == before + begun
