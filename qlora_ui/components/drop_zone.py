"""A place to drop a data file on: it travels to the server as one stream, of any size, with progress and cancel."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from qlora_ui.contract.records import Dataset
from qlora_ui.locales import _, sentence

ENDINGS = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".txt")
UPLOAD_URL = "/api/v1/datasets"


class DropZone(Element, component="drop_zone.js"):
    """Calls `on_uploaded` with the Dataset that the server made of the file; what goes wrong it says in place."""

    def __init__(self, on_uploaded: Callable[[Dataset], Any | Awaitable[Any]]) -> None:
        super().__init__()
        self._props["url"] = UPLOAD_URL
        self._props["accept"] = ",".join(ENDINGS)
        self._props["words"] = _words()
        self._on_uploaded = on_uploaded
        self.on("uploaded", self._take)
        self.on("refused", self._explain)

    def _take(self, event: GenericEventArguments) -> Any:
        return self._on_uploaded(Dataset.model_validate(event.args))

    def _explain(self, event: GenericEventArguments) -> None:
        """The server answers programs as well, and so in English."""
        said = [sentence(str(event.args.get(name) or "")) for name in ("error", "hint")]
        self.run_method("fail", " ".join(filter(None, said)))


def _words() -> dict[str, str]:
    """What the browser says by itself; it fills in the places."""
    return {
        "prompt": _("Drop a data file here, or {choose}"),
        "choose": _("choose one"),
        "hint": _("JSONL, JSON, CSV, TSV, Parquet or text. It stays on this machine."),
        "upload": _("Upload of {name}"),
        "sent": _("{sent} of {size}"),
        "writing": _("Writing it to the disk"),
        "cancel": _("Cancel the upload"),
        "cancelled": _("The upload was cancelled; nothing of it was kept."),
        "several": _("One file at a time, please: the rows of a run come from one file."),
        "none": _("That was no file. Drop a file from this computer."),
        "ending": _("{name} cannot be read as training data. It must end in {endings}."),
        "broken": _("The connection broke off before the whole file had arrived. Try again."),
        "refused": _("The server did not take the file (code {code})."),
    }
