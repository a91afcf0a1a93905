"""transformers' Trainer as it is used here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import Trainer, TrainingArguments

from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.worker.batches import token_losses
from qlora_ui.worker.devices import Device
from qlora_ui.worker.plan import Plan


class QloraTrainer(Trainer):  # type: ignore[misc]  # transformers has no types
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

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        """Restore both, but let this run's own settings hold: a run may go on from another's checkpoint."""
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is None:
            return
        rate, scheduler, groups = self.args.learning_rate, self.lr_scheduler, self.optimizer.param_groups
        scheduler.base_lrs = [rate] * len(groups)
        for group, share in zip(groups, scheduler.lr_lambdas, strict=True):
            group |= {"initial_lr": rate, "lr": rate * share(scheduler.last_epoch)}
        scheduler._last_lr = [group["lr"] for group in groups]
        groups[0]["weight_decay"] = self.args.weight_decay  # the second group is of weights that never decay


def arguments_of(folder: Path, parameters: TrainingParameters, plan: Plan, device: Device) -> TrainingArguments:
    """What the Trainer is told; its checkpoints go into `folder`."""
    wanted = parameters.activation_checkpointing
    checkpointing = device.is_cuda if wanted is None else wanted
    return TrainingArguments(
        output_dir=str(folder),
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
        train_sampling_strategy="sequential",  # ShuffledRows has the order of each epoch
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
