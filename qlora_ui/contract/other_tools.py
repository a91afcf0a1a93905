"""Settings files of LLaMA-Factory, Axolotl and Unsloth Studio: what can be taken over from them, and what not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.parsing import parse_parameters
from qlora_ui.contract.records import JobKind

Taken = Mapping[str, Any]
"""Knob → value; empty where a setting asks for what is done anyway."""
Rule = str | Callable[[Any, Mapping[str, Any]], Taken | str]
"""The knob of the same meaning, or what makes knobs of a value and of the whole file, or a sentence why it cannot."""

NO_SUCH = "There is no such setting here."
UNUSABLE = "Its value cannot be used here."


@dataclass(frozen=True)
class TakenOver:
    """What a file of another tool comes to."""

    tool: str
    values: dict[str, Any]
    """Knob → value, each of which can be used. Knobs that the file does not speak of are not in here."""
    left: dict[str, str]
    """Setting of the file → why it was not taken over."""


def take_over(content: Mapping[str, Any]) -> TakenOver | None:
    """What a file says, in our words; None for a file of none of the tools."""
    if "training" in content and isinstance(content["training"], dict) and "lora" in content:
        return _translate("Unsloth Studio", _flat(content), _UNSLOTH)
    if "base_model" in content:
        return _translate("Axolotl", content, _AXOLOTL)
    if "model_name_or_path" in content:
        return _translate("LLaMA-Factory", content, _LLAMA_FACTORY)
    return None


def _translate(tool: str, content: Mapping[str, Any], rules: Mapping[str, Rule]) -> TakenOver:
    values: dict[str, Any] = {}
    left: dict[str, str] = {}
    for name, value in content.items():
        if value is None or name in _NOTHING_TO_SAY:
            continue
        taken = _follow(rules.get(name), value, content)
        if isinstance(taken, str):
            left[name] = taken
        elif _is_usable(taken):
            values |= taken
        else:
            left[name] = UNUSABLE
    return TakenOver(tool, values, left)


def _follow(rule: Rule | None, value: Any, content: Mapping[str, Any]) -> Taken | str:
    if rule is None:
        return NO_SUCH
    return {rule: value} if isinstance(rule, str) else rule(value, content)


def _is_usable(values: Taken) -> bool:
    """Each by itself; whether all go together, the form says when it has them."""
    try:
        parse_parameters(JobKind.TRAINING, {"model_name": "starter", "dataset_path": "starter", **values})
    except ParameterError:
        return False
    return True


def _flat(content: Mapping[str, Any]) -> dict[str, Any]:
    """Sections opened: their settings have names of their own."""
    flat: dict[str, Any] = {}
    for name, value in content.items():
        flat |= value if isinstance(value, dict) else {name: value}
    return flat


def _only(allowed: tuple[Any, ...], reason: str) -> Rule:
    """Nothing is to be done for these values; any other cannot be taken over."""
    return lambda value, _: {} if value in allowed else reason


def _switch(knob: str, on: Any, off: Any = None) -> Rule:
    """One value of a knob when it is true, another (none: what it has anyway) when it is false."""

    def rule(value: Any, _: Mapping[str, Any]) -> Taken | str:
        if not isinstance(value, bool):
            return NO_SUCH
        chosen = on if value else off
        return {} if chosen is None else {knob: chosen}

    return rule


def _positive(knob: str) -> Rule:
    """A count that means none at 0 or below."""
    return lambda value, _: {} if isinstance(value, int) and value <= 0 else {knob: value}


def _held_out(value: Any, _: Mapping[str, Any]) -> Taken | str:
    """A share below 1, else a number of rows."""
    if not isinstance(value, int | float):
        return NO_SUCH
    return {"validation_share": value} if value < 1 else {"validation_rows": int(value)}


def _optimizer(value: Any, _: Mapping[str, Any]) -> Taken:
    return {"optimizer": {"adamw_bnb_8bit": "adamw_8bit", "lion_bnb_8bit": "lion_8bit"}.get(str(value), value)}


def _targets(value: Any, _: Mapping[str, Any]) -> Taken:
    if value in ("all", "all-linear"):
        return {"target_modules": "all-linear"}
    return {"target_modules": ", ".join(value) if isinstance(value, list) else value}


def _listed(knob: str) -> Rule:
    return lambda value, _: {knob: ", ".join(map(str, value)) if isinstance(value, list) else value}


def _checkpointing(value: Any, _: Mapping[str, Any]) -> Taken:
    return {"activation_checkpointing": value not in (False, "none", "false")}


def _bits(value: Any, _: Mapping[str, Any]) -> Taken | str:
    return {4: {"method": "qlora"}, 8: {"method": "int8"}}.get(value, "The base is held in 4, 8 or 16 bits here.")


def _precision(kind: str) -> Rule:
    return lambda value, _: {"compute_type": kind} if value is True else {}


def _loaded(content: Mapping[str, Any]) -> str:
    """The method of a file that says in two switches how the base is loaded."""
    return "qlora" if content.get("load_in_4bit") else "int8" if content.get("load_in_8bit") else "lora"


def _adapter(value: Any, content: Mapping[str, Any]) -> Taken | str:
    return {"method": _loaded(content)} if value in ("lora", "qlora") else _LORA


def _reports(value: Any, _: Mapping[str, Any]) -> Taken:
    asked = [value] if isinstance(value, str) else value
    return {"trackers": [name for name in asked if name not in ("none", "all")]}


def _trackers(_: Any, content: Mapping[str, Any]) -> Taken:
    asked = [name for name in ("tensorboard", "wandb") if content.get(f"enable_{name}") is True]
    return {"trackers": asked} if asked else {}


def _named(value: Any) -> str:
    """A path as it is; a name of the hub as such."""
    path = str(value)
    is_file = path.startswith(("/", ".", "~", "hub:")) or path.count("/") != 1 or "." in path.rpartition("/")[2]
    return path if is_file else f"hub:{path}"


def _data(value: Any, _: Mapping[str, Any]) -> Taken | str:
    sources = value if isinstance(value, list) else [{"path": value}]
    if not sources or not all(isinstance(source, dict) and source.get("path") for source in sources):
        return "Its data have no path."
    first, *more = (_named(source["path"]) for source in sources)
    return {"dataset_path": first} | ({"more_data": [{"path": path} for path in more]} if more else {})


def _evaluations(value: Any, content: Mapping[str, Any]) -> Taken | str:
    epochs = content.get("num_epochs", 1)
    if not isinstance(value, int | float) or not isinstance(epochs, int | float):
        return NO_SUCH
    return {"evaluations": max(0, round(value * epochs))}


_TEMPLATE = "Choose the template on the step of the data, where it is shown what comes of it."
_CODE = "Code that comes with a model is never run here."
_TIMES = "Say how many evaluations there shall be; the steps between them follow from it."
_LORA = "Only LoRA adapters are trained here."

_SHARED: dict[str, Rule] = {
    "adam_beta1": "adam_beta1",
    "adam_beta2": "adam_beta2",
    "adam_epsilon": "adam_epsilon",
    "bf16": _precision("bfloat16"),
    "chat_template": _only(("tokenizer_default",), _TEMPLATE),
    "early_stopping_patience": "early_stopping_patience",
    "eval_steps": _only((), _TIMES),
    "fp16": _precision("float16"),
    "gradient_accumulation_steps": "gradient_accumulation",
    "gradient_checkpointing": _checkpointing,
    "learning_rate": "learning_rate",
    "logging_steps": "logging_steps",
    "lora_alpha": "lora_alpha",
    "lora_dropout": "lora_dropout",
    "loraplus_lr_ratio": "lora_plus_ratio",
    "max_grad_norm": "max_grad_norm",
    "max_steps": _positive("max_steps"),
    "neftune_noise_alpha": "neftune_noise_alpha",
    "output_dir": "output_dir",
    "packing": "packing",
    "report_to": _reports,
    "save_steps": _positive("save_steps"),
    "seed": "seed",
    "trust_remote_code": _only((False,), _CODE),
    "use_dora": "use_dora",
    "use_rslora": "use_rslora",
    "warmup_ratio": "warmup_share",
    "warmup_steps": "warmup_steps",
    "weight_decay": "weight_decay",
}

_LLAMA_FACTORY: dict[str, Rule] = _SHARED | {
    "additional_target": _listed("modules_to_save"),
    "cutoff_len": "max_length",
    "dataset": _only((), "These are names in a list of that tool: choose the file itself on the step of the data."),
    "disable_gradient_checkpointing": _switch("activation_checkpointing", False, True),
    "double_quantization": _only((True,), "Weights in 4 bits are always double-quantised here."),
    "early_stopping_steps": "early_stopping_patience",
    "finetuning_type": lambda value, content: (
        {} if "quantization_bit" in content and value == "lora" else {"method": "lora"} if value == "lora" else _LORA
    ),
    "lora_rank": "lora_rank",
    "lora_target": _targets,
    "lr_scheduler_type": "lr_scheduler_type",
    "model_name_or_path": "model_name",
    "num_train_epochs": "num_train_epochs",
    "optim": _optimizer,
    "per_device_train_batch_size": "batch_size",
    "quantization_bit": _bits,
    "quantization_method": _only(("bnb", "bitsandbytes"), "The base is quantised by bitsandbytes here."),
    "run_name": "name",
    "stage": _only(("sft",), "Only supervised fine-tuning is done here."),
    "template": _only((), _TEMPLATE),
    "train_on_prompt": _switch("train_on", "all", "completions"),
    "val_size": _held_out,
}

_AXOLOTL: dict[str, Rule] = _SHARED | {
    "adapter": _adapter,
    "base_model": "model_name",
    "datasets": _data,
    "evals_per_epoch": _evaluations,
    "load_in_4bit": lambda _value, content: {"method": _loaded(content)},
    "load_in_8bit": lambda _value, content: {"method": _loaded(content)},
    "lora_modules_to_save": _listed("modules_to_save"),
    "lora_r": "lora_rank",
    "lora_target_linear": _switch("target_modules", "all-linear"),
    "lora_target_modules": _targets,
    "lr_scheduler": "lr_scheduler_type",
    "micro_batch_size": "batch_size",
    "num_epochs": "num_train_epochs",
    "optimizer": _optimizer,
    "peft_use_dora": "use_dora",
    "peft_use_rslora": "use_rslora",
    "sample_packing": "packing",
    "sequence_len": "max_length",
    "train_on_inputs": _switch("train_on", "all", "completions"),
    "val_set_size": _held_out,
    "wandb_project": lambda value, _: {"trackers": ["wandb"], "tracker_project": value},
}

_UNSLOTH: dict[str, Rule] = _SHARED | {
    "batch_size": "batch_size",
    "dataset": _data,
    "enable_tensorboard": _trackers,
    "enable_wandb": _trackers,
    "wandb_project": lambda value, content: {"tracker_project": value} if content.get("enable_wandb") else {},
    "load_in_4bit": lambda _value, content: {"method": _loaded(content)},
    "lora_r": "lora_rank",
    "max_seq_length": "max_length",
    "model": "model_name",
    "num_epochs": "num_train_epochs",
    "optim": _optimizer,
    "random_seed": "seed",
    "target_modules": _targets,
    "train_on_completions": _switch("train_on", "completions", "all"),
    "training_type": _only(("lora", "qlora"), _LORA),
    "use_loftq": _only((False,), "LoftQ is not done here."),
}

_NOTHING_TO_SAY = frozenset(
    {
        "dataloader_num_workers",
        "dataset_prepared_path",
        "ddp_timeout",
        "do_train",
        "eval_sample_packing",
        "finetune_attention_modules",
        "finetune_language_layers",
        "finetune_mlp_modules",
        "finetune_vision_layers",
        "format_type",
        "overwrite_cache",
        "overwrite_output_dir",
        "pad_to_sequence_len",
        "per_device_eval_batch_size",
        "plot_loss",
        "preprocessing_num_workers",
        "save_only_model",
        "strict",
        "tensorboard_dir",
        "tf32",
        "vision_all_linear",
    }
)
"""What has no counterpart and changes nothing about what is learned: how files are read, kept and reported."""
