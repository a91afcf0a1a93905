from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import nicegui.core
import pytest
from huggingface_hub import constants

from qlora_ui import services as services_module
from qlora_ui.contract.errors import JobError, WorkspaceError
from qlora_ui.contract.paths import STARTER, RunPaths
from qlora_ui.contract.recipe import DataQuery, Recipe, Source
from qlora_ui.contract.records import Dataset, JobStatus
from qlora_ui.services import Services
from qlora_ui.settings import AppSettings
from tests.fakes.inspector import FakeInspector
from tests.fakes.runs import FakeRun, write_run


@pytest.fixture
async def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Services]:
    monkeypatch.setattr(nicegui.core, "loop", asyncio.get_running_loop())
    services = Services.open(AppSettings(home=tmp_path / "home"))
    yield services
    await services.close()


async def chunks() -> AsyncIterator[bytes]:
    yield b'{"text": "a"}\n'


async def test_a_fresh_home_has_the_starter_and_nothing_to_say(services: Services) -> None:
    await services.start()
    assert await services.models() == [STARTER]
    assert await services.datasets() == []
    assert await services.adapters() == []
    assert services.notices == []
    assert await services.disk_free() > 0


async def test_a_repair_is_told(tmp_path: Path) -> None:
    workspace = Services.open(AppSettings(home=tmp_path)).workspace
    workspace.database.write_text("{")
    (notice,) = Services.open(AppSettings(home=tmp_path)).notices
    assert "db.json" in notice


async def test_models_are_those_that_lie_here_and_write(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = services.workspace.home / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    kept = cache / "models--some--model" / "snapshots" / "abc"
    models = services.workspace.models
    for folder, classes in (
        (models / "merged-b", ["LlamaForCausalLM"]),
        (models / "merged-a", []),
        (models / "finds", ["BertModel"]),
        (kept, ["GPT2LMHeadModel"]),
    ):
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps({"model_type": "some", "architectures": classes}))
        (folder / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    (models / "no-config").mkdir()
    assert await services.models() == [STARTER, str(models / "merged-a"), str(models / "merged-b"), "some/model"]
    assert (await services.found_models())["some/model"].bytes == 10


async def test_a_dataset_is_deleted_with_its_file_unless_a_job_needs_it(services: Services) -> None:
    dataset = await services.add_dataset("rows.jsonl", chunks())
    assert await services.datasets() == [dataset]
    waiting = FakeRun("waits", JobStatus.PENDING, parameters={"dataset_path": dataset.path})
    run = write_run(services.workspace, waiting)
    await services.jobs.refresh()
    with pytest.raises(JobError, match=r"rows\.jsonl is needed by waits"):
        await services.delete_dataset(dataset)
    assert Path(dataset.path).exists()
    await services.jobs.delete(run.id)
    await services.delete_dataset(dataset)
    assert not Path(dataset.path).parent.exists()
    assert await services.datasets() == []


async def test_a_folder_is_kept_while_a_job_reads_a_file_in_it(services: Services) -> None:
    dataset = await services.add_text("{}")
    folder = services.workspace.datasets / dataset.id
    dataset = dataset.model_copy(update={"path": str(folder)})
    waiting = FakeRun("waits", JobStatus.PENDING, parameters={"dataset_path": str(folder / "deep" / "pasted.jsonl")})
    write_run(services.workspace, waiting)
    await services.jobs.refresh()
    with pytest.raises(JobError, match="waits"):
        await services.delete_dataset(dataset)
    assert folder.exists()


async def test_a_training_that_ends_lists_its_adapter_and_one_that_is_deleted_unlists_it(services: Services) -> None:
    await services.start()
    run = write_run(services.workspace, FakeRun("done"))
    run.adapter.mkdir()
    await services.jobs.refresh()
    await wait_for_adapters(services, [run.id])
    await services.jobs.delete(run.id)
    await wait_for_adapters(services, [])


async def test_an_adapter_that_could_not_be_listed_is_listed_with_the_next_change(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    await services.start()
    failed = asyncio.Event()
    loop, add_run = asyncio.get_running_loop(), services.store.adapters.add_run

    def fail(paths: RunPaths) -> None:
        if paths.id == first.id and not failed.is_set():
            loop.call_soon_threadsafe(failed.set)
            raise WorkspaceError("The disk is full.")
        add_run(paths)

    first = write_run(services.workspace, FakeRun("first", minutes_ago=9))
    first.adapter.mkdir()
    monkeypatch.setattr(services.store.adapters, "add_run", fail)
    await services.jobs.refresh()
    await failed.wait()
    second = write_run(services.workspace, FakeRun("second", minutes_ago=5))
    second.adapter.mkdir()
    await services.jobs.refresh()
    await wait_for_adapters(services, [first.id, second.id])


async def wait_for_adapters(services: Services, ids: list[str]) -> None:
    """The index follows in a task of its own; the test's own time limit ends a wait in vain."""
    while [adapter.id for adapter in await services.adapters()] != ids:
        await asyncio.sleep(0.01)


async def test_what_ended_while_no_server_ran_is_listed_at_the_next_start(services: Services) -> None:
    run = write_run(services.workspace, FakeRun("done"))
    run.adapter.mkdir()
    later = Services.open(services.settings)
    assert [adapter.id for adapter in await later.adapters()] == [run.id]


async def test_devices_are_read_once_however_many_ask(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    readings = await asyncio.gather(*(services.devices() for _ in range(20)))
    assert all(reading is readings[0] for reading in readings)
    monkeypatch.setattr(services_module, "READING_LASTS_S", 0.0)
    assert await services.devices() is not readings[0]


async def test_a_data_file_that_cannot_be_listed_is_not_kept(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_dataset: Dataset) -> None:
        raise WorkspaceError("The disk is full.")

    monkeypatch.setattr(services.store.datasets, "put", full)
    with pytest.raises(WorkspaceError, match="full"):
        await services.add_dataset("rows.jsonl", chunks())
    assert list(services.workspace.datasets.iterdir()) == []


@pytest.mark.parametrize(("app", "call", "told"), [(True, False, True), (False, True, True), (False, False, False)])
async def test_an_offline_app_looks_at_data_offline(tmp_path: Path, app: bool, call: bool, told: bool) -> None:
    services = Services.open(AppSettings(home=tmp_path, offline=app))
    services.inspector = inspector = FakeInspector()
    query = DataQuery(recipe=Recipe(sources=(Source(path="rows.jsonl"),)), offline=call)
    await services.look(query)
    await services.survey(query)
    assert [asked.offline for asked, _ in inspector.asked] == [told] == [asked.offline for asked in inspector.surveyed]


async def test_runs_are_measured_once_for_all_pages_that_ask(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(services.workspace, FakeRun("first"))
    sizes = await asyncio.gather(*(services.runs_size() for _page in range(3)))
    write_run(services.workspace, FakeRun("second"))
    assert sizes[0] > 0
    assert {*sizes, await services.runs_size()} == {sizes[0]}
    monkeypatch.setattr(services_module, "MEASUREMENT_LASTS_S", 0.0)
    assert await services.runs_size() > sizes[0]


async def test_who_asks_during_the_start_waits_until_the_runs_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = Services.open(AppSettings(home=tmp_path / "home"))
    await services.until_runs_known()  # nobody starts it: there is nothing to wait for
    begun, may_go_on = asyncio.Event(), asyncio.Event()
    find = services.jobs.start

    async def find_slowly() -> None:
        begun.set()
        await may_go_on.wait()
        await find()

    monkeypatch.setattr(services.jobs, "start", find_slowly)
    starting = asyncio.create_task(services.start())
    await begun.wait()
    asking = asyncio.create_task(services.until_runs_known())
    await asyncio.sleep(0)
    assert not asking.done()
    may_go_on.set()
    await starting
    await asking
    await services.close()
