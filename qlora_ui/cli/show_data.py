"""`qlora-ui data inspect`: data as they are understood, what is odd in them, and the very tokens that are trained."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from qlora_ui import console
from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.inspection import ExampleView, Inspection, Look, RowView, Survey, SurveyProgress
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.parsing import parse_parameters
from qlora_ui.contract.paths import STARTER
from qlora_ui.contract.recipe import DataFormat, DataQuery, StepName, TrainOn
from qlora_ui.contract.records import JobKind

_BOLD, _DIM, _OFF = "\x1b[1;32m", "\x1b[2m", "\x1b[0m"


def query_of(file: str, model: str | None, settings: dict[str, Any], *, offline: bool) -> DataQuery:
    """What the inspector is asked, with the same settings that a training knows. Raises ParameterError."""
    for option, name, known in (
        ("--format", "data_format", get_args(DataFormat)),
        ("--train-on", "train_on", get_args(TrainOn)),
    ):
        if settings.get(name) not in (None, *known):
            raise ParameterError(f"{option} {settings[name]} is not known.", f"Choose one of {', '.join(known)}.")
    given = {name: value for name, value in settings.items() if value is not None}
    values = given | {"dataset_path": file, "model_name": model or STARTER, "offline": offline}
    parameters = parse_parameters(JobKind.TRAINING, values)
    assert isinstance(parameters, TrainingParameters)
    return parameters.query if model else parameters.query.model_copy(update={"model": ""})


def pairs_of(option: str, given: Sequence[str]) -> dict[str, str]:
    """`part=column`, as often as it is given. Raises ParameterError."""
    pairs = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ParameterError(f"{option} {text} cannot be read.", f"Write it as {option} name=value.")
        pairs[name.strip()] = value.strip()
    return pairs


def steps_of(given: Sequence[str]) -> list[dict[str, Any]]:
    """The names of steps as the settings know them. Raises ParameterError."""
    known = [name for name in get_args(StepName) if name != "drop_rows"]
    for name in given:
        if name not in known:
            raise ParameterError(f"--step {name} is not known.", f"Choose one of {', '.join(known)}.")
    return [{"do": name} for name in given]


def inspect_for_people_or_programs(
    query: DataQuery, *, start: int, limit: int, is_quick: bool, as_json: bool, cache: Path | None
) -> int:
    """Inspect data and print what was found; `is_quick` leaves out what needs all rows.

    Raises ParameterError, DataError, ModelError.
    """
    from qlora_ui.data.encoding.tokenizer import load_tokenizer
    from qlora_ui.data.look import look

    has_model = bool(query.model)
    tokenizer = load_tokenizer(query.model, query.offline, query.recipe.chat_template) if has_model else None
    seen = look(query, tokenizer, start=start, limit=limit)
    survey = None
    if not is_quick:
        from qlora_ui.data.prepare import prepare

        with console.progress_line(as_json or not sys.stdout.isatty()) as line:

            def tell(progress: SurveyProgress) -> None:
                share = progress.bytes / progress.bytes_total if progress.bytes_total else 0.0
                line.show(share, f"{progress.rows:,} rows")

            survey = prepare(query, tokenizer, cache=cache, on_progress=tell, strict=False).survey
    inspection = Inspection(look=seen, survey=survey)
    console.say(inspection.model_dump_json(indent=1) if as_json else as_text(inspection, colour=sys.stdout.isatty()))
    return 0


def as_text(inspection: Inspection, *, colour: bool) -> str:
    """The inspection for a terminal. Trained tokens stand between ⟦ and ⟧, and in green where there is colour."""
    lines = _head(inspection.look)
    if inspection.survey is not None:
        lines += _figures(inspection.survey)
    template = inspection.look.template
    if template is not None:
        lines.append(f"Chat template: {template.source}")
    findings = [*(template.findings if template else []), *(inspection.survey.findings if inspection.survey else [])]
    for finding in findings:
        lines.append(f"{finding.level}: {finding.message} {finding.hint}".rstrip())
        if finding.rows:
            named = ", ".join(map(str, finding.rows[:8]))
            lines.append(f"  rows {named}{' …' if finding.count > 8 else ''} ({finding.count:,} in all)")
        lines += [
            f"  mend: {mend.label} (--step {mend.step.do})" for mend in finding.mends if mend.step.do != "drop_rows"
        ]
    for view in inspection.look.views:
        lines += ["", f"Row {view.number} ({view.place})", *_row(view, colour)]
    return "\n".join(lines)


def _head(look: Look) -> list[str]:
    understanding = look.understanding
    lines = []
    for source in look.sources:
        size = f", {console.size(source.bytes)}" if source.bytes is not None else ""
        files = f" ({source.files:,} files)" if source.files > 1 else ""
        lines.append(f"{source.name}{size}{files}{f'. {source.note}' if source.note else ''}")
    lines.append(f"Read as {understanding.format} ({understanding.sureness}). {understanding.seen}")
    parts = [f"{part.name} = {part.column}" for part in understanding.parts if part.column]
    return [*lines, f"Columns: {', '.join(parts)}"] if parts else lines


def _figures(survey: Survey) -> list[str]:
    train, held_out = survey.examples_train, survey.examples_held_out
    lines = [f"{survey.rows:,} rows: {train:,} examples to train, {held_out:,} held out"]
    if survey.rows_left_out or survey.rows_bad:
        lines.append(f"{survey.rows_left_out:,} rows left out by steps, {survey.rows_bad:,} cannot be used")
    if survey.tokens is not None and survey.tokens_trained is not None:
        share = survey.tokens_trained / max(1, survey.tokens)
        lines.append(f"{survey.tokens:,} tokens, {survey.tokens_trained:,} of them trained ({share:.0%})")
    if survey.lengths is not None:
        median, p95, longest = survey.lengths.median, survey.lengths.p95, survey.lengths.longest
        lines.append(f"Length in tokens: median {median:,}, 95 % up to {p95:,}, longest {longest:,}")
    return lines


def _row(view: RowView, colour: bool) -> list[str]:
    if view.problem:
        return [f"  cannot be used: {view.problem} {view.hint}".rstrip()]
    if not view.examples:
        return [f"  left out by {view.left_out}"]
    lines = []
    for number, example in enumerate(view.examples, start=1):
        if len(view.examples) > 1:
            lines.append(f"  Part {number} of {len(view.examples)}")
        lines += _example(example, colour)
    return lines


def _example(example: ExampleView, colour: bool) -> list[str]:
    if example.tokens is None:
        return [f"  {turn.role}{' (trained)' if turn.trained else ''}: {turn.content}" for turn in example.turns]
    parts: list[str] = []
    inside = False
    for token in example.tokens:
        if token.trained != inside:
            mark = "⟦" if token.trained else "⟧"
            parts.append((f"{_BOLD}{mark}" if token.trained else f"{mark}{_OFF}") if colour else mark)
            inside = token.trained
        text = token.text.replace("\n", "\\n")
        parts.append(f"{_DIM}{text}{_OFF}" if colour and token.special and not token.trained else text)
    parts.append(("⟧" + (_OFF if colour else "")) if inside else "")
    trained = sum(token.trained for token in example.tokens)
    cut = ", cut off" if example.truncated else ""
    return ["  " + "".join(parts), f"  {len(example.tokens)} tokens, {trained} trained{cut}"]
