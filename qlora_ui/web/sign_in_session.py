"""The signed cookie that says who comes: it can be read and forged by nobody else, and a script cannot see it."""

from __future__ import annotations

import secrets
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Scope

SESSION_DAYS = 30
MAX_NAME = 32
"""Characters of the name that a person may give when they sign in."""
NOBODY_IN_PARTICULAR = "local"
"""The person of everyone on loopback, and of everyone who signed in without a name."""

_SESSION_S = SESSION_DAYS * 24 * 3600


@dataclass(frozen=True)
class Session:
    """What a cookie of ours says."""

    signed_in: bool
    """Whether the code was known when it was given."""
    name: str = ""
    """As the person typed it; it keeps settings apart and proves nothing."""

    @property
    def person(self) -> str:
        """Under which their settings are kept: the same for `Mia` and `mia`."""
        folded = unicodedata.normalize("NFKC", self.name).casefold()
        return f"name:{folded}" if folded else NOBODY_IN_PARTICULAR


class Sessions:
    """Makes and reads the session cookie. Its name holds the port, because browsers share cookies between ports."""

    def __init__(self, secret: str, port: int) -> None:
        self._serializer = URLSafeTimedSerializer(secret, salt="qlora-ui session")
        self.cookie = f"qlora_ui_session_{port}"

    def issue(self, *, signed_in: bool, name: str = "") -> str:
        """A new session. `signed_in` says that the code was known."""
        said = {"id": secrets.token_urlsafe(12), "signed_in": signed_in}
        return self._serializer.dumps({**said, "name": name} if name else said)

    def find(self, connection: HTTPConnection, *, needs_sign_in: bool) -> Session | None:
        """The session of this request that is ours, young enough and, if need be, signed in; else None."""
        sessions = (self._read(value) for value in _cookie_values(connection.headers, self.cookie))
        return next((s for s in sessions if s is not None and (s.signed_in or not needs_sign_in)), None)

    def _read(self, value: str) -> Session | None:
        try:  # without the library's own look at the age, which takes a clock that was set back for a forgery
            said, issued = self._serializer.loads(value, return_timestamp=True)
        except BadSignature:
            return None
        if not isinstance(said, dict) or time.time() - issued.timestamp() > _SESSION_S:
            return None
        return Session(said.get("signed_in") is True, clean_name(str(said.get("name", ""))))

    def set_cookie(self, scope: Scope, headers: MutableHeaders, value: str) -> None:
        """Not readable by scripts, never sent along from other sites."""
        self._put(scope, headers, value, _SESSION_S)

    def clear_cookie(self, scope: Scope, headers: MutableHeaders) -> None:
        """Have the browser forget its session."""
        self._put(scope, headers, "", 0)

    def _put(self, scope: Scope, headers: MutableHeaders, value: str, max_age: int) -> None:
        response = Response()
        response.set_cookie(
            self.cookie,
            value,
            max_age=max_age,
            path="/",
            httponly=True,
            samesite="strict",
            secure=scope["scheme"] == "https",
        )
        headers.append("set-cookie", response.headers["set-cookie"])


def clean_name(typed: str) -> str:
    """A name on one line, without what cannot be seen, at most `MAX_NAME` characters long; may be empty."""
    spaced = "".join(" " if character.isspace() else character for character in unicodedata.normalize("NFC", typed))
    seen = "".join(character for character in spaced if not unicodedata.category(character).startswith("C"))
    return " ".join(seen.split())[:MAX_NAME].rstrip()


def _cookie_values(headers: Headers, name: str) -> Iterator[str]:
    """All cookies of this name: programs at other ports of this host can set one, too.

    Ours need no unquoting, which takes minutes for some hostile cookies (Python before 3.11.10) and would come before
    the sign-in.
    """
    for header in headers.getlist("cookie"):
        for cookie in header.split(";"):
            given, separator, value = cookie.strip().partition("=")
            if separator and given == name:
                yield value
