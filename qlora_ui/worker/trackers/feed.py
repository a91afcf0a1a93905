"""One tracker in a thread of its own, and what is asked of each."""

from __future__ import annotations

import queue
import re
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypedDict

from qlora_ui.contract.events import Alert, AlertCode
from qlora_ui.contract.monitoring_parameters import Tracker
from qlora_ui.contract.records import JobStatus

WAITING_POINTS = 20_000
"""A tracker that lets more than these wait does not work, and is let go."""
BATCH = 500
"""Points that a tracker is given at once at most."""
REASON_CHARACTERS = 300

Point = tuple[int, Mapping[str, float]]
"""A step, and the figures that were measured at it."""


class Place(TypedDict):
    """Where a tracker shows the run."""

    title: str
    url: str
    """Empty where it is on no server."""
    command: str
    """What shows it in a shell, or sends it on; empty where the address is enough."""


@dataclass(frozen=True)
class Run:
    """What a tracker is told of the training."""

    id: str
    name: str
    project: str
    parameters: Mapping[str, str | int | float | bool]
    folder: Path
    """For the files of this run; it may not be there yet."""
    shared: Path
    """For files with several runs in them; it may not be there yet."""
    is_local: bool
    """Nothing may leave this machine."""


class Opened(Protocol):
    """A run that a tracker has opened. Its methods may take long, and raise whatever they like."""

    @property
    def url(self) -> str: ...

    @property
    def command(self) -> str: ...

    @property
    def remark(self) -> tuple[str, str] | None:
        """What a person should know of how it was opened, and what to do about it."""

    def log(self, points: Sequence[Point]) -> None: ...

    def close(self, status: JobStatus, summary: Mapping[str, float]) -> None: ...


class Feed(threading.Thread):
    """Opens a tracker, hands it the points that wait, closes it. The process does not wait for it at its end."""

    def __init__(self, tool: Tracker, title: str, open_: Callable[[], Opened]) -> None:
        super().__init__(name=f"tracker {tool}", daemon=True)
        self.tool = tool
        self._title = title
        self._open = open_
        self._points: queue.Queue[Point | None] = queue.Queue(WAITING_POINTS)
        self._news: queue.SimpleQueue[Alert | Place] = queue.SimpleQueue()
        self._ending: tuple[JobStatus, Mapping[str, float]] = (JobStatus.INTERRUPTED, {})
        self._is_over = False

    def put(self, step: int, values: Mapping[str, float]) -> None:
        """Let a point wait for its turn."""
        self._hand_over((step, values))

    def end(self, status: JobStatus, summary: Mapping[str, float]) -> None:
        """No more points come."""
        self._ending = status, summary
        self._hand_over(None)

    def wait(self, seconds: float) -> None:
        """Until it has taken everything; what is not taken by then is lost to it."""
        if self._is_over:
            return
        self.join(seconds)
        if self.is_alive():
            self._give_up(f"{self._title} did not take the last points in time, so it lacks them.")

    def news(self) -> Iterator[Alert | Place]:
        """What it has to say since the last time."""
        while not self._news.empty():
            yield self._news.get()

    def run(self) -> None:
        try:
            opened = self._open()
            self._news.put(Place(title=self._title, url=opened.url, command=opened.command))
            if opened.remark is not None:
                message, hint = opened.remark
                self._news.put(Alert(code=AlertCode.TRACKER, message=message, hint=hint))
            self._pass_on(opened)
            opened.close(*self._ending)
        except BaseException as error:  # some of these libraries call sys.exit
            traceback.print_exc()
            if not self._is_over:
                self._give_up(f"{self._title} does not get the curves any more: {reason_of(error)}.")

    def _pass_on(self, opened: Opened) -> None:
        is_last = False
        while not is_last:
            waiting = [self._points.get()]
            while len(waiting) < BATCH and waiting[-1] is not None and not self._points.empty():
                waiting.append(self._points.get())
            is_last = waiting[-1] is None
            if points := [point for point in waiting if point is not None]:
                opened.log(points)

    def _hand_over(self, point: Point | None) -> None:
        if self._is_over:
            return
        try:
            self._points.put_nowait(point)
        except queue.Full:
            self._give_up(f"{self._title} does not get the curves any more: it has taken no points for a long time.")

    def _give_up(self, message: str) -> None:
        self._is_over = True
        hint = "The training goes on, and the run folder has every point. Look at its settings and its server."
        self._news.put(Alert(code=AlertCode.TRACKER, message=message, hint=hint))


def is_one_at_work() -> bool:
    """Whether the thread of a tracker has not come to its end."""
    return any(isinstance(thread, Feed) for thread in threading.enumerate())


def reason_of(error: BaseException) -> str:
    """The first line of what the tracker says, without the user and the password of an address."""
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), "") or type(error).__name__
    return re.sub(r"//[^/@\s]+@", "//…@", line)[:REASON_CHARACTERS].rstrip(". ")
