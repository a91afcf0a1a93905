"""The data inspector in a process of its own: tokenizers and their libraries never enter the web process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys

from pydantic import ValidationError

from qlora_ui.contract.errors import DataError, ModelError, ParameterError, QloraUiError
from qlora_ui.contract.inspection import Inspection

TIMEOUT_S = 600.0
AT_ONCE = 2
"""Inspections that run side by side; more of them wait."""

_ERRORS: dict[str, type[QloraUiError]] = {"ModelError": ModelError, "ParameterError": ParameterError}


class Inspector:
    """Runs `qlora-ui data inspect FILE --json`."""

    def __init__(
        self,
        command: tuple[str, ...] = (sys.executable, "-m", "qlora_ui", "data", "inspect"),
        *,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._command = command
        self._timeout_s = timeout_s
        self._places = asyncio.Semaphore(AT_ONCE)

    async def inspect(self, path: str, options: dict[str, str | int | None]) -> Inspection:
        """What the command says of the file; an option that is None is left out.

        Raises DataError or ModelError, as the command does; the process ends when the caller is cancelled.
        """
        given = [f"--{name}={value}" for name, value in options.items() if value is not None]
        arguments = ["--json", *given, "--", path]  # after the dashes, no path is taken for an option
        async with self._places:
            output, errors = await self._run(arguments)
        return _understand(path, output, errors)

    async def _run(self, arguments: list[str]) -> tuple[bytes, bytes]:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            return await asyncio.wait_for(process.communicate(), self._timeout_s)
        except TimeoutError:
            raise DataError(
                f"Looking at the file took longer than {self._timeout_s / 60:g} minutes and was given up.",
                "Try it with a part of the file; the training itself reads it without such a limit.",
            ) from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()


def _understand(path: str, output: bytes, errors: bytes) -> Inspection:
    try:
        document = json.loads(output)
        if "error" not in document:
            return Inspection.model_validate(document)
        kind, place = str(document.get("type", "")), str(document.get("place") or "")
        message, hint = str(document["error"]), str(document.get("hint") or "")
    except (ValueError, TypeError, ValidationError):
        last = errors.decode(errors="replace").strip().rpartition("\n")[2][:300]
        raise DataError(f"The file {path} could not be looked at: {last or 'the inspector gave no answer'}.") from None
    if kind in _ERRORS:
        raise _ERRORS[kind](message, hint)
    raise DataError(message, hint, place=place)
