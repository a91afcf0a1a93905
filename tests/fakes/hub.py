"""A hub on loopback that serves dataset repositories the way `huggingface_hub` and `datasets` ask for them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass
class Repository:
    """A dataset repository with one commit."""

    files: dict[str, bytes]
    gated: bool = False
    """Its list of files is open, the files are not, unless the token is `token`."""
    private: bool = False
    """It is as if it were not there, unless the token is `token`."""
    token: str = "hf_opens"

    @property
    def commit(self) -> str:
        digest = hashlib.sha1(usedforsecurity=False)
        for path in sorted(self.files):
            digest.update(path.encode() + self.files[path])
        return digest.hexdigest()


@dataclass
class FakeHub:
    """What the hub has, and what it was asked."""

    endpoint: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    """`GET /api/datasets/owner/name`, in order."""
    hold: Event | None = None
    """When set to an event, data files are sent half, and the rest once the event is set."""
    broken: str = ""
    """Every answer to a path with this in it has the status `broken_status`."""
    broken_status: int = 503
    """Of 5xx, the hub's client tries again, for half a minute."""


@contextmanager
def fake_hub(**repositories: Repository) -> Iterator[FakeHub]:
    """Serve on a free port; a repository `owner__name` is called owner/name."""
    hub = FakeHub(repositories={name.replace("__", "/"): repository for name, repository in repositories.items()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    server.daemon_threads = True
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        pass

    Handler.hub = hub
    return Handler


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: a test reads `requests`."""

    def _answer(self) -> None:
        url = urlsplit(self.path)
        self.hub.requests.append(f"{self.command} {unquote(url.path)}")
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.hub.broken and self.hub.broken in url.path:
            return self._error(self.hub.broken_status, "", "down")
        parts = [unquote(part) for part in url.path.split("/") if part]
        is_api = parts[0] == "api"
        name, rest = "/".join(parts[1 + is_api : 3 + is_api]), parts[3 + is_api :]
        repository = self.hub.repositories.get(name)
        allowed = repository and self.headers.get("Authorization") == f"Bearer {repository.token}"
        if repository is None or (repository.private and not allowed):
            return self._error(401, "RepoNotFound", "Repository not found")
        revision = rest[1] if len(rest) > 1 else "main"
        if revision not in {"main", repository.commit}:
            return self._error(404, "RevisionNotFound", "Invalid rev id")
        if is_api:
            return self._api(name, repository, rest, bool(allowed))
        if repository.gated and not allowed:
            return self._error(403 if self.headers.get("Authorization") else 401, "GatedRepo", "Access is restricted")
        return self._file(repository, "/".join(rest[2:]))

    def _api(self, name: str, repository: Repository, rest: list[str], allowed: bool) -> None:
        what = rest[0] if rest else "revision"
        if what == "revision":
            return self._json(
                {
                    "id": name,
                    "sha": repository.commit,
                    "private": repository.private,
                    "gated": "auto" if repository.gated else False,
                    "siblings": [{"rfilename": path} for path in repository.files],
                }
            )
        if what == "auth-check":
            return (
                self._error(403, "GatedRepo", "Access is restricted")
                if repository.gated and not allowed
                else self._json({})
            )
        if what == "tree":
            return self._json(_tree(repository, "/".join(rest[2:])))
        if what == "paths-info":
            paths = parse_qs(self.body.decode()).get("paths", [])
            entries = {entry["path"]: entry for entry in _tree(repository, "")}
            return self._json([entries[path] for path in paths if path in entries])
        return self._error(404, "", "Not found")

    def _file(self, repository: Repository, path: str) -> None:
        content = repository.files.get(path)
        if content is None:
            self._error(404, "EntryNotFound", "Entry not found", repository.commit)
            return
        start, _, end = (self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").partition("-")
        sent = content[int(start) : int(end) + 1 if end else None]
        self.send_response(206 if self.headers.get("Range") else 200)
        self.send_header("X-Repo-Commit", repository.commit)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(sent)))
        if self.headers.get("Range"):
            self.send_header("Content-Range", f"bytes {start}-{int(start) + len(sent) - 1}/{len(content)}")
        self.end_headers()
        if self.command == "GET":
            self._body(sent)

    def _body(self, sent: bytes) -> None:
        half = len(sent) // 2 if self.hub.hold else len(sent)
        self.wfile.write(sent[:half])
        if self.hub.hold:
            self.wfile.flush()
            self.hub.hold.wait(30)
            self.wfile.write(sent[half:])

    def _json(self, content: object) -> None:
        self._send(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def _error(self, status: int, code: str, message: str, commit: str = "") -> None:
        headers = {"X-Error-Code": code, "X-Error-Message": message, "X-Repo-Commit": commit}
        self._send(status, json.dumps({"error": message}).encode(), {k: v for k, v in headers.items() if v})

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _tree(repository: Repository, under: str) -> list[dict[str, Any]]:
    """Every file and folder below a folder, as the hub lists them."""
    prefix = f"{under}/" if under else ""
    entries: dict[str, dict[str, Any]] = {}
    for path, content in repository.files.items():
        if not path.startswith(prefix):
            continue
        parents = path.split("/")[:-1]
        for depth in range(len(parents)):
            folder = "/".join(parents[: depth + 1])
            if folder != under:
                entries[folder] = {"type": "directory", "path": folder, "oid": _oid(folder.encode()), "size": 0}
        entries[path] = {"type": "file", "path": path, "oid": _oid(content), "size": len(content)}
    return list(entries.values())


def _oid(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()
