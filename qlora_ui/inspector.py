"""The data inspector in a process of its own: tokenizers and their libraries never enter the web process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping

from pydantic import ValidationError

from qlora_ui.contract.errors import DataError, ModelError, ParameterError, QloraUiError
from qlora_ui.contract.inspection import Inspection

TIMEOUT_S = 600.0
ANSWER_BYTES = 64 * 1024**2
"""The longest answer that is taken; far more than rows that a person could read."""
COMPLAINT_BYTES = 64 * 1024
AT_ONCE = 2
"""Inspections that run side by side; more of them wait."""

READ_BYTES = 64 * 1024
OFFLINE = {"QLORA_UI_OFFLINE": "1", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}

_ERRORS: dict[str, type[QloraUiError]] = {"ModelError": ModelError, "ParameterError": ParameterError}


class Inspector:
    """Runs `qlora-ui data inspect FILE --json`."""

    def __init__(
        self,
        command: tuple[str, ...] = (sys.executable, "-m", "qlora_ui", "data", "inspect"),
        *,
        timeout_s: float = TIMEOUT_S,
        answer_bytes: int = ANSWER_BYTES,
        credentials: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """`credentials`, called in a thread, gives the environment variables with which the hub may be asked."""
        self._command = command
        self._credentials = credentials
        self._timeout_s = timeout_s
        self._answer_bytes = answer_bytes
        self._places = asyncio.Semaphore(AT_ONCE)

    async def inspect(self, path: str, options: Mapping[str, str | int | None], *, offline: bool = False) -> Inspection:
        """What the command says of the file; an option that is None is left out. `offline` asks no hub for a tokenizer.

        Raises DataError or ModelError, as the command does; the process ends when the caller is cancelled.
        """
        given = [f"--{name}={value}" for name, value in options.items() if value is not None]
        arguments = ["--json", *given, "--", path]  # after the dashes, no path is taken for an option
        async with self._places:
            output, errors = await self._run(path, arguments, offline)
        return await asyncio.to_thread(_understand, path, output, errors)

    async def _run(self, path: str, arguments: list[str], offline: bool) -> tuple[bytes, bytes]:
        process = await self._start(path, arguments, offline)
        try:
            async with asyncio.timeout(self._timeout_s):
                output, errors = await asyncio.gather(self._answer(process), _tail(process.stderr))
                await process.wait()
        except TimeoutError:
            raise DataError(
                f"Looking at the file took longer than {self._timeout_s / 60:g} minutes and was given up.",
                "Try it with a part of the file; the training itself reads it without such a limit.",
            ) from None
        finally:
            await _end(process)
        if len(output) > self._answer_bytes:
            raise DataError(
                f"The rows of the file are too long to be shown: over {self._answer_bytes / 1024**2:g} MB.",
                "Check that each row is one example; the training itself reads it without such a limit.",
            )
        return output, errors

    async def _start(self, path: str, arguments: list[str], offline: bool) -> asyncio.subprocess.Process:
        added = OFFLINE if offline else await asyncio.to_thread(self._credentials)
        try:
            return await asyncio.create_subprocess_exec(
                *self._command,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                env={**os.environ, **added},
            )
        except (OSError, ValueError) as error:  # such as a whole page of text in the place of a path
            shown = f"{path[:80]!r}"
            raise DataError(f"The file {shown} could not be looked at: {error}.", "Check the path.") from error

    async def _answer(self, process: asyncio.subprocess.Process) -> bytes:
        """What it says, as far as that is taken and a little further."""
        assert process.stdout is not None
        answer = bytearray()
        while block := await process.stdout.read(READ_BYTES):
            if len(answer) <= self._answer_bytes:
                answer += block
            else:
                _kill(process)
        return bytes(answer)


async def _tail(stream: asyncio.StreamReader | None) -> bytes:
    """The end of what the process writes there."""
    assert stream is not None
    tail = b""
    while block := await stream.read(READ_BYTES):
        tail = (tail + block)[-COMPLAINT_BYTES:]
    return tail


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        _kill(process)
        await asyncio.gather(_tail(process.stdout), _tail(process.stderr))  # `wait` waits for the ends of the pipes
        await process.wait()


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # it leads its own session, so its children go with it


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
