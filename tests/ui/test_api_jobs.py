"""The HTTP interface of jobs and their queue, with the real store and scripted runs of the past behind it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from qlora_ui.contract.checkpoints import Marker, name_of, seal_of
from qlora_ui.contract.events import Metric, dump_event
from qlora_ui.contract.paths import CHECKPOINT_MARKER, RunPaths
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs.logs.log_file import LogFile
from qlora_ui.services import Services
from tests.fakes.runs import FakeRun, write_run
from tests.ui.test_api import client, services, submit

__all__ = ["client", "services"]


def seal_checkpoint(run: RunPaths, step: int, *, is_best: bool = False) -> Path:
    """A whole checkpoint with one file of 64 bytes."""
    folder = run.checkpoints / name_of(step)
    folder.mkdir(parents=True)
    weights = folder / "adapter_model.safetensors"
    weights.write_bytes(bytes(64))
    files = {weights.name: seal_of(weights)}
    marker = Marker(step=step, files=files, metrics={"eval_loss": 1.5}, is_best=is_best)
    (folder / CHECKPOINT_MARKER).write_text(marker.model_dump_json())
    return folder


@pytest.fixture
async def past(services: Services) -> AsyncIterator[RunPaths]:
    """A completed training with checkpoints at the steps 20 and 40."""
    run = write_run(services.workspace, FakeRun("past", steps=40, parameters={"num_train_epochs": 2}))
    for step in (20, 40):
        seal_checkpoint(run, step, is_best=True)
    await services.jobs.refresh()
    yield run


# ---- the list ----


async def test_the_list_comes_in_pages(client: httpx.AsyncClient, services: Services) -> None:
    for number in range(7):
        write_run(services.workspace, FakeRun(f"run {number}", minutes_ago=70 - 10 * number))
    await services.jobs.refresh()
    seen: list[str] = []
    for offset in (0, 3, 6, 9):
        response = await client.get("/jobs", params={"limit": 3, "offset": offset})
        assert response.headers["x-total-count"] == "7"
        seen += [job["name"] for job in response.json()]
    assert seen == [f"run {number}" for number in range(7)]
    newest = await client.get("/jobs", params={"limit": 2, "order": "newest"})
    assert [job["name"] for job in newest.json()] == ["run 6", "run 5"]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"kind": "evaluation"}, ["tone score"]),
        ({"kind": ["training", "merge"], "status": "failed"}, ["sql"]),
        ({"status": ["completed", "failed"]}, ["tone", "tone score", "sql"]),
        ({"text": "TONE starter"}, ["tone", "tone score"]),
        ({"text": "no such thing"}, []),
    ],
)
async def test_the_list_is_filtered(
    client: httpx.AsyncClient, services: Services, asked: dict[str, Any], names: list[str]
) -> None:
    write_run(services.workspace, FakeRun("tone", minutes_ago=30))
    write_run(services.workspace, FakeRun("tone score", kind=JobKind.EVALUATION, minutes_ago=20))
    write_run(services.workspace, FakeRun("sql", JobStatus.FAILED, minutes_ago=10))
    await services.jobs.refresh()
    response = await client.get("/jobs", params=asked)
    assert [job["name"] for job in response.json()] == names
    assert response.headers["x-total-count"] == str(len(names))


@pytest.mark.parametrize(
    "asked", [{"kind": "odd"}, {"limit": -1}, {"limit": 10**6}, {"offset": -1}, {"text": "x" * 201}]
)
async def test_a_choice_that_is_none_is_refused(client: httpx.AsyncClient, asked: dict[str, Any]) -> None:
    response = await client.get("/jobs", params=asked)
    assert response.status_code == 422
    assert {field.partition(".")[0] for field in response.json()["fields"]} == set(asked)


async def test_a_long_curve_is_thinned_unless_it_is_asked_for(client: httpx.AsyncClient, services: Services) -> None:
    run = write_run(services.workspace, FakeRun("past"))
    values = [5.0 if step == 1234 else 1.0 + step % 7 / 10 for step in range(1, 3001)]
    with run.events.open("wb") as file:
        for seq, value in enumerate(values, start=1):
            file.write(dump_event(Metric(seq=seq, step=seq, values={"loss": value})))
    await services.jobs.refresh()
    loss = (await client.get(f"/jobs/{run.id}")).json()["curves"]["loss"]
    assert len(loss) <= 1000
    assert loss[0] == [1, values[0]] and loss[-1] == [3000, values[-1]] and [1234, 5.0] in loss
    more = (await client.get(f"/jobs/{run.id}", params={"points": 2000})).json()["curves"]["loss"]
    assert len(loss) < len(more) <= 2000
    for points in (3, 2001):
        assert (await client.get(f"/jobs/{run.id}", params={"points": points})).status_code == 422


# ---- new runs from old ones ----


async def test_a_job_is_duplicated_with_changes(client: httpx.AsyncClient, past: RunPaths) -> None:
    response = await client.post(f"/jobs/{past.id}/duplicate")
    assert response.status_code == 201
    assert (response.json()["name"], response.json()["starts_from"]) == ("past 2", None)
    response = await client.post(f"/jobs/{past.id}/duplicate", json={"parameters": {"learning_rate": 1e-3}})
    assert (response.json()["name"], response.json()["parameters"]["learning_rate"]) == ("past 3", 1e-3)
    response = await client.post(f"/jobs/{past.id}/duplicate", json={"parameters": {"learning_rate": -1}})
    assert (response.status_code, set(response.json()["fields"])) == (422, {"learning_rate"})
    response = await client.post(f"/jobs/{past.id}/duplicate", json={"parameters": {f"k{n}": 1 for n in range(201)}})
    assert (response.status_code, set(response.json()["fields"])) == (422, {"parameters"})


async def test_a_training_is_extended_and_branched(
    client: httpx.AsyncClient, services: Services, past: RunPaths
) -> None:
    more = (await client.post(f"/jobs/{past.id}/extend", json={"epochs": 1})).json()
    assert more["starts_from"] == {"run": past.id, "step": 40}
    assert more["parameters"]["num_train_epochs"] == 3
    other = (await client.post(f"/jobs/{past.id}/branch", json={"step": 20, "parameters": {"name": "b"}})).json()
    assert (other["name"], other["starts_from"]) == ("b", {"run": past.id, "step": 20})
    assert (services.workspace.run(other["id"]).checkpoints / name_of(20)).is_dir()
    for path, body, code, words in (
        ("extend", {"epochs": 0}, 422, "above 0"),
        ("branch", {"step": 30}, 409, "no checkpoint at step 30"),
        ("branch", {"step": 20, "parameters": {"lora_rank": 4}}, 422, "must stay as in past"),
    ):
        response = await client.post(f"/jobs/{past.id}/{path}", json=body)
        assert response.status_code == code and words in response.json()["error"]


async def test_numbers_that_are_none_are_refused(client: httpx.AsyncClient, past: RunPaths) -> None:
    for epochs in ("NaN", "Infinity", '"x"'):
        headers = {"content-type": "application/json"}
        response = await client.post(f"/jobs/{past.id}/extend", content=f'{{"epochs": {epochs}}}', headers=headers)
        assert response.status_code == 422 and response.json()["error"]


async def test_a_follow_up_is_queued(client: httpx.AsyncClient) -> None:
    job = (await submit(client)).json()
    response = await client.post(f"/jobs/{job['id']}/follow-up", json={"kind": "evaluation"})
    assert response.status_code == 201
    assert (response.json()["name"], response.json()["after"]) == ("mine score", job["id"])
    response = await client.post(f"/jobs/{job['id']}/follow-up", json={"kind": "training"})
    assert response.status_code == 409


async def test_a_failed_job_is_tried_again(client: httpx.AsyncClient, services: Services, past: RunPaths) -> None:
    failed = write_run(services.workspace, FakeRun("failed", JobStatus.FAILED))
    await services.jobs.refresh()
    assert (await client.post(f"/jobs/{failed.id}/retry")).json()["status"] == "pending"
    assert (await client.post(f"/jobs/{past.id}/retry")).status_code == 409


# ---- checkpoints ----


async def test_checkpoints_are_listed_as_they_lie_there_and_deleted(
    client: httpx.AsyncClient, services: Services, past: RunPaths
) -> None:
    torn = past.checkpoints / name_of(60)
    torn.mkdir()
    (past.checkpoints / name_of(20) / "adapter_model.safetensors").write_bytes(b"\0")
    (past.checkpoints / "notes").mkdir()
    found = (await client.get(f"/jobs/{past.id}/checkpoints")).json()
    assert [(c["step"], c["is_whole"], c["is_best"]) for c in found] == [
        (20, False, False),
        (40, True, True),
        (60, False, False),
    ]
    assert found[1]["metrics"] == {"eval_loss": 1.5} and found[1]["bytes"] > 64 and found[1]["saved_at"]
    assert (await client.delete(f"/jobs/{past.id}/checkpoints/20")).status_code == 204
    response = await client.delete(f"/jobs/{past.id}/checkpoints/20")
    assert (response.status_code, response.json()["error"]) == (409, "past has no checkpoint at step 20.")
    assert (await client.delete(f"/jobs/{past.id}/checkpoints/-1")).status_code == 422
    assert [c["step"] for c in (await client.get(f"/jobs/{past.id}/checkpoints")).json()] == [40, 60]


async def test_a_checkpoint_that_is_needed_stays(client: httpx.AsyncClient, services: Services, past: RunPaths) -> None:
    evaluation = {
        "kind": "evaluation",
        "parameters": {
            "name": "of the checkpoint",
            "model_name": "starter",
            "dataset_path": "starter",
            "adapter_path": str(past.checkpoints / name_of(40)),
        },
    }
    waiting = (await client.post("/jobs", json=evaluation)).json()
    response = await client.delete(f"/jobs/{past.id}/checkpoints/40")
    assert (response.status_code, response.json()["hint"]) == (409, "Stop that one first.")
    assert "of the checkpoint needs" in response.json()["error"]
    assert (await client.delete(f"/jobs/{past.id}")).status_code == 409
    await client.post(f"/jobs/{waiting['id']}/stop")
    assert (await client.delete(f"/jobs/{past.id}/checkpoints/40")).status_code == 204


async def test_the_checkpoints_of_a_run_at_work_are_its_own(client: httpx.AsyncClient, services: Services) -> None:
    run = write_run(services.workspace, FakeRun("busy", JobStatus.RUNNING, process=ProcessIdentity.of()))
    seal_checkpoint(run, 10)
    await services.jobs.refresh()
    response = await client.delete(f"/jobs/{run.id}/checkpoints/10")
    assert (response.status_code, response.json()["hint"]) == (409, "Pause or stop it first.")


# ---- the queue ----


async def test_the_queue_is_moved_held_and_continued(client: httpx.AsyncClient) -> None:
    ids = [(await submit(client, name=f"run {n}")).json()["id"] for n in range(3)]
    assert (await client.get("/queue")).json() == {"held": False, "jobs": ids}
    moved = await client.post(f"/jobs/{ids[2]}/move", json={"place": 1})
    assert moved.json()["queue_position"] == 1
    assert (await client.post(f"/jobs/{ids[0]}/move", json={"place": 0})).status_code == 422
    assert (await client.post("/queue/hold")).json() == {"held": True, "jobs": [ids[2], ids[0], ids[1]]}
    assert "The queue is held" in (await client.get(f"/jobs/{ids[0]}")).json()["message"]
    assert (await client.post("/queue/continue")).json()["held"] is False
    await client.post(f"/jobs/{ids[0]}/stop")
    assert (await client.post(f"/jobs/{ids[0]}/move", json={"place": 1})).status_code == 409


# ---- the log ----


async def test_the_log_is_downloaded(client: httpx.AsyncClient, past: RunPaths) -> None:
    response = await client.get(f"/jobs/{past.id}/log")
    assert response.headers["content-disposition"].startswith("attachment")
    assert len(response.text.splitlines()) == len(LogFile(past).tail(10_000).entries)
    assert int(response.headers["content-length"]) == len(response.content)


async def test_a_log_that_cannot_be_kept_is_downloaded_all_the_same(
    client: httpx.AsyncClient, past: RunPaths, services: Services
) -> None:
    past.log.unlink(missing_ok=True)
    kept = (await client.get(f"/jobs/{past.id}/log")).text
    assert "step 1  loss" in kept
    shutil.rmtree(services.workspace.cache)
    services.workspace.cache.write_bytes(b"a file where the folder should be")
    response = await client.get(f"/jobs/{past.id}/log")
    assert (response.status_code, response.text) == (200, kept)
    assert response.headers["content-disposition"] == f'attachment; filename="{past.id}.log"'


async def test_a_job_that_never_began_has_an_empty_log(client: httpx.AsyncClient) -> None:
    job = (await submit(client)).json()
    response = await client.get(f"/jobs/{job['id']}/log")
    assert (response.status_code, response.text) == (200, "")


async def test_an_unknown_job_is_not_found_whatever_is_asked(client: httpx.AsyncClient) -> None:
    bodies = {"extend": {"epochs": 1}, "branch": {"step": 1}, "move": {"place": 1}, "follow-up": {"kind": "merge"}}
    for path in ("retry", "duplicate", "extend", "branch", "move", "follow-up"):
        response = await client.post(f"/jobs/nothing/{path}", json=bodies.get(path, {}))
        assert response.status_code == 404, path
    for path in ("checkpoints", "log"):
        assert (await client.get(f"/jobs/nothing/{path}")).status_code == 404
    assert (await client.delete("/jobs/nothing/checkpoints/1")).status_code == 404
