"""`qlora-ui data inspect`: a file as it is understood, and the very tokens that would be trained."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import cast, get_args

from qlora_ui import console
from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.inspection import Inspection, RowView
from qlora_ui.contract.paths import dataset_location
from qlora_ui.contract.recipe import DataFormat, TrainOn

_BOLD, _DIM, _OFF = "\x1b[1;32m", "\x1b[2m", "\x1b[0m"


def inspect_for_people_or_programs(
    file: str,
    *,
    model: str | None,
    limit: int,
    start: int,
    max_length: int,
    data_format: str,
    train_on: str,
    as_json: bool,
) -> int:
    """Inspect a file and print what was found. Raises ParameterError, DataError, ModelError."""
    _check("--format", data_format, get_args(DataFormat))
    _check("--train-on", train_on, get_args(TrainOn))
    from qlora_ui.data.inspect import inspect_file

    inspection = inspect_file(
        dataset_location(file),
        model=model,
        offline=os.environ.get("QLORA_UI_OFFLINE") == "1",
        limit=limit,
        start=start,
        max_length=max_length,
        data_format=cast(DataFormat, data_format),
        train_on=cast(TrainOn, train_on),
    )
    console.say(inspection.model_dump_json(indent=1) if as_json else as_text(inspection, colour=sys.stdout.isatty()))
    return 0


def _check(option: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise ParameterError(f"{option} {value} is not known.", f"Choose one of {', '.join(known)}.")


def as_text(inspection: Inspection, *, colour: bool) -> str:
    """The inspection for a terminal. Trained tokens stand between ⟦ and ⟧, and in green where there is colour."""
    lines = [
        f"{inspection.file}: {inspection.rows:,} rows, {console.size(inspection.bytes)}, read as {inspection.format}",
        inspection.seen,
    ]
    if inspection.tokens is not None and inspection.tokens_trained is not None:
        share = inspection.tokens_trained / max(1, inspection.tokens)
        lines.append(f"{inspection.tokens:,} tokens, {inspection.tokens_trained:,} of them trained ({share:.0%})")
        lines.append(f"Chat template: {inspection.template}")
    lines += [f"{finding.level}: {finding.message} {finding.hint}".rstrip() for finding in inspection.findings]
    for view in inspection.views:
        lines += ["", f"Row {view.number}", *_row(view, colour)]
    return "\n".join(lines)


def _row(view: RowView, colour: bool) -> list[str]:
    if view.tokens is None:
        return [f"  {turn.role}{' (trained)' if turn.trained else ''}: {turn.content}" for turn in view.turns]
    parts: list[str] = []
    inside = False
    for token in view.tokens:
        if token.trained != inside:
            mark = "⟦" if token.trained else "⟧"
            parts.append((f"{_BOLD}{mark}" if token.trained else f"{mark}{_OFF}") if colour else mark)
            inside = token.trained
        text = token.text.replace("\n", "\\n")
        parts.append(f"{_DIM}{text}{_OFF}" if colour and token.special and not token.trained else text)
    parts.append(("⟧" + (_OFF if colour else "")) if inside else "")
    trained = sum(token.trained for token in view.tokens)
    cut = ", cut off" if view.truncated else ""
    return ["  " + "".join(parts), f"  {len(view.tokens)} tokens, {trained} trained{cut}"]
