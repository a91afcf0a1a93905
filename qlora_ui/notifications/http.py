"""Asking other servers without trusting their answers: no redirect is followed, and only the beginning is read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

    import httpx

_PLAIN = {"accept-encoding": "identity"}
"""A few packed bytes may unpack to more than fits into the memory, so nothing is unpacked."""


@asynccontextmanager
async def client(timeout_s: float) -> AsyncIterator[httpx.AsyncClient]:
    """A client for one conversation, which ends after `timeout_s` at the latest.

    Within the block, raises TimeoutError or ConnectionError in place of the library's own exceptions.
    """
    trusted = await asyncio.to_thread(_prepare)
    import httpx

    try:
        async with (
            asyncio.timeout(timeout_s),
            httpx.AsyncClient(timeout=timeout_s, verify=trusted, headers=_PLAIN, follow_redirects=False) as opened,
        ):
            yield opened
    except httpx.TimeoutException as error:
        raise TimeoutError(str(error)) from error
    except (httpx.HTTPError, httpx.InvalidURL, ImportError, UnicodeError) as error:
        # ImportError: a proxy of a kind that needs a further package; UnicodeError: a host name that can be none
        raise ConnectionError(str(error)) from error


async def beginning(response: httpx.Response, limit: int) -> bytes:
    """At most `limit` bytes of what the server says, however much more it sends; as sent, whatever it packed."""
    content = b""
    async for part in response.aiter_raw():
        content += part
        if len(content) >= limit:
            break
    return content[:limit]


@cache
def _prepare() -> ssl.SSLContext:
    """Import the library and read the certificates, which takes longer than an event loop may be held up."""
    import httpx

    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)  # they would log whole addresses, and a webhook's is a secret
    return httpx.create_ssl_context()
