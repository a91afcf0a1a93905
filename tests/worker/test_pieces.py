"""The worker's small parts: requests, leases, devices, checkpoints, and the trap in 4-bit layers on some processors."""

from __future__ import annotations

import errno
import json
import math
import os
import signal
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from filelock import FileLock

from qlora_ui.contract import checkpoints as contract_checkpoints
from qlora_ui.contract.errors import DeviceError, JobError
from qlora_ui.contract.events import Alert, AlertCode, Event, Log, Metric, Phase
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import Command, JobKind, JobRecord, now
from qlora_ui.worker import checkpoints, devices
from qlora_ui.worker.context import Context
from qlora_ui.worker.control import Control, StopRequested
from qlora_ui.worker.devices import Device

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


def ask(file: Path, action: str, attempt: int) -> None:
    file.write_text(Command.model_validate({"action": action, "attempt": attempt}).model_dump_json(), encoding="utf-8")


class TestControl:
    def test_only_commands_for_this_attempt_count(self, tmp_path: Path) -> None:
        file = tmp_path / "command.json"
        ask(file, "stop", 1)
        assert Control(file, attempt=2).requested is None
        ask(file, "pause", 2)
        control = Control(file, attempt=2)
        assert control.requested == "pause"
        with pytest.raises(StopRequested) as raised:
            control.check(step=7)
        assert raised.value.paused and raised.value.step == 7

    def test_half_a_command_is_none_yet(self, tmp_path: Path) -> None:
        file = tmp_path / "command.json"
        file.write_text('{"action": "st', encoding="utf-8")
        assert Control(file, attempt=1).requested is None

    @pytest.mark.parametrize(("command", "expected"), [(None, "stop"), ("pause", "pause")])
    def test_a_signal_stops_or_wakes_for_a_command(self, tmp_path: Path, command: str | None, expected: str) -> None:
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            control = Control(tmp_path / "command.json", attempt=1)
            control.listen()
            assert control.requested is None
            if command:
                ask(tmp_path / "command.json", command, 1)
            os.kill(os.getpid(), signal.SIGTERM)
            assert control.requested == expected
            with pytest.raises(StopRequested):
                control.wait(600)  # returns at once
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class TestLease:
    def test_waits_for_the_device_and_says_so(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(devices, "LEASE_SECONDS", 0.01)
        events: list[Event] = []
        context, device = context_in(tmp_path, events), cast(Device, SimpleNamespace(name="cuda:0"))
        path = context.workspace.device_lock("cuda:0")
        path.parent.mkdir(parents=True)
        held = FileLock(path, thread_local=False)
        held.acquire()
        threading.Timer(0.1, held.release).start()
        with devices.lease(context, device):
            assert not held.is_locked
            assert [event.name for event in events if isinstance(event, Phase)] == ["waiting"]

    def test_a_stop_ends_the_waiting(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(devices, "LEASE_SECONDS", 0.01)
        context, device = context_in(tmp_path, []), cast(Device, SimpleNamespace(name="cpu"))
        path = context.workspace.device_lock("cpu")
        path.parent.mkdir(parents=True)
        with FileLock(path):
            ask(context.paths.command, "stop", 1)
            with pytest.raises(StopRequested), devices.lease(context, device):
                pass


class TestDevices:
    @pytest.mark.parametrize(
        ("visible", "wanted", "left"),
        [(None, "auto", "0"), (None, "cuda:2", "2"), ("4,7", "cuda:1", "7"), ("4,7", "cuda:2", ""), ("3", "cpu", "")],
    )
    def test_other_gpus_are_hidden(
        self, monkeypatch: pytest.MonkeyPatch, visible: str | None, wanted: str, left: str
    ) -> None:
        monkeypatch.setenv("CUDA_DEVICE_ORDER", "undone")  # so that monkeypatch restores what is set below
        del os.environ["CUDA_DEVICE_ORDER"]
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if visible is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        else:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "undone")
            del os.environ["CUDA_VISIBLE_DEVICES"]
        devices.hide_other_gpus(wanted)
        assert os.environ.get("CUDA_VISIBLE_DEVICES") == left
        assert os.environ["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID", "the driver's tools count so"

    @pytest.mark.parametrize(
        ("flags", "fast"), [("fpu avx2 avx512f", False), ("fpu avx512_bf16", True), ("amx_bf16", True), ("", False)]
    )
    def test_bfloat16_needs_a_processor_that_has_it(self, tmp_path: Path, flags: str, fast: bool) -> None:
        cpuinfo = tmp_path / "cpuinfo"
        cpuinfo.write_text(f"processor\t: 0\nflags\t\t: {flags}\n", encoding="utf-8")
        assert devices._processor_is_fast_at_bfloat16(cpuinfo) is fast
        assert devices._processor_is_fast_at_bfloat16(tmp_path / "absent") is False

    def test_an_absent_gpu_is_named(self) -> None:
        with pytest.raises(DeviceError, match="cuda:7 is not there"):
            devices.choose("cuda:7", "auto")

    def test_a_gpu_that_only_the_driver_sees_is_no_must(self) -> None:
        """A torch without CUDA beside a GPU: the launcher offers the GPU, and the run goes to the processor."""
        device = devices.choose("cuda:7", "float32", must=False)
        assert (device.name, device.is_cuda) == ("cpu", False)


class TestCheckpoints:
    def test_only_whole_ones_count(self, tmp_path: Path) -> None:
        for step in (5, 10, 15, 20):
            checkpoint(tmp_path, step)
        (tmp_path / "checkpoint-20" / "complete.json").unlink()  # the process died while it wrote
        with (tmp_path / "checkpoint-15" / "weights").open("ab") as file:
            file.truncate(3)
        newest = contract_checkpoints.newest(tmp_path)
        assert newest is not None and contract_checkpoints.step_of(newest) == 10
        marker = contract_checkpoints.read_marker(newest)
        assert marker is not None and marker.totals == {"seconds": 1.5}

    def test_a_changed_byte_is_noticed(self, tmp_path: Path) -> None:
        folder = checkpoint(tmp_path, 5)
        assert contract_checkpoints.is_whole(folder)
        (folder / "weights").write_bytes(b"weightz")
        assert not contract_checkpoints.is_whole(folder)
        assert contract_checkpoints.newest(tmp_path) is None

    def test_old_ones_go_and_remains_of_later_ones_too(self, tmp_path: Path) -> None:
        for step in (9, 10, 100, 20):
            checkpoint(tmp_path, step)
        checkpoints.prune(tmp_path, keep=2)
        assert sorted(folder.name for folder in tmp_path.iterdir()) == ["checkpoint-100", "checkpoint-20"]
        checkpoints.discard_after(tmp_path, 20)
        assert [folder.name for folder in tmp_path.iterdir()] == ["checkpoint-20"]


class TestPlan:
    def test_steps_evaluations_and_saves(self) -> None:
        from qlora_ui.worker.plan import Plan

        parameters = TrainingParameters(
            model_name="m", dataset_path="d", batch_size=4, gradient_accumulation=4, num_train_epochs=2.5, evaluations=3
        )
        plan = Plan.of(parameters, rows=100, has_validation=True)
        assert plan.steps_per_epoch == 7  # 25 batches, 4 a step
        assert plan.total_steps == 18
        assert plan.evaluation_steps == {6, 12, 18}
        assert plan.save_steps == 2
        assert Plan.of(parameters, rows=100, has_validation=False).evaluation_steps == frozenset()
        assert Plan.of(parameters.model_copy(update={"max_steps": 2}), 100, True).evaluation_steps == {1, 2}


def test_an_evaluation_in_between_does_not_change_the_gradients() -> None:
    """On processors with AVX512-BF16 it would, were it not for keep_layout: elsewhere this holds by itself."""
    import torch
    from bitsandbytes.nn import Linear4bit

    from qlora_ui.worker.loading import load_base
    from qlora_ui.worker.lora import attach_lora
    from qlora_ui.worker.scoring import inference

    device = devices.choose("cpu", "float32")
    base = load_base("starter", device, offline=True)
    layers = [module for module in base.modules() if isinstance(module, Linear4bit)]
    assert all(layer.weight.quant_type == "nf4" and layer.weight.quant_state.nested for layer in layers)
    model = attach_lora(base, TrainingParameters(model_name="starter", dataset_path="d"))
    ids = torch.randint(3, 2000, (2, 20), generator=torch.Generator().manual_seed(0))

    def gradients() -> torch.Tensor:
        model.zero_grad()
        model.train()
        model(input_ids=ids, labels=ids).loss.backward()
        return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])

    before = gradients()
    with inference(model, device):
        model(input_ids=ids)
    assert before.norm() > 0
    torch.testing.assert_close(gradients(), before)


def test_answers_are_greedy_whatever_the_model_asks_for() -> None:
    """Some models come with a penalty on repetition, which would keep them from repeating what they were asked for."""
    import torch

    from qlora_ui.data.encoding.tokenizer import load_tokenizer
    from qlora_ui.data.encoding.tokens import render_prompt
    from qlora_ui.worker.generation import Writer
    from qlora_ui.worker.loading import load_base

    device, tokenizer = devices.choose("cpu", "float32"), load_tokenizer("starter", True)
    prompts = [render_prompt([{"role": "user", "content": "Repeat: red lamp red lamp red lamp"}], tokenizer)]
    model = load_base("starter", device, offline=True)
    expected = Writer(model, tokenizer, device).write(prompts, 16)
    model.generation_config.repetition_penalty = 5.0
    bent = model.generate(torch.tensor(prompts), max_new_tokens=16)[0][len(prompts[0]) :]
    assert tokenizer.decode(bent, skip_special_tokens=True).strip() != expected[0], "the penalty is felt elsewhere"
    model.generation_config.repetition_penalty = 5.0
    assert Writer(model, tokenizer, device).write(prompts, 16) == expected


def test_half_a_folder_does_not_stay(tmp_path: Path) -> None:
    from qlora_ui.worker.adapters import put_in_place, temporary_beside

    with pytest.raises(OSError, match="full"), temporary_beside(tmp_path / "model") as temporary:
        (temporary / "weights").write_bytes(bytes(100))
        raise OSError(errno.ENOSPC, "full")
    assert not list(tmp_path.iterdir())
    with temporary_beside(tmp_path / "model") as temporary:
        (temporary / "weights").write_bytes(bytes(100))
        put_in_place(temporary, tmp_path / "model")
    assert [file.name for file in tmp_path.rglob("*")] == ["model", "weights"]


def test_the_writing_of_a_checkpoint_is_no_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from transformers import TrainerControl, TrainerState, TrainingArguments

    from qlora_ui.worker import progress
    from qlora_ui.worker.batches import Size
    from qlora_ui.worker.held_out import Evaluation
    from qlora_ui.worker.plan import Plan

    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    context = context_in(tmp_path, [])
    parameters = cast(TrainingParameters, context.parameters)
    plan = Plan.of(parameters, rows=32, has_validation=False)
    evaluation = Evaluation(loss=1.0, token_accuracy=0.5)
    reporter = progress.Reporter(
        context, parameters, plan, lambda step: Size(1000, 1250), lambda step: evaluation, lambda step, values: None
    )
    state, control = TrainerState(global_step=1), TrainerControl(should_save=True)
    arguments = cast(TrainingArguments, None)
    reporter.on_train_begin(arguments, state, control)
    clock[0] = 2.0
    reporter.on_step_end(arguments, state, control)
    clock[0] = 50.0  # the Trainer writes its files
    (context.paths.checkpoints / "checkpoint-1").mkdir(parents=True)
    reporter.on_save(arguments, state, control, model=torch.nn.Linear(1, 1))
    clock[0] = 53.0
    reporter.on_step_end(arguments, TrainerState(global_step=2), TrainerControl())
    assert reporter.speed.totals["seconds"] == 5.0
    assert reporter.summary()["tokens_per_second"] == 400
    assert reporter.speed.figures()["padding"] == pytest.approx(0.2)


def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path) -> None:
    from transformers import TrainerControl, TrainerState, TrainingArguments

    from qlora_ui.worker import progress
    from qlora_ui.worker.batches import Size
    from qlora_ui.worker.held_out import Evaluation
    from qlora_ui.worker.plan import Plan

    events: list[Event] = []
    context = context_in(tmp_path, events)
    parameters = cast(TrainingParameters, context.parameters)
    plan = Plan.of(parameters, rows=32, has_validation=False)
    reporter = progress.Reporter(
        context, parameters, plan, lambda step: Size(1, 1), lambda step: Evaluation(1.0, 0.5), lambda step, values: None
    )
    logs, state = {"loss": math.nan, "learning_rate": 1e-3}, TrainerState(global_step=7)
    with pytest.raises(JobError, match="by step 7"):
        reporter.on_log(cast(TrainingArguments, None), state, TrainerControl(), logs)
    [point, alert] = events
    assert isinstance(point, Metric) and "loss" not in point.values, "there is no such point to draw"
    assert isinstance(alert, Alert) and (alert.code, alert.level) == (AlertCode.NOT_A_NUMBER, "error")


@pytest.mark.parametrize(("dropped", "kind"), [(3, Log), (30, Alert)])
def test_rows_without_a_trained_token_are_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dropped: int, kind: type[Log | Alert]
) -> None:
    from qlora_ui.data.prepare import Counts
    from qlora_ui.worker import train

    monkeypatch.setattr(train, "share_in_4_bits", lambda model: 1.0)
    events: list[Event] = []
    data = cast(Any, SimpleNamespace(counts=Counts(100, rows_dropped=dropped)))
    train._warn(context_in(tmp_path, events), cast(Any, SimpleNamespace(method="qlora")), data, cast(Any, None))
    [said] = events
    assert isinstance(said, kind) and f"{dropped}" in said.message
    assert not isinstance(said, Alert) or said.code == AlertCode.NOTHING_TRAINED


def test_a_copy_overwrites_nothing(tmp_path: Path) -> None:
    from qlora_ui.worker.adapters import copy_adapter

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


def checkpoint(parent: Path, step: int) -> Path:
    folder = parent / f"checkpoint-{step}"
    folder.mkdir()
    (folder / "weights").write_bytes(b"weights")
    assert checkpoints.seal(folder, step, {"seconds": 1.5}) == 7
    return folder


def context_in(home: Path, events: list[Event]) -> Context:
    paths = Workspace(home).run("run")
    paths.folder.mkdir(parents=True)
    record = JobRecord(id="run", kind=JobKind.TRAINING, name="run", created_at=now(), queued_at=now(), attempt=1)
    parameters = TrainingParameters(model_name="starter", dataset_path="starter")
    control = Control(paths.command, 1)
    return Context(paths, Workspace(home), record, parameters, events.append, control, offline=True)
