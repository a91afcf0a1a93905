"""A run goes on only with the base and the data that it began with."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from qlora_ui.contract.errors import DataError, ModelError
from qlora_ui.contract.paths import model_location
from qlora_ui.worker.origin import Origin, base_fingerprint, check_origin

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


def test_changed_weights_of_the_same_size_are_another_base(tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(model_location("starter"), model)
    before = base_fingerprint(str(model), offline=True)
    assert before == base_fingerprint("starter", offline=True), "the name of the folder does not matter"
    weights = model / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert base_fingerprint(str(model), offline=True) != before


def test_a_resume_on_something_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "origin.json"
    began = Origin(base="a", data="b")
    check_origin(file, began, resumes=False)
    check_origin(file, began, resumes=True)
    with pytest.raises(ModelError, match="base model is not the one"):
        check_origin(file, Origin(base="x", data="b"), resumes=True)
    with pytest.raises(DataError, match="data file is not the one"):
        check_origin(file, Origin(base="a", data="x"), resumes=True)


def test_a_lost_note_does_not_stop_a_resume(tmp_path: Path) -> None:
    check_origin(tmp_path / "origin.json", Origin(base="a", data="b"), resumes=True)
