"""What the server itself remarks about a run at work, beside the alerts of its worker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from qlora_ui.contract.events import AlertCode


@dataclass(frozen=True)
class Concern:
    """Something that is wrong now; it goes away again when it is not wrong any more."""

    code: AlertCode
    message: str
    hint: str
    since: datetime
    level: Literal["warning", "error"] = "warning"
