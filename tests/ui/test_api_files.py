"""The files and the figures of a run over HTTP."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from qlora_ui.contract.records import JobStatus
from qlora_ui.services import Services
from qlora_ui.web import api
from tests.fakes.rich_run import write_rich_run


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    api.register(app, services)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1/api/v1") as client:
        yield client


@pytest.fixture
async def run_id(services: Services) -> str:
    paths = write_rich_run(services.workspace, "tone", JobStatus.COMPLETED, steps=400)
    await services.jobs.refresh()
    return paths.id


async def test_a_file_comes_as_a_download_that_no_browser_shows(client: httpx.AsyncClient, run_id: str) -> None:
    answer = await client.get(f"/jobs/{run_id}/files/checkpoints/checkpoint-300/adapter_config.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json() == {"peft_type": "LORA"}


@pytest.mark.parametrize("path", ["%2e%2e/%2e%2e/db.json", "..%2F..%2Fdb.json", "%2Fetc%2Fpasswd", "no-such-file"])
async def test_nothing_outside_of_the_run_is_given_away(client: httpx.AsyncClient, run_id: str, path: str) -> None:
    answer = await client.get(f"/jobs/{run_id}/files/{path}")
    assert answer.status_code == 404
    assert "passwd" not in answer.text
    assert "root:" not in answer.text


async def test_files_of_an_unknown_run_are_not_there(client: httpx.AsyncClient) -> None:
    answer = await client.get("/jobs/20260101-000000-nothing-0000/files/run.log")
    assert answer.status_code == 404
    assert answer.json()["error"].startswith("There is no run")


async def test_all_figures_come_as_a_table(client: httpx.AsyncClient, run_id: str) -> None:
    answer = await client.get(f"/jobs/{run_id}/curves.csv")
    assert answer.status_code == 200
    head, first, *rest = answer.text.splitlines()
    assert head.startswith("step,eval_loss,")
    assert {"loss", "learning_rate", "power", "padding"} < set(head.split(","))
    assert first.startswith("0,")
    assert len(rest) == 400


async def test_no_link_leads_out_of_a_run(client: httpx.AsyncClient, services: Services, run_id: str) -> None:
    paths, secret = services.workspace.run(run_id), services.workspace.home / "secrets"
    secret.mkdir()
    (secret / "key.txt").write_text("a secret")
    for link, target in ((paths.console, secret / "key.txt"), (paths.log, secret / "key.txt"), (paths.adapter, secret)):
        if link.is_dir():
            shutil.rmtree(link)
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    for path in ("console", "console?download=true", "log", "files/adapter", "files/run.log"):
        answer = await client.get(f"/jobs/{run_id}/{path}")
        assert (answer.status_code, "secret" in answer.text) == (404, False), path


@pytest.mark.parametrize(
    ("way", "body", "status"),
    [
        ("branch", {"step": 10**300}, 422),
        ("branch", {"step": -1}, 422),
        ("extend", {"epochs": 1e300}, 422),
    ],
)
async def test_figures_without_measure_are_refused(
    client: httpx.AsyncClient, run_id: str, way: str, body: dict[str, float], status: int
) -> None:
    answer = await client.post(f"/jobs/{run_id}/{way}", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]
