"""What can be said of the server without starting one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nicegui import app as nicegui_app
from nicegui import ui

from qlora_ui import app, pages
from qlora_ui.settings import AppSettings
from qlora_ui.web import api

CODE = "K7QF-2MXP-9DRA"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What `ui.run` was asked to do; nothing is registered or run."""
    asked: dict[str, Any] = {}
    monkeypatch.setattr(ui, "run", lambda **options: asked.update(options))
    for name in ("on_startup", "on_shutdown", "add_middleware"):
        monkeypatch.setattr(nicegui_app, name, lambda *_, **__: None)
    monkeypatch.setattr(pages, "register", lambda _services: None)
    monkeypatch.setattr(api, "register", lambda _app, _services: None)
    yield asked
    nicegui_app.native.window_args.clear()


def test_a_desktop_window_signs_in_by_itself(tmp_path: Path, served: dict[str, Any]) -> None:
    app._serve(AppSettings(home=tmp_path, lan=True, native=True), "secret", CODE)
    assert served["native"]
    assert nicegui_app.native.window_args["url"] == f"http://127.0.0.1:8080/sign-in?code={CODE}"


def test_a_desktop_window_on_loopback_opens_the_app(tmp_path: Path, served: dict[str, Any]) -> None:
    app._serve(AppSettings(home=tmp_path, native=True), "secret", None)
    assert nicegui_app.native.window_args["url"] == "http://127.0.0.1:8080"
