"""How fast a training goes: its own seconds, without evaluations and checkpoints, and the tokens that went through."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from qlora_ui.worker.batches import Size


class Speed:
    """Counts steps. Totals are over all attempts; what is measured for the rest of the run is of this one alone."""

    def __init__(self, size_of: Callable[[int], Size]) -> None:
        self._size_of = size_of
        """Step → what it trains on."""
        self.totals = {"seconds": 0.0, "tokens": 0.0}
        """Seconds of training, and tokens without padding, over all attempts."""
        self._first_step = self.step = 0
        """`step` is the last one that was made."""
        self._seconds = 0.0
        """Of training, in this attempt."""
        self._pauses: list[float] = []
        """Seconds that each evaluation took."""
        self._clock = time.perf_counter()
        self._new_seconds = 0.0
        self._new = Size(0, 0)
        """Since the last figures."""

    def restore(self, totals: Mapping[str, float], step: int) -> None:
        """Count on from the totals of a checkpoint at a step."""
        self.totals |= {name: totals[name] for name in self.totals if name in totals}
        self._first_step = self.step = step

    def begin(self) -> None:
        """The training begins now."""
        self._seconds = self._new_seconds = 0.0
        self.begin_step()

    def begin_step(self) -> None:
        """What passed since the last step was no training."""
        self._clock = time.perf_counter()

    def count(self, step: int) -> None:
        """A step was made."""
        size = self._size_of(step)
        self.step = step
        self.totals["tokens"] += size.tokens
        self._new = Size(self._new.tokens + size.tokens, self._new.places + size.places)
        self._count_seconds()

    def settle(self) -> None:
        """Count what the device still has to do as training, before something else begins."""
        if torch.cuda.is_initialized():
            torch.cuda.synchronize()
        self._count_seconds()

    @contextmanager
    def pause(self) -> Iterator[None]:
        """What happens inside is an evaluation, and no training."""
        self.settle()
        started = self._clock
        try:
            yield
        finally:
            self.begin_step()
        self._pauses.append(self._clock - started)

    def figures(self) -> dict[str, float]:
        """Tokens a second and the share of padding since the last figures; nothing where nothing was counted."""
        self._count_seconds()
        values = {}
        if self._new.tokens and self._new_seconds:
            values["tokens_per_second"] = self._new.tokens / self._new_seconds
        if self._new.places:
            values["padding"] = 1 - self._new.tokens / self._new.places
        self._new, self._new_seconds = Size(0, 0), 0.0
        return values

    def seconds_for(self, steps: int, evaluations: int) -> float:
        """How long so many more steps and evaluations take, by the ones of this attempt. There was a step at least."""
        left = steps * self._seconds / (self.step - self._first_step)
        return left + (evaluations * sum(self._pauses) / len(self._pauses) if self._pauses else 0.0)

    def summary(self) -> dict[str, Any]:
        """The totals, and the tokens a second that follow from them."""
        seconds, tokens = self.totals["seconds"], int(self.totals["tokens"])
        values: dict[str, Any] = {"seconds": round(seconds, 3), "tokens": tokens}
        return values | ({"tokens_per_second": tokens / seconds} if seconds else {})

    def _count_seconds(self) -> None:
        moment = time.perf_counter()
        passed = moment - self._clock
        self._clock = moment
        self._seconds += passed
        self._new_seconds += passed
        self.totals["seconds"] += passed
