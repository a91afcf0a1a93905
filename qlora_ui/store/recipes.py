"""How data were read the last time, so that nobody has to say it twice."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from qlora_ui.contract.recipe import DataFormat, Step
from qlora_ui.contract.records import now
from qlora_ui.store.database import Database
from qlora_ui.store.repository import Repository

KEPT = 500
"""The newest ones; older ones are forgotten."""


class KeptRecipe(BaseModel):
    """What a person said of some data: the knobs of these names. What is not said is found by itself."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    data_format: DataFormat = "auto"
    data_mapping: dict[str, str] = Field(default_factory=dict)
    data_roles: dict[str, str] = Field(default_factory=dict)
    data_steps: list[Step] = Field(default_factory=list)
    split_column: str = ""
    kept_at: datetime = Field(default_factory=now)

    @property
    def knobs(self) -> dict[str, object]:
        """Knob → value."""
        return {name: getattr(self, name) for name in RECIPE_KNOBS}

    @property
    def says_something(self) -> bool:
        return self.knobs != KeptRecipe().knobs


RECIPE_KNOBS = tuple(name for name in KeptRecipe.model_fields if name != "kept_at")
"""The knobs that are kept with data."""


class Recipes:
    """Kept recipes by the references of the data, as text."""

    def __init__(self, database: Database) -> None:
        self._records = Repository(database, "recipes", KeptRecipe)

    def get(self, reference: str) -> KeptRecipe | None:
        return self._records.get(reference)

    def keep(self, reference: str, recipe: KeptRecipe) -> None:
        """Keep it in place of an older one; one that says nothing is forgotten."""
        if not recipe.says_something:
            self._records.delete(reference)
            return
        known = self._records.items()
        known.pop(reference, None)
        oldest = sorted(known, key=lambda name: known[name].kept_at)[: max(0, len(known) + 1 - KEPT)]
        self._records.change({reference: recipe}, forgotten=oldest)
