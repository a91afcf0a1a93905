from __future__ import annotations

from typing import Any

import pytest

from qlora_ui.pages.runs.job.trackers import TrackerPlace, places_of


def test_a_tracker_has_a_link_or_a_command() -> None:
    told = {
        "wandb": {"title": "Weights & Biases", "url": "https://wandb.ai/a/b", "command": ""},
        "tensorboard": {"title": "TensorBoard", "url": "", "command": "tensorboard --logdir /runs"},
    }
    assert places_of({"trackers": told}) == [
        TrackerPlace("Weights & Biases", "https://wandb.ai/a/b"),
        TrackerPlace("TensorBoard", "", "tensorboard --logdir /runs"),
    ]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "//evil", "HTTPS", ""])
def test_only_web_pages_are_linked(url: str) -> None:
    assert places_of({"trackers": {"x": {"title": "X", "url": url}}}) == [TrackerPlace("X")]


@pytest.mark.parametrize("told", [None, [], "x", {"x": "y"}])
def test_odd_facts_show_nothing(told: Any) -> None:
    assert places_of({"trackers": told}) == []
