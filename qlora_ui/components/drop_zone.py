"""A place to drop a data file on: it travels to the server as one stream, of any size, with progress and cancel."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from qlora_ui.contract.records import Dataset

ENDINGS = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".txt")
UPLOAD_URL = "/api/v1/datasets"


class DropZone(Element, component="drop_zone.js"):
    """Calls `on_uploaded` with the Dataset that the server made of the file; what goes wrong it says in place."""

    def __init__(self, on_uploaded: Callable[[Dataset], Any | Awaitable[Any]]) -> None:
        super().__init__()
        self._props["url"] = UPLOAD_URL
        self._props["accept"] = ",".join(ENDINGS)
        self._props["label"] = "Drop a data file here"
        self._props["hint"] = "JSONL, JSON, CSV, TSV, Parquet or text. It stays on this machine."
        self._on_uploaded = on_uploaded
        self.on("uploaded", self._take)

    def _take(self, event: GenericEventArguments) -> Any:
        return self._on_uploaded(Dataset.model_validate(event.args))
