"""A place for data: files and folders travel to the server in parts, of any size, with progress, pauses and cancel."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from qlora_ui.components.toast import toast
from qlora_ui.contract.records import Dataset
from qlora_ui.contract.uploads import ENDINGS, MAX_FILES, MAX_TEXT_BYTES, PART_BYTES, PLAIN_ENDINGS
from qlora_ui.locales import _, n_, sentence
from qlora_ui.locales.figures import number

UPLOAD_URL = "/api/v1/datasets"


class DropZone(Element, component="drop_zone.js", esm={"qlora-ui-uploading": "uploading"}):
    """Takes a file, several files, a folder, or a text that is pasted.

    Calls `on_uploaded` with the Dataset that the server made of it; what goes wrong it says in place. A connection that
    breaks is waited for, and an upload that a reload cut short goes on when the same files are chosen again.
    """

    def __init__(self, on_uploaded: Callable[[Dataset], Any | Awaitable[Any]]) -> None:
        super().__init__()
        self._props["url"] = UPLOAD_URL
        self._props["accept"] = ENDINGS
        self._props["plain"] = PLAIN_ENDINGS
        self._props["part-bytes"] = PART_BYTES
        self._props["max-files"] = MAX_FILES
        self._props["max-text"] = MAX_TEXT_BYTES
        self._props["words"] = _words()
        self._on_uploaded = on_uploaded
        self.on("uploaded", self._take)
        self.on("refused", self._explain)
        self.on("skipped", _say_skipped)

    def _take(self, event: GenericEventArguments) -> Any:
        return self._on_uploaded(Dataset.model_validate(event.args))

    def _explain(self, event: GenericEventArguments) -> None:
        """The server answers programs as well, and so in English."""
        said = [sentence(str(event.args.get(name) or "")) for name in ("error", "hint")]
        self.run_method("fail", " ".join(filter(None, said)))


def _say_skipped(event: GenericEventArguments) -> None:
    """Stays beyond the drop zone, which goes as soon as the data has arrived."""
    toast(
        n_(
            "{count} file was left out: it is empty, hidden or no data file.",
            "{count} files were left out: they are empty, hidden or no data files.",
            int(event.args),
        ),
        "warning",
    )


def _words() -> dict[str, str]:
    """What the browser says by itself; it fills in the places."""
    return {
        "prompt": _("Drop a data file here, or {choose}"),
        "choose": _("choose one"),
        "folder": _("Choose a folder"),
        "paste": _("Paste text"),
        "hint": _(
            "JSONL, JSON, CSV, TSV, Parquet, Arrow, text or Markdown, also compressed. Several files or a folder "
            "become one data set. It stays on this machine."
        ),
        "paste_label": _("Rows as JSONL, JSON, CSV or TSV, or plain text"),
        "pasted": _("Pasted text"),
        "take": _("Use this text"),
        "back": _("Back"),
        "upload": _("Upload of {name}"),
        "sent": _("{sent} of {size}"),
        "paused": _("Paused: the connection is lost. It goes on by itself."),
        "busy": _("Paused: the server is still busy with an earlier part. It goes on by itself."),
        "writing": _("Writing it to the disk"),
        "unfinished": _("The upload of {name} broke off at {sent} of {size}. Choose it again to go on from there."),
        "discard": _("Discard it"),
        "cancel": _("Cancel the upload"),
        "cancelled": _("The upload was cancelled; nothing of it was kept."),
        "several": _("{name} and {count} more"),
        "none": _("That was no file. Drop a file or a folder from this computer."),
        "nothing": _("None of these files can be read as training data."),
        "empty": _("{name} is empty."),
        "no_text": _("There is no text yet. Paste at least one example."),
        "long_text": _("The text is longer than 20 MB. Save it as a file and drop that."),
        "too_many": _(
            "A data set can hold {count} files at most. Pack the rows into fewer files.", count=number(MAX_FILES)
        ),
        "ending": _(
            "{name} cannot be read as training data. It must end in {endings}, each also with .gz, or in .zip."
        ),
        "changed": _("{name} can no longer be read: it was changed, moved or deleted. Choose it again."),
        "unreadable": _("{name} could not be read: {reason}"),
        "broken": _("The connection broke off before all of it had arrived. Try again."),
        "refused": _("The server did not take it (code {code})."),
    }
