"""Blocks dealt to processes, one for each core, and their results in the order of the blocks.

Each process is started afresh (never forked: the parent may hold a GPU or threads), is sent the tasks once, and then
one block after the other. When the parent ends, however it ends, its side of the pipe closes and the process ends too.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import pickle
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

import psutil

from qlora_ui.contract.errors import DeviceError, QloraUiError
from qlora_ui.data.prepare.work import Done, Task
from qlora_ui.data.readers.rows import Block

Dealt = tuple[int, Block]
"""The index of the block's task, and the block."""

SMALL_ROWS, SMALL_BYTES = 5_000, 8 << 20
"""Data up to this size are done in the process itself, before others would have started."""
TICK_S = 0.2
_AHEAD = 4
"""Results per process that may wait for an earlier one; more would only fill the memory."""
_PROCESS_BYTES = 400 << 20
"""What a process needs at most, with a large tokenizer."""


def do_blocks(
    tasks: Sequence[Task], blocks: Iterator[Dealt], processes: int | None, on_tick: Callable[[], None]
) -> Generator[tuple[int, Done]]:
    """The results in the order of the blocks, each with the index of its task.

    `on_tick` is called several times a second, and may raise to give up; no process is left then. Raises DataError
    like `Task.do`, and DeviceError when a process dies.
    """
    head, is_all = _peek(blocks)
    wanted = _cores() if processes is None else processes
    packed = None if wanted < 2 or (processes is None and is_all) else _packed(tasks)
    if packed is None:
        for index, block in _chain(head, blocks):
            on_tick()
            yield index, tasks[index].do(block)
        return
    with _Pool(packed, wanted) as pool:
        yield from pool.run(_chain(head, blocks), on_tick)


def _peek(blocks: Iterator[Dealt]) -> tuple[list[Dealt], bool]:
    """The first blocks, up to what counts as small; and whether these are all."""
    head: list[Dealt] = []
    rows = size = 0
    for dealt in blocks:
        head.append(dealt)
        rows, size = rows + dealt[1].count, size + dealt[1].bytes
        if rows > SMALL_ROWS or size > SMALL_BYTES:
            return head, False
    return head, True


def _chain(head: list[Dealt], rest: Iterator[Dealt]) -> Iterator[Dealt]:
    while head:
        yield head.pop(0)
    yield from rest


def _packed(tasks: Sequence[Task]) -> bytes | None:
    """The tasks for another process; None where a tokenizer cannot be sent to one."""
    try:
        return pickle.dumps(list(tasks), protocol=pickle.HIGHEST_PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError):
        return None


def _cores() -> int:
    """The cores that this process may use, as far as the memory is enough for a process on each."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, psutil.virtual_memory().available // _PROCESS_BYTES))


class _Pool:
    def __init__(self, tasks: bytes, count: int) -> None:
        self._tasks = tasks
        self._workers = [_Worker(number) for number in range(count)]

    def __enter__(self) -> _Pool:
        try:
            for worker in self._workers:
                worker.start(self._tasks)
        except BaseException:  # also Ctrl-C: no process may be left
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.end()

    def run(self, blocks: Iterator[Dealt], on_tick: Callable[[], None]) -> Generator[tuple[int, Done]]:
        finished: dict[int, tuple[int, Done]] = {}
        sent = given = 0
        idle, is_over = list(self._workers), False
        while True:
            while idle and not is_over and sent - given < _AHEAD * len(self._workers):
                dealt = next(blocks, None)
                if dealt is None:
                    is_over = True
                    break
                idle.pop().send(sent, dealt)
                sent += 1
            while given in finished:
                yield finished.pop(given)
                given += 1
            if is_over and given == sent:
                return
            on_tick()
            busy = {worker.connection: worker for worker in self._workers if worker.at >= 0}
            for ready in wait(list(busy), TICK_S):
                worker = busy[ready]  # type: ignore[index]  # only connections are waited for
                at, result = worker.receive()
                finished[at] = result
                idle.append(worker)


class _Worker:
    def __init__(self, number: int) -> None:
        self._number = number
        self._process: Any = None
        self.connection: Connection
        self.at = -1
        """The place of the block that it is doing; −1 for none."""
        self._dealt: Dealt

    def start(self, tasks: bytes) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs,), name=f"tokens-{self._number}", daemon=True)
        process.start()
        self._process = process
        theirs.close()
        self._to(self.connection.send_bytes, tasks)

    def send(self, at: int, dealt: Dealt) -> None:
        self.at, self._dealt = at, dealt
        self._to(self.connection.send, dealt)

    def receive(self) -> tuple[int, tuple[int, Done]]:
        """The place of the block, the index of its task, and the result."""
        try:
            result = self.connection.recv()
        except (EOFError, OSError):
            raise self._death() from None
        if isinstance(result, BaseException):
            raise result
        at, self.at = self.at, -1
        return at, (self._dealt[0], result)

    def _to(self, send: Callable[[Any], None], what: Any) -> None:
        try:
            send(what)
        except OSError:
            raise self._death() from None

    def _death(self) -> DeviceError:
        self._process.join()
        code = self._process.exitcode
        how = f"ended by the system (signal {-code})" if code < 0 else f"ended by itself (code {code})"
        block = self._dealt[1] if self.at >= 0 else None
        where = f" at rows {block.first:,} to {block.first + block.count - 1:,}" if block else ""
        hint = (
            "Most likely the memory was full: close other programs, then try again." if code == -signal.SIGKILL else ""
        )
        return DeviceError(f"A process that turns rows into tokens was {how}{where}.", hint)

    def end(self) -> None:
        if self._process is None:
            return
        with contextlib.suppress(OSError):
            self.connection.close()
        self._process.kill()
        self._process.join()
        self._process.close()
        self._process = None


def serve(connection: Connection) -> None:
    """The process's life: the tasks, then blocks until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends this process
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    with contextlib.suppress(EOFError, OSError):
        tasks: list[Task] = pickle.loads(connection.recv_bytes())  # noqa: S301  # from the parent, through a pipe
        gc.disable()  # a block makes many thousand objects and hardly a cycle: looking for those takes 6 % of the time
        gc.freeze()
        while True:
            gc.collect()
            index, block = connection.recv()
            try:
                result: Done | BaseException = tasks[index].do(block)
            except QloraUiError as error:
                result = error
            connection.send(result)
