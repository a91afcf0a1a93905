"""Reading a run folder: statuses, torn lines, damaged files."""

import os
from pathlib import Path

import pytest

from qlora_ui.contract import events
from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.files import link_or_copy
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import ExitRecord, JobKind, JobRecord, JobStatus
from qlora_ui.jobs import run_folder
from qlora_ui.jobs.history.event_file import EventTail
from qlora_ui.jobs.intake import new_record
from qlora_ui.jobs.run_folder import (
    create_run,
    read_exit,
    read_parameters_of,
    read_record,
    remove_remains,
    remove_run,
    status_of,
)

PARAMETERS = TrainingParameters(model_name="starter", dataset_path="starter", learning_rate=1e-3)


def record(**changes: object) -> JobRecord:
    return new_record(JobKind.TRAINING, PARAMETERS).model_copy(update=changes)


@pytest.mark.parametrize(
    ("state", "alive", "ended", "status"),
    [
        ("queued", False, None, JobStatus.PENDING),
        ("held", False, None, JobStatus.PAUSED),
        ("cancelled", False, None, JobStatus.STOPPED),
        ("launched", True, None, JobStatus.RUNNING),
        ("launched", False, None, JobStatus.INTERRUPTED),
        ("launched", False, (2, JobStatus.COMPLETED), JobStatus.COMPLETED),
        ("launched", True, (2, JobStatus.COMPLETED), JobStatus.COMPLETED),
        ("launched", False, (2, JobStatus.FAILED), JobStatus.FAILED),
        ("launched", False, (2, JobStatus.PAUSED), JobStatus.PAUSED),
        ("launched", True, (1, JobStatus.STOPPED), JobStatus.RUNNING),
        ("launched", False, (1, JobStatus.COMPLETED), JobStatus.INTERRUPTED),
        ("queued", False, (2, JobStatus.STOPPED), JobStatus.PENDING),
    ],
)
def test_status(state: str, alive: bool, ended: tuple[int, JobStatus] | None, status: JobStatus) -> None:
    """An exit record counts for its own attempt only: a resumed run is not what it was before."""
    exit_record = ExitRecord(attempt=ended[0], status=ended[1]) if ended else None
    assert status_of(record(state=state, attempt=2), alive=alive, ended=exit_record) is status


def test_a_clock_that_is_put_forward_takes_no_run_that_is_being_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, source = Workspace(tmp_path), tmp_path / "origin.json"
    source.write_text("{}")

    def link(file: Path, target: Path) -> None:
        os.utime(target.parent, (0, 0))
        remove_remains(workspace)  # as another server does that starts now
        link_or_copy(file, target)

    monkeypatch.setattr(run_folder, "link_or_copy", link)
    paths = create_run(workspace, record(), PARAMETERS, files={"origin.json": source, "more.json": source})
    assert {file.name for file in paths.folder.glob("*.json")} == {"origin.json", "more.json", "job.json"}


def test_a_run_is_written_and_read_again(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    written = record()
    paths = create_run(workspace, written, PARAMETERS)
    assert read_record(paths) == written
    assert read_parameters_of(paths, written) == PARAMETERS
    assert [p.name for p in workspace.runs.iterdir()] == [written.id]
    remove_run(workspace, paths)
    assert list(workspace.runs.iterdir()) == []


def test_a_damaged_record_is_told_by_the_other_files_and_left_as_it_is(tmp_path: Path) -> None:
    written = record()
    paths = create_run(Workspace(tmp_path), written, PARAMETERS)
    paths.job.write_text('{"id": "x", "kind"')
    found = read_record(paths)
    assert (found.id, found.kind, found.state) == (written.id, written.kind, "held")
    assert paths.job.read_text() == '{"id": "x", "kind"'
    paths.parameters.unlink()
    with pytest.raises(WorkspaceError, match=r"job\.json is missing or damaged"):
        read_record(paths)
    assert paths.job.read_text() == '{"id": "x", "kind"'


@pytest.mark.parametrize("text", ["", "learning_rate: -1\nmodel_name: a\ndataset_path: b\n", "[1, 2", "- a\n"])
def test_damaged_parameters_are_named(tmp_path: Path, text: str) -> None:
    written = record()
    paths = create_run(Workspace(tmp_path), written, PARAMETERS)
    paths.parameters.write_text(text)
    with pytest.raises(WorkspaceError, match="cannot be read"):
        read_parameters_of(paths, written)


def test_a_draft_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    workspace, written = Workspace(tmp_path), record()
    draft = workspace.runs / f".new-{written.id}"
    draft.mkdir(parents=True)
    with pytest.raises(WorkspaceError, match="could not be written"):
        create_run(workspace, written, PARAMETERS)
    assert draft.is_dir()


def test_half_an_exit_record_is_no_end(tmp_path: Path) -> None:
    paths = create_run(Workspace(tmp_path), record(), PARAMETERS)
    paths.exit.write_text('{"status": "comp')
    assert read_exit(paths) is None


def test_a_run_id_from_outside_cannot_leave_the_runs_folder(tmp_path: Path) -> None:
    for name in ("../x", "a/b", "", ".hidden", "a" * 65, "a\n"):
        with pytest.raises(ValueError, match="no run id"):
            Workspace(tmp_path).run(name)


def test_the_tail_gives_each_whole_line_once(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    tail = EventTail(path)
    assert tail.read() == []
    first, second = (events.dump_event(events.Log(seq=n, message=f"line {n}")) for n in (1, 2))
    path.write_bytes(first + second[:10])
    assert [e.seq for e in tail.read()] == [1]
    assert tail.read() == []
    with path.open("ab") as file:
        file.write(second[10:])
    assert [e.seq for e in tail.read()] == [2]
    assert tail.unreadable_lines == 0


def test_a_line_torn_by_a_crash_is_counted_and_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    whole = events.dump_event(events.Log(seq=2, message="after"))
    path.write_bytes(b'{"type":"log","seq":1,"mess\n' + b'{"type":"of the future","seq":9}\n' + whole)
    tail = EventTail(path)
    assert [e.seq for e in tail.read()] == [2]
    assert tail.unreadable_lines == 2


def test_a_disk_that_cannot_be_written_leaves_no_half_run(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file where the folder should be")
    with pytest.raises(WorkspaceError, match="Nothing was started"):
        create_run(Workspace(tmp_path), record(), PARAMETERS)
