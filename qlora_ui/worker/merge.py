"""Merging: the adapter is added into its base, and what was saved is compared with it before it gets its name."""

from __future__ import annotations

import gc
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from peft import PeftModel
from torch.nn.functional import kl_div, log_softmax
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from qlora_ui.contract.adapter_parameters import Method
from qlora_ui.contract.errors import MergeError, ParameterError, WorkspaceError
from qlora_ui.contract.events import Progress
from qlora_ui.contract.files import write_atomically
from qlora_ui.contract.parameters import MergeParameters
from qlora_ui.contract.recipe import Recipe, Source
from qlora_ui.contract.records import MergeReceipt
from qlora_ui.data.conversation import Conversation, Turn
from qlora_ui.data.encoding.tokens import encode
from qlora_ui.data.prepare import load
from qlora_ui.worker.context import Context
from qlora_ui.worker.data import adapters_tokenizer
from qlora_ui.worker.devices import Device
from qlora_ui.worker.model.adapters import CARD, method_of, put_in_place, temporary_beside
from qlora_ui.worker.model.base_format import BITS, layers_held
from qlora_ui.worker.model.loading import check_model, count_parameters, load_adapter, load_base, load_weights
from qlora_ui.worker.model.naming import free_folder, name_of, unverified
from qlora_ui.worker.model.quantisation import dequantised, stored_packing
from qlora_ui.worker.scores.evaluate import choose_evenly
from qlora_ui.worker.scores.scoring import inference
from qlora_ui.worker.versions import versions

LIMITS = {"dequantised": (1e-3, 0.99), "original": (2e-2, 0.95)}
"""Per target: the largest KL divergence in nats and the smallest top-1 agreement with which a merge passes.

The adapter was trained on the 4-bit weights. Merged into those, only the rounding of the saved numbers is left; merged
into the base's own weights, the error that the adapter learned to make up for is gone, and the answers differ a little.
"""
LIMIT_IN_16_BITS = (5e-3, 0.97)
"""The same at least, where the proof itself has to compute with 16 bits: then equal models differ by its rounding.

Measured on the starter model with one and the same merge: 2.4e-5 and 99.2 % in float32, 5.2e-4 and 99.0 % in bfloat16.
"""

_BYTES_HELD: dict[Method, int] = {"qlora": 1, "int8": 2, "lora": 4}
"""At most, of a weight of the base that the merged model is compared with."""

_SENTENCES = (
    "The train to the coast leaves at seven in the morning and arrives shortly before noon.",
    "Please write a short letter to the landlord about the broken window in the kitchen.",
    "Water boils at one hundred degrees at sea level, and at less on a mountain.",
    "def mean(values):\n    return sum(values) / len(values)",
    "Which of these numbers is the largest: 17, 42, 8 or 23? The largest is 42.",
    "She opened the box, looked inside, and found nothing but an old photograph.",
    "To make bread, mix flour, water, salt and yeast, let the dough rise, and bake it.",
    "The meeting was moved from Tuesday to Thursday because half of the team was ill.",
    '{"name": "Ada", "items": [{"id": 1, "price": 9.5}, {"id": 2, "price": 12.0}]}',
    "Light needs about eight minutes to travel from the sun to the earth.",
    "If it rains tomorrow, we will stay at home and play chess; otherwise we will go hiking.",
    "The committee approved the budget, although two members voted against it.",
)
"""What the proof uses when no rows are given."""


def merge(context: Context, device: Device) -> dict[str, Any]:
    """Merge, save, prove; returns the receipt as the summary. Raises MergeError when the proof fails.

    The receipt is written in either case; a model that failed keeps a name that says so.
    """
    parameters = cast(MergeParameters, context.parameters)
    _check_target(context, parameters)
    adapter = Path(parameters.adapter_path).expanduser().resolve()
    device = _exact(device, parameters.model_name, method_of(adapter), context.offline)
    context.facts(**device.describe())
    output = _output(context, parameters)
    context.phase("data", "It reads the rows for the proof.")
    tokenizer = adapters_tokenizer(parameters.model_name, adapter, context.offline)
    rows = _rows(context, parameters, tokenizer)

    context.phase("loading", "It loads the base model.")
    with temporary_beside(output) as temporary:
        _save(_merged(context, parameters, adapter, device), tokenizer, temporary, parameters.save_type)
        gc.collect()
        if device.is_cuda:
            torch.cuda.empty_cache()

        context.phase("verifying", "It compares the saved model with the adapter.")
        base = load_base(parameters.model_name, device, offline=context.offline, method=method_of(adapter))
        reference = load_adapter(base, adapter)
        saved = load_weights(str(temporary), device, offline=True)
        receipt = compare(reference, saved, rows, device, context)
        if not parameters.output_dir:
            output = free_folder(context.workspace.models, f"{name_of(adapter)}-merged", context.paths.id)
        return _conclude(context, parameters, receipt, temporary, output)


def compare(
    reference: PeftModel, saved: PreTrainedModel, rows: Sequence[Sequence[int]], device: Device, context: Context
) -> MergeReceipt:
    """Run the rows (token ids, at least 2 a row) through both, one row at a time, and sum up how far they differ."""
    divergence = agreed = positions = predicted = 0.0
    losses = [0.0, 0.0]
    for done, row in enumerate(rows, start=1):
        context.control.check()
        ids = torch.tensor([row], device=device.torch_name)
        with inference(reference, device), inference(saved, device):
            scores = [log_softmax(model(input_ids=ids).logits[0].float(), dim=-1) for model in (reference, saved)]
        divergence += kl_div(scores[1], scores[0], reduction="sum", log_target=True).item()
        agreed += (scores[0].argmax(-1) == scores[1].argmax(-1)).sum().item()
        for index, score in enumerate(scores):
            losses[index] -= score[:-1].gather(1, ids[0, 1:, None]).sum().item()
        positions += len(row)
        predicted += len(row) - 1
        context.report(Progress(step=done, total_steps=len(rows)))
    target = cast(MergeParameters, context.parameters).target
    kl, top1 = divergence / positions, agreed / positions
    in_8_bits = layers_held(reference, "int8") > 0
    kl_limit, top1_limit = limits(target, device.dtype, rounds_inputs=in_8_bits)
    return MergeReceipt(
        rows=len(rows),
        tokens=int(positions),
        kl=max(0.0, kl),  # rounding may bring a divergence of nothing below zero
        top1_agreement=top1,
        loss_adapter=losses[0] / predicted,
        loss_merged=losses[1] / predicted,
        kl_limit=kl_limit,
        top1_limit=top1_limit,
        passed=kl <= kl_limit and top1 >= top1_limit,  # a KL that is not a number does not pass
        output_dir="",
        save_type=cast(MergeParameters, context.parameters).save_type,
        target=target,
    )


def limits(target: str, dtype: torch.dtype, *, rounds_inputs: bool = False) -> tuple[float, float]:
    """The largest KL and the smallest top-1 agreement with which a merge passes when the proof computes in `dtype`.

    Layers in 8 bits round their inputs as well, which a merged model does not: `rounds_inputs`.
    """
    kl, top1 = LIMITS[target]
    if dtype == torch.float32 and not rounds_inputs:
        return kl, top1
    return max(kl, LIMIT_IN_16_BITS[0]), min(top1, LIMIT_IN_16_BITS[1])


def _check_target(context: Context, parameters: MergeParameters) -> None:
    """Raise ParameterError, before any work, where the base has no original weights to merge into."""
    packing = stored_packing(check_model(parameters.model_name, offline=context.offline), parameters.model_name)
    if packing is not None and parameters.target == "original":
        raise ParameterError(
            f"The model {parameters.model_name} is stored in 4 bits ({packing}): it has no original weights.",
            "Merge into the dequantised weights, or name the model with its original weights as the base.",
            fields={"target": "This model has no original weights."},
        )


def _merged(context: Context, parameters: MergeParameters, adapter: Path, device: Device) -> PreTrainedModel:
    """The base with the adapter added into its weights."""
    if parameters.target == "original":
        base = load_weights(parameters.model_name, device, offline=context.offline)
    else:
        method = method_of(adapter)
        base = load_base(parameters.model_name, device, offline=context.offline, method=method)
        base = dequantised(base, device.dtype) if method in BITS else base
    context.phase("merging", "It adds the adapter into the weights.")
    merged: PreTrainedModel = load_adapter(base, adapter).merge_and_unload(safe_merge=True)
    return merged


def _save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path, save_type: str) -> None:
    """Write an ordinary model folder: no trace of 4 bits, so that it loads anywhere."""
    model = model.to(getattr(torch, save_type))
    model.config.dtype = getattr(torch, save_type)
    model.save_pretrained(str(folder), safe_serialization=True)
    tokenizer.save_pretrained(str(folder))
    if "quantization_config" in json.loads((folder / "config.json").read_text(encoding="utf-8")):
        raise MergeError("The merged model still says that it is quantised, so other programs could not load it.")


def _conclude(
    context: Context, parameters: MergeParameters, receipt: MergeReceipt, temporary: Path, output: Path
) -> dict[str, Any]:
    """Give the folder its name, write the receipt, and fail when the proof did."""
    final = output if receipt.passed else unverified(output)
    receipt = receipt.model_copy(update={"output_dir": str(final)})
    card = {"run": context.paths.id, "parameters": parameters.model_dump(mode="json"), "versions": versions()}
    card |= {"receipt": receipt.model_dump(mode="json")}
    (temporary / CARD).write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    put_in_place(temporary, final)
    context.paths.report.mkdir(exist_ok=True)
    write_atomically(context.paths.receipt, receipt.model_dump_json(indent=1))
    if not receipt.passed:
        raise MergeError(
            f"The merged model does not agree with its adapter: KL {receipt.kl:.2g} nats (limit {receipt.kl_limit:g}), "
            f"the same first token at {receipt.top1_agreement:.2%} of places (limit {receipt.top1_limit:.0%}).",
            f"It lies in {final}. Merge into the dequantised weights, or store float32 numbers.",
        )
    return receipt.model_dump(mode="json") | {"model": str(final)}


def _output(context: Context, parameters: MergeParameters) -> Path:
    """Where the model goes. Raises WorkspaceError before any work when something is already there."""
    if not parameters.output_dir:
        return context.workspace.models / context.paths.id  # until it is finished: then it gets a name for people
    output = Path(parameters.output_dir).expanduser().resolve()
    for folder in (output, unverified(output)):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise WorkspaceError(
                f"The output folder {folder} is not empty, and nothing is overwritten.",
                "Name a new folder, or leave the output folder empty to use one of the home folder.",
            )
    return output


def _rows(context: Context, parameters: MergeParameters, tokenizer: PreTrainedTokenizerBase) -> list[list[int]]:
    """The token ids of the rows for the proof, each at least 2 long."""
    if parameters.dataset_path:
        recipe = Recipe(sources=(Source(path=parameters.dataset_path),))
        loaded = load(recipe, tokenizer, offline=context.offline, after_row=context.control.check)
        conversations = choose_evenly(loaded.conversations, parameters.max_rows)
    else:
        conversations = [Conversation((Turn("text", text, trained=True),)) for text in _SENTENCES]
    encoded = [encode(c, tokenizer, max_length=parameters.max_length, train_on="all").input_ids for c in conversations]
    return [row for row in encoded if len(row) > 1]


def _exact(device: Device, model_name: str, method: Method, offline: bool) -> Device:
    """The device with float32 arithmetic where that fits: a proof should measure the merge, not the rounding."""
    if not device.is_cuda:
        return replace(device, dtype=torch.float32)
    needed = count_parameters(model_name, offline=offline) * (4 + _BYTES_HELD[method])  # the merged weights need 4
    free, _total = torch.cuda.mem_get_info()
    return replace(device, dtype=torch.float32) if needed + (2 << 30) < free else device
