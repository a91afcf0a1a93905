"""Make the starter model and its demo data from nothing but a seed: no download, no GPU, about 20 minutes on two cores.

    python -m scripts.make_starter                      # the shipped files, in qlora_ui/assets/starter
    python -m scripts.make_starter --only-data          # train.jsonl and heldout.jsonl alone, in a second
    python -m scripts.make_starter --steps 300 --out /tmp/starter

The seed (default 1) fixes the demo data, the tokenizer and all the text, in its order, byte for byte. The weights
follow from it but for rounding, which depends on the CPU and on how its threads share the work: two runs behave alike
but are not equal bit for bit.

The parts: `starter_text.py` writes the text; here a byte-level BPE tokenizer is trained on it, then a small Llama on
the assistants' turns. What the demo data teaches (one JSON record for a message) is in no pretraining text.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.nn import functional
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from scripts.starter_card import model_card
from scripts.starter_text import Conversation, conversations, demo_rows, drills

SHIPPED = Path(__file__).resolve().parent.parent / "qlora_ui" / "assets" / "starter"
TRAIN_ROWS, HELDOUT_ROWS = 600, 120
VOCABULARY = 2048  # tokens
CONTEXT = 1024  # tokens
SPECIAL = ["<|pad|>", "<|im_start|>", "<|im_end|>"]
USER_WEIGHT = 0.1  # of a token that is not the assistant's: enough to know the language of the messages

# The end-of-turn token lies inside the generation marks: it is part of what an assistant learns to write.
CHAT_TEMPLATE = """\
{%- for message in messages -%}
{%- if message['role'] == 'assistant' -%}
{{- '<|im_start|>assistant\\n' -}}
{%- generation -%}{{- message['content'] + '<|im_end|>' -}}{%- endgeneration -%}
{{- '\\n' -}}
{%- else -%}
{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
"""


def main() -> None:
    """Read the options, write the data, train the tokenizer and the model, save."""
    options = parse_options()
    train, heldout, orders = demo_rows(options.seed, TRAIN_ROWS, HELDOUT_ROWS)
    check_disjoint(train, heldout)
    write_rows(train, options.out / "data" / "train.jsonl")
    write_rows(heldout, options.out / "data" / "heldout.jsonl")
    if options.only_data:
        return

    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    text = conversations(options.seed, skip=orders)
    tokenizer = train_tokenizer(list(islice(text, 20_000)))
    model = new_model(tokenizer)
    started = time.monotonic()
    stream = chain(
        islice(batches(drills(options.seed), tokenizer, options.batch_tokens), options.drill_steps),
        batches(text, tokenizer, options.batch_tokens),
    )
    loss = pretrain(model, stream, options.steps, options.lr, options.fp32)
    minutes = (time.monotonic() - started) / 60
    print(f"trained {options.steps} steps in {minutes:.1f} min, loss {loss:.4f}")
    save(model, tokenizer, options.out / "model", model_card(options.seed, options.steps, TRAIN_ROWS, HELDOUT_ROWS))


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=SHIPPED, help="folder that gets model/ and data/")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=2000, help="optimiser steps, drills included")
    parser.add_argument("--drill-steps", type=int, default=300, help="steps on lines to repeat, before all other text")
    parser.add_argument("--batch-tokens", type=int, default=2048, help="tokens per step, padding included")
    parser.add_argument("--lr", type=float, default=3e-3, help="peak learning rate")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--fp32", action="store_true", help="no bfloat16: faster on a CPU without AMX or AVX512-BF16")
    parser.add_argument("--only-data", action="store_true", help="write the demo data and stop")
    return parser.parse_args()


# The demo data


def check_disjoint(train: list[Conversation], heldout: list[Conversation]) -> None:
    """Stop if a message or an answer of the held-out rows is also in the training rows."""
    for turn in (0, 1):
        shared = {row[turn]["content"] for row in train} & {row[turn]["content"] for row in heldout}
        if shared:
            raise SystemExit(f"held-out rows repeat training rows: {sorted(shared)[:3]}")


def write_rows(rows: list[Conversation], path: Path) -> None:
    """One JSON object a line, in the OpenAI `messages` form."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"messages": row}, ensure_ascii=False) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


# Text to tokens


def train_tokenizer(sample: list[Conversation]) -> PreTrainedTokenizerFast:
    """Byte-level BPE with GPT-2's word splitting; it adds no token of its own to a text, the chat template does."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIAL,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    bpe.train_from_iterator((f"{turn['role']}\n{turn['content']}" for chat in sample for turn in chat), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        pad_token="<|pad|>",
        chat_template=CHAT_TEMPLATE,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )


def render(chat: Conversation) -> str:
    """What the chat template renders, without the cost of a template engine; the tests hold the two together."""
    return "".join(f"<|im_start|>{turn['role']}\n{turn['content']}<|im_end|>\n" for turn in chat)


def batches(
    text: Iterator[Conversation], tokenizer: PreTrainedTokenizerFast, batch_tokens: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Token ids and token weights, (conversations, length) each, of chats of like length padded on the right."""
    while True:
        rendered = [render(chat) for chat in islice(text, 2048)]
        pool = sorted(tokenizer(rendered)["input_ids"], key=len)
        groups: list[list[list[int]]] = [[]]
        for ids in pool:
            if (len(groups[-1]) + 1) * len(ids) > batch_tokens:
                groups.append([])
            groups[-1].append(ids)
        for index in torch.randperm(len(groups)).tolist():
            yield pad(groups[index], tokenizer)


def pad(group: list[list[int]], tokenizer: PreTrainedTokenizerFast) -> tuple[torch.Tensor, torch.Tensor]:
    """One batch. The padding needs no attention mask: it stands on the right, and attention looks left."""
    start, end, role = (tokenizer.convert_tokens_to_ids(token) for token in ("<|im_start|>", "<|im_end|>", "assistant"))
    length = max(map(len, group))
    ids = torch.zeros(len(group), length, dtype=torch.long)
    weights = torch.zeros(len(group), length)
    for row, tokens in enumerate(group):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        answering = 0  # 0: not the assistant's turn; else tokens since its <|im_start|>
        for column, token in enumerate(tokens):
            if token == start:
                answering = int(tokens[column + 1] == role)
            weights[row, column] = 1.0 if answering > 3 else USER_WEIGHT
            answering = 0 if token == end else answering + bool(answering)
    return ids, weights


# The model


def new_model(tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """A Llama of 3.9 million parameters; every linear layer's sides are multiples of 64, the block size of NF4."""
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=256,
            intermediate_size=768,
            num_hidden_layers=4,
            num_attention_heads=4,
            num_key_value_heads=4,
            max_position_embeddings=CONTEXT,
            tie_word_embeddings=True,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    model.set_attn_implementation("eager")  # on a CPU and this short a text, a quarter faster than the fused one
    return model


def pretrain(
    model: LlamaForCausalLM,
    stream: Iterator[tuple[torch.Tensor, torch.Tensor]],
    steps: int,
    peak_lr: float,
    fp32: bool,
) -> float:
    """Warm-up and cosine decay; returns the mean loss of the assistants' tokens over the last 50 steps."""
    optimisers = new_optimisers(model)
    losses: list[float] = []
    model.train()
    for step in range(steps):
        ids, weights = next(stream)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=not fp32):
            logits = model(input_ids=ids[:, :-1]).logits
        token_losses = functional.cross_entropy(logits.float().flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
        weight = weights[:, 1:].flatten()
        ((token_losses * weight).sum() / weight.sum()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        lr = peak_lr * min((step + 1) / 100, 0.5 * (1 + math.cos(math.pi * step / steps)))
        for optimiser, scale in optimisers:
            optimiser.param_groups[0]["lr"] = lr * scale
            optimiser.step()
            optimiser.zero_grad()
        losses.append(token_losses.detach()[weight == 1].mean().item())
        if (step + 1) % 50 == 0:
            print(f"step {step + 1}/{steps}  loss {sum(losses[-50:]) / 50:.4f}", flush=True)
    return sum(losses[-50:]) / len(losses[-50:])


def new_optimisers(model: LlamaForCausalLM) -> list[tuple[torch.optim.Optimizer, float]]:
    """Muon for the matrices, AdamW for embeddings and norms, each with its factor on the learning rate."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    return [
        (torch.optim.Muon(matrices, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"), 2.0),
        (torch.optim.AdamW(others, betas=(0.9, 0.98), weight_decay=0.0), 1.0),
    ]


def save(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path, card: str) -> None:
    """Weights in bfloat16, tokenizer, chat template, greedy generation as the default, model card."""
    model.generation_config = GenerationConfig(
        do_sample=False,
        max_new_tokens=128,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)  # safetensors writes it readable by its owner alone
    (folder / "README.md").write_text(card, encoding="utf-8")


if __name__ == "__main__":
    main()
