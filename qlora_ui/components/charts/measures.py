"""What a run may measure: how each figure is called, written and explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from qlora_ui.components.words import loss, per_cent, power_of_ten, size, speed
from qlora_ui.jobs.history.curves import Curves
from qlora_ui.locales import _, mark
from qlora_ui.locales.figures import fixed, number


class Scale(TypedDict):
    """How a chart writes values: `value * factor`, followed by the unit."""

    factor: float
    unit: str


@dataclass(frozen=True)
class Measure:
    """A figure over the steps of a run."""

    name: str
    """Its name in `Curves`."""
    title: str
    meaning: str
    """One plain sentence."""
    factor: float = 1.0
    unit: str = ""
    is_of_evaluation: bool = False
    """Measured a few times over the run, at each evaluation."""

    @property
    def scale(self) -> Scale:
        return {"factor": self.factor, "unit": _(self.unit) if self.unit else ""}

    def in_words(self, value: float | None) -> str:
        """The value with its unit; a dash for None."""
        if value is None:
            return "–"
        match self.name:
            case "loss" | "eval_loss":
                return loss(value)
            case "tokens_per_second":
                return speed(value)
            case "learning_rate":
                return power_of_ten(value)
            case "memory" | "device_memory":
                return size(value)
            case "padding" | "eval_token_accuracy" | "device_use":
                return per_cent(100 * value, 1)
            case "temperature":
                return _("{degrees} °C", context="temperature", degrees=number(value))
            case "power":
                return _("{watts} W", watts=number(value))
            case _:
                return fixed(value, 2)


TOKENS_A_SECOND = mark("tokens/s")
MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure(
            "learning_rate",
            mark("Learning rate"),
            mark("How large each correction is; it grows over the warm-up and then follows the schedule."),
        ),
        Measure(
            "grad_norm",
            mark("Gradient norm"),
            mark("How strongly each step pulls at the weights, before it is capped. Spikes mean that a step was odd."),
        ),
        Measure(
            "tokens_per_second",
            mark("Speed"),
            mark("Tokens of the examples that are worked through a second, without the padding between them."),
            unit=TOKENS_A_SECOND,
        ),
        Measure(
            "padding",
            mark("Padding"),
            mark("The share of each batch that only fills up shorter examples. Packing brings it towards zero."),
            factor=100,
            unit="%",
        ),
        Measure(
            "eval_token_accuracy",
            mark("Token accuracy"),
            mark("The share of the held-out answers' tokens that the model ranks first; higher is better."),
            factor=100,
            unit="%",
            is_of_evaluation=True,
        ),
        Measure(
            "eval_perplexity",
            mark("Perplexity"),
            mark("Among how many tokens the model wavers on held-out rows, so to speak; lower is better."),
            is_of_evaluation=True,
        ),
        Measure(
            "memory",
            mark("Memory"),
            mark("What the run's process holds in the memory of the machine."),
            factor=1e-9,
            unit="GB",
        ),
        Measure(
            "device_memory",
            mark("Device memory"),
            mark("The most that the run held in the memory of the GPU, up to each step."),
            factor=1e-9,
            unit="GB",
        ),
        Measure(
            "device_use",
            mark("Device use"),
            mark("The share of the time in which the GPU was at work. Low values mean that it waits for data."),
            factor=100,
            unit="%",
        ),
        Measure(
            "temperature",
            mark("Temperature"),
            mark("Of the GPU. It slows itself down when it gets too hot, mostly above 83 to 90 °C."),
            unit="°C",
        ),
        Measure("power", mark("Power"), mark("What the GPU draws at that moment."), unit="W"),
    )
}
"""Beside the losses, in the order in which they are offered."""


def measured(curves: Curves) -> list[Measure]:
    """What this run measured beside its losses."""
    return [measure for name, measure in MEASURES.items() if curves.count(name)]
