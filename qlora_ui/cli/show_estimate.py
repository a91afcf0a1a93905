"""`qlora-ui estimate`: what a training will need, before anything of it runs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from qlora_ui import console
from qlora_ui.cli.values import assignments
from qlora_ui.contract.errors import ModelError, ParameterError
from qlora_ui.contract.estimate import Estimate, Lengths, TermName, estimate
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.parsing import read_parameters
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import JobKind
from qlora_ui.estimates import Speed, shape_of_model, speed_of_earlier
from qlora_ui.meters import DeviceReading, Meters

NAMES: dict[TermName, str] = {
    "libraries": "Libraries",
    "weights": "Weights",
    "vocabulary": "Embeddings and head",
    "adapter": "Adapter and optimiser",
    "activations": "Activations",
    "logits": "Logits",
    "dequantised": "Largest layer, unpacked",
}


def estimate_for_people_or_programs(workspace: Workspace, file: Path, changes: list[str], *, as_json: bool) -> int:
    """Estimate the training of a YAML file with `key=value` changes. Raises ParameterError, ModelError."""
    parameters = read_parameters(file, JobKind.TRAINING, assignments(changes, JobKind.TRAINING))
    assert isinstance(parameters, TrainingParameters)
    shape = shape_of_model(parameters.model_name)
    if shape is None:
        raise ModelError(
            f"The size of {parameters.model_name} cannot be told: its config.json is not on this machine, or is of a "
            "kind that is not known here.",
            "Give a model folder, or train it once: it is kept on this machine then.",
        )
    device = device_of(parameters, Meters())
    found = estimate(shape, parameters, Lengths(), device.kind)
    speed = speed_of_earlier(workspace, parameters)
    if as_json:
        console.say(json.dumps(_as_json(found, device, speed), indent=1))
    else:
        console.say(_as_text(found, parameters, device, speed))
    return 0


def device_of(parameters: TrainingParameters, meters: Meters) -> DeviceReading:
    """The device that the training would run on. Raises ParameterError for a GPU that is not there."""
    if parameters.device == "cpu":
        return meters.read_processor()
    devices = meters.read()
    if parameters.device == "auto":
        return devices[0]
    found = next((device for device in devices if device.id == parameters.device), None)
    if found is None:
        raise ParameterError(f"There is no device {parameters.device} on this machine.", "Set device to auto or cpu.")
    return found


def _as_json(found: Estimate, device: DeviceReading, speed: Speed | None) -> dict[str, object]:
    return {
        "memory": found.memory,
        "terms": {term.name: term.bytes for term in found.terms},
        "disk": found.disk,
        "adapter_parameters": found.adapter_parameters,
        "device": {"id": device.id, "name": device.name, "memory_total": device.memory_total},
        "speed": asdict(speed) if speed else None,
    }


def _as_text(found: Estimate, parameters: TrainingParameters, device: DeviceReading, speed: Speed | None) -> str:
    rows = [(NAMES[term.name], console.size(term.bytes)) for term in found.terms]
    rows += [("Together", f"{console.size(found.memory)} of {console.size(device.memory_total)}")]
    rows += [("Disk", console.size(found.disk))]
    fits = "It fits" if found.memory < device.memory_total else "It does not fit"
    lines = [
        console.table(rows, header=("memory at its peak", "estimated")),
        "",
        f"{fits} on {device.name}, where nothing else uses its memory. Rows are taken to be {parameters.max_length:,} "
        "tokens long; shorter ones need less.",
        f"Speed: {speed.tokens_per_second:,.0f} tokens/s, as the run {speed.name} ({speed.run_id}) measured."
        if speed
        else "Speed: unknown, as long as no run with this model on this device is completed.",
    ]
    return "\n".join(lines)
