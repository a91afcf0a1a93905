"""What a checkpoint is worth, in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from qlora_ui.contract.records import now
from qlora_ui.jobs.history.curves import Curves
from qlora_ui.jobs.run_checkpoints import CheckpointView
from qlora_ui.pages.runs.job.checkpoints import main_figure


@pytest.mark.parametrize(
    ("metrics", "measured_at", "words"),
    [
        ({"eval_loss": 0.5}, [50, 99], "evaluation loss 0.500"),
        ({"eval_loss": 0.5, "eval_perplexity": 1.6}, [50, 150], "evaluation loss 0.500 at step 50"),
        ({"eval_token_accuracy": 0.5}, [99], "token accuracy 50 %"),
        ({"eval_loss": 0.5}, [150], ""),
        ({}, [99], ""),
    ],
)
def test_a_figure_is_named_and_says_where_it_was_measured(
    metrics: dict[str, float], measured_at: list[int], words: str
) -> None:
    curves = Curves()
    for step in measured_at:
        for name in ("eval_loss", "eval_token_accuracy"):
            curves.add(name, step, 0.5)
    view = CheckpointView(99, Path("checkpoint-99"), 1, now(), metrics, is_best=False, is_whole=True)
    assert main_figure(view, curves) == words
