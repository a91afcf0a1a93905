"""How many steps a training has, and what happens at which."""

from __future__ import annotations

import math
from dataclasses import dataclass

from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.parameters import TrainingParameters


@dataclass(frozen=True)
class Plan:
    """A step is one correction of the weights, from as many batches as are accumulated."""

    steps_per_epoch: int
    total_steps: int
    warmup_steps: int
    save_steps: int
    evaluation_steps: frozenset[int]

    @classmethod
    def of(cls, parameters: TrainingParameters, rows: int, has_validation: bool) -> Plan:
        """`rows` are what an epoch trains: examples, or rows of packed ones."""
        batches = math.ceil(rows / parameters.batch_size)
        per_epoch = math.ceil(batches / parameters.gradient_accumulation)
        total = max(1, math.ceil(parameters.num_train_epochs * per_epoch))
        total = min(total, parameters.max_steps or total)
        times = min(parameters.evaluations, total) if has_validation else 0
        return cls(
            steps_per_epoch=per_epoch,
            total_steps=total,
            warmup_steps=_warmup(parameters, total),
            save_steps=parameters.save_steps or math.ceil(total / 10),
            evaluation_steps=frozenset(round(total * (i + 1) / times) for i in range(times)),
        )

    def is_judged_at(self, step: int) -> bool:
        """Whether the run's metric is compared there: at evaluations, without any at the checkpoints of the plan."""
        return step in self.evaluation_steps or (not self.evaluation_steps and step % self.save_steps == 0)


def _warmup(parameters: TrainingParameters, total: int) -> int:
    """Raises ParameterError for a warm-up that would not end before the training does."""
    if parameters.warmup_steps is None:
        return math.ceil(total * parameters.warmup_share)
    if parameters.warmup_steps >= total:
        problem = f"the training has {total:,} steps in all, so the learning rate would rise to its end"
        raise ParameterError(
            f"A warm-up of {parameters.warmup_steps:,} steps is too long: {problem}.",
            "Set warmup_steps lower, or leave it empty for a share of the steps.",
            fields={"warmup_steps": problem},
        )
    return parameters.warmup_steps
