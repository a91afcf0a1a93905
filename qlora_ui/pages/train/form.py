"""What a person has set on /train so far: values, errors, the inspected data. No widget in here."""

from __future__ import annotations

from collections.abc import Mapping, Set
from copy import copy
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import yaml

from qlora_ui.components.knob_field import plain as structure
from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.knobs import Knob
from qlora_ui.contract.other_tools import TakenOver, take_over
from qlora_ui.contract.parameters import EvaluationParameters, JobParameters, TrainingParameters
from qlora_ui.contract.parsing import parse_parameters, parse_yaml
from qlora_ui.contract.paths import STARTER, RunPaths
from qlora_ui.contract.presets import BALANCED, PRESET_KNOBS, PRESETS
from qlora_ui.contract.recipe import DataQuery, Source
from qlora_ui.contract.records import JobKind
from qlora_ui.jobs.reactive import Event
from qlora_ui.locales import _, sentence
from qlora_ui.pages.train.data.state import DataState
from qlora_ui.pages.train.data.words import part_name
from qlora_ui.pages.train.files import FileProblem
from qlora_ui.pages.train.model_check import ModelNote
from qlora_ui.pages.train.words import KNOBS, FileMistake, as_sentence, error_of_knob, in_a_sentence

if TYPE_CHECKING:
    from qlora_ui.pages.train.origin import Origin

STEPS = ("model", "data", "settings", "check", "start")
HELD_OUT = f"{STARTER}/heldout"
DATA_KNOBS = (
    "dataset_path",
    "dataset_weight",
    "more_data",
    "data_format",
    "data_mapping",
    "data_roles",
    "data_steps",
    "chat_template",
    "validation_share",
    "validation_rows",
    "validation_path",
    "split_column",
)
"""Knobs that are set on the step of the data."""
READING_KNOBS = ("data_format", "data_mapping", "data_roles")
"""Knobs that say how rows are read; at their defaults that is found by itself."""
READS_DATA_ANEW = frozenset({*DATA_KNOBS, "model_name", "max_length", "train_on", "offline", "evaluations", "seed"})
"""Knobs that decide what the tokens and labels of the data are, and which rows are held out."""
_FOUND_OUT = frozenset({"is_yaml", "is_submitting", "file_problems", "model_note", "data", "changed"})
"""What a draft does without: how the page stands, and what is known of model and data."""
_ON_OTHER_STEPS = frozenset({"name", "model_name", *DATA_KNOBS})


@dataclass(eq=False)
class TrainForm:
    """The state of one person's form. It outlives the page, so that a look elsewhere loses nothing."""

    starter_settings: dict[str, Any] = field(default_factory=dict)
    """Settings that suit the small starter model; they fill in what the person has not set."""
    values: dict[str, Any] = field(default_factory=dict)
    """Knob → what the person typed or chose, unchecked; what is missing has its default."""
    errors: dict[str, str] = field(default_factory=dict)
    """Knob → what is wrong with its value; only for knobs that were touched, until `check` is asked for."""
    touched: set[str] = field(default_factory=set)
    preset: str = BALANCED
    """What the settings began with; single ones may have been changed since."""
    step: int = 0
    """The place in STEPS that is open."""
    is_yaml: bool = False
    """The settings are shown as a file."""
    yaml_mistake: FileMistake | None = None
    """What is wrong with the file as it is typed; the values are then those of its last good state."""
    yaml_draft: str = ""
    """The file as it was typed, while it has a mistake."""
    is_submitting: bool = False
    wants_score: bool = True
    test_path: str = ""
    """A file of held-out rows for the scoring; with the starter's data its own held-out rows are taken."""
    file_problems: dict[str, FileProblem] = field(default_factory=dict)
    """`test_path` or `validation_path` → what is wrong with that file."""
    model_note: ModelNote | None = None
    """What is known of the chosen model; None while none is chosen."""
    before_recall: dict[str, Any] | None = None
    """What the knobs were before the data were read as last time; None where they are read anew."""
    origin: Origin | None = None
    """The earlier run whose settings it began with."""
    data: DataState = field(default_factory=DataState)
    """What is known of the chosen data."""
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
        self.update({knob: PRESETS[name].get(knob) for knob in PRESET_KNOBS})

    @property
    def beside_preset(self) -> dict[str, Any]:
        """Knob → value, of those that presets set and that now differ from the chosen one."""
        return self._beside(self.preset)

    def _beside(self, preset: str) -> dict[str, Any]:
        now = {name: _plain(KNOBS[name], self.get(name)) for name in PRESET_KNOBS}
        return {name: value for name, value in now.items() if value != PRESETS[preset].get(name, self._unset(name))}

    def _unset(self, name: str) -> Any:
        """The value that a knob has while nobody set it."""
        suits_starter = self.values.get("model_name") == STARTER and name in self.starter_settings
        return self.starter_settings[name] if suits_starter else KNOBS[name].default

    def go_to(self, step: int) -> None:
        self.step = min(max(step, 0), len(STEPS) - 1)
        self.changed.emit()

    @property
    def problems(self) -> dict[str, str]:
        """Every knob that stands in the way of a start, touched or not, with the reason."""
        try:
            self.parameters()
        except ParameterError as error:
            return error.fields
        return {}

    @property
    def is_valid(self) -> bool:
        """The settings can be used, and model and data were looked at without a problem."""
        return not self.obstacle

    @property
    def yaml_problem(self) -> str:
        """What is wrong with the file as it is typed, in a sentence; empty when nothing is."""
        return self.yaml_mistake.text if self.yaml_mistake is not None else ""

    @property
    def obstacle(self) -> str:
        """The first thing that stands in the way of a start, in a sentence; empty when there is none."""
        if self.is_yaml and self.yaml_mistake is not None:
            return self.yaml_problem
        step = self.obstacle_step
        return "" if step is None else self.obstacle_at(step) or self._missing_at(step)

    @property
    def obstacle_step(self) -> int | None:
        """The first step on which something stands in the way of a start."""
        return next((step for step in range(len(STEPS)) if self.obstacle_at(step) or self._missing_at(step)), None)

    def obstacle_at(self, step: int) -> str:
        """What has to be mended on a step before it is left; what was only not filled in yet is none."""
        match STEPS[step]:
            case "model" if self.model_note is not None and self.model_note.is_problem:
                return self.model_note.text
            case "data" if self.data.problem is not None:
                return sentence(self.data.problem[0])
            case "data":
                wrong = {name: reason for name, reason in self.errors.items() if name in DATA_KNOBS}
                first = next((self.in_a_sentence(name, reason) for name, reason in wrong.items()), "")
                return first or self._not_understood() or self._wrong_file("validation_path") or self._bad_rows()
            case "settings":
                wrong = {name: reason for name, reason in self.errors.items() if name not in _ON_OTHER_STEPS}
                return next((self.in_a_sentence(name, reason) for name, reason in wrong.items()), "")
            case "start" if "name" in self.errors:
                return self.in_a_sentence("name", self.errors["name"])
            case "start":
                return self._wrong_file("test_path") if self.score_after else ""
            case _:
                return ""

    def _not_understood(self) -> str:
        """What a person has to say of the data before their rows can be read."""
        if parts := self.data.unassigned:
            return _("No column is chosen yet for: {part}.", part=part_name(parts[0]))
        if (names := self.data.unknown_speakers) and not self.skips_bad_rows:
            return _("It has to be said who the speaker “{name}” is.", name=names[0])
        if self.data.look is not None and self.data.look.understanding.sureness == "unsure":
            return _("It has to be said whether the data are read as they are meant.")
        return ""

    def _bad_rows(self) -> str:
        return sentence(self.data.errors[0].message) if self.data.errors else ""

    @property
    def skips_bad_rows(self) -> bool:
        return any(step.do == "skip_bad_rows" for step in self.get("data_steps"))

    @property
    def says_how_to_read(self) -> bool:
        """A person said what the format, the columns or the speakers are."""
        return any(self.get(name) != KNOBS[name].default for name in READING_KNOBS)

    @property
    def sources(self) -> list[Source]:
        """The chosen data, the first of them by the knobs of its own."""
        path = str(self.get("dataset_path") or "")
        return [Source(path=path, weight=self.get("dataset_weight")), *self.get("more_data")] if path else []

    def _missing_at(self, step: int) -> str:
        match STEPS[step]:
            case "model" if "model_name" in self.problems:
                return _("No model is chosen yet.")
            case "data" if "dataset_path" in self.problems:
                return _("No data is chosen yet.")
            case "data" if self.data.look is None:
                return _("The data is still being read.")
            case "settings":
                wrong = {name: reason for name, reason in self.problems.items() if name not in _ON_OTHER_STEPS}
                return next((self.in_a_sentence(name, reason) for name, reason in wrong.items()), "")
            case _:
                return ""

    @property
    def score_after(self) -> bool:
        """Base and adapter are scored after the training: it is wanted, and there are rows for it."""
        return self.wants_score and bool(self.test_file)

    def error_of(self, name: str) -> str:
        """What is wrong with a field, in a sentence: with its value, or with the file that it names."""
        if name not in self.errors:
            return self._wrong_file(name)
        return as_sentence(error_of_knob(name, self.get(name), self.errors[name]))

    def in_a_sentence(self, name: str, reason: str) -> str:
        """`Learning rate: 'abc' was given …` for a knob and what is wrong with it, which is English."""
        return in_a_sentence(name, self.get(name) if name in KNOBS else None, reason)

    def _wrong_file(self, name: str) -> str:
        return self.file_problems[name].text if name in self.file_problems else ""

    def draft(self) -> TrainForm:
        """A form with what a person has set in this one, without what was found out about model and data."""
        return TrainForm(**self._set_by_a_person())

    def restore(self, draft: TrainForm) -> None:
        """Hold again what a draft holds."""
        for name, value in draft._set_by_a_person().items():
            setattr(self, name, value)
        self.changed.emit()

    def _set_by_a_person(self) -> dict[str, Any]:
        return {one.name: copy(getattr(self, one.name)) for one in fields(self) if one.name not in _FOUND_OUT}

    def query(self) -> DataQuery | None:
        """What the inspector is asked; None while no data are chosen.

        Settings that are wrong at the moment are taken at their defaults, so that the data can be seen meanwhile.
        """
        if not self.get("dataset_path"):
            return None
        wrong = set(self.problems)
        if "" in wrong:  # an evaluation file that is measured no times: it is looked at all the same
            wrong.add("evaluations")
        given = {name: KNOBS[name].default if name in wrong else self.get(name) for name in READS_DATA_ANEW}
        given = {name: value for name, value in given.items() if value is not None}
        has_good_model = self.model_note is not None and not self.model_note.is_problem
        usable = parse_parameters(JobKind.TRAINING, given | {"model_name": self.get("model_name") or STARTER})
        assert isinstance(usable, TrainingParameters)
        return usable.query if has_good_model else usable.query.model_copy(update={"model": ""})

    def parameters(self) -> TrainingParameters:
        """The checked settings. Raises ParameterError, naming every bad field."""
        chosen = {name: self.get(name) for name in KNOBS if self.get(name) is not None}
        parameters = parse_parameters(JobKind.TRAINING, chosen)
        assert isinstance(parameters, TrainingParameters)
        return parameters

    def evaluation(self, training: TrainingParameters, name: str, run: RunPaths) -> EvaluationParameters | None:
        """The scoring after the training, by the training's name. None when it is off or there are no held-out rows."""
        rows = self.test_file
        if not self.score_after or not rows:
            return None
        return EvaluationParameters.of(
            training, name=f"{name[:74]} score", adapter_path=str(run.adapter), dataset_path=rows
        )

    @property
    def test_file(self) -> str:
        """The file that is scored: the person's own, or the held-out rows that come with the starter's data."""
        if self.test_path:
            return self.test_path
        return HELD_OUT if self.get("dataset_path") == STARTER else ""

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

    def show_as(self, *, yaml: bool) -> None:
        """Show the settings as a file or as fields. A file with a mistake is kept until it is shown again."""
        self.is_yaml = yaml
        self.changed.emit()

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

    def take_over(self, parameters: JobParameters, said: Set[str]) -> None:
        """Hold these settings, of which a person `said` some; the others have their default, also for the starter."""
        self.yaml_draft, self.yaml_mistake, self.before_recall = "", None, None
        given = said | self.starter_settings.keys()
        values = {name: getattr(parameters, name) for name in KNOBS if name in given}
        self.values = {name: value for name, value in values.items() if value is not None}
        self.touched = set(said)
        self.preset = next((name for name in PRESETS if not self._beside(name)), BALANCED)
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
