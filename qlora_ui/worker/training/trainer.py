"""transformers' Trainer as it is used here."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer, TrainingArguments

from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.optimiser_parameters import LR_DECAY_SHARE, LR_MIN_SHARE, LR_POWER, LR_RESTARTS
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.worker.batches import token_losses
from qlora_ui.worker.devices import Device
from qlora_ui.worker.training.plan import Plan


class QloraTrainer(Trainer):  # type: ignore[misc]  # transformers has no types
    """The Trainer with the loss of the Collator's labels, and without its count of FLOPs, which costs time."""

    loss_is_scaled_for_ga = True

    def __init__(self, *arguments: Any, lora_plus_ratio: float | None = None, **options: Any) -> None:
        """`lora_plus_ratio`: how many times as fast the adapter's second matrices learn."""
        super().__init__(*arguments, **options)
        self._lora_plus_ratio = lora_plus_ratio
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

    def create_optimizer(self, model: torch.nn.Module | None = None) -> torch.optim.Optimizer:
        """The library's, with groups of their own for what learns faster."""
        is_new = self.optimizer is None
        optimizer: torch.optim.Optimizer = super().create_optimizer(model)
        if is_new and self._lora_plus_ratio is not None:
            names = {id(weight): name for name, weight in self.model.named_parameters()}
            groups = list(optimizer.param_groups)
            optimizer.param_groups.clear()
            for group in groups:
                optimizer.param_groups += _split(group, names, self._lora_plus_ratio)
        return optimizer

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        """Restore both, but let this run's own settings hold: a run may go on from another's checkpoint."""
        if checkpoint is None:
            return
        own = [{name: value for name, value in g.items() if name != "params"} for g in self.optimizer.param_groups]
        super()._load_optimizer_and_scheduler(checkpoint)
        scheduler, groups = self.lr_scheduler, self.optimizer.param_groups
        scheduler.base_lrs = [settings["initial_lr"] for settings in own]
        for group, settings, share in zip(groups, own, scheduler.lr_lambdas, strict=True):
            group |= settings | {"lr": settings["initial_lr"] * share(scheduler.last_epoch)}
        scheduler._last_lr = [group["lr"] for group in groups]


def _split(group: dict[str, Any], names: dict[int, str], ratio: float) -> list[dict[str, Any]]:
    """A group of weights as two: the second has those that learn `ratio` times as fast, the adapter's B matrices."""
    fast = [weight for weight in group["params"] if ".lora_B." in names[id(weight)]]
    slow = [weight for weight in group["params"] if ".lora_B." not in names[id(weight)]]
    return [group | {"params": slow}, group | {"params": fast, "lr": group["lr"] * ratio}]


def arguments_of(folder: Path, parameters: TrainingParameters, plan: Plan, device: Device) -> TrainingArguments:
    """What the Trainer is told; its checkpoints go into `folder`."""
    return TrainingArguments(
        **wanted_training(parameters, plan, device),
        output_dir=str(folder),
        tf32=True if device.is_cuda and torch.cuda.get_device_capability()[0] >= 8 else None,
        train_sampling_strategy="sequential",  # ShuffledRows has the order of each epoch
        remove_unused_columns=False,
        dataloader_num_workers=0,  # the rows are tokens already: making a batch takes less than handing it over
        dataloader_pin_memory=device.is_cuda,
        logging_first_step=True,
        logging_nan_inf_filter=False,
        eval_strategy="no",  # the Reporter evaluates, by token and not by batch
        save_strategy="steps",
    )


def wanted_training(parameters: TrainingParameters, plan: Plan, device: Device) -> dict[str, Any]:
    """The arguments that say what is trained and how, and nothing of how this app goes about it.

    A plain script that it is measured against takes the same.
    """
    return {
        "max_steps": plan.total_steps,
        "per_device_train_batch_size": parameters.batch_size,
        "gradient_accumulation_steps": parameters.gradient_accumulation,
        "learning_rate": parameters.learning_rate,
        "lr_scheduler_type": parameters.lr_scheduler_type,
        "lr_scheduler_kwargs": _schedule(parameters, plan),
        "warmup_steps": plan.warmup_steps,
        "optim": parameters.optimizer,
        "adam_beta1": parameters.adam_beta1,
        "adam_beta2": parameters.adam_beta2,
        "adam_epsilon": parameters.adam_epsilon,
        "weight_decay": parameters.weight_decay,
        "max_grad_norm": parameters.max_grad_norm,
        "neftune_noise_alpha": parameters.neftune_noise_alpha,
        "seed": parameters.seed,
        "bf16": device.dtype == torch.bfloat16,
        "fp16": device.dtype == torch.float16,
        "use_cpu": not device.is_cuda,
        "activation_checkpointing": wants_checkpointing(parameters, device),
        "activation_checkpointing_kwargs": _checkpointing(parameters, device),
        "logging_steps": parameters.logging_steps,
        "save_steps": plan.save_steps,
        "report_to": "none",
        "disable_tqdm": True,
    }


def wants_checkpointing(parameters: TrainingParameters, device: Device) -> bool:
    """Whether activations are computed again instead of kept: on a GPU, unless the parameters say otherwise."""
    wanted, has_own = parameters.activation_checkpointing, parameters.activation_checkpointing_every > 1
    return device.is_cuda or has_own or parameters.activation_offload if wanted is None else wanted


def _checkpointing(parameters: TrainingParameters, device: Device) -> dict[str, Any] | None:
    """In which layers, and where their inputs are kept. Raises ParameterError for a place that the device is itself."""
    if parameters.activation_offload and not device.is_cuda:
        raise ParameterError(
            "Activations cannot be moved off this device: a processor computes in the computer's own memory.",
            "Set activation_offload to false, or choose a GPU.",
            fields={"activation_offload": "a processor computes in the computer's own memory already"},
        )
    if not wants_checkpointing(parameters, device):
        return None
    every, offload = parameters.activation_checkpointing_every, parameters.activation_offload
    return {"use_reentrant": False, "every_n_layers": every, "offload": offload}


def _schedule(parameters: TrainingParameters, plan: Plan) -> dict[str, Any]:
    """What the chosen schedule is told besides the steps of the run and of its warm-up."""
    lowest = parameters.lr_min_share
    match parameters.lr_scheduler_type:
        case "cosine_with_restarts":
            return {"num_cycles": parameters.lr_restarts or LR_RESTARTS}
        case "cosine_with_min_lr":
            return {"min_lr_rate": LR_MIN_SHARE if lowest is None else lowest}
        case "polynomial":
            return {"power": parameters.lr_power or LR_POWER, "lr_end": parameters.learning_rate * (lowest or 0.0)}
        case "warmup_stable_decay":
            falling = math.ceil(plan.total_steps * (parameters.lr_decay_share or LR_DECAY_SHARE))
            falling = min(falling, plan.total_steps - plan.warmup_steps)
            return {"num_decay_steps": falling, "min_lr_ratio": lowest or 0.0}
        case _:
            return {}
