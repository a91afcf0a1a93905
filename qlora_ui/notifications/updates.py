"""Whether there is a newer qlora-ui. The package index learns the address of this machine and nothing else."""

from __future__ import annotations

import asyncio
import json
import logging

from qlora_ui import __version__
from qlora_ui.notifications import http

log = logging.getLogger(__name__)

INDEX = "https://pypi.org/pypi/qlora-ui/json"
TIMEOUT_S = 5.0
MAX_BYTES = 4_000_000


class UpdateCheck:
    """Asks one package index for the newest version."""

    def __init__(self, index: str = INDEX, *, current: str = __version__, timeout_s: float = TIMEOUT_S) -> None:
        self._index = index
        self._current = current
        self._timeout_s = timeout_s

    async def newest(self) -> str | None:
        """The newest version if it is newer than this one; None also when the index cannot be asked."""
        try:
            async with http.client(self._timeout_s) as client, client.stream("GET", self._index) as response:
                response.raise_for_status()
                content = await http.beginning(response, MAX_BYTES)
            return await asyncio.to_thread(_newer, content, self._current)
        except Exception as error:  # the network may fail in any way, and nobody waits for the answer
            log.info("the package index could not be asked for a newer version: %s", error or type(error).__name__)
            return None


def _newer(content: bytes, current: str) -> str | None:
    """The version in the index's answer, if it is newer, was not withdrawn, and is no preview. Call it in a thread."""
    from packaging.version import Version

    answer = json.loads(content)
    info = answer.get("info") if isinstance(answer, dict) else None
    if not isinstance(info, dict) or info.get("yanked"):
        return None
    newest = Version(str(info.get("version", "")))
    if newest <= Version(current) or (newest.is_prerelease and not Version(current).is_prerelease):
        return None
    return str(newest)
