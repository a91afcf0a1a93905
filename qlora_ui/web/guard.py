"""The door of the web server: which requests get in at all, and what every answer says to the browser.

It refuses what a foreign web page could send through a person's browser: requests under a foreign host name (DNS
rebinding), changes and sockets from a foreign origin, and resources that are loaded into foreign pages. It caps the
size of a request's body.

It does not cover other programs on this machine, which can say what they like in their headers, and it does not
encrypt: who can read the network's traffic can read the app's.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qlora_ui.settings import AppSettings, is_loopback

MAX_BODY_BYTES = 2 * 1024**2
"""Enough for every form and socket message; data has its own limits, which are kept while it is received."""

UPLOAD_PATH = "/api/v1/datasets"

_SOCKET_PATH = "/_nicegui_ws/"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

# 'unsafe-eval' and 'unsafe-inline': Vue compiles its templates in the browser, and pages are built from inline scripts.
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

SECURITY_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class Guard:
    """ASGI middleware for http and websockets; the outermost one of ours."""

    def __init__(self, app: ASGIApp, settings: AppSettings) -> None:
        self._app = app
        self._hosts = AllowedHosts(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        reason = self._refusal(scope)
        if scope["type"] == "websocket":
            if reason:
                await send({"type": "websocket.close", "code": 1008, "reason": "refused"})
            else:
                await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        if reason:
            await _refuse(403, reason)(scope, receive, answer.send)
        elif scope["method"] == "PUT" and f"{scope['path']}/".startswith(f"{UPLOAD_PATH}/"):
            await self._app(scope, receive, answer.send)
        else:
            await _capped(self._app, scope, receive, answer)
        if not answer.begun:
            # A poll whose browser went away ends without an answer, which the layers around us would log as an error.
            await Response(status_code=204)(scope, receive, answer.send)

    def _refusal(self, scope: Scope) -> str:
        """Why this request does not get in; empty when it does."""
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return "This app is not reachable under that name. Open it by the address that it printed at its start."
        origin = headers.get("origin")
        acts = scope["type"] == "websocket" or scope["method"] not in _SAFE_METHODS
        if origin is not None and (acts or scope["path"].startswith(_SOCKET_PATH)) and not _same(origin, hosts[0]):
            return "This request came from another web site."
        site = headers.get("sec-fetch-site", "none")
        if site not in {"same-origin", "none"} and not _is_navigation(scope, headers):
            return "This request came from another web site."
        return ""


class AllowedHosts:
    """The names under which a browser may reach the app.

    On loopback: localhost and the loopback addresses. Beyond it also this machine's name and every address in digits,
    which is safe because rebinding needs a name. The chosen host and `allowed_hosts` of the settings are added to both.
    """

    def __init__(self, settings: AppSettings) -> None:
        self._any_address = settings.needs_sign_in
        self._names = {"localhost", settings.host.lower(), *(name.lower() for name in settings.allowed_hosts)}
        if settings.needs_sign_in:
            self._names |= set(_names_of_this_machine())

    def __contains__(self, host: object) -> bool:
        """`host` is the Host header: a name or an address, with or without a port."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self._names or is_loopback(name):
            return True
        return self._any_address and _is_address(name)


def _names_of_this_machine() -> Iterable[str]:
    name = socket.gethostname().lower()
    short = name.partition(".")[0]
    return name, short, f"{short}.local"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _same(origin: str, host: str) -> bool:
    try:
        return urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False


def _is_navigation(scope: Scope, headers: Headers) -> bool:
    """A person followed a link to a page of ours, in a tab of its own."""
    return (
        scope["type"] == "http"
        and scope["method"] in {"GET", "HEAD"}
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
    )


def _refuse(status: int, reason: str) -> JSONResponse:
    return JSONResponse({"error": reason, "hint": ""}, status)


class _Answer:
    """Adds the security headers to an answer, and remembers whether there is one."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


async def _capped(app: ASGIApp, scope: Scope, receive: Receive, answer: _Answer) -> None:
    """Pass the request on, up to the size that a body may have; what is larger is answered with 413."""
    refusal = _refuse(413, f"This request is larger than the {MAX_BODY_BYTES // 1024**2} MB that are taken.")
    announced = Headers(scope=scope).get("content-length", "0")
    if not announced.isdecimal() or int(announced) > MAX_BODY_BYTES:
        await refusal(scope, receive, answer.send)
        return
    size = 0

    async def receive_capped() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        return {"type": "http.disconnect"} if size > MAX_BODY_BYTES else message

    async def send_unless_too_large(message: Message) -> None:
        if size <= MAX_BODY_BYTES or answer.begun:
            await answer.send(message)

    try:
        await app(scope, receive_capped, send_unless_too_large)
    except Exception:  # a body over the limit is answered below; anything else goes on
        if size <= MAX_BODY_BYTES:
            raise
    if size > MAX_BODY_BYTES and not answer.begun:
        await refusal(scope, receive, answer.send)
