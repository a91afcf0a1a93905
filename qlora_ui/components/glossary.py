"""The words of the field, each with the question that it answers and a plain sentence or two. No widget in here."""

from __future__ import annotations

from dataclasses import dataclass

from qlora_ui.locales import mark

ADDRESS = "/help/glossary"
"""The page that shows all terms; the key of a term is its anchor there."""


@dataclass(frozen=True)
class Term:
    """One entry. The texts are English and marked for the catalogs: show them through `_`."""

    name: str
    question: str
    """What a person may ask, whole, because languages build it differently: `What is a base model?`"""
    meaning: str
    docs: str = ""
    """The page of the docs that says more, as in `/help/<docs>`; empty when none does."""


TERMS: dict[str, Term] = {
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
    "batch-size": Term(
        mark("Batch size"),
        mark("What is the batch size?"),
        mark("How many examples the device works on at the same time. More are faster and need more memory."),
        docs="parameters",
    ),
    "bleu": Term(
        mark("BLEU"),
        mark("What is BLEU?"),
        mark(
            "How much of the wording of an answer agrees with the reference, from 0 to 100. It counts shared runs of "
            "up to four words, so a good answer in other words scores low."
        ),
    ),
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
    "checkpoint": Term(
        mark("Checkpoint"),
        mark("What is a checkpoint?"),
        mark("Everything a training needs to go on from a step, saved to the disk while it runs."),
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
    "dropout": Term(
        mark("Dropout"),
        mark("What is dropout?"),
        mark(
            "The share of the adapter's inputs that is left out at random in each training step, "
            "so that it does not lean on single ones. Nothing is left out when the model is used."
        ),
        docs="parameters",
    ),
    "epoch": Term(
        mark("Epoch"),
        mark("What is an epoch?"),
        mark("One pass over all training examples. Three epochs show each example three times."),
        docs="parameters",
    ),
    "evaluation-loss": Term(
        mark("Evaluation loss"),
        mark("What is the evaluation loss?"),
        mark(
            "The loss on held-out rows, which are not trained on. "
            "When it rises while the training loss falls, the model learns the examples by heart."
        ),
    ),
    "exact-match": Term(
        mark("Exact match"),
        mark("What is exact match?"),
        mark("The share of held-out rows whose answer, written without chance, equals the reference exactly."),
    ),
    "fingerprint": Term(
        mark("Fingerprint"),
        mark("What is a fingerprint?"),
        mark(
            "A short code made from the content of a file or a model. Two contents that differ have different codes, "
            "which is how a resumed run notices that its data was changed."
        ),
    ),
    "gradient": Term(
        mark("Gradient"),
        mark("What is a gradient?"),
        mark("For each trained number, the direction and the amount by which changing it would change the loss."),
    ),
    "gradient-accumulation": Term(
        mark("Gradient accumulation"),
        mark("What is gradient accumulation?"),
        mark(
            "How many batches are added up before the adapter is changed once. "
            "It has the effect of a larger batch without its memory."
        ),
        docs="parameters",
    ),
    "gradient-norm": Term(
        mark("Gradient norm"),
        mark("What is the gradient norm?"),
        mark("How large all gradients of a step are together. Sudden peaks are a sign of a learning rate too high."),
    ),
    "held-out": Term(
        mark("Held-out rows"),
        mark("What are held-out rows?"),
        mark("Examples that are kept out of the training, so that a score on them says something about new ones."),
        docs="data",
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
    "interrupted": Term(
        mark("Interrupted"),
        mark("What does interrupted mean?"),
        mark(
            "The process of a run is gone and wrote no end: the power failed, memory ran out or it was killed. "
            "Resume goes on from the last checkpoint, if there is one."
        ),
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
    "kto": Term(
        mark("KTO rows"),
        mark("What are KTO rows?"),
        mark(
            "Answers that are each marked as wanted or not wanted, as the method KTO uses them. "
            "A supervised training learns from the wanted ones only."
        ),
        docs="data",
    ),
    "learning-rate": Term(
        mark("Learning rate"),
        mark("What is the learning rate?"),
        mark("How large each correction is. Too small learns slowly; too large makes the loss jump or rise."),
        docs="parameters",
    ),
    "lease": Term(
        mark("Device lease"),
        mark("What is a device lease?"),
        mark("The right to work on a device, which one run has at a time. It ends by itself with the run's process."),
        docs="architecture",
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
    "loss": Term(
        mark("Loss"),
        mark("What is the loss?"),
        mark(
            "How surprised the model is by the right answers, averaged over tokens, in nats. "
            "Lower is better, and 0 would be no surprise at all."
        ),
    ),
    "loss-mask": Term(
        mark("Loss mask"),
        mark("What is a loss mask?"),
        mark("Which tokens of an example are trained on. Usually the answers are, and the questions only read."),
        docs="data",
    ),
    "merge": Term(
        mark("Merge"),
        mark("What is a merge?"),
        mark(
            "Adding an adapter into its base model, which gives one model that works by itself. "
            "A receipt says how well it agrees with the two apart."
        ),
    ),
    "nats": Term(
        mark("Nat"),
        mark("What is a nat?"),
        mark("The unit of surprise with the natural logarithm. One nat is about 1.44 bits."),
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
    "nf4": Term(
        mark("NF4"),
        mark("What is NF4?"),
        mark("A 4-bit format whose 16 values lie where a model's weights are dense, as on a bell curve."),
        docs="parameters",
    ),
    "overfitting": Term(
        mark("Overfitting"),
        mark("What is overfitting?"),
        mark(
            "Learning the examples by heart instead of what they have in common. The evaluation loss rises while the "
            "training loss falls; fewer epochs or more examples help."
        ),
    ),
    "pause": Term(
        mark("Paused"),
        mark("What does paused mean?"),
        mark("A run saved a checkpoint and gave its device back. It waits until you resume it."),
    ),
    "perplexity": Term(
        mark("Perplexity"),
        mark("What is perplexity?"),
        mark("Among how many equally likely tokens the model wavers, so to speak. It is e to the power of the loss."),
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
    "queue": Term(
        mark("Queue"),
        mark("What is the queue?"),
        mark("Runs that wait for a device. One run works on a device at a time, in the order they were started."),
    ),
    "receipt": Term(
        mark("Merge receipt"),
        mark("What is a merge receipt?"),
        mark("What was measured after a merge: how well the merged model agrees with base and adapter, on real rows."),
    ),
    "resume": Term(
        mark("Resume"),
        mark("What does resume do?"),
        mark("It puts a run back into the queue. It goes on from its last checkpoint, or begins anew without one."),
    ),
    "seed": Term(
        mark("Seed"),
        mark("What is a seed?"),
        mark("The number that chance starts from. The same seed gives the same order of examples again."),
        docs="parameters",
    ),
    "speed": Term(
        mark("Speed"),
        mark("What is the speed?"),
        mark("How many tokens of the examples are worked through a second, without the padding between them."),
    ),
    "standard-error": Term(
        mark("Standard error"),
        mark("What is the standard error?"),
        mark(
            "How much a figure would vary with other rows of the same kind, shown after the ±. "
            "Four times as many rows halve it."
        ),
    ),
    "step": Term(
        mark("Step"),
        mark("What is a step?"),
        mark("One correction of the adapter, from as many examples as batch size times gradient accumulation."),
    ),
    "token": Term(
        mark("Token"),
        mark("What is a token?"),
        mark("A piece of text as a model reads it: a word, a part of a word or a sign."),
    ),
    "token-accuracy": Term(
        mark("Token accuracy"),
        mark("What is token accuracy?"),
        mark("The share of the answers' tokens that the model ranks first, each time given the right text before it."),
    ),
    "tokenizer": Term(
        mark("Tokenizer"),
        mark("What is a tokenizer?"),
        mark("What cuts text into tokens and puts tokens together to text. Each model has its own."),
    ),
    "top-1-agreement": Term(
        mark("Top-1 agreement"),
        mark("What is top-1 agreement?"),
        mark("At what share of the places two models rank the same token first. A merge is checked with it."),
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
    "warm-up": Term(
        mark("Warm-up"),
        mark("What is a warm-up?"),
        mark(
            "The first steps, in which the learning rate grows from zero, so that training does not start with a jolt."
        ),
        docs="parameters",
    ),
}
"""Key → term, in the order of the English words. Where a key is used in code, KeyError tells of a misspelt one."""
