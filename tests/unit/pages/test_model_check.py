from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qlora_ui.pages.train.model_check import look_at


def test_the_starter_needs_nothing() -> None:
    assert not look_at("starter", offline=True).is_problem


def test_a_model_folder_is_described_by_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    (tmp_path / "model.safetensors").write_bytes(b"\0" * 2_500_000)
    note = look_at(str(tmp_path), offline=False)
    assert note.text == "A folder on this machine: a llama model with 2.5 MB of weights."
    assert not note.is_problem


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "has no config.json"),
        ({"config.json": "{"}, "cannot be read"),
        ({"config.json": "{}"}, "has no weights in safetensors"),
        ({"config.json": "{}", "pytorch_model.bin": "x"}, "has no weights in safetensors"),
    ],
)
def test_a_folder_that_holds_no_model_says_what_is_missing(tmp_path: Path, files: dict[str, str], words: str) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    note = look_at(str(tmp_path), offline=False)
    assert note.is_problem
    assert words in note.text


@pytest.mark.parametrize(
    "name", ["/nowhere/model", "~/nowhere-at-all", "./nowhere", "~nobody-there/model", "a b", "owner/name/more"]
)
def test_what_is_neither_a_folder_nor_a_hub_name(name: str) -> None:
    note = look_at(name, offline=False)
    assert note.is_problem
    assert note.text == f"There is no folder {name}."


def test_a_hub_name_is_fetched_unless_the_run_is_offline() -> None:
    assert "taken from the hub" in look_at("Qwen/Qwen3-0.6B", offline=False).text
    assert "offline" in look_at("Qwen/Qwen3-0.6B", offline=True).text


@pytest.mark.parametrize("name", ["a" * 300, "/" + "a" * 300])
def test_a_name_that_no_folder_can_have_is_a_problem_and_no_crash(name: str) -> None:
    note = look_at(name, offline=False)
    assert note.is_problem
    assert note.text.endswith("cannot be read: File name too long.")


def test_weights_that_lead_nowhere_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").symlink_to(tmp_path / "gone")
    assert "has no weights in safetensors" in look_at(str(tmp_path), offline=False).text


@pytest.mark.parametrize(
    ("config", "words", "hint", "is_problem"),
    [
        ({}, "a llama model with 2 kB of weights.", "", False),
        ({"quantization_config": {"quant_method": "awq"}}, "already quantised (awq)", "original weights", True),
        ({"quantization_config": {"load_in_8bit": True}}, "(bitsandbytes int8)", "original weights", True),
        (
            {"quantization_config": {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}},
            "used in 4 bits (bitsandbytes nf4)",
            "",
            False,
        ),
        ({"num_local_experts": 8}, "a llama model", "the experts stay in 16 bits", False),
    ],
)
def test_what_a_model_cannot_do_is_said_before_the_start(
    tmp_path: Path, config: dict[str, Any], words: str, hint: str, is_problem: bool
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"} | config), encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(bytes(2000))
    note = look_at(str(tmp_path), offline=True)
    assert words in note.text and hint in note.hint and bool(note.hint) == bool(hint)
    assert note.is_problem is is_problem
