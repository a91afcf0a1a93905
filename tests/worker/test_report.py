"""What the worker says stands in `run.log` in words too, whatever became of that file before."""

from __future__ import annotations

from pathlib import Path

import pytest

from qlora_ui.contract.events import Event, Failed, Log, Metric, Phase, Progress
from qlora_ui.contract.paths import RunPaths
from qlora_ui.jobs.logs.log_file import LogFile
from qlora_ui.worker import report as module
from qlora_ui.worker.report import EventWriter

FIRST: list[Event] = [
    Phase(name="loading", message="Loads the model."),
    Metric(step=1, values={"loss": 2.5}),
    Progress(step=1, total_steps=2),
    Log(level="warning", message="Two lines:\nthe second"),
]
FIRST_WORDS = ["Loads the model.", "step 1  loss 2.5000", "Two lines:\nthe second"]
LAST = Failed(error="It broke.", hint="Mend it.")


@pytest.fixture
def paths(tmp_path: Path) -> RunPaths:
    paths = RunPaths(tmp_path / "home" / "runs" / "a-run")
    paths.folder.mkdir(parents=True)
    return paths


def say(paths: RunPaths, told: list[Event]) -> None:
    with EventWriter(paths.events) as report:
        for event in told:
            report(event)


def words(paths: RunPaths) -> list[str]:
    assert paths.log.exists()
    return [entry.message for _, entry in LogFile(paths).tail(100).entries]


def test_a_resumed_run_goes_on_in_the_same_log(paths: RunPaths) -> None:
    say(paths, FIRST)
    assert words(paths) == FIRST_WORDS
    say(paths, [LAST])
    assert words(paths) == [*FIRST_WORDS, "It broke. Mend it."]


def test_each_line_is_there_as_soon_as_it_was_said(paths: RunPaths) -> None:
    with EventWriter(paths.events) as report:
        for event in FIRST:
            report(event)
        assert words(paths) == FIRST_WORDS


def test_a_log_that_a_crash_tore_goes_on_in_a_line_of_its_own(paths: RunPaths) -> None:
    say(paths, FIRST)
    with paths.log.open("ab") as file:
        file.write(b"2026-11-23T09:31:04.1")
    say(paths, [LAST])
    assert words(paths) == [*FIRST_WORDS, "It broke. Mend it."]


def test_a_run_of_an_older_version_gets_the_log_of_its_whole_life(paths: RunPaths) -> None:
    say(paths, FIRST)
    paths.log.unlink()
    with paths.events.open("ab") as file:
        file.write(b'{"type":"log","torn')
    say(paths, [LAST])
    assert words(paths) == [*FIRST_WORDS, "It broke. Mend it."]


def test_a_log_that_cannot_be_written_stops_nothing(paths: RunPaths) -> None:
    paths.log.mkdir()
    say(paths, FIRST)
    assert len(paths.events.read_bytes().splitlines()) == len(FIRST)


def test_a_disk_that_is_full_for_the_log_alone_stops_nothing(paths: RunPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> bytes:
        raise OSError(28, "No space left on device")

    with EventWriter(paths.events) as report:
        report(FIRST[0])
        with monkeypatch.context() as full:
            full.setattr(module, "dump_entry", fail)
            report(FIRST[1])
        report(FIRST[3])
    assert words(paths) == [FIRST_WORDS[0], FIRST_WORDS[2]]
    assert len(paths.events.read_bytes().splitlines()) == 3
