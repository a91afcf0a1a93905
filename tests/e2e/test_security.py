"""A real browser signs in, and other web sites get nowhere."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from qlora_ui.contract.paths import Workspace
from tests.e2e.conftest import HOSTILE_NAME
from tests.e2e.looking import SCHEMES, violations
from tests.fakes.runs import FakeRun, write_run
from tests.fakes.server import RunningServer

TOKEN = "hf_ThisIsASecretOfSomebody1234567890"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("home"), "--lan") as server:
        yield server


@pytest.fixture
def link(server: RunningServer) -> str:
    return server.wait_for(r"sign in on this machine: +(\S+)").group(1)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def foreign_site(server: RunningServer) -> Iterator[str]:
    """The address of a page of another site, which links to the app and tries to load from it."""
    html = (
        f'<a id="link" href="{server.url}/activity">go</a>'
        f"<script>window.loaded = 0; function count() {{ window.loaded += 1 }}</script>"
        f'<img src="{server.url}/favicon.ico" onload="count()">'
        f'<script src="{server.url}/api/v1/openapi.json" onload="count()"></script>'
    ).encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(html)

        def log_message(self, *_: object) -> None:
            pass

    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=site.serve_forever)
    thread.start()
    yield f"http://localhost:{site.server_port}/"
    site.shutdown()
    site.server_close()
    thread.join()


def wait_until_live(page: Page) -> None:
    page.wait_for_function("window.did_handshake === true")


def test_the_code_is_typed_and_the_page_comes_alive(server: RunningServer, link: str, page: Page) -> None:
    page.goto(f"{server.url}/train")
    assert page.url == f"{server.url}/sign-in"
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == [], scheme
    page.get_by_label("Code").fill("wrong")
    page.keyboard.press("Enter")
    assert "not the code" in page.get_by_role("alert").inner_text()
    page.get_by_label("Code").fill(link.partition("code=")[2].lower())
    page.keyboard.press("Enter")
    page.wait_for_url(f"{server.url}/")
    wait_until_live(page)


def test_links_from_another_site_work_with_and_without_a_session(
    server: RunningServer, link: str, page: Page, foreign_site: str
) -> None:
    page.goto(foreign_site)
    page.evaluate("address => { location.href = address }", link)
    page.wait_for_url(f"{server.url}/")
    wait_until_live(page)
    page.goto(foreign_site)
    page.click("#link")
    page.wait_for_url(f"{server.url}/activity")
    wait_until_live(page)


def test_another_site_loads_nothing_from_the_app(
    server: RunningServer, link: str, page: Page, foreign_site: str
) -> None:
    page.goto(link)
    page.wait_for_url(f"{server.url}/")
    page.goto(foreign_site)
    assert page.evaluate("window.loaded") == 0
    opened = page.evaluate(
        """address => new Promise(resolve => {
            const socket = new WebSocket(address)
            socket.onopen = () => resolve(true)
            socket.onerror = () => resolve(false)
        })""",
        f"{server.url.replace('http', 'ws')}/_nicegui_ws/socket.io/?EIO=4&transport=websocket",
    )
    assert opened is False


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """An app without a sign-in, with a run whose name is written to do harm."""
    home = tmp_path_factory.mktemp("open")
    write_run(Workspace(home), FakeRun(HOSTILE_NAME))
    with RunningServer(home) as server:
        yield server


@pytest.mark.parametrize("path", ["/", "/activity"])
def test_names_are_text_on_pages_and_in_the_palette(open_server: RunningServer, page: Page, path: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(open_server.url + path)
    wait_until_live(page)
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search or run a command").fill("onerror")
    expect(page.get_by_role("option").filter(has_text=HOSTILE_NAME).first).to_be_visible()
    assert page.locator("img").count() == 0
    assert not [address for address in asked if "nosuch" in address]
    assert page.title().endswith("qlora-ui")


def test_what_is_typed_into_the_palette_is_text(open_server: RunningServer, page: Page) -> None:
    page.goto(open_server.url)
    wait_until_live(page)
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search or run a command").fill(f"zzz{HOSTILE_NAME}")
    expect(page.locator(".qu-palette-nothing")).to_contain_text("onerror")
    assert page.locator("img").count() == 0


@pytest.mark.parametrize(
    "name", ["..%2F..%2Fpyproject.toml", "..%2Fsettings", "%2e%2e/%2e%2e/README.md", "x.md", "%00", "parameters.md"]
)
def test_help_gives_nothing_but_its_pages(open_server: RunningServer, name: str) -> None:
    answer = httpx.get(f"{open_server.url}/help/{name}", headers={"accept": "text/html"}, timeout=30)
    assert answer.status_code == 404
    assert "hatchling" not in answer.text


def test_a_token_is_never_on_a_page(open_server: RunningServer, page: Page) -> None:
    """Neither in what is sent to the browser after it was saved nor on a page that is loaded anew."""
    heard: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: heard.append(str(frame))))
    page.goto(f"{open_server.url}/settings")
    wait_until_live(page)
    field = page.get_by_label("Token", exact=True)
    field.fill(TOKEN)
    field.press("Enter")
    expect(page.get_by_role("button", name=re.compile("^Replace: Hub"))).to_be_visible()
    assert TOKEN not in page.content()
    assert field.input_value() == ""
    html = httpx.get(f"{open_server.url}/settings", headers={"accept": "text/html"}, timeout=30).text
    assert TOKEN not in html
    assert TOKEN not in "".join(heard)
    kept = [path for path in open_server.home.rglob("*") if path.is_file() and TOKEN in path.read_text("latin-1")]
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept)
    assert not [path for path in kept if path.suffix in {".json", ".yaml", ".log", ".jsonl"}]
    assert TOKEN not in open_server.output


HOSTILE_FILES = {
    "not JSON": "{",
    "not an object": "[1, 2]",
    "deep": "[" * 50_000,
    "a huge number": '{"format": "qlora-ui settings", "preferences": {"theme": ' + "9" * 5000 + "}}",
    "another's field": '{"format": 1, "version": 1, "preferences": {"__class__": "x"}, "settings": {"hub_token": "x"}}',
    "markup": '{"theme": "<img src=/nosuch onerror=alert(1)>"}',
    "nothing": "",
    "NUL": "\x00\x00",
}


def test_hostile_settings_files_are_refused_in_words(open_server: RunningServer, page: Page, tmp_path: Path) -> None:
    page.goto(f"{open_server.url}/settings")
    wait_until_live(page)
    file = tmp_path / "settings.json"
    for name, content in {**HOSTILE_FILES, "too large": " " * 3_000_000}.items():
        file.write_text(content, encoding="utf-8")
        page.locator("#transfer input[type=file]").set_input_files(file)
        alert = page.locator("#transfer").get_by_role("alert")
        expect(alert, name).to_be_visible()
        expect(page.get_by_role("button", name="Take these settings"), name).to_have_count(0)
        assert page.locator("img").count() == 0
    expect(page.locator("h1")).to_have_text("Settings")
    assert "Traceback" not in open_server.output
