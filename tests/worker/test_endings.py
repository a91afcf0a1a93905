"""However a job ends, its run folder says so in plain words."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from qlora_ui.contract.errors import DataError, WorkspaceError
from qlora_ui.contract.events import Failed, Log, Started, Stopped, parse_event
from qlora_ui.contract.paths import RunPaths, Workspace, model_location
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import Command, EndCause, ExitRecord, JobKind, JobRecord, JobStatus
from qlora_ui.worker.__main__ import main, perform
from qlora_ui.worker.control import Control
from qlora_ui.worker.errors import explain
from qlora_ui.worker.report import EventWriter
from tests.worker.conftest import TRAINING, events_of, finish, make_run

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.usefixtures("environment"),
]


def end_of(paths: RunPaths) -> ExitRecord:
    """Do the job inside this process, which saves the seconds of importing the libraries."""
    record = JobRecord.model_validate_json(paths.job.read_bytes())
    with EventWriter(paths.events) as report:
        return perform(paths, record, report, Control(paths.command, record.attempt))


def copy_starter(folder: Path) -> Path:
    shutil.copytree(model_location("starter"), folder)
    folder.chmod(0o755)
    return folder


def without_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def without_tokenizer(folder: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()


def unknown_architecture(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config |= {"model_type": "zorblax", "architectures": ["ZorblaxForCausalLM"]}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def no_causal_model(folder: Path) -> None:
    config = {"model_type": "clip", "architectures": ["CLIPModel"]}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def pickled_weights(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def own_code(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config |= {"model_type": "zorblax", "auto_map": {"AutoConfig": "x.Config", "AutoModelForCausalLM": "x.Model"}}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def cut_off_weights(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])


def absent_weights(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def quantised_already(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["quantization_config"] = {"quant_method": "gptq", "bits": 4}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (without_config, "no config.json"),
        (without_tokenizer, "holds no tokenizer"),
        (unknown_architecture, "(zorblax) is unknown to the transformers library"),
        (no_causal_model, "no causal language model"),
        (pickled_weights, "only pickled weights"),
        (own_code, "running code that comes with it"),
        (cut_off_weights, "safetensors"),
        (absent_weights, "lacks 1 of its weights, such as model.layers.1.mlp.up_proj.weight"),
        (quantised_already, "already quantised (gptq)"),
    ],
)
def test_bad_models(tmp_path: Path, damage: Callable[[Path], None], words: str) -> None:
    folder = copy_starter(tmp_path / "model")
    damage(folder)
    paths = make_run(tmp_path, JobKind.TRAINING, TRAINING | {"model_name": str(folder), "max_steps": 1})
    ending = end_of(paths)
    assert ending.status is JobStatus.FAILED
    assert words in ending.error
    assert ending.hint
    last = events_of(paths)[-1]
    assert isinstance(last, Failed) and (last.error, last.hint) == (ending.error, ending.hint)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"dataset_path": "{tmp}/empty.jsonl"}, "empty"),
        ({"dataset_path": "{tmp}/absent.jsonl"}, "absent.jsonl"),
        ({"max_length": 8}, "no row has a token to train"),
        ({"target_modules": "q_proj, nonsense"}, "no linear layer called nonsense"),
        ({"model_name": "{tmp}/absent"}, "absent"),
        ({"model_name": "nobody/nothing"}, "no model nobody/nothing on this machine"),
        ({"device": "cuda:9"}, "cuda:9 is not there"),
        ({"compute_type": "float16"}, "cannot train in float16"),
    ],
)
def test_bad_settings(tmp_path: Path, values: dict[str, Any], words: str) -> None:
    (tmp_path / "empty.jsonl").touch()
    values = {k: v.format(tmp=tmp_path) if isinstance(v, str) else v for k, v in values.items()}
    ending = end_of(make_run(tmp_path, JobKind.TRAINING, TRAINING | {"max_steps": 1} | values))
    assert ending.status is JobStatus.FAILED
    assert words in ending.error


def test_absent_layers_are_answered_with_the_ones_there_are(tmp_path: Path) -> None:
    ending = end_of(make_run(tmp_path, JobKind.TRAINING, TRAINING | {"target_modules": "query"}))
    assert "down_proj, gate_proj, k_proj, o_proj, q_proj, up_proj, v_proj" in ending.hint


def test_an_adapter_that_is_none(tmp_path: Path) -> None:
    values = {
        "model_name": "starter",
        "adapter_path": str(tmp_path),
        "dataset_path": "starter/heldout",
        "device": "cpu",
    }
    ending = end_of(make_run(tmp_path, JobKind.EVALUATION, values))
    assert "has no adapter_config.json" in ending.error


def test_a_failure_ends_the_process_with_1_and_an_exit_record(tmp_path: Path) -> None:
    paths = make_run(tmp_path, JobKind.TRAINING, TRAINING | {"dataset_path": str(tmp_path / "absent.jsonl")})
    ending = finish(paths, code=1)
    assert ending.status is JobStatus.FAILED and "absent.jsonl" in ending.error
    assert "Traceback" in paths.console.read_text(encoding="utf-8")
    assert ending.cause is EndCause.INPUT
    assert ending.traceback.startswith("Traceback") and "absent.jsonl" in ending.traceback
    first = events_of(paths)[0]
    assert isinstance(first, Started) and not first.process.is_alive


def test_a_run_never_has_two_workers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = make_run(tmp_path, JobKind.TRAINING, TRAINING)
    with FileLock(paths.lock):
        assert main([str(paths.folder)]) == 1
    assert "Another worker is at work" in capsys.readouterr().err
    assert not paths.events.exists()


def test_a_folder_that_is_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 1
    assert "is no run folder" in capsys.readouterr().err
    assert main([]) == 2


def test_started_comes_before_torch_is_imported(tmp_path: Path) -> None:
    """A broken library is then an error of the run and not a silence."""
    (tmp_path / "torch.py").write_text("raise ImportError('torch is broken here')", encoding="utf-8")
    paths = make_run(tmp_path / "home", JobKind.TRAINING, TRAINING)
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "qlora_ui.worker", str(paths.folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert isinstance(events_of(paths)[0], Started)
    assert "torch is broken here" in ExitRecord.model_validate_json(paths.exit.read_bytes()).error


def test_a_stop_before_training_ends_without_a_checkpoint(tmp_path: Path) -> None:
    paths = make_run(tmp_path, JobKind.TRAINING, TRAINING, attempt=2)
    paths.command.write_text(Command(action="stop", attempt=2).model_dump_json(), encoding="utf-8")
    assert end_of(paths).status is JobStatus.STOPPED
    last = events_of(paths)[-1]
    assert isinstance(last, Stopped) and last.step is None and not last.paused


def test_events_go_on_after_a_torn_line(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    with EventWriter(file) as report:
        report(Log(message="one"))
        report(Log(message="two"))
    with file.open("ab") as opened:
        opened.write(b'{"seq":3,"type":"lo')
    with EventWriter(file) as report:
        report(Log(message="three"))
    lines = file.read_bytes().splitlines()
    assert [parse_event(line).seq for line in (lines[0], lines[1], lines[3])] == [1, 2, 3]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_no_silence(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.symlink_to("/dev/full")
    with EventWriter(file) as report, pytest.raises(WorkspaceError, match="The disk is full"):
        report(Started(process=ProcessIdentity.of(), attempt=1))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (DataError("train.jsonl, line 17: broken."), "line 17"),
        (MemoryError(), "ran out of memory"),
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory. Tried to allocate 2 GiB"), "out of memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "out of memory"),
        (OSError(errno.ENOSPC, "No space left on device"), "is full"),
        (RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"), "is full"),
        (PermissionError(errno.EACCES, "Permission denied", "/there"), "/there cannot be written"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
    ],
)
def test_errors_in_plain_words(tmp_path: Path, error: BaseException, words: str) -> None:
    assert words in explain(error, tmp_path).message


def accelerator_error(text: str) -> RuntimeError:
    made: RuntimeError = type("AcceleratorError", (RuntimeError,), {})(text)
    return made


@pytest.mark.parametrize(
    ("error", "cause", "words"),
    [
        (DataError("train.jsonl, line 17: broken."), EndCause.INPUT, "line 17"),
        (MemoryError(), EndCause.MEMORY, "The machine ran out of memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has"), EndCause.DEVICE_MEMORY, "2.50 GiB"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), EndCause.DEVICE_MEMORY, ""),
        (accelerator_error("CUDA error: an illegal memory access was encountered"), EndCause.DEVICE, "not its own"),
        (accelerator_error("CUDA error: uncorrectable ECC error encountered"), EndCause.DEVICE, "(ECC)"),
        (accelerator_error("CUDA error: device-side assert triggered"), EndCause.DEVICE, "vocabulary"),
        (RuntimeError("CUDA error: no kernel image is available for execution"), EndCause.DEVICE, "not built for"),
        (
            RuntimeError("CUDA error: unknown error\nCUDA kernel errors might be"),
            EndCause.DEVICE,
            "(CUDA error: unknown",
        ),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), EndCause.DEVICE, "cuDNN error"),
        (OSError(errno.ENOSPC, "No space left on device"), EndCause.DISK, "is full"),
        (OSError(errno.EIO, "Input/output error", "/data/x"), EndCause.DISK, "/data/x reported an error"),
        (OSError(errno.EROFS, "Read-only file system", "/data/x"), EndCause.INPUT, "can only be read"),
        (ZeroDivisionError("division by zero"), EndCause.PROGRAM, "ZeroDivisionError"),
    ],
)
def test_the_causes_of_an_end_are_told_apart(tmp_path: Path, error: BaseException, cause: EndCause, words: str) -> None:
    found = explain(error, tmp_path)
    assert found.cause is cause
    assert words in found.message


def test_a_full_disk_behind_an_error_of_ours_is_its_cause(tmp_path: Path) -> None:
    try:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as cause:
            raise WorkspaceError("The disk is full: events.jsonl cannot grow.", "Make room.") from cause
    except WorkspaceError as error:
        assert explain(error, tmp_path).cause is EndCause.DISK


def test_the_cause_of_an_error_counts(tmp_path: Path) -> None:
    try:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as cause:
            raise RuntimeError("PytorchStreamWriter failed writing file") from cause
    except RuntimeError as error:
        assert "is full" in explain(error, tmp_path).message


def test_the_home_folder_is_the_one_around_the_runs(tmp_path: Path) -> None:
    paths = Workspace(tmp_path).run("a")
    assert paths.folder.parents[1] == tmp_path
