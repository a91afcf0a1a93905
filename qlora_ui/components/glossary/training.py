"""Of a training and of the queue it waits in."""

from __future__ import annotations

from qlora_ui.components.glossary.term import Term
from qlora_ui.locales import mark

TRAINING: dict[str, Term] = {
    "batch-size": Term(
        mark("Batch size"),
        mark("What is the batch size?"),
        mark("How many examples the device works on at the same time. More are faster and need more memory."),
        docs="parameters",
    ),
    "checkpoint": Term(
        mark("Checkpoint"),
        mark("What is a checkpoint?"),
        mark("Everything a training needs to go on from a step, saved to the disk while it runs."),
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
    "interrupted": Term(
        mark("Interrupted"),
        mark("What does interrupted mean?"),
        mark(
            "The process of a run is gone and wrote no end: the power failed, memory ran out or it was killed. "
            "Resume goes on from the last checkpoint, if there is one."
        ),
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
    "loss": Term(
        mark("Loss"),
        mark("What is the loss?"),
        mark(
            "How surprised the model is by the right answers, averaged over tokens, in nats. "
            "Lower is better, and 0 would be no surprise at all."
        ),
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
    "queue": Term(
        mark("Queue"),
        mark("What is the queue?"),
        mark("Runs that wait for a device. One run works on a device at a time, in the order they were started."),
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
    "step": Term(
        mark("Step"),
        mark("What is a step?"),
        mark("One correction of the adapter, from as many examples as batch size times gradient accumulation."),
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
