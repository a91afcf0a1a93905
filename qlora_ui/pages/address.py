"""What stands behind the question mark of the page's address: read, written without a reload, followed."""

from __future__ import annotations

import json
from collections.abc import Callable
from weakref import WeakKeyDictionary

from nicegui import Client, ui

from qlora_ui.components.events import listen
from qlora_ui.jobs.reactive import Event

_moves: WeakKeyDictionary[Client, Event[str]] = WeakKeyDictionary()
"""Open page → what announces its address after a link, the back button or the forward button was used."""


def query_of_page() -> str:
    """The query of the address that is open, without its question mark; anybody may have written it."""
    return _query(ui.context.client.sub_pages_router.current_path)


def write_query(path: str, query: str, *, is_new: bool) -> None:
    """Show `query` in the address of `path`, the page that is open. With `is_new` the back button leads to the old one.

    Nothing is loaded, and nothing is told to `follow_query`.
    """
    client = ui.context.client
    address = f"{path}?{query}" if query else path
    client.sub_pages_router.current_path = address
    way = "pushState" if is_new else "replaceState"
    client.run_javascript(
        f"history.{way}({{ page: {json.dumps(address)} }}, '', (window.path_prefix || '') + {json.dumps(address)})"
    )


def follow_query(path: str, callback: Callable[[str], None]) -> None:
    """Call `callback(query)` whenever a person comes to another query of `path`, the page that is being built."""

    def follow(address: str) -> None:
        if address.partition("#")[0].partition("?")[0] == path:
            callback(_query(address))

    client = ui.context.client
    if client not in _moves:  # the router forgets nobody, so it is told of one listener only
        _moves[client] = moved = Event[str]()
        client.sub_pages_router.on_path_changed(moved.emit)
    listen(_moves[client], follow)


def _query(address: str) -> str:
    return address.partition("#")[0].partition("?")[2]
