"""A clock that jumps: what the process takes for the present moment is moved, as if somebody had set the clock."""

from __future__ import annotations

import datetime
import time

from qlora_ui.contract import records

_offset = 0.0
_real_time = time.time


def shift(seconds: float) -> None:
    """Put this process's clock forward, or back, by so much in all; what measures only durations stays as it is."""
    global _offset
    _offset = seconds
    time.time = _wrong_time
    vars(records)["datetime"] = _WrongDatetime


def _wrong_time() -> float:
    return _real_time() + _offset


class _WrongDatetime(datetime.datetime):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> _WrongDatetime:
        return cls.fromtimestamp(_real_time() + _offset, tz)
