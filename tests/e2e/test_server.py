"""The real server in a process of its own: what it loads, who gets in, and what a broken connection leaves behind."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.fakes.server import RunningServer

ROUTES = ("/", "/train", "/playground", "/evaluate", "/evaluate/dashboard", "/publish", "/activity", "/settings")
SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=polling"
PAGE = {"accept": "text/html"}
MEGABYTE = 1024**2


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("home")) as server:
        yield server


@pytest.fixture
def client(server: RunningServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers=PAGE, timeout=30) as client:
        yield client


# ---- what it loads, how it starts and ends ----

LISTING_MODULES = """
import atexit, json, pathlib, sys
atexit.register(lambda: pathlib.Path(sys.argv.pop()).write_text(json.dumps(sorted(sys.modules))))
listed = sys.argv.pop(1)
from qlora_ui.__main__ import main
atexit.register(sys.argv.append, listed)
main()
"""


def test_the_web_process_never_imports_the_machine_learning_libraries(tmp_path: Path) -> None:
    listed = tmp_path / "modules.json"
    command = (sys.executable, "-c", LISTING_MODULES, str(listed))
    with RunningServer(tmp_path / "home", command=command) as server:
        with httpx.Client(base_url=server.url, headers=PAGE, timeout=30) as client:
            assert [client.get(route).status_code for route in ROUTES] == [200] * len(ROUTES)
            assert client.get("/api/v1/jobs").status_code == 200
        assert server.stop() == 0
    modules = set(json.loads(listed.read_text()))
    assert {"nicegui", "tinydb", "qlora_ui.pages.shell.frame"} <= modules, "the list is that of the web process"
    heavy = {"torch", "transformers", "datasets", "peft", "bitsandbytes", "tokenizers", "pyarrow", "numpy", "pandas"}
    assert modules & heavy == set()
    assert not any(name.startswith("qlora_ui.worker") for name in modules)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_quietly(tmp_path: Path, how: signal.Signals) -> None:
    with RunningServer(tmp_path) as server:
        assert server.stop(how) in {0, -how}
    said = server.output.splitlines()
    assert said[0] == f"qlora-ui is running at {server.url}"
    assert len(said) == 3 and str(tmp_path) in said[1] and "Ctrl+C" in said[2], "and nothing more at its end"


def test_a_port_in_use_is_told_before_anything_is_started(server: RunningServer, tmp_path: Path) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "qlora_ui", "--no-browser", f"--port={server.port}", f"--home={tmp_path}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert second.returncode == 2
    assert f"Port {server.port} is in use" in second.stderr
    assert "Traceback" not in second.stderr
    assert second.stdout == ""


def test_a_damaged_database_is_told_and_the_app_starts(tmp_path: Path) -> None:
    (tmp_path / "db.json").write_text('{"schema_version": 1, "tab')
    with RunningServer(tmp_path) as server:
        assert httpx.get(server.url, headers=PAGE).status_code == 200
    assert len(list(tmp_path.glob("db.corrupt-*.json"))) == 1


# ---- who gets in ----


def test_pages_carry_the_session_and_the_security_headers(client: httpx.Client, server: RunningServer) -> None:
    response = client.get("/")
    assert response.headers["set-cookie"].startswith(f"qlora_ui_session_{server.port}=")
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
    assert "server" not in response.headers


def test_the_socket_is_open_to_our_own_page_only(client: httpx.Client, server: RunningServer) -> None:
    assert client.get(SOCKET).status_code == 401
    client.get("/")
    assert client.get(SOCKET).status_code == 200
    assert client.get(SOCKET, headers={"origin": server.url}).status_code == 200
    assert client.get(SOCKET, headers={"origin": "http://evil.example"}).status_code == 403
    assert client.get(SOCKET, headers={"host": f"evil.example:{server.port}"}).status_code == 403


def test_websockets_are_guarded_alike(client: httpx.Client, server: RunningServer) -> None:
    client.get("/")
    cookie = f"Cookie: qlora_ui_session_{server.port}={client.cookies[f'qlora_ui_session_{server.port}']}"
    here = f"Host: 127.0.0.1:{server.port}"
    assert upgrade(server, here, f"Origin: {server.url}", cookie) == 101
    assert upgrade(server, here, f"Origin: {server.url}") == 403
    assert upgrade(server, here, "Origin: http://evil.example", cookie) == 403
    assert upgrade(server, "Host: evil.example", "Origin: http://evil.example", cookie) == 403


def upgrade(server: RunningServer, *headers: str) -> int:
    """Ask for a websocket; gives the status of the answer."""
    lines = (
        "GET /_nicegui_ws/socket.io/?EIO=4&transport=websocket HTTP/1.1",
        *headers,
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall("\r\n".join((*lines, "", "")).encode())
        return int(connection.recv(4096).split()[1])


def test_a_foreign_page_cannot_change_anything(client: httpx.Client) -> None:
    body = {"kind": "training", "parameters": {"model_name": "starter", "dataset_path": "starter"}}
    response = client.post("/api/v1/jobs", json=body, headers={"origin": "http://evil.example"})
    assert response.status_code == 403
    assert client.get("/api/v1/jobs").json() == []


def test_beyond_this_machine_the_link_or_the_code_is_needed(tmp_path: Path) -> None:
    with RunningServer(tmp_path, "--lan") as server:
        link = server.wait_for(r"sign in on this machine: +(\S+)").group(1)
        code = link.partition("code=")[2]
        with httpx.Client(base_url=server.url, headers=PAGE) as stranger:
            response = stranger.get("/")
            assert (response.status_code, response.headers["location"]) == (303, "/sign-in")
            assert stranger.get("/api/v1/jobs", headers={"accept": "*/*"}).status_code == 401
            assert stranger.get(SOCKET).status_code == 401
            assert stranger.get("/healthz").status_code == 200
            assert stranger.post("/sign-in", data={"code": "nonsense"}).status_code == 403
            assert stranger.post("/sign-in", data={"code": code}).status_code == 200
            assert stranger.get("/").status_code == 200
        with httpx.Client(base_url=server.url, headers=PAGE) as other:
            assert other.get(link).status_code == 200
            assert other.get("/api/v1/jobs").json() == []
            assert other.get(SOCKET).status_code == 200


# ---- uploads ----


def test_an_upload_does_not_grow_the_server(client: httpx.Client, server: RunningServer) -> None:
    web = psutil.Process(server.process.pid)
    client.put("/api/v1/datasets", params={"name": "first.txt"}, content=b"x" * MEGABYTE)
    before, block = web.memory_info().rss, os.urandom(MEGABYTE)
    response = client.put("/api/v1/datasets", params={"name": "large.txt"}, content=(block for _ in range(200)))
    assert response.status_code == 201
    assert Path(response.json()["path"]).stat().st_size == 200 * MEGABYTE
    assert web.memory_info().rss - before < 60 * MEGABYTE
    assert client.delete(f"/api/v1/datasets/{response.json()['id']}").status_code == 204


def test_a_broken_upload_leaves_nothing(client: httpx.Client, server: RunningServer) -> None:
    datasets = server.home / "datasets"
    before = set(datasets.iterdir())
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        head = (
            "PUT /api/v1/datasets?name=broken.txt HTTP/1.1",
            f"Host: 127.0.0.1:{server.port}",
            f"Content-Length: {50 * MEGABYTE}",
        )
        connection.sendall("\r\n".join((*head, "", "")).encode() + b"x" * (10 * MEGABYTE))
    listed = client.get("/api/v1/datasets").json()
    assert not any(dataset["name"] == "broken.txt" for dataset in listed)
    while set(datasets.iterdir()) - before:  # it is removed as soon as the server sees the end of the connection
        client.get("/healthz")
    assert "Traceback" not in server.output
    assert not re.search(r"\bERROR\b", server.output)


def test_headers_without_end_are_not_taken_in(server: RunningServer) -> None:
    """They come before any sign-in, so they must not fill the memory."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nX: ".encode())
        with contextlib.suppress(ConnectionError):  # it hangs up while we speak
            for _ in range(32):
                connection.sendall(b"x" * MEGABYTE)
            pytest.fail("32 MB of one header were taken in")


def test_a_further_name_needs_the_code_even_on_loopback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a reverse proxy everybody comes from this machine."""
    monkeypatch.setenv("QLORA_UI_ALLOWED_HOSTS", "tune.example.com")
    with RunningServer(tmp_path) as server:
        link = server.wait_for(r"sign in on this machine: +(\S+)").group(1)
        server.wait_for(r"or type the code.*\n")
        through_proxy = {**PAGE, "host": "tune.example.com"}
        with httpx.Client(base_url=server.url, headers=through_proxy, timeout=30) as client:
            assert client.get("/").status_code == 303
            assert client.get("/api/v1/jobs").status_code == 303
            assert client.get(SOCKET).status_code == 401
        with httpx.Client(headers=PAGE, timeout=30) as client:
            assert client.get(link).status_code == 200
            assert client.get(server.url).status_code == 200
    assert "from another one" not in server.output, "the server itself listens to this machine only"
