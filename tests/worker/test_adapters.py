"""Folders that are written as a whole, and never over another."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


def test_half_a_folder_does_not_stay(tmp_path: Path) -> None:
    from qlora_ui.worker.model.adapters import put_in_place, temporary_beside

    with pytest.raises(OSError, match="full"), temporary_beside(tmp_path / "model") as temporary:
        (temporary / "weights").write_bytes(bytes(100))
        raise OSError(errno.ENOSPC, "full")
    assert not list(tmp_path.iterdir())
    with temporary_beside(tmp_path / "model") as temporary:
        (temporary / "weights").write_bytes(bytes(100))
        put_in_place(temporary, tmp_path / "model")
    assert [file.name for file in tmp_path.rglob("*")] == ["model", "weights"]


def test_a_copy_overwrites_nothing(tmp_path: Path) -> None:
    from qlora_ui.worker.model.adapters import copy_adapter

    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text(json.dumps({"r": 1}), encoding="utf-8")
    fresh, used = tmp_path / "fresh", tmp_path / "used"
    used.mkdir()
    (used / "adapter_config.json").write_text("mine", encoding="utf-8")
    assert copy_adapter(adapter, fresh, "run-1") == fresh
    assert copy_adapter(adapter, used, "run-1") == used / "run-1"
    assert (used / "adapter_config.json").read_text(encoding="utf-8") == "mine"
    assert (fresh / "adapter_config.json").read_bytes() == (used / "run-1" / "adapter_config.json").read_bytes()
