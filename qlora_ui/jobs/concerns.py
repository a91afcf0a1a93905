"""What the server itself remarks about a run at work, beside the alerts of its worker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from qlora_ui.contract.events import AlertCode
from qlora_ui.contract.records import now


@dataclass(frozen=True)
class Concern:
    """Something that is wrong now; it goes away again when it is not wrong any more."""

    code: AlertCode
    message: str
    hint: str
    since: datetime
    level: Literal["warning", "error"] = "warning"


def silence(seconds: float) -> Concern:
    """A run has said nothing for so long, which is too long."""
    minutes = int(seconds // 60)
    return Concern(
        AlertCode.STUCK,
        f"The run has said nothing for more than {minutes} minutes.",
        "Look at its log and at the device. If nothing moves, stop it and resume it: it goes on from its last "
        "checkpoint.",
        since=now() - timedelta(seconds=seconds),
    )


def heat(device: str, limit: float, seconds: float) -> Concern:
    """A device has been at `limit` degrees Celsius or more for so long."""
    return Concern(
        AlertCode.TOO_HOT,
        f"{device} has been at {limit:.0f} °C or more for a minute, so it slows itself down.",
        "Look after its fans and the air around it, or give it less to do: a lower power limit costs little speed.",
        since=now() - timedelta(seconds=seconds),
    )


def little_room(free: int, checkpoint: int) -> Concern:
    """So many bytes are free on the disk with the runs, of which each checkpoint takes `checkpoint`; 0 is unknown."""
    gigabytes = f"{free / 1e9:.1f} GB"
    hint = "Make room in Settings, under Storage, or keep fewer checkpoints. A run that finds the disk full ends."
    if not checkpoint:
        return Concern(AlertCode.DISK_NEARLY_FULL, f"Only {gigabytes} are free on the disk with the runs.", hint, now())
    fitting = free // checkpoint
    if not fitting:
        message = f"Only {gigabytes} are free on the disk with the runs: there is no room for another checkpoint."
        return Concern(AlertCode.DISK_NEARLY_FULL, message, hint, now(), level="error")
    message = f"Only {gigabytes} are free on the disk with the runs: there is room for {fitting} more checkpoints."
    if fitting == 1:
        message = f"Only {gigabytes} are free on the disk with the runs: there is room for one more checkpoint."
    return Concern(AlertCode.DISK_NEARLY_FULL, message, hint, now())
