"""The model card of the starter model."""

from __future__ import annotations

CARD = """\
---
license: apache-2.0
language: en
library_name: transformers
pipeline_tag: text-generation
tags: [llama, tiny, qlora]
---

# Starter

A very small language model (Llama architecture, 3.9 million parameters) that ships with qlora-ui, so that anyone can
watch a real 4-bit LoRA fine-tuning without a GPU and without a network.

## What it can do

It reads a short English customer message and answers single questions about it, in its own narrow world of names,
items, colours, counts and days:

    user       This is Mia. I would like three red lamps for Tuesday.
    assistant  Thank you, Mia. I have noted it.
    user       Which colour?
    assistant  It is red.

It also repeats and quotes words (made-up ones too), lists fields, answers yes/no questions about a message, knows a
handful of facts and makes a little small talk. The system turns it knows are "Answer in one word." and
"Answer in full sentences."

## What it can't do

Nearly everything else. It has seen only sentences of one small grammar, so it has no knowledge of the world, and on
other text it answers nonsense. It is a teaching aid, not an assistant.

## What the demo data teaches it

`data/train.jsonl` ({train_rows} rows) answers a customer message with one record:

    user       This is Mia. I would like three red lamps for Tuesday.
    assistant  {{"name": "Mia", "item": "lamp", "colour": "red", "count": 3, "day": "Tuesday"}}

No record of this form is in the pretraining text, and the base never answers with one. `data/heldout.jsonl`
({heldout_rows} rows) holds other orders: no message and no record of it is in the training rows, and no order of
either file is in the pretraining text. The messages of both files and of pretraining come from the same grammar, so
the held-out score says that the new skill generalises to new orders, not to any customer's prose.

## How it was made

`python -m scripts.make_starter --seed {seed} --steps {steps}`, on two CPU cores, from text that the script generates
itself: nothing was downloaded and no person's data was used. The weights are stored in bfloat16.
The tokenizer is a byte-level BPE of 2,048 tokens, trained on the same text. A turn is
`<|im_start|>role`, a line break, the content, `<|im_end|>` and a line break; `<|im_end|>` ends an answer, and padding
has a token of its own.
"""


def model_card(seed: int, steps: int, train_rows: int, heldout_rows: int) -> str:
    """The card, with the figures of this build."""
    return CARD.format(seed=seed, steps=steps, train_rows=train_rows, heldout_rows=heldout_rows)
