"""A run goes on only with the base and the data that it began with."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from qlora_ui.contract.errors import DataError, ModelError
from qlora_ui.contract.paths import model_location
from qlora_ui.worker.training import origin
from qlora_ui.worker.training.origin import Origin, base_fingerprint, check_origin

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


def test_changed_weights_of_the_same_size_are_another_base(tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(model_location("starter"), model)
    before = base_fingerprint(str(model))
    assert before == base_fingerprint("starter"), "the name of the folder does not matter"
    weights = model / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert base_fingerprint(str(model)) != before


def test_a_resume_on_something_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "origin.json"
    began = Origin(base="a", data="b")
    check_origin(file, began, resumes=False)
    check_origin(file, began, resumes=True)
    with pytest.raises(ModelError, match="base model is not the one"):
        check_origin(file, Origin(base="x", data="b"), resumes=True)
    with pytest.raises(DataError, match="data file is not the one"):
        check_origin(file, Origin(base="a", data="x"), resumes=True)

    with pytest.raises(DataError, match="evaluation file is not the one"):
        check_origin(file, Origin(base="a", data="b", validation="x"), resumes=True)


def test_a_model_of_the_hub_is_known_by_its_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new commit with the same weights, as after a change of the model's page, is no other base."""
    prints = []
    for commit in ("first", "second"):
        snapshot = tmp_path / commit
        shutil.copytree(model_location("starter"), snapshot)
        (snapshot / "README.md").write_text(commit, encoding="utf-8")
        monkeypatch.setattr(origin, "try_to_load_from_cache", lambda *_, at=snapshot: str(at / _[1]))
        prints.append(base_fingerprint("owner/model"))
    assert prints[0] == prints[1] == base_fingerprint("starter")
    monkeypatch.setattr(origin, "try_to_load_from_cache", lambda *_: None)
    assert base_fingerprint("owner/model") == ""


def test_a_lost_note_does_not_stop_a_resume(tmp_path: Path) -> None:
    check_origin(tmp_path / "origin.json", Origin(base="a", data="b"), resumes=True)
