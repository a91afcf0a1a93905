"""The best checkpoint so far by the metric of the run, and when there is no more improvement to wait for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from qlora_ui.contract.monitoring_parameters import HIGHER_IS_BETTER


@dataclass
class Best:
    """Is told the metric each time that it is measured, in order."""

    metric: str
    threshold: float = 0.0
    """How much better a value must be to count."""
    patience: int | None = None
    """After so many values in a row without improvement it `is_over`; None never is."""
    value: float | None = None
    step: int | None = None
    without: int = 0
    """Values in a row that were no improvement."""

    def judge(self, step: int, value: float) -> bool:
        """Whether this is a new best. What is not a number never is."""
        if not math.isfinite(value) or not self._is_better(value):
            self.without += 1
            return False
        self.value, self.step, self.without = value, step, 0
        return True

    @property
    def is_over(self) -> bool:
        return self.patience is not None and self.without >= self.patience

    @property
    def totals(self) -> dict[str, float]:
        """What `restore` needs, for a checkpoint."""
        known = {} if self.value is None or self.step is None else {"best_value": self.value, "best_step": self.step}
        return {"best_without": self.without, **known}

    def restore(self, totals: Mapping[str, float]) -> None:
        """Go on as it stood when `totals` were taken."""
        self.without = int(totals.get("best_without", 0))
        if "best_step" in totals:
            self.value, self.step = totals["best_value"], int(totals["best_step"])

    def forget(self) -> None:
        """Start anew: the next value is the best."""
        self.value, self.step, self.without = None, None, 0

    def _is_better(self, value: float) -> bool:
        if self.value is None:
            return True
        gain = value - self.value if self.metric in HIGHER_IS_BETTER else self.value - value
        return gain > self.threshold
