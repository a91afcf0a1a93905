"""What a person has set on /train so far: values, errors, the inspected data. No widget in here."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, fields
from typing import Any

from qlora_ui.contract.parameters import EvaluationParameters, TrainingParameters
from qlora_ui.contract.parsing import parse_parameters
from qlora_ui.contract.paths import STARTER, RunPaths
from qlora_ui.contract.recipe import DataQuery, Source
from qlora_ui.contract.records import JobKind
from qlora_ui.contract.training_parameters import DATA_KNOBS
from qlora_ui.locales import _, sentence
from qlora_ui.pages.train.data.state import DataState
from qlora_ui.pages.train.data.words import part_name
from qlora_ui.pages.train.files import FileProblem
from qlora_ui.pages.train.model_check import ModelNote
from qlora_ui.pages.train.settings_form import SettingsForm
from qlora_ui.pages.train.words import KNOBS, as_sentence, error_of_knob

STEPS = ("model", "data", "settings", "check", "start")
HELD_OUT = f"{STARTER}/heldout"
READING_KNOBS = ("data_format", "data_mapping", "data_roles")
"""Knobs that say how rows are read; at their defaults that is found by itself."""
READS_DATA_ANEW = frozenset({*DATA_KNOBS, "model_name", "max_length", "train_on", "offline", "evaluations", "seed"})
"""Knobs that decide what the tokens and labels of the data are, and which rows are held out."""
_FOUND_OUT = frozenset({"is_yaml", "is_submitting", "file_problems", "model_note", "data", "changed"})
"""What a draft does without: how the page stands, and what is known of model and data."""
_ON_OTHER_STEPS = frozenset({"name", "model_name", *DATA_KNOBS})


@dataclass(eq=False)
class TrainForm(SettingsForm):
    """The state of one person's form. It outlives the page, so that a look elsewhere loses nothing."""

    step: int = 0
    """The place in STEPS that is open."""
    is_yaml: bool = False
    """The settings are shown as a file."""
    is_submitting: bool = False
    wants_score: bool = True
    test_path: str = ""
    """A file of held-out rows for the scoring; with the starter's data its own held-out rows are taken."""
    file_problems: dict[str, FileProblem] = field(default_factory=dict)
    """`test_path` or `validation_path` → what is wrong with that file."""
    model_note: ModelNote | None = None
    """What is known of the chosen model; None while none is chosen."""
    origin: Origin | None = None
    """The earlier run whose settings it began with."""
    data: DataState = field(default_factory=DataState)
    """What is known of the chosen data."""

    def go_to(self, step: int) -> None:
        self.step = min(max(step, 0), len(STEPS) - 1)
        self.changed.emit()

    @property
    def is_valid(self) -> bool:
        """The settings can be used, and model and data were looked at without a problem."""
        return not self.obstacle

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

    def show_as(self, *, yaml: bool) -> None:
        """Show the settings as a file or as fields. A file with a mistake is kept until it is shown again."""
        self.is_yaml = yaml
        self.changed.emit()


@dataclass(frozen=True)
class Origin:
    """Where the settings of a form came from."""

    run: str
    """The id of the earlier run."""
    name: str
    before: TrainForm
    """What the form held until then, to be taken back."""
