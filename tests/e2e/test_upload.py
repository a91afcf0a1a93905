"""Data on its way from the browser: through broken connections, restarts and reloads, as a folder, and given up."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import select
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from playwright.sync_api import Page, Request, Route, expect

from qlora_ui.contract.records import Dataset
from qlora_ui.contract.uploads import PART_BYTES
from tests.e2e.conftest import OpenPage
from tests.e2e.looking import violations
from tests.fakes.server import RunningServer

MEGABYTE = 1024**2
SIZE = 30 * MEGABYTE


class Wire:
    """A TCP connection to a server that can be cut: nothing comes through any more until it is mended."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._left: int | None = None
        self._open: set[socket.socket] = set()
        self._is_cut = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        self._cut()

    def cut_after(self, sent: int) -> None:
        """Break every connection once so many further bytes have gone up."""
        self._left = sent

    def mend(self) -> None:
        assert self._is_cut.is_set()
        self._is_cut.clear()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # it is closed
            while True:
                client, _address = self._listening.accept()
                if self._is_cut.is_set():
                    client.close()
                    continue
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
                            self._cut()
                            return
                    (server if source is client else client).sendall(block)

    def _cut(self) -> None:
        self._is_cut.set()
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
    page.get_by_role("button", name=re.compile("Data$")).click()
    expect(page.get_by_text("Drop a data file here")).to_be_visible()


def send(page: Page, *paths: Path) -> None:
    page.get_by_label("Drop a data file here").set_input_files(paths)


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
        expect(page.get_by_text("Paused: the connection is lost").first).to_be_visible(timeout=20_000)
        wire.mend()
        expect(page.get_by_role("heading", name="rows.txt")).to_be_visible(timeout=20_000)
        [dataset] = listed(page, app.url)
    assert digest(Path(dataset.path)) == digest(rows)
    assert drafts(app) == []


def test_after_a_restart_of_the_server_a_file_goes_on_where_it_was(
    app: RunningServer, open_page: OpenPage, rows: Path
) -> None:
    page = open_page(f"{app.url}/train").page
    to_data(page)
    begun: list[int] = []
    page.route("**/uploads/**", lambda route: _let_two_parts_through(route, begun))
    with page.expect_request(lambda request: request.method == "PUT" and _first_byte(request) == 2 * PART_BYTES):
        send(page, rows)
    page.goto("about:blank")
    page.unroute_all(behavior="ignoreErrors")
    app.stop(signal.SIGKILL)
    again = RunningServer(app.home)
    again.port, again.url = app.port, app.url
    with again:
        page.goto(f"{again.url}/train")
        page.wait_for_function("window.did_handshake === true")
        to_data(page)
        expect(page.get_by_text("The upload of rows.txt broke off at 17 MB of 31 MB.")).to_be_visible()
        with page.expect_request(lambda request: request.method == "PUT") as first:
            send(page, rows)
        assert _first_byte(first.value) == 2 * PART_BYTES
        expect(page.get_by_role("heading", name="rows.txt")).to_be_visible(timeout=20_000)
        [dataset] = listed(page, again.url)
    assert digest(Path(dataset.path)) == digest(rows)
    assert drafts(app) == []


def test_a_folder_arrives_with_its_folders_and_what_is_left_out_is_said(
    fresh_app: RunningServer, open_page: OpenPage, tmp_path: Path
) -> None:
    folder = tmp_path / "my rows"
    for name in ("a.jsonl", "deep/b.csv", "deep/er/c.txt.gz", "picture.png", ".hidden/d.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "empty.txt").touch()
    page = open_page(f"{fresh_app.url}/train").page
    to_data(page)
    page.locator("input[webkitdirectory]").set_input_files(folder)
    expect(page.get_by_text("3 files were left out")).to_be_visible()
    expect(page.get_by_role("heading", name="my rows")).to_be_visible()
    [dataset] = [dataset for dataset in listed(page, fresh_app.url) if dataset.name == "my rows"]
    arrived = {str(path.relative_to(dataset.path)) for path in Path(dataset.path).rglob("*") if path.is_file()}
    assert arrived == {"a.jsonl", "deep/b.csv", "deep/er/c.txt.gz"}
    assert dataset.files == 3


def test_files_that_are_dropped_together_become_one_dataset(fresh_app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(f"{fresh_app.url}/train").page
    to_data(page)
    dropped = page.evaluate_handle(
        """() => {
            const transfer = new DataTransfer();
            for (const name of ["first.txt", "second.txt"]) transfer.items.add(new File(["row\\n"], name));
            return transfer;
        }"""
    )
    page.locator(".qu-drop-zone").dispatch_event("drop", {"dataTransfer": dropped})
    expect(page.get_by_role("heading", name="first and 1 more")).to_be_visible()
    [dataset] = [dataset for dataset in listed(page, fresh_app.url) if dataset.name == "first and 1 more"]
    assert (dataset.files, dataset.bytes) == (2, 8)


def test_a_cancelled_upload_leaves_nothing(fresh_app: RunningServer, open_page: OpenPage, rows: Path) -> None:
    page = open_page(f"{fresh_app.url}/train").page
    to_data(page)
    before = set(drafts(fresh_app))  # what was broken off elsewhere may be taken up again
    begun: list[int] = []
    page.route("**/uploads/**", lambda route: _let_two_parts_through(route, begun))
    with page.expect_request(lambda request: request.method == "PUT" and _first_byte(request) == 2 * PART_BYTES):
        send(page, rows)
    assert len(set(drafts(fresh_app)) - before) == 1
    with page.expect_response(lambda response: response.request.method == "DELETE") as answer:
        page.get_by_role("button", name="Cancel the upload").click()
    expect(page.get_by_text("The upload was cancelled; nothing of it was kept.")).to_be_visible()
    assert answer.value.status == 204
    assert set(drafts(fresh_app)) == before


def test_text_is_pasted_with_the_keyboard(fresh_app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(f"{fresh_app.url}/train").page
    to_data(page)
    page.get_by_role("button", name="Paste text").press("Enter")
    text = page.get_by_label("Rows as JSONL, JSON, CSV or TSV, or plain text")
    expect(text).to_be_focused()
    page.get_by_role("button", name="Use this text").click()
    expect(page.get_by_role("alert").filter(has_text="There is no text yet")).to_be_visible()
    text.fill("question,answer\nWhy?,Because\n")
    assert violations(page) == []
    page.get_by_role("button", name="Use this text").press("Enter")
    expect(page.get_by_role("heading", name="Pasted text.csv")).to_be_visible()


def _let_two_parts_through(route: Route, begun: list[int]) -> None:
    """The third part never arrives."""
    if route.request.method == "PUT":
        begun.append(_first_byte(route.request))
    if route.request.method != "PUT" or len(begun) < 3:
        route.continue_()


def _first_byte(request: Request) -> int:
    return int(request.headers["content-range"].removeprefix("bytes ").partition("-")[0])
