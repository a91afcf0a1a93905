"""The settings that a person has set on /train, as fields and as a file, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any

import yaml

from qlora_ui.components.forms.knob_field import plain as structure
from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.knobs import Knob
from qlora_ui.contract.other_tools import TakenOver, take_over
from qlora_ui.contract.parameters import JobParameters, TrainingParameters
from qlora_ui.contract.parsing import parse_parameters, parse_yaml
from qlora_ui.contract.paths import STARTER
from qlora_ui.contract.presets import BALANCED, PRESET_KNOBS, PRESETS
from qlora_ui.contract.records import JobKind
from qlora_ui.contract.training_parameters import DATA_KNOBS
from qlora_ui.jobs.reactive import Event
from qlora_ui.pages.train.words import KNOBS, FileMistake, in_a_sentence


@dataclass(eq=False)
class SettingsForm:
    """Knobs and their values, unchecked as they were typed, and checked for those who start a run with them."""

    starter_settings: dict[str, Any] = field(default_factory=dict)
    """Settings that suit the small starter model; they fill in what the person has not set."""
    values: dict[str, Any] = field(default_factory=dict)
    """Knob → what the person typed or chose, unchecked; what is missing has its default."""
    errors: dict[str, str] = field(default_factory=dict)
    """Knob → what is wrong with its value; only for knobs that were touched, until `check` is asked for."""
    touched: set[str] = field(default_factory=set)
    preset: str = BALANCED
    """What the settings began with; single ones may have been changed since."""
    yaml_mistake: FileMistake | None = None
    """What is wrong with the file as it is typed; the values are then those of its last good state."""
    yaml_draft: str = ""
    """The file as it was typed, while it has a mistake."""
    before_recall: dict[str, Any] | None = None
    """What the knobs were before the data were read as last time; None where they are read anew."""
    changed: Event[[]] = field(default_factory=Event)
    """Emitted after a value, an error, the step or the inspection changed."""

    def get(self, name: str) -> Any:
        """The value as a person sees it: what was set, else the starter's setting, else the default."""
        return self.values[name] if name in self.values else self._unset(name)

    def set(self, name: str, value: Any) -> None:
        """Take over what was typed or chosen, and say at once what is wrong with it. Empty means the default."""
        self.update({name: value})

    def update(self, values: Mapping[str, Any]) -> None:
        """Take over several values at once."""
        for name, value in values.items():
            value = value.strip() if isinstance(value, str) else value
            if value in ("", None, [], {}) and not KNOBS[name].required:
                self.values.pop(name, None)
            else:
                self.values[name] = value
        self.touched.update(values)
        self._find_errors()
        self.changed.emit()

    def choose_preset(self, name: str) -> None:
        """Set every knob that some preset sets as this one does; the others stay as they are."""
        self.preset = name
        self.update({knob: self._of_preset(name, knob) if knob in PRESETS[name] else None for knob in PRESET_KNOBS})

    @property
    def values_of_preset(self) -> dict[str, Any]:
        """Knob → value, of those that the chosen preset sets."""
        return {name: self._of_preset(self.preset, name) for name in PRESETS[self.preset]}

    @property
    def beside_preset(self) -> dict[str, Any]:
        """Knob → value, of those that presets set and that now differ from the chosen one."""
        return self._beside(self.preset)

    def _beside(self, preset: str) -> dict[str, Any]:
        now = {name: _plain(KNOBS[name], self.get(name)) for name in PRESET_KNOBS}
        return {name: value for name, value in now.items() if value != self._of_preset(preset, name)}

    def _of_preset(self, preset: str, name: str) -> Any:
        """What a knob has with a preset. A length is an upper bound: what suits the starter may be shorter."""
        unset = self._unset(name)
        value = PRESETS[preset].get(name, unset)
        return min(value, unset) if name == "max_length" else value

    def _nearest_preset(self) -> str:
        """The preset from which the settings differ least."""
        return min(PRESETS, key=lambda name: (len(self._beside(name)), name != BALANCED))

    def _unset(self, name: str) -> Any:
        """The value that a knob has while nobody set it."""
        suits_starter = self.values.get("model_name") == STARTER and name in self.starter_settings
        return self.starter_settings[name] if suits_starter else KNOBS[name].default

    @property
    def problems(self) -> dict[str, str]:
        """Every knob that stands in the way of a start, touched or not, with the reason."""
        try:
            self.parameters()
        except ParameterError as error:
            return error.fields
        return {}

    @property
    def yaml_problem(self) -> str:
        """What is wrong with the file as it is typed, in a sentence; empty when nothing is."""
        return self.yaml_mistake.text if self.yaml_mistake is not None else ""

    def in_a_sentence(self, name: str, reason: str) -> str:
        """`Learning rate: 'abc' was given …` for a knob and what is wrong with it, which is English."""
        return in_a_sentence(name, self.get(name) if name in KNOBS else None, reason)

    def parameters(self) -> TrainingParameters:
        """The checked settings. Raises ParameterError, naming every bad field."""
        chosen = {name: self.get(name) for name in KNOBS if self.get(name) is not None}
        parameters = parse_parameters(JobKind.TRAINING, chosen)
        assert isinstance(parameters, TrainingParameters)
        return parameters

    @property
    def differing(self) -> dict[str, Any]:
        """The knobs that do not have their default, but for model and data."""
        chosen = {name: self.get(name) for name in KNOBS}
        own = {"name", "model_name", "dataset_path"}
        return {name: value for name, value in chosen.items() if value != KNOBS[name].default and name not in own}

    def to_yaml(self) -> str:
        """All settings as the file that `qlora-ui train` reads, valid or not."""
        plain = {name: structure(_plain(KNOBS[name], self.get(name))) for name in KNOBS}
        return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)

    def drop_yaml(self) -> None:
        """Give up a file with a mistake: the settings are those of the fields."""
        self.yaml_draft, self.yaml_mistake = "", None
        self.changed.emit()

    def load_yaml(self, text: str) -> None:
        """Take over an edited file as a whole; one that cannot be used changes nothing but `yaml_mistake`.

        What the file leaves out has its default, as on the command line, and not what suits the starter.
        """
        try:
            content = parse_yaml(text)
            checked = parse_parameters(JobKind.TRAINING, content)
        except ParameterError as error:
            self.yaml_draft, self.yaml_mistake = text, FileMistake.of(error, text)
            self.changed.emit()
            return
        self.take_over(checked, content.keys())

    @property
    def foreign(self) -> TakenOver | None:
        """What the file that is typed comes to, where it is one of another tool."""
        try:
            return take_over(parse_yaml(self.yaml_draft)) if self.yaml_draft else None
        except ParameterError:
            return None

    def take_foreign(self, found: TakenOver) -> None:
        """Hold the settings of another tool's file in place of these; data that it does not name stay as they are."""
        kept = {name: self.values[name] for name in DATA_KNOBS if name in self.values}
        self.yaml_draft, self.yaml_mistake, self.before_recall = "", None, None
        self.values = kept if "dataset_path" not in found.values else {}
        self.update(found.values)
        self.preset = self._nearest_preset()
        self.changed.emit()

    def take_over(self, parameters: JobParameters, said: Set[str]) -> None:
        """Hold these settings, of which a person `said` some; the others have their default, also for the starter."""
        self.yaml_draft, self.yaml_mistake, self.before_recall = "", None, None
        given = said | self.starter_settings.keys()
        values = {name: getattr(parameters, name) for name in KNOBS if name in given}
        self.values = {name: value for name, value in values.items() if value is not None}
        self.touched = set(said)
        self.preset = self._nearest_preset()
        self._find_errors()
        self.changed.emit()

    def _find_errors(self) -> None:
        self.errors = {name: reason for name, reason in self.problems.items() if name in self.touched or name == ""}


def _plain(knob: Knob, value: Any) -> Any:
    """A value as YAML should show it: typed numbers as numbers where they are ones."""
    if not isinstance(value, str) or knob.kind not in {"integer", "number"}:
        return value
    try:
        return int(value) if knob.kind == "integer" else float(value)
    except ValueError:
        return value
