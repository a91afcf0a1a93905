"""Who may come in: a signed session cookie of our own, and, beyond this machine, a code that must be known to get one.

Both are settled before a page is built, for http and for websockets. On loopback every visitor of a page gets a session
unasked, and the socket that drives the page is open only to visitors who have one. With `--lan` a session is given
only in exchange for the code that the server printed at its start; it stays good over restarts, for 30 days.

Who signs in may give a name. It keeps the settings of several people apart and is no account: whoever knows the code
can give any name. The person of a request is put into its scope here, as `qlora_ui.person` and `qlora_ui.name`, where
nothing that a browser sends can reach.

It does not hide the code, the cookie or anything else from who can read the network's traffic: there is no encryption.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from urllib.parse import parse_qs, quote

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qlora_ui.settings import AppSettings
from qlora_ui.web import sign_in_page
from qlora_ui.web.sign_in_page import SIGN_IN_PATH, SIGN_OUT_PATH
from qlora_ui.web.sign_in_session import NOBODY_IN_PARTICULAR, Session, Sessions, clean_name

OPEN_PATHS = frozenset({"/healthz", "/favicon.ico"})

MAX_FORM_BYTES = 1024
"""A form with a code and the longest of names takes half of this; whoever sends more is not read to the end."""

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # without 0, 1, I and O, which people mix up
_SOCKET_PATH = "/_nicegui_ws/"


def new_code() -> str:
    """Three groups of four characters, such as `K7QF-2MXP-9DRA`: 60 bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(3))


class SignIn:
    """ASGI middleware, directly inside the guard. `code` is None on loopback, where nobody has to sign in."""

    def __init__(self, app: ASGIApp, settings: AppSettings, secret: str, code: str | None) -> None:
        if settings.needs_sign_in != (code is not None):
            raise ValueError("a code is needed exactly where others can reach the app")
        self._app = app
        self._sessions = Sessions(secret, settings.port)
        self._desk = SignInDesk(self._sessions, code) if code is not None else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"} or scope["path"] in OPEN_PATHS:
            await self._app(scope, receive, send)
        elif self._desk is None:
            await self._on_loopback(scope, receive, send)
        else:
            await self._beyond_loopback(self._desk, scope, receive, send)

    async def _on_loopback(self, scope: Scope, receive: Receive, send: Send) -> None:
        _introduce(scope, None)
        if self._sessions.find(HTTPConnection(scope), needs_sign_in=False):
            await self._app(scope, receive, send)
        elif scope["path"].startswith(_SOCKET_PATH):
            await _turn_away(scope, receive, send)
        else:
            await self._app(scope, receive, self._giving_a_session(scope, send))

    async def _beyond_loopback(self, desk: SignInDesk, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in {SIGN_IN_PATH, SIGN_OUT_PATH}:
            request = Request(scope, receive)
            response = await desk.answer(request) if scope["path"] == SIGN_IN_PATH else desk.sign_out(request)
            await response(scope, receive, send)
        elif session := self._sessions.find(HTTPConnection(scope), needs_sign_in=True):
            _introduce(scope, session)
            await self._app(scope, receive, send)
        else:
            await _turn_away(scope, receive, send)

    def _giving_a_session(self, scope: Scope, send: Send) -> Send:
        """Add a session cookie to an answer that is a page."""

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    self._sessions.set_cookie(scope, headers, self._sessions.issue(signed_in=False))
            await send(message)

        return send_with_cookie


class SignInDesk:
    """The page `/sign-in`: a form for the code, which may also come in the link."""

    def __init__(self, sessions: Sessions, code: str) -> None:
        self._sessions = sessions
        self._code = _plain(code)
        self._attempts = Attempts()

    async def answer(self, request: Request) -> Response:
        language = await sign_in_page.language_of(request)
        if request.method in {"GET", "HEAD"}:
            given = request.query_params.get("code")
            return sign_in_page.form(language) if given is None else self._check(request, language, given, "")
        if request.method == "POST":
            fields = await _fields(request)
            name = clean_name(fields.get("name", ""))
            return self._check(request, language, fields.get("code", ""), name)
        return JSONResponse({"error": "The sign-in takes GET and POST.", "hint": ""}, 405)

    def sign_out(self, request: Request) -> Response:
        """Takes POST only, which the guard lets no other site send."""
        if request.method != "POST":
            return JSONResponse({"error": "Signing out takes POST.", "hint": ""}, 405, headers={"allow": "POST"})
        response = RedirectResponse(SIGN_IN_PATH, status_code=303, headers={"cache-control": "no-store"})
        self._sessions.clear_cookie(request.scope, response.headers)
        return response

    def _check(self, request: Request, language: str, given: str, name: str) -> Response:
        address = request.client.host if request.client else ""
        wait_s = self._attempts.wait_s(address)
        if wait_s > 0:
            response = sign_in_page.too_many_tries(language, wait_s=int(wait_s), name=name)
            response.headers["retry-after"] = f"{wait_s:.0f}"
            return response
        if not hmac.compare_digest(_plain(given).encode(), self._code.encode()):
            self._attempts.failed(address)
            return sign_in_page.wrong_code(language, name=name)
        self._attempts.succeeded(address)
        response = sign_in_page.signed_in(language)
        self._sessions.set_cookie(request.scope, response.headers, self._sessions.issue(signed_in=True, name=name))
        return response


class Attempts:
    """Slows down guessing: each address waits longer after every wrong code, and all of them together have a limit."""

    FREE = 5
    """Wrong codes without a wait."""
    LONGEST_S = 300.0
    TOGETHER = 50
    """Wrong codes of all addresses within `WINDOW_S`; then everyone waits until the window has passed."""
    WINDOW_S = 60.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: dict[str, tuple[int, float]] = {}
        self._recent: list[float] = []

    def wait_s(self, address: str) -> float:
        """Whole seconds until the next try counts; 0 when it may be made now."""
        moment = self._clock()
        self._recent = [t for t in self._recent if moment - t < self.WINDOW_S]
        crowd = self._recent[0] + self.WINDOW_S - moment if len(self._recent) >= self.TOGETHER else 0.0
        count, last = self._failures.get(address, (0, moment))
        own = last + self._delay_s(count) - moment
        return float(-(-max(crowd, own, 0.0) // 1))

    def failed(self, address: str) -> None:
        moment = self._clock()
        self._recent.append(moment)
        self._failures[address] = (self._failures.get(address, (0, moment))[0] + 1, moment)
        kept = {a: f for a, f in self._failures.items() if moment - f[1] < 2 * self.LONGEST_S}
        self._failures = kept

    def succeeded(self, address: str) -> None:
        self._failures.pop(address, None)

    def _delay_s(self, count: int) -> float:
        return min(2.0 ** (count - self.FREE), self.LONGEST_S) if count >= self.FREE else 0.0


def _introduce(scope: Scope, session: Session | None) -> None:
    """Tell the pages who comes; nobody in particular without a session that was signed in."""
    scope["qlora_ui.person"] = session.person if session else NOBODY_IN_PARTICULAR
    scope["qlora_ui.name"] = session.name if session else ""
    scope["qlora_ui.signed_in"] = session is not None


async def _fields(request: Request) -> dict[str, str]:
    """What stands in the form; nothing when it is far longer than one with a code and a name."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            return {}
    return {name: values[0] for name, values in parse_qs(body.decode(errors="replace")).items()}


async def _turn_away(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": "not signed in"})
        return
    response: Response
    request = Request(scope)
    wants_page = scope["method"] in {"GET", "HEAD"} and "text/html" in request.headers.get("accept", "")
    if not wants_page or scope["path"].startswith(_SOCKET_PATH):
        response = JSONResponse({"error": "Sign in first.", "hint": f"Open {SIGN_IN_PATH} in a browser."}, 401)
    elif request.headers.get("sec-fetch-site") == "cross-site":
        # The cookie of who is signed in is not sent along with a link from another site: come again, from here.
        target = "/" + quote(scope["path"]).lstrip("/")  # one slash: two would begin another site's name
        target += f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
        response = sign_in_page.come_again(await sign_in_page.language_of(request), target)
    else:
        response = RedirectResponse(SIGN_IN_PATH, status_code=303)
    await response(scope, receive, send)


def sign_in_link(url: str, code: str) -> str:
    """The link that signs in whoever opens it."""
    return f"{url}{SIGN_IN_PATH}?code={quote(code)}"


def _plain(code: str) -> str:
    """What a person typed, without what does not matter: case, dashes and spaces."""
    return "".join(code.split()).replace("-", "").upper()
