"""The HTTP interface, with the real store and jobs behind it and no server in front."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from qlora_ui import __version__
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import JobStatus
from qlora_ui.services import Services
from qlora_ui.settings import AppSettings
from qlora_ui.upload import room
from qlora_ui.web import api, api_datasets, api_jobs
from tests.fakes.runs import FakeRun, write_run

TRAINING = {"name": "mine", "model_name": "starter", "dataset_path": "starter"}


@pytest.fixture
def services(tmp_path: Path) -> Services:
    """Not started: jobs can be queued, and nothing launches them."""
    return Services.open(AppSettings(home=tmp_path / "home"))


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    api.register(app, services)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1/api/v1") as client:
        yield client


async def put(client: httpx.AsyncClient, name: str, content: bytes) -> httpx.Response:
    return await client.put("/datasets", params={"name": name}, content=content)


async def submit(client: httpx.AsyncClient, **parameters: Any) -> httpx.Response:
    return await client.post("/jobs", json={"kind": "training", "parameters": {**TRAINING, **parameters}})


# ---- the whole ----


async def test_health_tells_the_version(client: httpx.AsyncClient) -> None:
    assert (await client.get("http://127.0.0.1/healthz")).json() == {"status": "ok", "version": __version__}


async def test_the_description_names_every_way_in(client: httpx.AsyncClient) -> None:
    description = (await client.get("/openapi.json")).json()
    assert description["servers"] == [{"url": "/api/v1"}]
    assert {(method, path) for path, methods in description["paths"].items() for method in methods} == {
        ("get", "/datasets"),
        ("put", "/datasets"),
        ("delete", "/datasets/{dataset_id}"),
        ("put", "/datasets/text"),
        ("put", "/datasets/uploads/{token}"),
        ("get", "/datasets/uploads/{token}"),
        ("post", "/datasets/uploads/{token}"),
        ("delete", "/datasets/uploads/{token}"),
        ("get", "/jobs"),
        ("post", "/jobs"),
        ("get", "/jobs/{job_id}"),
        ("delete", "/jobs/{job_id}"),
        ("post", "/jobs/{job_id}/stop"),
        ("post", "/jobs/{job_id}/pause"),
        ("post", "/jobs/{job_id}/resume"),
        ("post", "/jobs/{job_id}/retry"),
        ("post", "/jobs/{job_id}/move"),
        ("post", "/jobs/{job_id}/duplicate"),
        ("post", "/jobs/{job_id}/extend"),
        ("post", "/jobs/{job_id}/branch"),
        ("post", "/jobs/{job_id}/follow-up"),
        ("get", "/jobs/{job_id}/checkpoints"),
        ("delete", "/jobs/{job_id}/checkpoints/{step}"),
        ("get", "/queue"),
        ("post", "/queue/hold"),
        ("post", "/queue/continue"),
        ("get", "/jobs/{job_id}/console"),
        ("get", "/jobs/{job_id}/log"),
        ("get", "/jobs/{job_id}/curves.csv"),
        ("get", "/jobs/{job_id}/files/adapter"),
        ("get", "/jobs/{job_id}/files/{path}"),
        ("get", "/adapters"),
    }


async def test_no_page_of_documentation_loads_scripts_from_elsewhere(client: httpx.AsyncClient) -> None:
    for path in ("/docs", "/redoc", "/nothing"):
        response = await client.get(path)
        assert response.status_code == 404
        assert set(response.json()) == {"error", "hint"}


# ---- datasets ----


async def test_a_data_file_is_taken_in_listed_and_deleted(client: httpx.AsyncClient) -> None:
    response = await put(client, "../rows.jsonl", b'{"text": "a"}\n')
    assert response.status_code == 201
    dataset = response.json()
    assert Path(dataset["path"]).read_bytes() == b'{"text": "a"}\n'
    assert (dataset["name"], dataset["bytes"]) == ("rows.jsonl", 14)
    assert (await client.get("/datasets")).json() == [dataset]
    assert (await client.delete(f"/datasets/{dataset['id']}")).status_code == 204
    assert (await client.get("/datasets")).json() == []
    assert not Path(dataset["path"]).exists()
    assert (await client.delete(f"/datasets/{dataset['id']}")).status_code == 404


@pytest.mark.parametrize(("name", "content", "status"), [("rows.exe", b"x", 422), ("rows.txt", b"", 422)])
async def test_a_file_that_is_none_is_refused(
    client: httpx.AsyncClient, services: Services, name: str, content: bytes, status: int
) -> None:
    response = await put(client, name, content)
    assert response.status_code == status
    assert response.json()["error"]
    assert list(services.workspace.datasets.iterdir()) == []


async def test_a_file_that_is_too_large_or_does_not_fit_is_refused(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_BYTES", 10)
    assert (await put(client, "rows.txt", b"x" * 11)).status_code == 413
    monkeypatch.setattr(room, "RESERVE_BYTES", 2**62)
    response = await put(client, "rows.txt", b"x")
    assert response.status_code == 507
    assert "does not fit" in response.json()["error"]


async def test_a_name_is_needed(client: httpx.AsyncClient) -> None:
    response = await client.put("/datasets", content=b"x")
    assert response.status_code == 422
    assert "name" in response.json()["fields"]


UPLOAD = "/datasets/uploads/" + "k7Qf-2mXp_9dRa4sTu6vWx8y"


async def put_part(
    client: httpx.AsyncClient, content: bytes, start: int, end: int, path: str = "rows.txt"
) -> httpx.Response:
    headers = {"content-range": f"bytes {start}-{end - 1}/{len(content)}"}
    return await client.put(UPLOAD, params={"path": path}, content=content[start:end], headers=headers)


async def test_a_file_in_parts_goes_on_where_it_stands(client: httpx.AsyncClient, services: Services) -> None:
    content = b"0123456789"
    assert (await client.get(UPLOAD)).status_code == 404
    response = await put_part(client, content, 0, 4)
    assert (response.status_code, response.json()) == (200, {"path": "rows.txt", "offset": 4, "total": 10})
    response = await put_part(client, content, 6, 10)
    assert response.status_code == 409
    assert "4 bytes of rows.txt are here" in response.json()["error"]
    assert (await client.post(UPLOAD)).status_code == 409
    [file] = (await client.get(UPLOAD)).json()["files"]
    assert (await put_part(client, content, file["offset"], 10)).json()["offset"] == 10
    checksum = hashlib.sha256(content).hexdigest()
    response = await client.post(UPLOAD, json={"files": 1, "sha256": {"rows.txt": checksum}})
    assert response.status_code == 201
    dataset = response.json()
    assert Path(dataset["path"]).read_bytes() == content
    assert (await client.get("/datasets")).json() == [dataset]
    assert (await client.post(UPLOAD)).json() == dataset, "the answer may have got lost"
    assert (await client.delete(f"/datasets/{dataset['id']}")).status_code == 204
    assert (await client.post(UPLOAD)).status_code == 404
    assert list(services.workspace.datasets.iterdir()) == []


async def test_files_of_a_folder_become_one_dataset(client: httpx.AsyncClient) -> None:
    for path in ("mine/a.txt", "mine/deep/b.txt"):
        assert (await put_part(client, b"rows", 0, 4, path)).status_code == 200
    dataset = (await client.post(UPLOAD, json={"files": 2})).json()
    assert (dataset["name"], dataset["files"], dataset["bytes"]) == ("mine", 2, 8)
    assert (Path(dataset["path"]) / "deep" / "b.txt").read_bytes() == b"rows"
    assert (await client.delete(f"/datasets/{dataset['id']}")).status_code == 204
    assert not Path(dataset["path"]).exists()


async def test_an_upload_in_parts_is_given_up(client: httpx.AsyncClient, services: Services) -> None:
    await put_part(client, b"0123456789", 0, 4)
    assert (await client.delete(UPLOAD)).status_code == 204
    assert list(services.workspace.datasets.iterdir()) == []
    assert (await client.delete(UPLOAD)).status_code == 204


async def test_parts_that_cannot_be_are_refused(client: httpx.AsyncClient, services: Services) -> None:
    no_range = await client.put(UPLOAD, params={"path": "rows.txt"}, content=b"x")
    assert (no_range.status_code, "Content-Range says nothing" in no_range.json()["error"]) == (422, True)
    for path in ("../rows.txt", "mine/.git/rows.txt", "rows.exe"):
        assert (await put_part(client, b"x", 0, 1, path)).status_code == 422
    headers = {"content-range": "bytes 0-0/1"}
    short = await client.put("/datasets/uploads/short", params={"path": "rows.txt"}, content=b"x", headers=headers)
    assert short.status_code == 422
    assert not any(path.is_file() and path.suffix == ".txt" for path in services.workspace.datasets.rglob("*"))


async def test_pasted_text_is_taken_in(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = (await client.put("/datasets/text", content='{"text": "ä"}\n'.encode())).json()
    assert (dataset["name"], Path(dataset["path"]).read_text(encoding="utf-8")) == ("pasted.jsonl", '{"text": "ä"}\n')
    named = await client.put("/datasets/text", params={"name": "mine"}, content=b"Some words.")
    assert named.json()["name"] == "mine.txt"
    assert "byte 2 cannot be read" in (await client.put("/datasets/text", content=b"a\xff")).json()["error"]
    monkeypatch.setattr(api_datasets, "MAX_TEXT_BYTES", 3)
    assert (await client.put("/datasets/text", content=b"four")).status_code == 413


# ---- jobs ----


async def test_a_job_is_queued_paused_resumed_stopped_and_deleted(client: httpx.AsyncClient) -> None:
    response = await submit(client, learning_rate=1e-3)
    assert response.status_code == 201
    job = response.json()
    assert (job["kind"], job["name"], job["status"], job["queue_position"]) == ("training", "mine", "pending", 1)
    assert job["parameters"]["learning_rate"] == 1e-3
    assert [listed["id"] for listed in (await client.get("/jobs")).json()] == [job["id"]]
    for verb, status in (("pause", "paused"), ("resume", "pending"), ("stop", "stopped")):
        assert (await client.post(f"/jobs/{job['id']}/{verb}")).json()["status"] == status
    assert (await client.post(f"/jobs/{job['id']}/stop")).status_code == 409
    assert (await client.delete(f"/jobs/{job['id']}")).status_code == 204
    assert (await client.get("/jobs")).json() == []


async def test_bad_parameters_are_named_each(client: httpx.AsyncClient) -> None:
    response = await submit(client, learning_rate=-1, lora_rnak=8)
    assert response.status_code == 422
    assert set(response.json()["fields"]) == {"learning_rate", "lora_rnak"}
    assert "lora_rank" in response.json()["error"]
    assert (await client.get("/jobs")).json() == []


async def test_a_body_that_is_no_json_is_refused(client: httpx.AsyncClient) -> None:
    form = {"content-type": "text/plain"}
    content = b'{"kind": "training", "parameters": {"model_name": "starter", "dataset_path": "starter"}}'
    assert (await client.post("/jobs", content=content, headers=form)).status_code == 422
    for body in (b"", b"{", b"[]", b'{"kind": "nothing", "parameters": {}}'):
        response = await client.post("/jobs", content=body, headers={"content-type": "application/json"})
        assert response.status_code == 422
        assert response.json()["error"].startswith("This request cannot be used")
    assert (await client.get("/jobs")).json() == []


@pytest.mark.parametrize("job_id", ["nothing", "..", "%2e%2e", "a%2fb"])
async def test_an_unknown_job_is_not_found(client: httpx.AsyncClient, job_id: str) -> None:
    for method, rest in (
        ("GET", "/console"),
        ("GET", "/files/adapter"),
        ("POST", "/stop"),
        ("POST", "/resume"),
    ):
        response = await client.request(method, f"/jobs/{job_id}{rest}")
        assert response.status_code == 404
        assert response.json()["error"]
    after = await client.post("/jobs", json={"kind": "training", "parameters": TRAINING, "after": job_id})
    assert after.status_code == 404


async def test_a_job_of_the_past_comes_with_its_curve(client: httpx.AsyncClient, services: Services) -> None:
    run = write_run(services.workspace, FakeRun("past", steps=40, summary={"eval_loss": 1.2}))
    await services.jobs.refresh()
    job = (await client.get(f"/jobs/{run.id}")).json()
    assert job["status"] == "completed"
    assert [step for step, _ in job["curves"]["loss"]] == list(range(1, 41))
    assert job["checkpoints"][0]["step"] == 40
    assert job["summary"] == {"eval_loss": 1.2}
    assert job["folder"] == str(run.folder)


async def test_a_job_at_work_is_not_deleted(client: httpx.AsyncClient, services: Services) -> None:
    run = write_run(services.workspace, FakeRun("busy", JobStatus.RUNNING, process=ProcessIdentity.of()))
    await services.jobs.refresh()
    response = await client.delete(f"/jobs/{run.id}")
    assert response.status_code == 409
    assert run.folder.exists()


async def test_the_console_gives_its_last_lines_or_all_of_it(client: httpx.AsyncClient, services: Services) -> None:
    run = write_run(services.workspace, FakeRun("past"))
    await services.jobs.refresh()
    address = f"/jobs/{run.id}/console"
    assert (await client.get(address)).text == ""
    lines = [f"line {n} ünïcode\n" for n in range(20_000)]
    run.console.write_text("".join(lines))
    assert (await client.get(address, params={"lines": 3})).text == "".join(lines[-3:])
    assert (await client.get(address, params={"lines": 10_000})).text == "".join(lines[-10_000:])
    download = await client.get(address, params={"download": "true"})
    assert download.text == "".join(lines)
    assert "attachment" in download.headers["content-disposition"]
    assert (await client.get(address, params={"lines": 0})).status_code == 422


async def test_an_adapter_is_downloaded_as_a_zip(client: httpx.AsyncClient, services: Services) -> None:
    run = write_run(services.workspace, FakeRun("past"))
    await services.jobs.refresh()
    address = f"/jobs/{run.id}/files/adapter"
    assert (await client.get(address)).status_code == 404
    run.adapter.mkdir()
    (run.adapter / "adapter_config.json").write_text("{}")
    response = await client.get(address)
    assert response.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.namelist() == ["adapter/adapter_config.json"]


async def test_adapters_are_listed(client: httpx.AsyncClient, services: Services) -> None:
    run = write_run(services.workspace, FakeRun("past"))
    run.adapter.mkdir()
    services.store.adapters.rebuild(services.workspace)
    (adapter,) = (await client.get("/adapters")).json()
    assert (adapter["id"], adapter["name"], adapter["base_model"]) == (run.id, "past", "starter")


async def test_a_console_of_one_endless_line_is_cut(
    client: httpx.AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "CONSOLE_BYTES", 1000)
    run = write_run(services.workspace, FakeRun("past"))
    await services.jobs.refresh()
    run.console.write_text("x" * 5000 + "end")
    assert (await client.get(f"/jobs/{run.id}/console")).text == "x" * 997 + "end"
    assert len((await client.get(f"/jobs/{run.id}/console", params={"download": "true"})).text) == 5003


async def test_a_flood_of_parameters_is_refused_unread(client: httpx.AsyncClient) -> None:
    """Each unknown name is compared with all that are known: 150,000 of them held the server up for half a minute."""
    response = await submit(client, **{f"k{n}": 1 for n in range(api_jobs.MAX_PARAMETERS + 1)})
    assert response.status_code == 422
    assert set(response.json()["fields"]) == {"parameters"}


async def test_a_mistake_of_ours_is_told_as_json(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(services, "datasets", broken)
    app = FastAPI()
    api.register(app, services)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1/api/v1") as client:
        response = await client.get("/datasets")
    assert response.status_code == 500
    assert set(response.json()) == {"error", "hint"}
    assert "secret" not in response.text
