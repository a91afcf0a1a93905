"""A real browser signs in, and other web sites get nowhere."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.fakes.server import RunningServer

AXE = Path(__file__).parent / "vendor" / "axe.min.js"


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
    page.evaluate(AXE.read_text(encoding="utf-8") + ";0")
    assert page.evaluate("axe.run()")["violations"] == []
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
