from __future__ import annotations

from pathlib import Path

from qlora_ui.contract.records import JobKind, StartPoint
from qlora_ui.jobs.run_folder import read_record, write_record
from qlora_ui.pages.runs.job.kin import kin_of
from qlora_ui.services import Services
from qlora_ui.settings import AppSettings
from tests.fakes.runs import FakeRun, write_run


async def test_a_training_its_scores_and_its_merge_find_each_other(tmp_path: Path) -> None:
    services = Services.open(AppSettings(home=tmp_path))
    workspace = services.workspace
    trained = write_run(workspace, FakeRun("tone"))
    adapter = {"adapter_path": f"{trained.adapter}"}
    write_run(workspace, FakeRun("tone score", kind=JobKind.EVALUATION, parameters=adapter))
    write_run(workspace, FakeRun("tone merge", kind=JobKind.MERGE, parameters=adapter))
    write_run(workspace, FakeRun("other"))
    write_run(workspace, FakeRun("base alone", kind=JobKind.EVALUATION))
    await services.jobs.refresh()
    jobs = {job.name: job for job in services.jobs.jobs.values()}

    def kin(name: str) -> list[str]:
        return [job.name for job in kin_of(jobs[name], jobs.values())]

    assert set(kin("tone")) == {"tone score", "tone merge"}
    assert kin("tone merge") == ["tone", "tone score"]
    assert kin("other") == []
    assert kin("base alone") == []


async def test_a_run_and_what_goes_on_from_it_find_each_other(tmp_path: Path) -> None:
    services = Services.open(AppSettings(home=tmp_path))
    before, after = (write_run(services.workspace, FakeRun(name)) for name in ("before", "after"))
    start = StartPoint(run=before.id, step=99)
    write_record(after, read_record(after).model_copy(update={"starts_from": start}))
    await services.jobs.refresh()
    jobs = services.jobs.jobs
    assert [job.id for job in kin_of(jobs[before.id], jobs.values())] == [after.id]
    assert [job.id for job in kin_of(jobs[after.id], jobs.values())] == [before.id]
