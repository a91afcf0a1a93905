"""Settings files of other tools, in the shape that their own examples have."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from qlora_ui.contract.other_tools import NO_SUCH, UNUSABLE, TakenOver, take_over
from qlora_ui.contract.parsing import parse_parameters
from qlora_ui.contract.records import JobKind

LLAMA_FACTORY = """
model_name_or_path: meta-llama/Meta-Llama-3-8B-Instruct
quantization_bit: 4
trust_remote_code: true
stage: sft
do_train: true
finetuning_type: lora
lora_rank: 8
lora_target: all
dataset: identity,alpaca_en_demo
template: llama3
cutoff_len: 2048
max_samples: 1000
output_dir: saves/out
logging_steps: 10
save_steps: 500
report_to: none
per_device_train_batch_size: 1
gradient_accumulation_steps: 8
learning_rate: 1.0e-4
num_train_epochs: 3.0
lr_scheduler_type: cosine
warmup_ratio: 0.1
bf16: true
val_size: 0.1
resume_from_checkpoint: null
"""
AXOLOTL = """
base_model: NousResearch/Llama-3.2-1B
load_in_8bit: false
load_in_4bit: true
datasets:
  - path: teknium/GPT4-LLM-Cleaned
    type: alpaca
  - path: ./own/rows.jsonl
val_set_size: 200
adapter: qlora
sequence_len: 2048
sample_packing: true
lora_r: 32
lora_alpha: 16
lora_dropout: 0.05
lora_target_modules: [gate_proj, q_proj]
gradient_accumulation_steps: 4
micro_batch_size: 2
num_epochs: 2
optimizer: adamw_bnb_8bit
lr_scheduler: cosine
learning_rate: 0.0002
bf16: auto
gradient_checkpointing: true
evals_per_epoch: 4
train_on_inputs: false
special_tokens: {pad_token: "<|end_of_text|>"}
"""
UNSLOTH = """
model: unsloth/Qwen2.5-0.5B
data: {dataset: tatsu-lab/alpaca, format_type: auto}
training:
  training_type: lora
  max_seq_length: 2048
  load_in_4bit: true
  num_epochs: 1
  learning_rate: 0.0002
  batch_size: 2
  gradient_accumulation_steps: 4
  warmup_steps: 5
  max_steps: 0
  save_steps: 0
  weight_decay: 0.01
  random_seed: 3407
  packing: false
  train_on_completions: false
  gradient_checkpointing: unsloth
lora:
  lora_r: 64
  lora_alpha: 16
  lora_dropout: 0.0
  target_modules: "q_proj,k_proj"
  use_rslora: false
  use_loftq: true
logging: {enable_wandb: false, wandb_project: unsloth-training, enable_tensorboard: false}
"""


def translated(text: str) -> TakenOver:
    found = take_over(yaml.safe_load(text))
    assert found is not None
    given: dict[str, Any] = {"model_name": "starter", "dataset_path": "starter"} | found.values
    parse_parameters(JobKind.TRAINING, given)
    return found


def test_llama_factory() -> None:
    found = translated(LLAMA_FACTORY)
    assert found.tool == "LLaMA-Factory"
    assert found.values == {
        "model_name": "meta-llama/Meta-Llama-3-8B-Instruct",
        "method": "qlora",
        "lora_rank": 8,
        "target_modules": "all-linear",
        "max_length": 2048,
        "output_dir": "saves/out",
        "logging_steps": 10,
        "save_steps": 500,
        "trackers": [],
        "batch_size": 1,
        "gradient_accumulation": 8,
        "learning_rate": 1e-4,
        "num_train_epochs": 3.0,
        "lr_scheduler_type": "cosine",
        "warmup_share": 0.1,
        "compute_type": "bfloat16",
        "validation_share": 0.1,
    }
    assert found.left.keys() == {"trust_remote_code", "dataset", "template", "max_samples"}
    assert found.left["max_samples"] == NO_SUCH


def test_without_quantisation_it_is_lora_on_the_plain_base() -> None:
    content = yaml.safe_load(LLAMA_FACTORY)
    del content["quantization_bit"]
    assert translated(yaml.safe_dump(content)).values["method"] == "lora"
    assert translated(yaml.safe_dump(content | {"quantization_bit": 8})).values["method"] == "int8"
    axolotl = yaml.safe_load(AXOLOTL) | {"load_in_4bit": False, "adapter": "lora"}
    assert translated(yaml.safe_dump(axolotl)).values["method"] == "lora"


def test_axolotl() -> None:
    found = translated(AXOLOTL)
    assert found.tool == "Axolotl"
    assert found.values == {
        "model_name": "NousResearch/Llama-3.2-1B",
        "method": "qlora",
        "dataset_path": "hub:teknium/GPT4-LLM-Cleaned",
        "more_data": [{"path": "./own/rows.jsonl"}],
        "validation_rows": 200,
        "max_length": 2048,
        "packing": True,
        "lora_rank": 32,
        "lora_alpha": 16,
        "lora_dropout": 0.05,
        "target_modules": "gate_proj, q_proj",
        "gradient_accumulation": 4,
        "batch_size": 2,
        "num_train_epochs": 2,
        "optimizer": "adamw_8bit",
        "lr_scheduler_type": "cosine",
        "learning_rate": 0.0002,
        "activation_checkpointing": True,
        "evaluations": 8,
        "train_on": "completions",
    }
    assert found.left.keys() == {"special_tokens"}


def test_unsloth_studio() -> None:
    found = translated(UNSLOTH)
    assert found.tool == "Unsloth Studio"
    assert found.values["dataset_path"] == "hub:tatsu-lab/alpaca"
    assert found.values["train_on"] == "all"
    assert found.values["seed"] == 3407
    assert found.values["activation_checkpointing"] is True
    assert {"max_steps", "save_steps", "trackers", "tracker_project"}.isdisjoint(found.values)
    assert found.left.keys() == {"use_loftq"}


@pytest.mark.parametrize(("setting", "value"), [("learning_rate", "fast"), ("lora_rank", 0), ("optim", "adamw_apex")])
def test_a_value_that_cannot_be_used_is_left_and_named(setting: str, value: object) -> None:
    found = translated(yaml.safe_dump(yaml.safe_load(LLAMA_FACTORY) | {setting: value}))
    assert found.left[setting] == UNUSABLE


@pytest.mark.parametrize("text", ["model_name: starter\ndataset_path: starter", "{}", "lora: 1\ntraining: 2"])
def test_a_file_of_none_of_them(text: str) -> None:
    assert take_over(yaml.safe_load(text)) is None
