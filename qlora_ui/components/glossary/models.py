"""Of models and adapters."""

from __future__ import annotations

from qlora_ui.components.glossary.term import Term
from qlora_ui.locales import mark

MODELS: dict[str, Term] = {
    "adapter": Term(
        mark("Adapter"),
        mark("What is an adapter?"),
        mark(
            "A small set of numbers with what a training taught, much smaller than the model itself. "
            "It works only together with the base model it was trained on."
        ),
    ),
    "base-model": Term(
        mark("Base model"),
        mark("What is a base model?"),
        mark(
            "The model that a fine-tune starts from. It is read and never changed; what is new goes into the adapter."
        ),
    ),
    "double-quantisation": Term(
        mark("Double quantisation"),
        mark("What is double quantisation?"),
        mark(
            "The scaling numbers that 4-bit weights need are stored in fewer bits too. "
            "It saves about 0.4 bits a weight at hardly any loss."
        ),
        docs="parameters",
    ),
    "hub": Term(
        mark("Hub"),
        mark("What is a hub?"),
        mark("A site on the internet where models and datasets are shared, such as the Hugging Face Hub."),
    ),
    "hub-token": Term(
        mark("Hub token"),
        mark("What is a hub token?"),
        mark("A secret key that lets this app read from or write to your account at a hub, as a password would."),
    ),
    "lora": Term(
        mark("LoRA"),
        mark("What is LoRA?"),
        mark(
            "Low-rank adaptation: the model stays as it is, and two thin matrices are trained beside each of its large "
            "ones. That is a small part of the numbers, so it needs far less memory."
        ),
        docs="parameters",
    ),
    "lora-alpha": Term(
        mark("LoRA alpha"),
        mark("What is alpha?"),
        mark("How strongly the adapter counts beside the base model. What matters is alpha divided by the rank."),
        docs="parameters",
    ),
    "lora-rank": Term(
        mark("LoRA rank"),
        mark("What is the rank?"),
        mark("How thin the adapter's matrices are. A larger rank can learn more, and takes more memory and room."),
        docs="parameters",
    ),
    "merge": Term(
        mark("Merge"),
        mark("What is a merge?"),
        mark(
            "Adding an adapter into its base model, which gives one model that works by itself. "
            "A receipt says how well it agrees with the two apart."
        ),
    ),
    "nf4": Term(
        mark("NF4"),
        mark("What is NF4?"),
        mark("A 4-bit format whose 16 values lie where a model's weights are dense, as on a bell curve."),
        docs="parameters",
    ),
    "qlora": Term(
        mark("QLoRA"),
        mark("What is QLoRA?"),
        mark("LoRA on a base model that is held in 4 bits, so that a large model fits into the memory of one GPU."),
    ),
    "quantisation": Term(
        mark("Quantisation"),
        mark("What is quantisation?"),
        mark("Storing a model's numbers in fewer bits. It saves memory and costs a little accuracy."),
        docs="parameters",
    ),
}
