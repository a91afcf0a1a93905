"""The command line as a process of its own: Ctrl+C, a reader that goes away, a terminal without Unicode."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from qlora_ui.cli.commands import run
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.run_folder import read_exit, read_record
from qlora_ui.jobs.watch import find_runs
from qlora_ui.jobs.workers.launcher import LocalLauncher
from tests.unit.jobs.conftest import FAKE_WORKER

PROGRAM = f"""
import sys
from qlora_ui.cli.commands import run
from qlora_ui.jobs.workers import launcher
launcher.LocalLauncher.__init__.__defaults__ = ({FAKE_WORKER!r},)
sys.exit(run(sys.argv[1:]))
"""


@contextmanager
def training(home: Path, name: str, steps: int = 100, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """`qlora-ui train` with the scripted worker; whatever it leaves at work is ended."""
    spec = home.parent / "run.yaml"
    spec.write_text(f"name: {name}\nmodel_name: starter\ndataset_path: starter\ndevice: cpu\nmax_steps: {steps}\n")
    command = [sys.executable, "-c", PROGRAM, "train", str(spec), "--home", str(home)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, encoding="utf-8", env={**os.environ, **environment}
    ) as process:
        try:
            yield process
        finally:
            process.kill()
            for run_id in find_runs(Workspace(home)):
                if worker := read_record(Workspace(home).run(run_id)).process:
                    LocalLauncher().kill(worker)


def the_run(home: Path) -> RunPaths:
    [run_id] = find_runs(Workspace(home))
    return Workspace(home).run(run_id)


def read_until(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if word in line:
            return
    raise AssertionError(f"it never said {word}")


def test_ctrl_c_stops_the_run_with_a_checkpoint(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with training(home, "slow") as process:
        read_until(process, "step")
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=30)
        assert process.returncode == 1
        assert "was asked to stop" in complaint and "slow stopped" in complaint
        assert complaint.splitlines()[-1].endswith(f"qlora-ui jobs resume {the_run(home).id}")
        ended = read_exit(the_run(home))
        assert ended is not None and ended.status is JobStatus.STOPPED


def test_a_second_ctrl_c_leaves_the_run_to_itself(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with training(home, "slow and deaf") as process:
        read_until(process, "step")
        assert process.stderr is not None
        process.send_signal(signal.SIGINT)
        assert "was asked to stop" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=30)
        assert process.returncode == 130
        assert "goes on by itself" in complaint and "Traceback" not in complaint
        worker = read_record(the_run(home)).process
        assert worker is not None and worker.is_alive


@pytest.mark.parametrize(("name", "code"), [("short", 0), ("it fails", 1)])
def test_a_reader_that_goes_away_does_not_end_the_waiting(tmp_path: Path, name: str, code: int) -> None:
    home = tmp_path / "home"
    with training(home, name) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        complaint = process.stderr.read()
        assert process.wait(timeout=30) == code
        assert "Traceback" not in complaint and "BrokenPipe" not in complaint
        assert read_exit(the_run(home)) is not None, "it waited for the end"


def test_a_terminal_without_the_character_gets_another_one(tmp_path: Path) -> None:
    with training(tmp_path / "home", "Größe", PYTHONIOENCODING="ascii") as process:
        printed, complaint = process.communicate(timeout=30)
        assert process.returncode == 0, complaint
        assert "Gr??e" in printed


def test_ctrl_c_leaves_the_queue_and_what_is_at_work_to_themselves(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with training(home, "slow and deaf") as first:
        read_until(first, "step")
        command = [sys.executable, "-c", PROGRAM, "jobs", "work", "--home", str(home)]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, encoding="utf-8") as process:
            read_until(process, "is at work on cpu")
            process.send_signal(signal.SIGINT)
            _, complaint = process.communicate(timeout=30)
        assert process.returncode == 130
        assert complaint.splitlines()[-1] == f"slow and deaf goes on by itself: qlora-ui jobs show {the_run(home).id}"
        worker = read_record(the_run(home)).process
        assert worker is not None and worker.is_alive


def test_commands_that_work_at_once_start_each_run_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    spec = tmp_path / "run.yaml"
    spec.write_text("name: short\nmodel_name: starter\ndataset_path: starter\ndevice: cpu\n")
    for _ in range(3):
        assert run(["train", str(spec), "--no-wait", "--home", str(home)]) == 0
    command = [sys.executable, "-c", PROGRAM, "jobs", "work", "--home", str(home)]
    workers = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [worker.wait(timeout=50) for worker in workers] == [0, 0]
    for run_id in find_runs(Workspace(home)):
        paths = Workspace(home).run(run_id)
        ended = read_exit(paths)
        assert ended is not None and ended.status is JobStatus.COMPLETED
        assert read_record(paths).attempt == 1
        assert paths.events.read_text().count('"type":"started"') == 1


def test_a_log_is_followed_until_the_run_has_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "home"
    with training(home, "slow", steps=25) as process:
        read_until(process, "step")
        assert run(["jobs", "logs", the_run(home).id, "--follow", "--tail", "3", "--home", str(home)]) == 0
        followed = capsys.readouterr().out.splitlines()
        assert process.wait(timeout=30) == 0
    assert run(["jobs", "logs", the_run(home).id, "--home", str(home)]) == 0
    everything = capsys.readouterr().out.splitlines()
    assert followed[-1].endswith("Finished.")
    assert followed == everything[-len(followed) :], "no entry is missing or told twice"
    assert 3 < len(followed) < len(everything)
