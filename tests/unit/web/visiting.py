"""The sign-in in front of an app that says little, and a browser that visits it."""

from __future__ import annotations

from pathlib import Path

import httpx
from starlette.responses import HTMLResponse, JSONResponse
from starlette.types import Receive, Scope, Send

from qlora_ui.settings import AppSettings
from qlora_ui.web.sign_in import SignIn

CODE = "K7QF-2MXP-9DRA"
PAGE = {"accept": "text/html"}
COOKIE = "qlora_ui_session_8080"


async def inner(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
    elif scope["path"].startswith("/api"):
        await JSONResponse([])(scope, receive, send)
    else:
        await HTMLResponse("the app")(scope, receive, send)


def middleware(*, lan: bool = True, secret: str = "secret", port: int = 8080) -> SignIn:
    settings = AppSettings(home=Path("/nowhere"), lan=lan, port=port)
    return SignIn(inner, settings, secret, CODE if lan else None)


def browser(app: SignIn) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://192.168.1.5:8080", headers=PAGE)
