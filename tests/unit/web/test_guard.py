from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from qlora_ui.settings import AppSettings
from qlora_ui.web.guard import MAX_BODY_BYTES, AllowedHosts, Guard

HERE = "http://127.0.0.1:8080"


async def inner(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the whole body and says how long it was."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    body = await Request(scope, receive).body() if scope["method"] != "GET" else b""
    await PlainTextResponse(str(len(body)))(scope, receive, send)


def settings(**values: Any) -> AppSettings:
    return AppSettings(home=Path("/nowhere"), **values)


async def ask(method: str = "GET", path: str = "/", **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(Guard(inner, settings()))
    async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
        return await client.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})


async def connect(**headers: str) -> list[str]:
    """The types of the messages with which a websocket is answered."""
    said: list[str] = []

    async def send(message: Any) -> None:
        said.append(message["type"])

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "websocket", "path": "/_nicegui_ws/socket.io/", "headers": pairs}
    await Guard(inner, settings())(scope, receive, send)
    return said


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "LocalHost", "[::1]:8080", "127.0.0.1"])
async def test_this_machine_gets_in(host: str) -> None:
    assert (await ask(host=host)).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8080", "192.168.1.5:8080", "", "[::1"]
)
async def test_a_foreign_host_name_is_refused(host: str) -> None:
    response = await ask(host=host)
    assert response.status_code == 403
    assert "not reachable under that name" in response.json()["error"]


async def test_two_host_headers_are_refused() -> None:
    transport = httpx.ASGITransport(Guard(inner, settings()))
    async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
        response = await client.get("/", headers=[("host", "localhost"), ("host", "evil.example")])
    assert response.status_code == 403


def test_beyond_loopback_addresses_and_this_machines_name_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "GPU-Box.example.com")
    hosts = AllowedHosts(settings(lan=True, allowed_hosts=("tune.example.com",)))
    for allowed in ("192.168.1.5:8080", "[fe80::1]:80", "gpu-box", "gpu-box.local:8080", "gpu-box.example.com"):
        assert allowed in hosts
    assert "tune.example.com:443" in hosts
    assert "rebind.evil.example:8080" not in hosts


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_a_change_from_another_origin_is_refused(method: str) -> None:
    for origin in ("http://evil.example", "http://127.0.0.1:3000", "null", "http://localhost:8080"):
        response = await ask(method, origin=origin)
        assert response.status_code == 403, origin
        assert "another web site" in response.json()["error"]
    assert (await ask(method, origin=HERE)).status_code == 200
    assert (await ask(method)).status_code == 200, "a program that is no browser sends no origin"


async def test_reading_with_a_foreign_origin_is_left_to_the_browser_but_not_for_sockets() -> None:
    foreign = {"origin": "http://evil.example"}
    assert (await ask("GET", "/", **foreign)).status_code == 200
    assert (await ask("GET", "/_nicegui_ws/socket.io/", **foreign)).status_code == 403
    assert (await ask(path="/_nicegui_ws/socket.io/", origin=HERE)).status_code == 200


async def test_websockets_need_our_host_and_origin() -> None:
    assert await connect(host="localhost:8080", origin="http://localhost:8080") == ["websocket.accept"]
    assert await connect(host="localhost:8080", origin="http://evil.example") == ["websocket.close"]
    assert await connect(host="evil.example", origin="http://evil.example") == ["websocket.close"]
    assert await connect(host="localhost:8080", sec_fetch_site="cross-site") == ["websocket.close"]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_other_sites_may_link_to_the_app_but_not_load_from_it(site: str) -> None:
    link = {"sec_fetch_site": site, "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert (await ask("GET", "/", **link)).status_code == 200
    assert (await ask("POST", "/", **link)).status_code == 403
    assert (await ask("GET", "/", **link | {"sec_fetch_dest": "iframe"})).status_code == 403
    assert (await ask(sec_fetch_site=site, sec_fetch_mode="no-cors", sec_fetch_dest="script")).status_code == 403
    assert (await ask(sec_fetch_site="same-origin", sec_fetch_mode="cors")).status_code == 200


async def test_every_answer_carries_the_security_headers() -> None:
    for response in (await ask(), await ask(host="evil.example")):
        assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
        assert "default-src 'self'" in response.headers["content-security-policy"]
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "same-origin"


async def send_body(size: int, path: str = "/form", method: str = "POST", *, chunked: bool) -> httpx.Response:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, size, 100_000):
            yield b"x" * min(100_000, size - start)

    transport = httpx.ASGITransport(Guard(inner, settings()))
    async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
        return await client.request(method, path, content=chunks() if chunked else b"x" * size)


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_has_a_limit_except_a_data_file(chunked: bool) -> None:
    assert (await send_body(MAX_BODY_BYTES, chunked=chunked)).text == str(MAX_BODY_BYTES)
    too_large = await send_body(MAX_BODY_BYTES + 1, chunked=chunked)
    assert too_large.status_code == 413
    assert "2 MB" in too_large.json()["error"]
    upload = await send_body(MAX_BODY_BYTES + 1, "/api/v1/datasets", "PUT", chunked=chunked)
    assert upload.text == str(MAX_BODY_BYTES + 1)
    assert (await send_body(MAX_BODY_BYTES + 1, "/api/v1/datasets", chunked=chunked)).status_code == 413


async def test_a_request_that_nobody_answers_is_answered() -> None:
    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        pass

    async with httpx.AsyncClient(transport=httpx.ASGITransport(Guard(silent, settings())), base_url=HERE) as client:
        assert (await client.get("/")).status_code == 204
