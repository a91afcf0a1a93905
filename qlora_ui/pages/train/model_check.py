"""What can be said of a model before anything is loaded: from its name and the files of its folder."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from qlora_ui.components.words import size
from qlora_ui.contract.errors import ModelError
from qlora_ui.contract.paths import STARTER, model_location
from qlora_ui.locales import _, mark, sentence
from qlora_ui.models.facts import facts_of

_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")


@dataclass(frozen=True)
class ModelNote:
    """One sentence about a model, and whether it stands in the way of a start.

    It is made in a thread, where nobody reads; `text` and `hint` put it into the language of the page.
    """

    english: str
    english_hint: str = ""
    is_problem: bool = False
    values: dict[str, str | int] = field(default_factory=dict)
    """What stands in the places of `english`; a whole number is a count of bytes."""

    @classmethod
    def of_error(cls, error: ModelError) -> ModelNote:
        """Why a model cannot be used."""
        return cls(error.message, error.hint, is_problem=True)

    @property
    def text(self) -> str:
        if not self.values:
            return sentence(self.english)
        return _(self.english, **{name: v if isinstance(v, str) else size(v) for name, v in self.values.items()})

    @property
    def hint(self) -> str:
        return sentence(self.english_hint)


def look_at(name: str, offline: bool) -> ModelNote:
    """Reads the folder's `config.json` and file sizes where the model is a folder; asks no hub."""
    if name == STARTER:
        return ModelNote(
            mark("The small model that comes along."),
            mark("It needs no network and no GPU, so it is the quickest way to see a whole run."),
        )
    folder = Path(model_location(name))
    try:
        if folder.is_dir():
            return _look_at_folder(folder)
    except OSError as error:  # the name is too long, or nobody may look there
        values: dict[str, str | int] = {"file": name, "reason": error.strerror or str(error)}
        return ModelNote(mark("{file} cannot be read: {reason}."), is_problem=True, values=values)
    if name.startswith(("/", "~", ".")) or not _HUB_NAME.fullmatch(name):
        hint = mark("Check the path, or choose another model.")
        return ModelNote(mark("There is no folder {name}."), hint, is_problem=True, values={"name": name})
    if offline:
        return ModelNote(
            mark("{name} is a name on the hub, and this run is offline."),
            mark("It works only if the model was fetched on this machine before."),
            values={"name": name},
        )
    return ModelNote(
        mark("{name} is taken from the hub when the training starts."),
        mark("It is fetched once and kept on this machine."),
        values={"name": name},
    )


def _look_at_folder(folder: Path) -> ModelNote:
    values: dict[str, str | int] = {"folder": str(folder)}
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        weights = sum(file.stat().st_size for file in folder.glob("*.safetensors") if file.exists())
    except FileNotFoundError:
        text = mark("The folder {folder} has no config.json, so it holds no model.")
        hint = mark("Choose the folder that has config.json, the weights and the tokenizer in it.")
        return ModelNote(text, hint, is_problem=True, values=values)
    except (OSError, ValueError) as error:
        values = {"file": str(folder / "config.json"), "reason": str(error)}
        return ModelNote(mark("The file {file} cannot be read: {reason}."), is_problem=True, values=values)
    if not weights:
        text = mark("The folder {folder} has no weights in safetensors.")
        hint = mark("Only safetensors are loaded, because other weight files can carry code.")
        return ModelNote(text, hint, is_problem=True, values=values)
    facts = facts_of(config if isinstance(config, dict) else {})
    if not facts.can_be_loaded:
        text = mark("The model in {folder} is already quantised ({method}).")
        hint = mark("Choose it with its original weights, or as it was saved in 4 bits by bitsandbytes.")
        return ModelNote(text, hint, is_problem=True, values=values | {"method": facts.quantisation})
    values = {"kind": facts.architecture or "unknown", "weights": weights, "method": facts.quantisation}
    return ModelNote(
        _KIND_IN_4_BITS if facts.quantisation else _KIND, _EXPERTS if facts.is_mixture else "", False, values
    )


_KIND = mark("A folder on this machine: a {kind} model with {weights} of weights.")
_KIND_IN_4_BITS = mark("A folder on this machine: a {kind} model with {weights} of weights, used in 4 bits ({method}).")
_EXPERTS = mark(
    "It is a mixture of experts: in most of them, the experts stay in 16 bits or more and do not learn; the rest does."
)
