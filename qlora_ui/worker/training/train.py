"""Training: a frozen base, an adapter on it, transformers' Trainer, and an adapter folder at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import torch
from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase, PrinterCallback, set_seed

from qlora_ui.contract.checkpoints import name_of, read_marker, step_of
from qlora_ui.contract.events import Alert, AlertCode, Log, Phase
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.records import JobStatus
from qlora_ui.data.encoding.tokenizer import load_tokenizer
from qlora_ui.data.prepare import Prepared
from qlora_ui.worker.batches import Collator, ShuffledRows, Size
from qlora_ui.worker.context import Context
from qlora_ui.worker.control import StopRequested
from qlora_ui.worker.data import prepare_data
from qlora_ui.worker.devices import Device
from qlora_ui.worker.model.adapters import copy_adapter, save_adapter
from qlora_ui.worker.model.base_format import layers_held, loading_words
from qlora_ui.worker.model.loading import close_hub, load_base, share_in_4_bits
from qlora_ui.worker.model.lora import attach_lora
from qlora_ui.worker.model.quantisation import kept_packing
from qlora_ui.worker.scores.generation import Writer
from qlora_ui.worker.training.held_out import Evaluation, HeldOut
from qlora_ui.worker.training.origin import Origin, base_fingerprint, check_origin
from qlora_ui.worker.training.packing import PackedCollator, PackedRows, check_packing
from qlora_ui.worker.training.plan import Plan
from qlora_ui.worker.training.progress import Reporter
from qlora_ui.worker.training.resuming import find_checkpoint, load_weights, whole_or_alert
from qlora_ui.worker.training.samples import prompts_of, show
from qlora_ui.worker.training.tracking import tracked
from qlora_ui.worker.training.trainer import QloraTrainer, arguments_of
from qlora_ui.worker.versions import versions

DROPPED_SHARE = 0.1
"""Of the rows: where more than this hold nothing to train within the longest length, it is more than a remark."""

FEW_STEPS = 10
"""In an epoch: a packed row counts in the batch size like an example, and there are far fewer rows."""


def train(context: Context, device: Device) -> dict[str, Any]:
    """Train an adapter and save it; returns the summary. Raises StopRequested after a checkpoint when asked to end."""
    parameters = cast(TrainingParameters, context.parameters)
    context.phase("data", "It reads the data and turns it into tokens.")
    tokenizer = load_tokenizer(parameters.model_name, context.offline, parameters.chat_template)
    data = prepare_data(context, parameters, tokenizer)

    context.phase("loading", loading_words(parameters.method))
    model = _model(context, parameters, data, device)
    collate = Collator(model.get_base_model(), _pad_id(tokenizer), multiple=8 if device.is_cuda else 1)
    rows = _rows(parameters, data, model, collate, device)
    plan = Plan.of(parameters, len(rows), bool(data.validation))
    order = ShuffledRows(
        rows, parameters.batch_size, parameters.seed, collate.multiple, by_length=parameters.group_by_length
    )
    facts = _facts(model, data, plan) | _padding(order)
    if parameters.packing:
        facts |= _say_packed(context, parameters, plan, order, data)
    context.facts(**facts)

    def size_of(step: int) -> Size:
        first = (step - 1) % plan.steps_per_epoch * parameters.gradient_accumulation
        return order.size(first, first + parameters.gradient_accumulation)

    evaluate = _evaluation(context, parameters, data, model, tokenizer, collate, device)
    with tracked(context, parameters) as trackers:
        reporter = Reporter(context, parameters, plan, size_of, evaluate, trackers.metric)
        trainer = QloraTrainer(
            model,
            arguments_of(context.paths.checkpoints, parameters, plan, device),
            train_dataset=order,
            data_collator=PackedCollator(collate) if parameters.packing else collate,
            callbacks=[reporter],
            lora_plus_ratio=parameters.lora_plus_ratio,
        )
        trainer.remove_callback(PrinterCallback)
        _run(context, parameters, data, plan, reporter, trainer)
        summary = reporter.summary()
        if parameters.load_best_at_end:
            summary |= _take_best(context, model, reporter)
        summary = _finish(context, parameters, model, tokenizer, facts | device.describe(), summary)
        trackers.close(JobStatus.COMPLETED, summary)
    return summary


def _model(context: Context, parameters: TrainingParameters, data: Prepared, device: Device) -> PeftModel:
    set_seed(parameters.seed)
    base = load_base(parameters.model_name, device, offline=context.offline, method=parameters.method)
    _warn(context, parameters, data, base)
    if packing := kept_packing(base):
        context.report(Log(message=f"The model is stored in 4 bits already ({packing}), and is used as it is."))
    model = attach_lora(base, parameters)
    close_hub()
    return model


def _evaluation(
    context: Context,
    parameters: TrainingParameters,
    data: Prepared,
    model: PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    collate: Collator,
    device: Device,
) -> Callable[[int], Evaluation]:
    """What is done at each evaluation, given its step. Raises StopRequested when asked to end."""
    check = context.control.check
    writer = Writer(model, tokenizer, device, data.train)
    prompts = prompts_of(parameters.sample_prompts, data, tokenizer)
    held_out = HeldOut(model, data.validation, collate, device, parameters.batch_size, check)

    def evaluate(step: int) -> Evaluation:
        show(context.report, writer, prompts, step, check)
        return held_out.evaluate()

    return evaluate


def _run(
    context: Context,
    parameters: TrainingParameters,
    data: Prepared,
    plan: Plan,
    reporter: Reporter,
    trainer: QloraTrainer,
) -> None:
    """Train what is left to train. Raises StopRequested when asked to end."""
    checkpoint = find_checkpoint(context)
    check_origin(context.paths.origin, _origin(parameters, data), resumes=checkpoint is not None)
    step, origin = step_of(checkpoint) if checkpoint else 0, context.record.starts_from
    if checkpoint:
        load_weights(trainer.model, checkpoint)
        reporter.resume(checkpoint, is_borrowed=origin is not None and origin.step == step)
    if origin is not None and context.record.attempt == 1:
        context.report(Log(message=_new_course(parameters, plan, step)))
    reporter.catch_up(step)
    if step >= plan.total_steps or reporter.stopped_early:
        return  # only the saving of the adapter was missed
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if reporter.stopped:
        raise StopRequested(paused=context.control.requested == "pause", step=trainer.state.global_step)


def _new_course(parameters: TrainingParameters, plan: Plan, step: int) -> str:
    if step >= plan.total_steps:
        return f"It has nothing left to train: its {plan.total_steps:,} steps were done by then."
    return (
        f"It goes on to step {plan.total_steps:,}. The learning rate follows its schedule "
        f"({parameters.lr_scheduler_type}) over all of these steps, so it goes on from another height than it ended at."
    )


def _take_best(context: Context, model: PeftModel, reporter: Reporter) -> dict[str, Any]:
    """Put the adapter of the best checkpoint into the model; what the summary then has to say of it."""
    best = reporter.best.step
    if best is None or best == reporter.speed.step:
        return {"adapter_step": reporter.speed.step}
    folder = context.paths.checkpoints / name_of(best)
    if not whole_or_alert(context, folder, "So the finished adapter is that of the last step, and not of the best."):
        return {"adapter_step": reporter.speed.step}
    context.report(Log(message=f"The finished adapter is that of the best checkpoint, at step {best:,}."))
    load_weights(model, folder)
    marker = read_marker(folder)
    return (marker.metrics if marker else {}) | {"adapter_step": best}


def _finish(
    context: Context,
    parameters: TrainingParameters,
    model: PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    facts: dict[str, Any],
    summary: dict[str, Any],
) -> dict[str, Any]:
    """Save the adapter with what is known of it; returns the whole summary."""
    context.report(Phase(name="saving", message="It saves the adapter."))
    summary |= {"adapter": str(context.paths.adapter)}
    if torch.cuda.is_initialized():
        summary["peak_memory"] = torch.cuda.max_memory_allocated()
    card = {
        "model_name": parameters.model_name,
        "run": context.paths.id,
        "parameters": parameters.model_dump(mode="json"),
        "dataset_fingerprint": facts["dataset_fingerprint"],
        "facts": facts,
        "versions": versions(),
        "metrics": summary,
    }
    save_adapter(model, tokenizer, context.paths.adapter, card)
    return summary | _copy(context, parameters.output_dir)


def _warn(context: Context, parameters: TrainingParameters, data: Prepared, base: PreTrainedModel) -> None:
    counts = data.counts
    if counts.rows_dropped > DROPPED_SHARE * counts.rows:
        context.report(
            Alert(
                code=AlertCode.NOTHING_TRAINED,
                message=f"{counts.rows_dropped:,} of {counts.rows:,} rows have no token to train: they are cut before "
                "their answer begins, and are left out.",
                hint="Raise the longest example, or shorten what comes before the answers.",
            )
        )
    elif counts.rows_dropped:
        context.warn(f"{counts.rows_dropped:,} rows were left out: they are cut before their answer begins.")
    if parameters.method == "qlora" and (share := share_in_4_bits(base)) < 0.5:
        context.warn(f"Only {share:.0%} of the weights could be put into 4 bits: the rest is not in linear layers.")


def _rows(
    parameters: TrainingParameters, data: Prepared, model: PeftModel, collate: Collator, device: Device
) -> Sequence[Any]:
    """What a batch is made of: examples, or rows of packed ones. Raises ModelError where those would see each other."""
    if not parameters.packing:
        return data.train
    check_packing(model, parameters.model_name, collate, device, data.train)
    return PackedRows(data.train, parameters.max_length, parameters.seed)


def _padding(order: ShuffledRows) -> dict[str, Any]:
    """How much of the first epoch's batches is padding."""
    size = order.size(0, len(order))
    return {"padding": 1 - size.tokens / size.places}


def _say_packed(
    context: Context, parameters: TrainingParameters, plan: Plan, order: ShuffledRows, data: Prepared
) -> dict[str, Any]:
    """What packing did to the rows, and to the number of steps."""
    context.report(
        Log(
            message=f"{len(data.train):,} examples are packed into {len(order):,} rows of up to "
            f"{parameters.max_length:,} tokens."
        )
    )
    if plan.steps_per_epoch < FEW_STEPS:
        context.warn(
            f"Packed, an epoch has only {plan.steps_per_epoch} steps: a smaller batch size or less gradient "
            "accumulation gives more of them."
        )
    return {"packed_rows": len(order)}


def _facts(model: PeftModel, data: Prepared, plan: Plan) -> dict[str, Any]:
    """What is true of the whole run. Parameters count weights; a 4-bit layer packs two into a byte."""
    trainable, total = model.get_nb_trainable_parameters()
    return {
        "trainable_parameters": trainable,
        "parameters": total,
        "layers_in_4_bits": layers_held(model, "qlora"),
        "layers_in_8_bits": layers_held(model, "int8"),
        "steps": plan.total_steps,
        "steps_per_epoch": plan.steps_per_epoch,
        **asdict(data.counts),
        "data_format": data.understanding.format,
        "dataset_fingerprint": data.fingerprint,
        "template": data.template,
    }


def _origin(parameters: TrainingParameters, data: Prepared) -> Origin:
    base = base_fingerprint(parameters.model_name)
    return Origin(base=base, data=data.fingerprint, validation=data.validation_fingerprint)


def _copy(context: Context, output_dir: str) -> dict[str, str]:
    """The copy that a person asked for; when it cannot be made, the run has still succeeded and says so."""
    if not output_dir:
        return {}
    wanted = Path(output_dir).expanduser().resolve()
    try:
        return {"output_dir": str(copy_adapter(context.paths.adapter, wanted, context.paths.id))}
    except OSError as error:
        context.report(
            Alert(
                message=f"The adapter could not be copied to {wanted}: {error.strerror or error}.",
                hint=f"It lies whole in {context.paths.adapter}; copy it from there.",
            )
        )
        return {}


def _pad_id(tokenizer: PreTrainedTokenizerBase) -> int:
    """Any token does: padding lies behind the real tokens and is not trained."""
    return tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
