"""Where an attempt goes on: the newest checkpoint that is whole, and the curves up to it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from peft import PeftModel
from pydantic import ValidationError

from qlora_ui.contract.checkpoints import all_of, faults, step_of
from qlora_ui.contract.errors import JobError
from qlora_ui.contract.events import Alert, AlertCode, Log, Metric, Resumed, parse_event
from qlora_ui.contract.paths import CHECKPOINT_MARKER
from qlora_ui.worker.context import Context
from qlora_ui.worker.training import checkpoints
from qlora_ui.worker.training.curves import Curve, Evaluated

_ONE_BEFORE = (
    "This checkpoint is not used, but the one before it. If that happens again, have the disk and the memory checked."
)


def find_checkpoint(context: Context) -> Path | None:
    """The checkpoint to go on from; says so, and what is wrong with newer ones, which are deleted.

    None where there is nothing to go on from. Raises JobError for a run that was to start from a checkpoint of another
    and has no whole one.
    """
    found = _newest(context)
    step = step_of(found) if found else 0
    begins_elsewhere = context.record.starts_from
    if begins_elsewhere and found is None:
        raise JobError(
            f"The checkpoint at step {begins_elsewhere.step} of {begins_elsewhere.run}, from which this run was to go "
            "on, is missing or damaged.",
            "Go on from another checkpoint of that run, or start a new one.",
        )
    checkpoints.discard_after(context.paths.checkpoints, step)
    if context.record.attempt > 1 or begins_elsewhere:
        context.report(Resumed(step=step))
    if begins_elsewhere and context.record.attempt == 1:
        context.report(Log(message=f"That checkpoint was made by {begins_elsewhere.run}."))
    return found


def load_weights(model: PeftModel, checkpoint: Path) -> None:
    """Put the adapter of a checkpoint into the model, in place of the one that it has."""
    model.load_adapter(str(checkpoint), "default", is_trainable=True)


def whole_or_alert(context: Context, checkpoint: Path, hint: str) -> bool:
    """Whether a checkpoint is as it was written; if not, an alert names the fault, with `hint` on what is done."""
    fault = next(faults(checkpoint), None)
    if fault is not None:
        code = AlertCode.DAMAGED_CHECKPOINT
        context.report(Alert(code=code, step=step_of(checkpoint), message=fault, hint=hint))
    return fault is None


def _newest(context: Context) -> Path | None:
    for folder in reversed(all_of(context.paths.checkpoints)):
        if not (folder / CHECKPOINT_MARKER).exists():
            context.report(Log(message=f"{folder.name} was not finished when the process ended; it is passed over."))
        elif whole_or_alert(context, folder, _ONE_BEFORE):
            return folder
    return None


def curves_until(events: Path, step: int) -> tuple[Curve, list[Evaluated]]:
    """The points of loss and evaluation loss up to a step, from what the attempts before wrote down."""
    points: dict[int, dict[str, float]] = {}
    with suppress(OSError), events.open("rb") as lines:
        for line in lines:
            if b'"metric"' in line:
                with suppress(ValidationError):  # torn by a power cut
                    event = parse_event(line)
                    if isinstance(event, Metric) and event.step <= step:
                        points.setdefault(event.step, {}).update(event.values)
    curve, evaluations = Curve(), list[Evaluated]()
    for at, values in sorted(points.items()):
        if "loss" in values:
            curve.add(at, values["loss"], values.get("grad_norm"))
        if "eval_loss" in values:
            evaluations.append(Evaluated(at, values["eval_loss"]))
    return curve, evaluations
