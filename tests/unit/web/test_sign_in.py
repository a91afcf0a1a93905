from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from qlora_ui.settings import AppSettings
from qlora_ui.web import sign_in_session
from qlora_ui.web.sign_in import MAX_FORM_BYTES, Attempts, SignIn, new_code, sign_in_link
from tests.unit.web.visiting import CODE, COOKIE, browser, inner, middleware


async def connect(app: SignIn, cookie: str = "") -> list[str]:
    said: list[str] = []

    async def send(message: Any) -> None:
        said.append(message["type"])

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    headers = [(b"cookie", f"{COOKIE}={cookie}".encode())] if cookie else []
    await app({"type": "websocket", "path": "/_nicegui_ws/socket.io/", "headers": headers}, receive, send)
    return said


# ---- on loopback ----


async def test_on_loopback_a_page_gives_a_session_and_the_socket_needs_it() -> None:
    app = middleware(lan=False)
    async with browser(app) as client:
        assert (await client.get("/_nicegui_ws/socket.io/")).status_code == 401
        response = await client.get("/")
        assert response.text == "the app"
        set_cookie = response.headers["set-cookie"]
        assert set_cookie.startswith(f"{COOKIE}=")
        for attribute in ("HttpOnly", "SameSite=strict", "Path=/"):
            assert attribute in set_cookie
        assert (await client.get("/_nicegui_ws/socket.io/")).text == "the app"
        assert "set-cookie" not in (await client.get("/")).headers, "a session is not given twice"
        assert await connect(app, client.cookies[COOKIE]) == ["websocket.accept"]
    assert await connect(app) == ["websocket.close"]
    assert await connect(app, "forged") == ["websocket.close"]


async def test_on_loopback_programs_need_no_session() -> None:
    async with browser(middleware(lan=False)) as client:
        response = await client.get("/api/v1/jobs")
        assert response.status_code == 200
        assert "set-cookie" not in response.headers


def test_a_code_is_there_exactly_when_it_is_needed() -> None:
    with pytest.raises(ValueError, match="code"):
        SignIn(inner, AppSettings(home=Path("/nowhere"), lan=True), "secret", None)


# ---- beyond it ----


async def test_nobody_gets_in_without_the_code() -> None:
    app = middleware()
    async with browser(app) as client:
        page = await client.get("/train")
        assert page.status_code == 303
        assert page.headers["location"] == "/sign-in"
        for path in ("/api/v1/jobs", "/_nicegui_ws/socket.io/"):
            response = await client.get(path, headers={"accept": "*/*"})
            assert response.status_code == 401
            assert response.json()["error"] == "Sign in first."
        assert (await client.post("/train")).status_code == 401
        assert (await client.get("/healthz")).status_code == 200
    assert await connect(app) == ["websocket.close"]


async def test_a_session_of_loopback_is_no_sign_in() -> None:
    async with browser(middleware(lan=False)) as client:
        await client.get("/")
        cookie = client.cookies[COOKIE]
    assert await connect(middleware(), cookie) == ["websocket.close"]


async def test_the_form_is_accessible_and_needs_no_script() -> None:
    async with browser(middleware()) as client:
        page = (await client.get("/sign-in")).text
    for field, hint in (("code", "hint"), ("name", "name-hint")):
        assert f'<label for="{field}">' in page
        assert re.search(rf'<input[^>]* id="{field}"[^>]* aria-describedby="{hint}"', page)
        assert f'id="{hint}"' in page
    assert '<html lang="en-US">' in page
    assert "<script" not in page
    assert re.findall(r'(?:src|href)="(?!/)', page) == []


@pytest.mark.parametrize("typed", [CODE, CODE.lower(), CODE.replace("-", ""), f" {CODE.replace('-', ' ')} "])
async def test_the_code_may_be_typed_as_people_do(typed: str) -> None:
    app = middleware()
    async with browser(app) as client:
        response = await client.post("/sign-in", data={"code": typed})
        assert response.status_code == 200
        assert 'http-equiv="refresh" content="0; url=/"' in response.text
        assert (await client.get("/")).text == "the app"
        assert (await client.get("/api/v1/jobs")).json() == []
        assert await connect(app, client.cookies[COOKIE]) == ["websocket.accept"]


async def test_the_link_signs_in_and_leaves_the_code_behind() -> None:
    link = sign_in_link("http://192.168.1.5:8080", CODE)
    async with browser(middleware()) as client:
        response = await client.get(link)
        assert CODE not in response.text
        assert (await client.get("/")).text == "the app"


async def test_a_session_outlives_the_server_but_not_its_key() -> None:
    async with browser(middleware()) as client:
        await client.post("/sign-in", data={"code": CODE})
        cookie = client.cookies[COOKIE]
    assert await connect(middleware(), cookie) == ["websocket.accept"]
    assert await connect(middleware(secret="another"), cookie) == ["websocket.close"]


async def test_a_session_ends_after_its_days(monkeypatch: pytest.MonkeyPatch) -> None:
    async with browser(middleware()) as client:
        await client.post("/sign-in", data={"code": CODE})
        monkeypatch.setattr(sign_in_session, "_SESSION_S", -1)
        assert (await client.get("/")).status_code == 303


@pytest.mark.parametrize(("days", "answer"), [(-400, "accept"), (-0.01, "accept"), (29, "accept"), (31, "close")])
async def test_a_clock_that_is_set_back_signs_nobody_out(
    monkeypatch: pytest.MonkeyPatch, days: float, answer: str
) -> None:
    async with browser(middleware()) as client:
        await client.post("/sign-in", data={"code": CODE})
        cookie = client.cookies[COOKIE]
    later = time.time() + days * 24 * 3600
    monkeypatch.setattr(time, "time", lambda: later)
    assert await connect(middleware(), cookie) == [f"websocket.{answer}"]


@pytest.mark.parametrize("given", ["", "K7QF-2MXP-9DRB", "K7QF", "ключ", "<script>"])
async def test_a_wrong_code_is_refused_in_words(given: str) -> None:
    async with browser(middleware()) as client:
        response = await client.post("/sign-in", data={"code": given, "name": 'M"><script>'})
        assert response.status_code == 403
        assert 'role="alert">That is not the code.' in response.text
        assert 'aria-invalid="true"' in response.text
        assert "<script" not in response.text
        assert "set-cookie" not in response.headers
        assert (await client.get("/")).status_code == 303


async def test_guessing_is_slowed_down_even_for_the_right_code() -> None:
    async with browser(middleware()) as client:
        for _ in range(Attempts.FREE):
            assert (await client.post("/sign-in", data={"code": "wrong"})).status_code == 403
        response = await client.post("/sign-in", data={"code": CODE})
        assert response.status_code == 429
        assert int(response.headers["retry-after"]) >= 1
        assert "set-cookie" not in response.headers


async def test_a_link_from_another_site_comes_again_with_its_cookie() -> None:
    from_elsewhere = {"sec-fetch-site": "cross-site"}
    async with browser(middleware()) as client:
        response = await client.get("/activity/x?y=1&z=2", headers=from_elsewhere)
        assert response.status_code == 200
        assert 'content="0; url=/activity/x?y=1&amp;z=2"' in response.text
        for hostile in ("//evil.example/", '/"><script>alert(1)</script>'):
            page = (await client.get(f"http://192.168.1.5:8080{hostile}", headers=from_elsewhere)).text
            assert "url=//" not in page
            assert "<script" not in page


# ---- attempts ----


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_each_wrong_code_makes_the_wait_of_its_address_longer() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    waits = []
    for _ in range(18):
        attempts.failed("10.0.0.1")
        waits.append(attempts.wait_s("10.0.0.1"))
        clock.now += 400
    assert waits[: Attempts.FREE] == [0, 0, 0, 0, 1]
    assert waits[Attempts.FREE : Attempts.FREE + 3] == [2, 4, 8]
    assert max(waits) == Attempts.LONGEST_S
    assert attempts.wait_s("10.0.0.2") == 0
    attempts.succeeded("10.0.0.1")
    assert attempts.wait_s("10.0.0.1") == 0


def test_many_addresses_together_have_a_limit() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for n in range(Attempts.TOGETHER):
        assert attempts.wait_s("10.0.1.1") == 0
        attempts.failed(f"10.0.0.{n}")
    assert attempts.wait_s("10.0.1.1") == Attempts.WINDOW_S
    clock.now += Attempts.WINDOW_S
    assert attempts.wait_s("10.0.1.1") == 0


def test_codes_are_random_and_easy_to_read_out() -> None:
    codes = {new_code() for _ in range(50)}
    assert len(codes) == 50
    assert all(re.fullmatch(r"[2-9A-HJ-NP-Z]{4}(-[2-9A-HJ-NP-Z]{4}){2}", code) for code in codes)


# ---- what comes before the sign-in must be cheap ----


async def test_a_cookie_that_would_take_long_to_read_is_not_read() -> None:
    """`http.cookies` undoes quotes in quadratic time (Python before 3.11.10): 4 s for 40 kB."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("http.cookies._unquote", lambda _value: pytest.fail("it was read"))
        async with browser(middleware()) as client:
            response = await client.get("/", headers={"cookie": 'other="' + "\\" * 1000 + '"'})
            assert response.status_code == 303


async def test_a_cookie_of_the_same_name_from_another_port_does_not_lock_out() -> None:
    async with browser(middleware()) as client:
        await client.post("/sign-in", data={"code": CODE})
        value = client.cookies[COOKIE]
    async with browser(middleware()) as stranger:
        both = {"cookie": f"{COOKIE}=tossed; {COOKIE}={value}; {COOKIE}=tossed"}
        assert (await stranger.get("/", headers=both)).text == "the app"


async def test_a_form_is_read_only_as_far_as_a_code_can_reach() -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"a=1&" * 100

    received = endless()

    async def receive() -> Any:
        return {"type": "http.request", "body": await anext(received), "more_body": True}

    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    scope = {"type": "http", "method": "POST", "path": "/sign-in", "headers": [], "query_string": b"", "scheme": "http"}
    await middleware()(scope, receive, send)
    assert said[0]["status"] == 403
    assert taken * 400 <= MAX_FORM_BYTES + 400
