"""How far something is."""

from __future__ import annotations

from typing import Any

from nicegui import ui
from nicegui.binding import BindableProperty, bind_from


class ProgressBar(ui.element, default_classes="qu-bar"):
    """A bar for a share from 0 to 1, such as a job's progress or the memory of a device in use.

    `label` is its name for screen readers, which read the share as per cent.
    """

    value = BindableProperty(on_change=lambda sender, value: sender._draw(value))

    def __init__(self, label: str, value: float = 0.0, *, thin: bool = False) -> None:
        super().__init__("div")
        self._props.update({"role": "progressbar", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": "100"})
        if thin:
            self.classes("qu-bar-thin")
        with self:
            self._fill = ui.element("span")
        self.value = value
        self._draw(value)  # the first value of a bindable property announces no change

    def bind_value_from(self, source: Any, name: str) -> ProgressBar:
        """Follow a bindable field of `source`, such as the `progress` of a job."""
        bind_from(self, "value", source, name)
        return self

    def _draw(self, value: float) -> None:
        percent = round(100 * min(max(value, 0.0), 1.0), 1)
        self._props["aria-valuenow"] = f"{percent:.0f}"
        self._fill.style(f"width:{percent}%")
