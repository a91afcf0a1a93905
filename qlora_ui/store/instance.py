"""What is set for everyone who uses this home folder."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from qlora_ui.store.database import Database
from qlora_ui.store.repository import Repository

_KEY = "instance"


class InstanceSettings(BaseModel):
    """Settings of the app itself, as far as somebody has set them."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    standby: bool | None = None
    """Whether a worker waits with its libraries loaded; None leaves it to the machine's memory."""


class Instance:
    """The settings of this home folder. Every method raises WorkspaceError when the file fails."""

    def __init__(self, database: Database) -> None:
        self._records = Repository(database, "instance", InstanceSettings)

    def get(self) -> InstanceSettings:
        return self._records.get(_KEY) or InstanceSettings()

    def set_standby(self, is_wanted: bool) -> None:
        """Keep what a person wants."""
        self._records.update(_KEY, lambda kept: (kept or InstanceSettings()).model_copy(update={"standby": is_wanted}))
