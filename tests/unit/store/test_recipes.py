"""How data were read the last time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.recipe import Step
from qlora_ui.settings import AppSettings, prepare_home
from qlora_ui.store import recipes
from qlora_ui.store.recipes import KeptRecipe
from qlora_ui.store.store import Store


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = AppSettings(home=tmp_path / "home").workspace
    prepare_home(workspace)
    return workspace


def test_what_was_said_of_data_is_there_after_a_restart(workspace: Workspace) -> None:
    kept = KeptRecipe(
        data_format="alpaca",
        data_mapping={"instruction": "ask", "system": ""},
        data_roles={"bot": "assistant"},
        data_steps=[Step(do="drop_rows", rows=(3,))],
        split_column="customer",
    )
    Store(workspace).recipes.keep("/data/rows.jsonl", kept)
    assert Store(workspace).recipes.get("/data/rows.jsonl") == kept
    assert Store(workspace).recipes.get("/data/other.jsonl") is None


def test_a_recipe_that_says_nothing_is_forgotten(workspace: Workspace) -> None:
    store = Store(workspace)
    store.recipes.keep("rows", KeptRecipe(split_column="customer"))
    store.recipes.keep("rows", KeptRecipe())
    assert store.recipes.get("rows") is None


def test_only_the_newest_are_kept(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipes, "KEPT", 3)
    store, start = Store(workspace), datetime(2026, 1, 1, tzinfo=UTC)
    for number in (2, 0, 1, 3, 4):
        recipe = KeptRecipe(split_column=f"c{number}", kept_at=start + timedelta(days=number))
        store.recipes.keep(f"data {number}", recipe)
    store.recipes.keep("data 2", KeptRecipe(split_column="again", kept_at=start + timedelta(days=9)))
    assert [store.recipes.get(f"data {number}") is not None for number in range(5)] == [False, False, True, True, True]


def test_a_name_that_the_knobs_no_longer_know_is_left_out(workspace: Workspace) -> None:
    kept = KeptRecipe.model_validate({"data_format": "text", "some_day": "more"})
    assert set(kept.knobs) == set(recipes.RECIPE_KNOBS)
