"""Beside every step of /train: what the run will need, estimated anew at each change, against what the device has."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nicegui import background_tasks, ui

from qlora_ui.components.badge import Badge
from qlora_ui.components.charts.stacked_bar import stacked_bar
from qlora_ui.components.events import listen
from qlora_ui.components.layout import Card, row
from qlora_ui.components.live import Live
from qlora_ui.components.text import Text, muted
from qlora_ui.components.words import of_total, size
from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.estimate import Estimate, Lengths, TermName, estimate
from qlora_ui.contract.model_shape import ModelShape
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.parsing import parse_parameters
from qlora_ui.contract.records import JobKind
from qlora_ui.estimates import shape_of_model
from qlora_ui.locales import _, mark
from qlora_ui.pages.train.session import TrainSession
from qlora_ui.pages.train.words import KNOBS

if TYPE_CHECKING:
    from qlora_ui.meters import DeviceReading

PARTS: dict[str, tuple[TermName, ...]] = {
    mark("Weights"): ("weights", "dequantised"),
    mark("Activations and logits"): ("activations", "logits"),
    mark("Embeddings and head"): ("vocabulary",),
    mark("Adapter and optimiser"): ("adapter",),
    mark("Libraries"): ("libraries",),
}
"""What is shown as one → the terms of the estimate in it."""
TIGHT = 0.8
"""Of the device's memory: the estimate may be off by a fifth, so from here on nobody knows."""


class FitCard(Card):
    """Whether the run fits, as far as it can be known without a measurement."""

    def __init__(self, session: TrainSession) -> None:
        super().__init__(_("Will it fit?"))
        self._session = session
        self._model: str | None = None
        self._shape: ModelShape | None = None
        self._devices: list[DeviceReading] = []
        with self:
            self._live = Live(session.form.changed, self._state, self._show, classes="qu-contents")
            listen(session.form.changed, self._look_at_model)
        self._look_at_model()

    def _look_at_model(self) -> None:
        """In a thread: a change of a knob never waits for a disk."""
        name = str(self._session.form.get("model_name") or "")
        if name != self._model:
            self._model, self._shape = name, None
            background_tasks.create(self._find_shape(name), name="look at a model", context=ui.context.client)

    async def _find_shape(self, name: str) -> None:
        shape = await asyncio.to_thread(shape_of_model, name) if name else None
        devices = self._devices or await self._read_devices()
        if name == self._model and not self.is_deleted:  # else another one was chosen meanwhile
            self._shape, self._devices = shape, devices
            self._live.follow()

    async def _read_devices(self) -> list[DeviceReading]:
        """The GPUs, and always the processor."""
        services = self._session.services
        devices = await services.devices()
        return devices if any(device.kind == "cpu" for device in devices) else [*devices, await services.processor()]

    def _parameters(self) -> TrainingParameters | None:
        """As they are set, whatever the data are; None where they cannot be used."""
        form = self._session.form
        chosen = {name: form.get(name) for name in KNOBS if form.get(name) is not None}
        try:
            parameters = parse_parameters(JobKind.TRAINING, chosen | {"dataset_path": form.get("dataset_path") or "-"})
        except ParameterError:
            return None
        return parameters if isinstance(parameters, TrainingParameters) else None

    def _device(self) -> DeviceReading | None:
        """The one that the run would take; None where that is not there, or is not known yet."""
        wanted = str(self._session.form.get("device"))
        if wanted == "auto":
            return self._devices[0] if self._devices else None
        return next((device for device in self._devices if device.id == wanted), None)

    def _estimate(self, device: DeviceReading | None) -> Estimate | None:
        parameters = self._parameters()
        if self._shape is None or device is None or parameters is None:
            return None
        survey = self._session.form.data.survey
        longest = survey.lengths.longest if survey is not None and survey.lengths is not None else None
        return estimate(self._shape, parameters, Lengths(longest=longest), device.kind)

    def _state(self) -> tuple[object, ...]:
        device = self._device()
        total = device.memory_total if device else 0
        return self._model, self._shape, bool(self._devices), total, self._estimate(device)

    def _show(self) -> None:
        device = self._device()
        found = self._estimate(device)
        if found is None or device is None:
            muted(self._why_unknown())
            return
        needed, total = found.memory, device.memory_total
        with row(between=True):
            Text(of_total(needed, total), "b", classes="qu-num")
            _verdict(needed / total if total else 1.0)
        sizes = {term.name: term.bytes for term in found.terms}
        parts = [(_(name), sum(sizes[term] for term in terms)) for name, terms in PARTS.items()]
        stacked_bar(parts, total, label=_("What the memory goes to"))
        muted(
            _("Estimated, and it may be off by a fifth. On the disk it takes {size}.", size=size(found.disk)), size="xs"
        )

    def _why_unknown(self) -> str:
        if not self._model:
            return _("Known once a model is chosen.")
        if self._parameters() is None:
            return _("Known once the settings can be used.")
        if self._devices and self._shape is None:
            return _("Unknown: the model's config is not on this machine, or it is of a kind that is not known here.")
        if self._devices:
            return _("Unknown: the device that is chosen is not there.")
        return _("It is looked at.")


def _verdict(share: float) -> None:
    if share < TIGHT:
        Badge(_("Fits"), "success")
    elif share <= 1 + (1 - TIGHT):
        Badge(_("Tight"), "warning")
    else:
        Badge(_("Too large"), "error")
