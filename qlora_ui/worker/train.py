"""Training: the base in 4 bits, an adapter on it, transformers' Trainer, and an adapter folder at the end."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import torch
from bitsandbytes.nn import Linear4bit
from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase, PrinterCallback, Trainer, TrainingArguments, set_seed

from qlora_ui.contract.checkpoints import newest, step_of
from qlora_ui.contract.events import Alert, Phase, Resumed, Sample
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.data.encoding.tokenizer import load_tokenizer
from qlora_ui.data.encoding.tokens import prompt_of, render_prompt
from qlora_ui.data.prepare import Prepared
from qlora_ui.worker import checkpoints
from qlora_ui.worker.adapters import copy_adapter, save_adapter
from qlora_ui.worker.batches import Collator, ShuffledExamples, token_losses
from qlora_ui.worker.context import Context
from qlora_ui.worker.control import StopRequested
from qlora_ui.worker.data import prepare_data
from qlora_ui.worker.devices import Device
from qlora_ui.worker.generation import Writer
from qlora_ui.worker.loading import attach_lora, close_hub, load_base, share_in_4_bits
from qlora_ui.worker.origin import Origin, base_fingerprint, check_origin
from qlora_ui.worker.progress import Plan, Reporter
from qlora_ui.worker.scoring import mean_loss, score_rows
from qlora_ui.worker.versions import versions

SAMPLES = 2
"""Held-out prompts that are answered at each evaluation."""
SAMPLE_TOKENS = 64


def train(context: Context, device: Device) -> dict[str, Any]:
    """Train an adapter and save it; returns the summary. Raises StopRequested after a checkpoint when asked to end."""
    parameters = cast(TrainingParameters, context.parameters)
    context.phase("data", "It reads the data and turns it into tokens.")
    tokenizer = load_tokenizer(parameters.model_name, context.offline, parameters.chat_template)
    data = prepare_data(context, parameters, tokenizer)

    context.phase("loading", "It loads the base model in 4 bits.")
    set_seed(parameters.seed)
    base = load_base(parameters.model_name, device, offline=context.offline)
    _warn(context, data, base)
    model = attach_lora(base, parameters)
    close_hub()
    plan = Plan.of(parameters, len(data.train), bool(data.validation))
    facts = _facts(model, data, plan)
    context.facts(**facts)

    examples = ShuffledExamples(data.train, parameters.batch_size, parameters.seed)
    collate = Collator(base, _pad_id(tokenizer), multiple=8 if device.is_cuda else 1)
    writer = Writer(model, tokenizer, device, data.train)

    def tokens_of(step: int) -> int:
        first = (step - 1) % plan.steps_per_epoch * parameters.gradient_accumulation
        return examples.tokens(first, first + parameters.gradient_accumulation)

    def may_stop(_rows_done: int) -> None:
        context.control.check()

    def evaluate(step: int) -> float:
        _show_samples(context, writer, tokenizer, data, step)
        return mean_loss(score_rows(model, data.validation, collate, device, parameters.batch_size, may_stop))

    reporter = Reporter(context, parameters, plan, tokens_of, evaluate)
    checkpoint = _find_checkpoint(context, reporter)
    check_origin(context.paths.origin, _origin(parameters, data), resumes=checkpoint is not None)
    if checkpoint and step_of(checkpoint) >= plan.total_steps:
        model.load_adapter(str(checkpoint), "default", is_trainable=True)  # only the saving of the adapter was missed
        if data.validation:
            reporter.evaluate(plan.total_steps)
    else:
        arguments = _arguments(context, parameters, plan, device)
        trainer = QloraTrainer(model, arguments, train_dataset=examples, data_collator=collate, callbacks=[reporter])
        trainer.remove_callback(PrinterCallback)
        context.phase("training", f"It trains: {plan.total_steps:,} steps.")
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        if reporter.stopped:
            raise StopRequested(paused=context.control.requested == "pause", step=trainer.state.global_step)
    return _finish(context, parameters, model, tokenizer, facts | device.describe(), reporter.summary())


class QloraTrainer(Trainer):  # type: ignore[misc]
    """The Trainer with the loss of the Collator's labels, and without its count of FLOPs, which costs time."""

    loss_is_scaled_for_ga = True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.model_accepts_loss_kwargs = True  # else it does not count the trained tokens that compute_loss needs

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | None = None,
    ) -> Any:
        """The mean loss of a trained token over the whole effective batch, however it is cut into batches."""
        labels = inputs.pop("labels")
        outputs = model(**inputs)
        loss = token_losses(outputs.logits, labels).sum() / num_items_in_batch
        return (loss, outputs) if return_outputs else loss

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        return 0


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
    summary |= {"steps": facts["steps"], "adapter": str(context.paths.adapter)}
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


def _warn(context: Context, data: Prepared, base: PreTrainedModel) -> None:
    if data.counts.rows_dropped:
        context.warn(f"{data.counts.rows_dropped:,} rows were left out: they are cut before their answer begins.")
    if (share := share_in_4_bits(base)) < 0.5:
        context.warn(f"Only {share:.0%} of the weights could be put into 4 bits: the rest is not in linear layers.")


def _facts(model: PeftModel, data: Prepared, plan: Plan) -> dict[str, Any]:
    """What is true of the whole run. Parameters count weights; a 4-bit layer packs two into a byte."""
    trainable, total = model.get_nb_trainable_parameters()
    layers = sum(isinstance(module, Linear4bit) for module in model.modules())
    return {
        "trainable_parameters": trainable,
        "parameters": total,
        "layers_in_4_bits": layers,
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


def _find_checkpoint(context: Context, reporter: Reporter) -> Path | None:
    """The checkpoint to go on from, if this is not the first attempt; says where the curves go on."""
    checkpoint = newest(context.paths.checkpoints)
    step = step_of(checkpoint) if checkpoint else 0
    checkpoints.discard_after(context.paths.checkpoints, step)
    if checkpoint:
        reporter.resume(checkpoint)
    if context.record.attempt > 1:
        context.report(Resumed(step=step))
    return checkpoint


def _arguments(context: Context, parameters: TrainingParameters, plan: Plan, device: Device) -> TrainingArguments:
    wanted = parameters.activation_checkpointing
    checkpointing = device.is_cuda if wanted is None else wanted
    return TrainingArguments(
        output_dir=str(context.paths.checkpoints),
        max_steps=plan.total_steps,
        per_device_train_batch_size=parameters.batch_size,
        gradient_accumulation_steps=parameters.gradient_accumulation,
        learning_rate=parameters.learning_rate,
        lr_scheduler_type=parameters.lr_scheduler_type,
        warmup_steps=plan.warmup_steps,
        optim=parameters.optimizer,
        weight_decay=parameters.weight_decay,
        max_grad_norm=parameters.max_grad_norm,
        seed=parameters.seed,
        bf16=device.dtype == torch.bfloat16,
        fp16=device.dtype == torch.float16,
        tf32=True if device.is_cuda and torch.cuda.get_device_capability()[0] >= 8 else None,
        use_cpu=not device.is_cuda,
        activation_checkpointing=checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False} if checkpointing else None,
        train_sampling_strategy="sequential",  # ShuffledExamples has the order of each epoch
        remove_unused_columns=False,
        dataloader_num_workers=0,  # the rows are tokens already: making a batch takes less than handing it over
        dataloader_pin_memory=device.is_cuda,
        logging_first_step=True,
        logging_steps=parameters.logging_steps,
        logging_nan_inf_filter=False,
        eval_strategy="no",  # the Reporter evaluates, by token and not by batch
        save_strategy="steps",
        save_steps=plan.save_steps,
        report_to="none",
        disable_tqdm=True,
    )


def _show_samples(
    context: Context, writer: Writer, tokenizer: PreTrainedTokenizerBase, data: Prepared, step: int
) -> None:
    """What the model answers now to the first held-out prompts that are within the longest length."""
    asked = data.validation_prompts[:SAMPLES]
    pairs = [pair for pair in map(prompt_of, asked) if pair is not None]
    if not pairs:
        return
    tools = [conversation.tools for conversation in asked]
    prompts = [render_prompt(messages, tokenizer, tool) for (messages, _), tool in zip(pairs, tools, strict=True)]
    for (messages, reference), answer in zip(pairs, writer.write(prompts, SAMPLE_TOKENS), strict=True):
        context.report(Sample(step=step, prompt=messages[-1]["content"], answer=answer, reference=reference))


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
