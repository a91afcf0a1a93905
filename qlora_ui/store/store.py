"""Everything that is remembered, behind one door."""

from __future__ import annotations

from qlora_ui.contract.paths import Workspace
from qlora_ui.store.adapters import Adapters
from qlora_ui.store.database import Database
from qlora_ui.store.datasets import Datasets
from qlora_ui.store.instance import Instance
from qlora_ui.store.notifications import NotificationBook
from qlora_ui.store.preferences import Preferences
from qlora_ui.store.recipes import Recipes


class Store:
    """The repositories of one workspace, whose home folder must exist.

    Opening it reads the database once, repairs it if need be and makes its index agree with the folders. Raises
    WorkspaceError when a newer qlora-ui wrote the database or the folder cannot be used.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._database = Database(workspace)
        self.adapters = Adapters(self._database)
        self.datasets = Datasets(self._database)
        self.preferences = Preferences(self._database)
        self.notifications = NotificationBook(self._database)
        self.instance = Instance(self._database)
        self.recipes = Recipes(self._database)
        self.datasets.rebuild(workspace)
        self.adapters.rebuild(workspace)

    @property
    def recovery(self) -> str:
        """What had to be repaired, in a sentence for the person; empty when nothing had."""
        return self._database.recovery
