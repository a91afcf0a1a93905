"""Of data: rows, and the tokens they become."""

from __future__ import annotations

from qlora_ui.components.glossary.term import Term
from qlora_ui.locales import mark

DATA: dict[str, Term] = {
    "bos-eos": Term(
        mark("BOS and EOS"),
        mark("What are BOS and EOS?"),
        mark(
            "The tokens for the begin and the end of a sequence. Where a model expects BOS, it stands there once. "
            "EOS, or another token that ends a turn, has to be trained, or the model does not learn to stop."
        ),
        docs="data",
    ),
    "chat-template": Term(
        mark("Chat template"),
        mark("What is a chat template?"),
        mark(
            "The rule by which a model's own marks are put around questions and answers before they become tokens. "
            "Training and use must follow the same one."
        ),
        docs="data",
    ),
    "fingerprint": Term(
        mark("Fingerprint"),
        mark("What is a fingerprint?"),
        mark(
            "A short code made from the content of a file or a model. Two contents that differ have different codes, "
            "which is how a resumed run notices that its data was changed."
        ),
    ),
    "held-out": Term(
        mark("Held-out rows"),
        mark("What are held-out rows?"),
        mark("Examples that are kept out of the training, so that a score on them says something about new ones."),
        docs="data",
    ),
    "kto": Term(
        mark("KTO rows"),
        mark("What are KTO rows?"),
        mark(
            "Answers that are each marked as wanted or not wanted, as the method KTO uses them. "
            "A supervised training learns from the wanted ones only."
        ),
        docs="data",
    ),
    "loss-mask": Term(
        mark("Loss mask"),
        mark("What is a loss mask?"),
        mark("Which tokens of an example are trained on. Usually the answers are, and the questions only read."),
        docs="data",
    ),
    "near-duplicate": Term(
        mark("Near duplicate"),
        mark("What is a near duplicate?"),
        mark(
            "A row that is almost equal to an earlier one. The model sees such rows nearly as often as equal ones, "
            "and one among the held-out rows makes the evaluation look better than it is."
        ),
        docs="data",
    ),
    "preference-pair": Term(
        mark("Preference pair"),
        mark("What is a preference pair?"),
        mark(
            "A prompt with two answers, a chosen and a rejected one. "
            "A supervised training learns from the chosen answer only."
        ),
        docs="data",
    ),
    "prompt-completion": Term(
        mark("Prompt and completion"),
        mark("What are prompt and completion?"),
        mark(
            "What a model is given, and what it is to write after that. "
            "Usually only the completion of an example is trained."
        ),
        docs="data",
    ),
    "token": Term(
        mark("Token"),
        mark("What is a token?"),
        mark("A piece of text as a model reads it: a word, a part of a word or a sign."),
    ),
    "tokenizer": Term(
        mark("Tokenizer"),
        mark("What is a tokenizer?"),
        mark("What cuts text into tokens and puts tokens together to text. Each model has its own."),
    ),
    "truncated": Term(
        mark("Truncated"),
        mark("What does truncated mean?"),
        mark(
            "Longer than the longest example, in tokens, and cut there. "
            "What is cut off is not learnt, not even the token that ends the answer."
        ),
        docs="data",
    ),
}
