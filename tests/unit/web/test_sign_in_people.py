"""Who a visitor is to the pages, how they sign out, and in which language they are asked to sign in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import HTMLResponse
from starlette.types import Receive, Scope, Send

from qlora_ui import locales
from qlora_ui.settings import AppSettings
from qlora_ui.web.guard import Guard
from qlora_ui.web.sign_in import SignIn
from qlora_ui.web.sign_in_session import MAX_NAME, Sessions, clean_name
from tests.unit.web.visiting import CODE, COOKIE, browser, middleware


async def introduced(app: SignIn, cookie: str = "", **headers: str) -> dict[str, Any]:
    """What the pages are told of who opens one."""
    told: dict[str, Any] = {}

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        told.update({name: value for name, value in scope.items() if name.startswith("qlora_ui.")})
        await HTMLResponse("the app")(scope, receive, send)

    app._app = page
    async with browser(app) as client:
        await client.get("/", headers={**headers, **({"cookie": f"{COOKIE}={cookie}"} if cookie else {})})
    return told


async def sign_in_as(name: str) -> dict[str, Any]:
    app = middleware()
    async with browser(app) as client:
        await client.post("/sign-in", data={"code": CODE, "name": name})
        return await introduced(app, client.cookies[COOKIE])


async def test_on_loopback_it_is_nobody_in_particular() -> None:
    nobody = {"qlora_ui.person": "local", "qlora_ui.name": "", "qlora_ui.signed_in": False}
    assert await introduced(middleware(lan=False)) == nobody
    async with browser(middleware()) as client:
        await client.post("/sign-in", data={"code": CODE, "name": "Mia"})
        cookie = client.cookies[COOKIE]
    assert await introduced(middleware(lan=False), cookie) == nobody, "a name of another start does not count here"


async def test_a_name_keeps_settings_apart() -> None:
    mia = await sign_in_as("Mia")
    assert mia == {"qlora_ui.person": "name:mia", "qlora_ui.name": "Mia", "qlora_ui.signed_in": True}
    assert (await sign_in_as("  MIA "))["qlora_ui.person"] == "name:mia"
    assert (await sign_in_as("Mio"))["qlora_ui.person"] == "name:mio"
    assert (await sign_in_as("local"))["qlora_ui.person"] == "name:local"
    assert await sign_in_as("") == {"qlora_ui.person": "local", "qlora_ui.name": "", "qlora_ui.signed_in": True}


async def test_no_header_and_no_other_cookie_says_who_comes() -> None:
    forged = {
        "qlora_ui.person": "name:mia",
        "qlora-ui-person": "name:mia",
        "x-qlora_ui.name": "Mia",
        "remote-user": "mia",
    }
    assert (await introduced(middleware(lan=False), **forged))["qlora_ui.person"] == "local"
    async with browser(middleware()) as client:
        await client.post("/sign-in", data={"code": CODE, "name": "Mio"})
        cookie = client.cookies[COOKIE]
    assert (await introduced(middleware(), cookie, **forged))["qlora_ui.person"] == "name:mio"
    named = Sessions("another secret", 8080).issue(signed_in=True, name="Mia")
    assert await introduced(middleware(), named) == {}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Mia \t  Rose\n", "Mia Rose"),
        ("M\u0000i\u202ea\u200b", "Mia"),
        ("\u200b", ""),
        ("Zoe\u0308", "Zoë"),
        ("小明", "小明"),
        ("x" * 40, "x" * MAX_NAME),
        ("x" * (MAX_NAME - 1) + " yz", "x" * (MAX_NAME - 1)),
    ],
)
def test_names_are_cleaned(typed: str, kept: str) -> None:
    assert clean_name(typed) == kept


async def test_the_longest_name_fits_into_the_form() -> None:
    assert (await sign_in_as("😀" * MAX_NAME))["qlora_ui.name"] == "😀" * MAX_NAME


async def test_signing_out_forgets_the_session() -> None:
    app = middleware()
    async with browser(app) as client:
        await client.post("/sign-in", data={"code": CODE})
        assert (await client.get("/sign-out")).status_code == 405, "a link or a picture must not sign out"
        assert (await client.get("/")).text == "the app"
        response = await client.post("/sign-out")
        assert response.status_code == 303
        assert response.headers["location"] == "/sign-in"
        assert "Max-Age=0" in response.headers["set-cookie"]
        assert (await client.get("/")).status_code == 303


async def test_signing_out_takes_no_request_of_another_site() -> None:
    settings = AppSettings(home=Path("/nowhere"), lan=True, port=8080)
    app = Guard(middleware(), settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://192.168.1.5:8080") as client:
        response = await client.post("/sign-out", headers={"origin": "http://evil.example"})
        assert response.status_code == 403
        assert "set-cookie" not in response.headers
        assert (await client.post("/sign-out", headers={"origin": "http://192.168.1.5:8080"})).status_code == 303


async def test_the_form_speaks_the_language_of_the_browser(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "de.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "Sign in"\nmsgstr "Anmelden <&>"\n'
    )
    monkeypatch.setattr(locales, "FOLDER", tmp_path)
    for found in (locales.languages, locales._load):
        found.cache_clear()
    try:
        async with browser(middleware()) as client:
            german = (await client.get("/sign-in", headers={"accept-language": "fr, de-AT;q=0.8"})).text
            assert '<html lang="de">' in german
            assert "<h1>Anmelden &lt;&amp;&gt;</h1>" in german
            assert '<html lang="en-US">' in (await client.get("/sign-in", headers={"accept-language": "fr"})).text
    finally:
        for found in (locales.languages, locales._load):
            found.cache_clear()
