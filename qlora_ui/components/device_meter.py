"""What a device does now, small enough for the side bar."""

from __future__ import annotations

from typing import Protocol

from nicegui import ui

from qlora_ui.components.layout import Card, row
from qlora_ui.components.progress_bar import ProgressBar
from qlora_ui.components.text import Text
from qlora_ui.components.words import of_total, per_cent
from qlora_ui.locales import _, n_
from qlora_ui.locales.figures import number
from qlora_ui.theme import Icon


class Reading(Protocol):
    """The figures of a device at one moment: memory in bytes, utilisation in per cent, temperature in °C."""

    @property
    def name(self) -> str: ...
    @property
    def memory_used(self) -> int: ...
    @property
    def memory_total(self) -> int: ...
    @property
    def utilisation(self) -> float | None: ...
    @property
    def temperature(self) -> float | None: ...
    @property
    def cores(self) -> int | None: ...


class DeviceMeter(Card, default_classes="qu-meter"):
    """Name, temperature, memory and load of one device. `show` takes the next reading."""

    def __init__(self) -> None:
        super().__init__(tight=True)
        with self:
            with row(between=True):
                with ui.element("span").classes("qu-row qu-grow qu-sm"):
                    Icon("cpu")
                    self._name = Text("", "b", classes="qu-clip")
                self._aside = Text(classes="qu-muted qu-xs qu-num qu-nowrap")
            self._memory = ProgressBar(_("Memory in use"), thin=True)
            with row(between=True).classes("qu-muted qu-xs qu-num qu-nowrap"):
                self._amount = Text()
                self._load = Text()

    def show(self, reading: Reading) -> None:
        self._name.text = short_name(reading.name)
        self._name._props["title"] = reading.name
        self._aside.text = _aside(reading)
        self._memory.value = reading.memory_used / reading.memory_total if reading.memory_total else 0.0
        self._amount.text = of_total(reading.memory_used, reading.memory_total)
        self._load.text = "" if reading.utilisation is None else _busy(reading.utilisation)


def short_name(name: str) -> str:
    """A device's name without maker and trade marks: `NVIDIA GeForce RTX 4090` is `RTX 4090`."""
    for word in ("NVIDIA", "GeForce", "Intel(R)", "(R)", "(TM)", "AMD", "Processor", "CPU"):
        name = name.replace(word, "")
    return " ".join(name.partition("@")[0].split()) or _("Processor")


def _busy(utilisation: float) -> str:
    return _("{share} busy", share=per_cent(utilisation))


def _aside(reading: Reading) -> str:
    if reading.temperature is not None:
        return _("{degrees} °C", context="temperature", degrees=number(reading.temperature))
    return n_("{count} core", "{count} cores", reading.cores) if reading.cores else ""
