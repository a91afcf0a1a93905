"""Data on its way from the browser: through broken connections, restarts and reloads, as a folder, and given up."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from playwright.sync_api import Page, expect

from qlora_ui.contract.records import Dataset
from tests.e2e.conftest import OpenPage
from tests.fakes.server import RunningServer

MEGABYTE = 1024**2
SIZE = 30 * MEGABYTE


class Wire:
    """A TCP connection to a server that can be cut: it counts what went up, and breaks off where it is told to."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._left: int | None = None
        self._open: set[socket.socket] = set()
        self.cuts = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        self._cut()

    def cut_after(self, sent: int) -> None:
        """Break every connection once so many further bytes have gone up."""
        self._left = sent

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # it is closed
            while True:
                client, _address = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._open |= {client, server}
                threading.Thread(target=self._carry, args=(client, server), daemon=True).start()

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        with client, server, contextlib.suppress(OSError):
            while True:
                for source in select.select([client, server], [], [])[0]:
                    block = source.recv(65536)
                    if not block:
                        return
                    if source is client and self._left is not None:
                        self._left -= len(block)
                        if self._left < 0:
                            self._left = None
                            self.cuts += 1
                            self._cut()
                            return
                    (server if source is client else client).sendall(block)

    def _cut(self) -> None:
        for end in list(self._open):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._open.clear()


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """30 MB that compress to nothing less."""
    path = tmp_path / "rows.txt"
    path.write_bytes(os.urandom(SIZE))
    return path


@pytest.fixture
def app(tmp_path: Path) -> Iterator[RunningServer]:
    with RunningServer(tmp_path / "home") as server:
        yield server


def to_data(page: Page) -> None:
    page.get_by_role("button", name="Data", exact=False).filter(has_text="Data").first.click()
    expect(page.get_by_text("Drop a data file here")).to_be_visible()


def listed(page: Page, url: str) -> list[Dataset]:
    return [Dataset.model_validate(dataset) for dataset in page.request.get(f"{url}/api/v1/datasets").json()]


def drafts(app: RunningServer) -> list[Path]:
    return list((app.home / "datasets").glob(".upload-*"))


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_a_broken_connection_is_waited_for_and_the_file_arrives_whole(
    app: RunningServer, open_page: OpenPage, rows: Path
) -> None:
    with Wire(app.port) as wire:
        page = open_page(f"{wire.url}/train").page
        to_data(page)
        wire.cut_after(13 * MEGABYTE)
        page.get_by_label("Drop a data file here").set_input_files(rows)
        expect(page.get_by_text("Paused: the connection is lost").first).to_be_visible()
        expect(page.get_by_role("heading", name="rows.txt")).to_be_visible(timeout=20_000)
        [dataset] = listed(page, app.url)
    assert wire.cuts == 1
    assert digest(Path(dataset.path)) == digest(rows)
    assert drafts(app) == []


def test_a_file_goes_on_where_it_was_when_the_server_was_killed(
    app: RunningServer, open_page: OpenPage, rows: Path
) -> None:
    page = open_page(f"{app.url}/train").page
    to_data(page)
    ends: list[int] = []
    page.on("request", lambda request: ends.append(_first_byte(request.headers)) if request.method == "PUT" else None)
    page.route("**/api/v1/datasets/uploads/**", lambda route: route.continue_() if len(ends) < 3 else None)
    page.get_by_label("Drop a data file here").set_input_files(rows)
    expect(page.get_by_text("16.8 MB of").or_(page.get_by_text("17 MB of"))).to_be_visible()
    app.stop(signal.SIGKILL)
    page.unroute_all()
    with RunningServer(app.home) as again:
        page.goto(f"{again.url}/train")  # another address, so the browser remembers nothing
        page.wait_for_function("window.did_handshake === true")
        state = [json.loads(note.read_text()) for note in drafts(app)[0].glob(".upload/[0-9a-f]*.json")]
        assert [file["offset"] for file in state] == [16 * MEGABYTE]


def _first_byte(headers: dict[str, str]) -> int:
    return int(headers["content-range"].removeprefix("bytes ").partition("-")[0])
