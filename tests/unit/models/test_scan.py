"""Folders of models, honest and hostile: what is found in them, and how little is read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from qlora_ui.models import scan
from qlora_ui.models.facts import facts_of
from qlora_ui.models.scan import scan_models

LLAMA: dict[str, Any] = {"model_type": "llama", "dtype": "bfloat16"}


def weights(dtype: str = "BF16", size: int = 64) -> bytes:
    tensors = {"__metadata__": {"format": "pt"}, "a": {"dtype": dtype, "shape": [size], "data_offsets": [0, size]}}
    tensors["b"] = {"dtype": "F32", "shape": [1], "data_offsets": [size, size + 4]}
    header = json.dumps(tensors).encode()
    return len(header).to_bytes(8, "little") + header + bytes(size + 4)


def make(folder: Path, config: Any = LLAMA, content: bytes | None = None) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "model.safetensors").write_bytes(weights() if content is None else content)
    return folder


def test_what_is_told_of_a_model(tmp_path: Path) -> None:
    make(tmp_path / "mine" / "small")
    (model,) = scan_models([tmp_path, tmp_path / "mine", tmp_path / "absent"])
    assert (model.name, model.facts.architecture, model.dtype) == ("small", "llama", "bfloat16")
    assert model.folder == tmp_path / "mine" / "small"
    assert model.bytes == (model.folder / "model.safetensors").stat().st_size
    assert model.facts.quantisation == "" and model.facts.can_be_loaded and not model.facts.is_mixture


@pytest.mark.parametrize(
    ("stored", "words", "can_be_loaded"),
    [
        ({"quant_method": "gptq", "bits": 4}, "gptq", False),
        ({"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}, "bitsandbytes nf4", True),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "bitsandbytes fp4", True),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "bitsandbytes int8", False),
        ({}, "", True),
        ([1, 2], "", True),
    ],
)
def test_how_a_model_is_quantised(stored: Any, words: str, can_be_loaded: bool) -> None:
    facts = facts_of({"model_type": ["odd"], "quantization_config": stored})
    assert (facts.quantisation, facts.can_be_loaded, facts.architecture) == (words, can_be_loaded, "")


def test_mixtures_and_models_with_eyes() -> None:
    assert facts_of({"num_local_experts": 8}).is_mixture
    assert facts_of({"text_config": {"num_experts": 4, "torch_dtype": "float16"}}).is_mixture
    assert facts_of({"text_config": {"torch_dtype": "float16"}}).dtype == "float16"
    assert not facts_of({"num_experts": 1}).is_mixture and not facts_of({"num_experts": "many"}).is_mixture


def test_the_cache_of_the_hub(tmp_path: Path) -> None:
    """Its files are links to others in it; a download that is not finished is not listed."""
    kept = tmp_path / "models--some--model"
    (kept / "blobs").mkdir(parents=True)
    (kept / "blobs" / "c").write_text(json.dumps(LLAMA), encoding="utf-8")
    (kept / "blobs" / "w").write_bytes(weights("F16"))
    snapshot = kept / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").symlink_to("../../blobs/c")
    (snapshot / "model-1.safetensors").symlink_to("../../blobs/w")
    (model,) = scan_models([tmp_path])
    assert (model.name, model.dtype, model.bytes) == ("some/model", "float16", len(weights("F16")))
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (snapshot / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    assert scan_models([tmp_path]) == []


@pytest.mark.parametrize(
    "content",
    [
        (1 << 62).to_bytes(8, "little") + b"{}",
        b"\x01",
        (4).to_bytes(8, "little") + b"nope",
        (100_000).to_bytes(8, "little") + b"[" * 100_000,
        (2).to_bytes(8, "little") + b"[]",
    ],
    ids=["huge", "short", "no JSON", "deep", "a list"],
)
def test_bad_headers_are_not_believed(tmp_path: Path, content: bytes) -> None:
    make(tmp_path / "model", content=content)
    (model,) = scan_models([tmp_path])
    assert (model.dtype, model.bytes) == ("bfloat16", len(content)), "the format is that of config.json"


def test_no_more_of_a_header_is_read_than_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path / "model", {"model_type": "llama"})
    assert scan_models([tmp_path])[0].dtype == "bfloat16"
    monkeypatch.setattr(scan, "HEADER_BYTES", 10)
    assert scan_models([tmp_path])[0].dtype == ""


def test_links_do_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    secret = make(tmp_path / "elsewhere" / "secret")
    root = tmp_path / "root"
    root.mkdir()
    (root / "linked").symlink_to(secret)
    (root / "loop").symlink_to(root)
    (root / "files").mkdir()
    for name in ("config.json", "model.safetensors"):
        (root / "files" / name).symlink_to(secret / name)
    (root / "round").mkdir()
    (root / "round" / "config.json").symlink_to("config.json")
    assert scan_models([root]) == []


def test_what_cannot_be_read_holds_nothing(tmp_path: Path) -> None:
    make(tmp_path / "list", [1])
    (make(tmp_path / "text") / "config.json").write_bytes(b"\xff\xfe{")
    big = make(tmp_path / "big")
    (big / "config.json").write_bytes(b" " * scan.CONFIG_BYTES + b'{"model_type": "llama"}')
    pipe = make(tmp_path / "pipe")
    (pipe / "config.json").unlink()
    os.mkfifo(pipe / "config.json")  # who opens it waits for ever
    (make(tmp_path / "empty") / "model.safetensors").write_bytes(b"")
    (make(tmp_path / "folder") / "model.safetensors").unlink()
    (tmp_path / "folder" / "model.safetensors").mkdir()
    assert scan_models([tmp_path]) == []


def test_the_work_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path / "/".join("abcd"))
    make(tmp_path / "/".join("ABCDE"))
    make(tmp_path / ".hidden" / "model")
    for number in range(5):
        make(tmp_path / f"m{number}")
    assert [model.name for model in scan_models([tmp_path])] == ["d", "m0", "m1", "m2", "m3", "m4"]
    monkeypatch.setattr(scan, "MODELS", 2)
    assert len(scan_models([tmp_path])) == 2
    monkeypatch.setattr(scan, "FOLDERS", 1)
    assert scan_models([tmp_path]) == [], "one folder, which holds only folders"
