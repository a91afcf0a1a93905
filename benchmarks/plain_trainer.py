"""The yardstick: QLoRA as a plain script of Trainer, PEFT and bitsandbytes does it, on the same rows.

    python benchmarks/plain_trainer.py SETTINGS.yaml

Settings are those of a training run. Prints one line of JSON: the seconds in `Trainer.train()`, the tokens trained on
without padding, and the mean loss. Rows are tokenised by `qlora_ui.data` so that both sides train the same tokens.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import cast

from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from transformers import (
    AutoModelForCausalLM,
    BitsAndBytesConfig,
    DataCollatorForSeq2Seq,
    Trainer,
    TrainingArguments,
    set_seed,
)

from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.parsing import read_parameters
from qlora_ui.contract.paths import model_location
from qlora_ui.contract.records import JobKind
from qlora_ui.data.encoding.tokenizer import load_tokenizer
from qlora_ui.data.prepare import prepare
from qlora_ui.worker.devices import choose
from qlora_ui.worker.training.plan import Plan
from qlora_ui.worker.training.trainer import wanted_training, wants_checkpointing


def main(settings: Path) -> None:
    """Train once and print the figures."""
    parameters = cast(TrainingParameters, read_parameters(settings, JobKind.TRAINING))
    device = choose(parameters.device, parameters.compute_type)
    tokenizer = load_tokenizer(parameters.model_name, parameters.offline)
    rows = prepare(parameters.query, tokenizer).train
    plan = Plan.of(parameters, len(rows), has_validation=False)

    set_seed(parameters.seed)
    model = AutoModelForCausalLM.from_pretrained(
        model_location(parameters.model_name),
        dtype=device.dtype,
        device_map={"": device.torch_name},
        quantization_config=BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=device.dtype,
        ),
    )
    checkpointing = wants_checkpointing(parameters, device)
    model = prepare_model_for_kbit_training(
        model,
        use_gradient_checkpointing=checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False} if checkpointing else None,
    )
    lora = LoraConfig(
        r=parameters.lora_rank,
        lora_alpha=parameters.lora_alpha,
        lora_dropout=parameters.lora_dropout,
        use_rslora=parameters.use_rslora,
        target_modules=target_modules(parameters),
        task_type="CAUSAL_LM",
    )
    model = get_peft_model(model, lora)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            **wanted_training(parameters, plan, device),
            output_dir=folder,
            save_total_limit=parameters.checkpoints_kept,
            include_num_input_tokens_seen="non_padding",
        )
        collator = DataCollatorForSeq2Seq(tokenizer, label_pad_token_id=-100)
        data = [{"input_ids": row.input_ids, "labels": row.labels} for row in rows]
        trainer = Trainer(model, arguments, train_dataset=data, data_collator=collator)
        started = time.perf_counter()
        result = trainer.train()
        seconds = time.perf_counter() - started
    tokens = int(trainer.state.num_input_tokens_seen)
    print(json.dumps({"seconds": seconds, "tokens": tokens, "loss": result.training_loss}))


def target_modules(parameters: TrainingParameters) -> str | list[str]:
    wanted = parameters.target_modules.strip()
    return wanted if wanted == "all-linear" else [name.strip() for name in wanted.split(",") if name.strip()]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
