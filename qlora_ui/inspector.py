"""The data inspector in processes of its own: tokenizers and their libraries never enter the web process.

Looks go to a process that waits, warm, for the next one; a survey has a process to itself, which ends with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from qlora_ui.contract.errors import DataError, ModelError, ParameterError, QloraUiError
from qlora_ui.contract.inspection import Look, Survey, SurveyProgress
from qlora_ui.contract.inspector import Answer, Complaint, Request
from qlora_ui.contract.recipe import DataQuery
from qlora_ui.contract.references import HubDataset

LOOK_TIMEOUT_S = 120.0
"""A look may have to count the rows of a large file, or to ask the hub for a tokenizer."""
ANSWER_BYTES = 64 * 1024**2
"""The longest answer that is taken; far more than rows that a person could read."""
COMPLAINT_BYTES = 64 * 1024
AT_ONCE = 2
"""Looks, and surveys, that run side by side; more of them wait."""
STOP_S = 3.0
"""So long a survey that is given up may take to tidy up."""
IDLE_S = 180.0
"""A process that waits so long for the next look ends."""

READ_BYTES = 64 * 1024
OFFLINE = {"QLORA_UI_OFFLINE": "1", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
_ERRORS: dict[str, type[QloraUiError]] = {"ModelError": ModelError, "ParameterError": ParameterError}

OnProgress = Callable[[SurveyProgress], None]


class Inspector:
    """Asks `python -m qlora_ui.data.serve`."""

    def __init__(
        self,
        command: tuple[str, ...] = (sys.executable, "-m", "qlora_ui.data.serve"),
        *,
        cache: Path | None = None,
        timeout_s: float = LOOK_TIMEOUT_S,
        answer_bytes: int = ANSWER_BYTES,
        credentials: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """`cache` keeps what a survey prepared; `credentials`, called in a thread, gives the environment variables with
        which the hub may be asked."""
        self._command = command
        self._cache = str(cache) if cache else ""
        self._timeout_s = timeout_s
        self._answer_bytes = answer_bytes
        self._credentials = credentials
        self._idle: list[_Process] = []
        self._looks, self._surveys = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(AT_ONCE)
        self._draining: set[asyncio.Task[None]] = set()

    async def look(self, query: DataQuery, *, start: int = 1, limit: int = 20, rows: Sequence[int] = ()) -> Look:
        """Some rows, as a training with these settings would meet them.

        Raises DataError, ModelError, ParameterError.
        """
        request = Request(ask="look", query=query, start=start, limit=limit, rows=list(rows), cache=self._cache)
        answer = await self._ask(request, query.offline)
        assert answer.look is not None
        return answer.look

    async def hub(self, name: str, *, offline: bool = False) -> HubDataset:
        """What a dataset on the hub offers: its configurations and splits. Raises DataError."""
        answer = await self._ask(Request(ask="hub", name=name, offline=offline), offline)
        assert answer.hub is not None
        return answer.hub

    async def survey(self, query: DataQuery, on_progress: OnProgress = lambda _: None) -> Survey:
        """Go through all rows, and keep the tokens for the training. Cancelling it ends the process.

        Raises DataError, ModelError, ParameterError.
        """
        request = Request(ask="survey", query=query, cache=self._cache)
        async with self._surveys, contextlib.aclosing(self._alone(request, query.offline)) as answers:
            async for answer in answers:
                if answer.progress is not None:
                    on_progress(answer.progress)
                if answer.survey is not None:
                    return answer.survey
        raise AssertionError("an answer without an end raises")

    async def fetch(self, query: DataQuery, on_note: Callable[[str], None] = lambda _: None) -> None:
        """Bring what the query names of the hub onto this machine, however long it takes. `on_note` gets sentences.

        Cancelling it ends the process; what has arrived is not fetched again. Raises DataError, ParameterError.
        """
        async with contextlib.aclosing(self._alone(Request(ask="fetch", query=query), query.offline)) as answers:
            async for answer in answers:
                if answer.note is not None:
                    on_note(answer.note)
                if answer.is_fetched:
                    return

    async def _alone(self, request: Request, offline: bool) -> AsyncGenerator[Answer]:
        """The lines of an answer from a process of its own, which ends with it."""
        process = await self._start(offline)
        try:
            async for answer in process.ask(request):
                if answer.error is not None:
                    raise _raised(answer.error)
                yield answer
            raise await process.failure()
        finally:
            await process.stop()

    async def close(self) -> None:
        """End every process."""
        for task in [*self._draining]:
            task.cancel()
        await asyncio.gather(*self._draining, return_exceptions=True)
        while self._idle:
            await self._idle.pop().end()

    async def _ask(self, request: Request, offline: bool) -> Answer:
        async with self._looks:
            process = await self._take(offline)
            reply = asyncio.ensure_future(process.answer(request))
            try:
                answer = await asyncio.wait_for(asyncio.shield(reply), self._timeout_s)
            except asyncio.CancelledError:
                self._let_go(process, reply)
                raise
            except TimeoutError:
                reply.cancel()
                await asyncio.gather(reply, return_exceptions=True)
                await process.end()
                raise DataError(
                    f"Looking at the data took longer than {self._timeout_s / 60:g} minutes and was given up.",
                    "Try it with a part of the data; the training itself reads them without such a limit.",
                ) from None
            except QloraUiError:
                await process.end()
                raise
        self._settle(process)
        if answer.error is not None:
            raise _raised(answer.error)
        return answer

    def _let_go(self, process: _Process, reply: Awaitable[Answer]) -> None:
        """Nobody wants the answer any more: the process is used again once it has given it.

        Where several are waited for already, it is ended, for each takes memory and who types asks at every pause.
        """
        if len(self._draining) >= AT_ONCE:
            process.kill()

        async def wait() -> None:
            try:
                await asyncio.wait_for(reply, self._timeout_s)
            except (QloraUiError, TimeoutError, asyncio.CancelledError):
                await process.end()
            else:
                self._settle(process)

        task = asyncio.create_task(wait(), name="wait for a look that nobody wants any more")
        self._draining.add(task)
        task.add_done_callback(self._draining.discard)

    async def _environment(self, offline: bool) -> dict[str, str]:
        return dict(OFFLINE if offline else await asyncio.to_thread(self._credentials))

    async def _take(self, offline: bool) -> _Process:
        """A process that waits, with the same right to ask the hub, else a new one."""
        added = await self._environment(offline)
        while self._idle:
            process = self._idle.pop()
            if process.is_alive and process.added == added:
                process.stop_clock()
                return process
            await process.end()
        return await self._start(offline)

    async def _start(self, offline: bool) -> _Process:
        return await _Process.start(self._command, await self._environment(offline), self._answer_bytes)

    def _settle(self, process: _Process) -> None:
        """Let it wait for the next look."""
        if len(self._idle) >= AT_ONCE or not process.is_alive:
            process.kill()
            return
        self._idle.append(process)
        process.start_clock(IDLE_S, lambda: self._idle.remove(process) if process in self._idle else None)


class _Process:
    """One inspector process. Questions are asked one after the other."""

    def __init__(self, process: asyncio.subprocess.Process, added: dict[str, str], answer_bytes: int) -> None:
        self.added = added
        self._process = process
        self._answer_bytes = answer_bytes
        self._complaints = asyncio.create_task(_tail(process.stderr), name="read what the inspector complains of")
        self._clock: asyncio.TimerHandle | None = None

    @classmethod
    async def start(cls, command: tuple[str, ...], added: dict[str, str], answer_bytes: int) -> _Process:
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                limit=answer_bytes,
                env={**os.environ, **added},
            )
        except OSError as error:
            raise DataError(f"The inspector could not be started: {error.strerror or error}.") from error
        return cls(process, added, answer_bytes)

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    async def ask(self, request: Request) -> AsyncIterator[Answer]:
        """Every line of the answer. Raises DataError when one is too long or none can be understood."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(ConnectionError):  # it has ended: reading tells
            self._process.stdin.write(request.model_dump_json().encode() + b"\n")
            await self._process.stdin.drain()
        while line := await self._line(self._process.stdout):
            try:
                yield await asyncio.to_thread(Answer.model_validate_json, line)
            except ValidationError:
                raise await self.failure() from None

    async def answer(self, request: Request) -> Answer:
        """The only line of the answer."""
        async for answer in self.ask(request):
            return answer
        raise await self.failure()

    async def _line(self, stream: asyncio.StreamReader) -> bytes:
        try:
            return await stream.readline()
        except ValueError:
            raise DataError(
                f"The rows are too long to be shown: over {self._answer_bytes / 1024**2:g} MB.",
                "Check that each row is one example; the training itself reads them without such a limit.",
            ) from None

    async def failure(self) -> DataError:
        """What is said when it ended without an answer."""
        self.kill()
        errors = await self._complaints
        last = errors.decode(errors="replace").strip().rpartition("\n")[2][:300]
        return DataError(f"The data could not be looked at: {last or 'the inspector gave no answer'}.")

    def start_clock(self, seconds: float, ended: Callable[[], object]) -> None:
        """End it after a while unless it is needed before."""

        def end() -> None:
            self.kill()
            ended()

        self._clock = asyncio.get_running_loop().call_later(seconds, end)

    def stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()

    def kill(self) -> None:
        """End it and its children at once; it leads a session of its own."""
        self.stop_clock()
        if self.is_alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def stop(self) -> None:
        """Ask it to end, so that it can take away the files that it has begun; after a while, end it."""
        if self.is_alive:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_S):
                    await self._ended()
        finally:
            with contextlib.suppress(ProcessLookupError):  # it may have ended without its children
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._ended()

    async def end(self) -> None:
        """End it and wait for that."""
        self.kill()
        await self._ended()

    async def _ended(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        with contextlib.suppress(OSError):  # it had not read all that it was told
            await self._process.stdin.wait_closed()
        with contextlib.suppress(ValueError):  # `wait` waits for the ends of the pipes
            while await self._process.stdout.read(READ_BYTES):
                pass
        await asyncio.shield(self._complaints)
        await self._process.wait()


async def _tail(stream: asyncio.StreamReader | None) -> bytes:
    """The end of what the process writes there."""
    assert stream is not None
    tail = b""
    while block := await stream.read(READ_BYTES):
        tail = (tail + block)[-COMPLAINT_BYTES:]
    return tail


def _raised(complaint: Complaint) -> QloraUiError:
    if complaint.kind in _ERRORS:
        return _ERRORS[complaint.kind](complaint.message, complaint.hint)
    return DataError(complaint.message, complaint.hint, place=complaint.place)
