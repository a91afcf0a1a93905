"""The trackers that a training's curves can go to beside its run folder, and whether they are installed."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from qlora_ui.contract.monitoring_parameters import Tracker


@dataclass(frozen=True)
class Tool:
    """A tracker as its makers call it."""

    title: str
    module: str
    """What Python imports; it has to be there before the tracker can be used."""
    extra: str
    """The optional part of qlora-ui that brings it."""

    @property
    def is_installed(self) -> bool:
        """Found without importing it; a folder of that name without a module in it does not count."""
        try:
            found = importlib.util.find_spec(self.module)
        except (ImportError, ValueError):
            return False
        return found is not None and found.origin is not None

    @property
    def how_to_install(self) -> str:
        """A command for a shell."""
        return f"pip install 'qlora-ui[{self.extra}]'"


TOOLS: dict[Tracker, Tool] = {
    "tensorboard": Tool("TensorBoard", "tensorboard", "tensorboard"),
    "wandb": Tool("Weights & Biases", "wandb", "wandb"),
    "mlflow": Tool("MLflow", "mlflow", "mlflow"),
    "trackio": Tool("trackio", "trackio", "trackio"),
}
DEFAULT_PROJECT = "qlora-ui"
"""What trackers call the project where the parameters give no other name."""
