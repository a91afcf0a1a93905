"""Of what is measured of a model in the end."""

from __future__ import annotations

from qlora_ui.components.glossary.term import Term
from qlora_ui.locales import mark

SCORES: dict[str, Term] = {
    "bleu": Term(
        mark("BLEU"),
        mark("What is BLEU?"),
        mark(
            "How much of the wording of an answer agrees with the reference, from 0 to 100. It counts shared runs of "
            "up to four words, so a good answer in other words scores low."
        ),
    ),
    "exact-match": Term(
        mark("Exact match"),
        mark("What is exact match?"),
        mark("The share of held-out rows whose answer, written without chance, equals the reference exactly."),
    ),
    "interval": Term(
        mark("Confidence interval"),
        mark("What is a confidence interval?"),
        mark(
            "A range around a measured figure, here 1.96 standard errors to both sides. "
            "In 95 of 100 repetitions with other rows, such a range would hold the true value."
        ),
    ),
    "kl-divergence": Term(
        mark("KL divergence"),
        mark("What is the KL divergence?"),
        mark(
            "How far apart two models are in what they expect as the next token, in nats; 0 means the same. "
            "A merge is checked with it."
        ),
    ),
    "nats": Term(
        mark("Nat"),
        mark("What is a nat?"),
        mark("The unit of surprise with the natural logarithm. One nat is about 1.44 bits."),
    ),
    "perplexity": Term(
        mark("Perplexity"),
        mark("What is perplexity?"),
        mark("Among how many equally likely tokens the model wavers, so to speak. It is e to the power of the loss."),
    ),
    "receipt": Term(
        mark("Merge receipt"),
        mark("What is a merge receipt?"),
        mark("What was measured after a merge: how well the merged model agrees with base and adapter, on real rows."),
    ),
    "standard-error": Term(
        mark("Standard error"),
        mark("What is the standard error?"),
        mark(
            "How much a figure would vary with other rows of the same kind, shown after the ±. "
            "Four times as many rows halve it."
        ),
    ),
    "token-accuracy": Term(
        mark("Token accuracy"),
        mark("What is token accuracy?"),
        mark("The share of the answers' tokens that the model ranks first, each time given the right text before it."),
    ),
    "top-1-agreement": Term(
        mark("Top-1 agreement"),
        mark("What is top-1 agreement?"),
        mark("At what share of the places two models rank the same token first. A merge is checked with it."),
    ),
}
