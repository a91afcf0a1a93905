"""The web server: puts pages, HTTP interface, sign-in and guard around the services, and runs them.

NiceGUI reads its storage folder from the environment when it is imported, so everything that needs it is imported
inside functions here, after the home folder is known. That also keeps errors in the arguments quick.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import sys
import webbrowser
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from qlora_ui.console import say
from qlora_ui.contract.errors import QloraUiError, WorkspaceError
from qlora_ui.contract.paths import favicon_file
from qlora_ui.settings import AppSettings, check_port, is_loopback, lan_address, load_secret, prepare_home
from qlora_ui.web.sign_in import SignIn, new_code, sign_in_link

if TYPE_CHECKING:
    from starlette.middleware.gzip import GZipMiddleware
    from starlette.types import ASGIApp

    from qlora_ui.services import Services

log = logging.getLogger(__name__)

RECONNECT_S = 20.0
"""How long a page's state waits for a browser that lost its connection."""
SHUTDOWN_S = 3


def run(settings: AppSettings) -> None:
    """Serve the app until it is interrupted. Jobs go on after that.

    Raises WorkspaceError when the home folder or the port cannot be used, before anything is started.
    """
    if settings.native and find_spec("webview") is None:
        raise WorkspaceError(
            "A desktop window needs pywebview, which is not installed.",
            'Install it with pip install "qlora-ui[native]".',
        )
    prepare_home(settings.workspace)
    check_port(settings.bind_host, settings.port)
    secret = load_secret(settings.workspace)
    code = new_code() if settings.needs_sign_in else None
    os.environ["NICEGUI_STORAGE_PATH"] = str(settings.workspace.web_storage)
    with contextlib.suppress(KeyboardInterrupt):
        _serve(settings, secret, code)


def _serve(settings: AppSettings, secret: str, code: str | None) -> None:
    from nicegui import app, ui

    from qlora_ui import pages
    from qlora_ui.services import Services
    from qlora_ui.web import api
    from qlora_ui.web.guard import Guard

    services = Services.open(settings)
    pages.register(services)
    api.register(app, services)
    app.add_middleware(SignIn, settings=settings, secret=secret, code=code)
    app.add_middleware(Guard, settings=settings)  # the last one added is the first one asked
    app.on_startup(lambda: _start(services))
    app.on_startup(lambda: _announce(settings, code))
    app.on_startup(lambda: asyncio.to_thread(_load_pages))
    app.on_shutdown(services.close)
    app.native.window_args["url"] = _link(settings, code)
    ui.run(
        host=settings.bind_host,
        port=settings.port,
        title="qlora-ui",
        favicon=favicon_file(),
        native=settings.native,
        window_size=(1440, 900) if settings.native else None,
        show=False,
        reload=False,
        language="en-US",
        tailwind=False,  # all classes are our own
        reconnect_timeout=RECONNECT_S,
        show_welcome_message=False,
        gzip_middleware_factory=_gzip,
        timeout_graceful_shutdown=SHUTDOWN_S,
        server_header=False,
        proxy_headers=False,
        ws_per_message_deflate=False,  # news of a run are some hundred bytes: packing them costs more than it saves
        http="h11",  # it bounds the headers of a request, which come before any sign-in
    )


async def _start(services: Services) -> None:
    await services.start()
    if services.settings.demo:
        from qlora_ui import demo

        try:
            await demo.start_in_app(services)
        except QloraUiError as error:
            services.notices.append(f"The starter run could not be started. {error}")
    await services.standby.start(services.jobs)


def _load_pages() -> None:
    """Import what pages are made of, so that nobody who opens one for the first time waits for that.

    What was imported stays for good: going through it for garbage would hold everybody up for 0.15 s now and then.
    """
    from qlora_ui import pages

    for module in iter_modules(pages.__path__, f"{pages.__name__}."):
        import_module(module.name)
    gc.freeze()


async def _announce(settings: AppSettings, code: str | None) -> None:
    """Once the server listens, say where, and open a browser there if that was asked for."""
    from nicegui.server import Server

    while not Server.instance.started:  # noqa: ASYNC110  # the server has no event for it
        await asyncio.sleep(0.02)
    link = _link(settings, code)
    say(f"qlora-ui is running at {settings.url}")
    is_open = not is_loopback(settings.bind_host)
    if code:
        say(f"  sign in on this machine:   {link}")
        if is_open:
            say(f"  sign in from another one:  {sign_in_link(settings.url_for(lan_address()), code)}")
        say(f"  or type the code:          {code}")
    say(f"  Runs and data are kept in  {settings.home}")
    say("  Ctrl+C ends the app; runs that are at work go on, those that wait start when it is open again.")
    if is_open:
        say("  What goes over the network is not encrypted: use it where you trust everyone who can listen.")
    if settings.browser and not settings.native and _has_display():
        await asyncio.to_thread(_open_browser, link)


def _link(settings: AppSettings, code: str | None) -> str:
    """What a browser on this machine opens: it signs in where that is needed."""
    return sign_in_link(settings.url, code) if code else settings.url


def _has_display() -> bool:
    """Whether a browser window could appear; a browser inside the terminal is not wanted."""
    if sys.platform in {"win32", "darwin"}:
        return "SSH_CONNECTION" not in os.environ
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"))


def _open_browser(link: str) -> None:
    try:
        webbrowser.open(link)
    except (webbrowser.Error, OSError) as error:
        log.info("no browser could be opened: %s", error)


def _gzip(inner: ASGIApp) -> GZipMiddleware:
    """Compress what is text; a download of weights would only become slower by it."""
    from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware

    excluded = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "application/octet-stream")
    return GZipMiddleware(inner, compresslevel=6, exclude_content_types=excluded)
