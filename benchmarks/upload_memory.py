"""How much memory the web process takes while a large file is uploaded, in one request and in parts.

    python benchmarks/upload_memory.py [--megabytes 2000]

Starts `qlora-ui --no-browser` with an empty home folder in the temporary folder, whose disk needs room for such a file,
and sends it random bytes. The figure is the largest resident memory seen every 20 ms, less that before the upload.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import secrets
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import psutil

sys.path.insert(0, str(Path(__file__).parent.parent))
from qlora_ui.contract.uploads import PART_BYTES
from tests.fakes.server import RunningServer

TIMEOUT_S = 120.0
BLOCK = os.urandom(1024**2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=2000)
    megabytes = parser.parse_args().megabytes
    with tempfile.TemporaryDirectory() as folder, RunningServer(Path(folder)) as server:
        for name, send in (("in one request", send_whole), ("in parts of 8 MB", send_parts)):
            with Memory(server.process.pid) as memory:
                begin = time.perf_counter()
                send(http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S), megabytes)
                seconds = time.perf_counter() - begin
            [file] = (server.home / "datasets").glob("*/rows.txt")
            assert file.stat().st_size == megabytes * len(BLOCK)
            print(f"{megabytes} MB {name}: {memory.added_mb:.0f} MB more memory, {megabytes / seconds:.0f} MB/s")
            shutil.rmtree(file.parent)


def send_whole(connection: http.client.HTTPConnection, megabytes: int) -> None:
    """The file is the body of one request."""
    body = (BLOCK for _ in range(megabytes))
    length = {"Content-Length": str(megabytes * len(BLOCK))}
    connection.request("PUT", "/api/v1/datasets?name=rows.txt", body, length)
    answer(connection, 201)


def send_parts(connection: http.client.HTTPConnection, megabytes: int) -> None:
    """As a browser does."""
    address, total = f"/api/v1/datasets/uploads/{secrets.token_urlsafe(24)}", megabytes * len(BLOCK)
    for start, end in parts(total):
        body = BLOCK * ((end - start) // len(BLOCK))
        connection.request(
            "PUT", f"{address}?path=rows.txt", body, {"Content-Range": f"bytes {start}-{end - 1}/{total}"}
        )
        assert answer(connection, 200)["offset"] == end
    connection.request("POST", address, '{"files": 1}', {"Content-Type": "application/json"})
    answer(connection, 201)


def parts(total: int) -> Iterator[tuple[int, int]]:
    for start in range(0, total, PART_BYTES):
        yield start, min(start + PART_BYTES, total)


def answer(connection: http.client.HTTPConnection, status: int) -> dict[str, int]:
    response = connection.getresponse()
    content: dict[str, int] = json.load(response)
    if response.status != status:
        raise SystemExit(f"the server answered {response.status}: {content}")
    return content


class Memory:
    """Follows the resident memory of a process while it is entered."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._before = self._most = self._process.memory_info().rss
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._watcher.join()

    @property
    def added_mb(self) -> float:
        return (self._most - self._before) / 1e6

    def _watch(self) -> None:
        while not self._ended.wait(0.02):
            self._most = max(self._most, self._process.memory_info().rss)


if __name__ == "__main__":
    main()
