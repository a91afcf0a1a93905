"""A clean-up takes what nobody needs and nothing else, whatever happens at the same moment."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from qlora_ui import clean_up
from qlora_ui.clean_up import Item, Outcome, clean, find
from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs import run_folder
from qlora_ui.jobs.logs.log_file import LogFile
from qlora_ui.services import Services
from qlora_ui.settings import AppSettings, prepare_home
from qlora_ui.storage_use import size_of
from tests.fakes.runs import FakeRun, write_run

LONG_AGO = 3 * 24 * 3600


@pytest.fixture(autouse=True)
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clean_up, "BURIED_S", 0.0)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace((tmp_path / "home").resolve())
    prepare_home(workspace)
    return workspace


def run_with_checkpoint(
    workspace: Workspace, name: str, status: JobStatus = JobStatus.COMPLETED, **more: Any
) -> RunPaths:
    run = write_run(workspace, FakeRun(name, status, **more))
    folder = run.checkpoints / "checkpoint-20"
    folder.mkdir(parents=True)
    (folder / "weights.bin").write_bytes(b"x" * 1_000)
    return run


def data_file(workspace: Workspace, name: str, age_s: float = LONG_AGO) -> Path:
    folder = workspace.datasets / name
    folder.mkdir()
    file = folder / "rows.jsonl"
    file.write_text('{"text": "a"}\n')
    return aged(file, age_s)


def aged(file: Path, age_s: float) -> Path:
    then = time.time() - age_s
    os.utime(file, (then, then))
    os.utime(file.parent, (then, then))
    return file


def kept(outcome: Outcome) -> dict[str, str]:
    return {item.name: reason for item, reason in outcome.kept.items()}


async def found(workspace: Workspace) -> set[tuple[str, Path]]:
    return {(item.category, item.path) for item in (await find(workspace)).items}


def contents(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*")}


# ---- prepared data ----


async def test_prepared_data_can_go_and_what_is_being_prepared_cannot(workspace: Workspace) -> None:
    whole, half = workspace.prepared / ("a" * 64), workspace.prepared / ".aaaa.x.tmp"
    for folder in (whole, half):
        folder.mkdir(parents=True)
        (folder / "ids.bin").write_bytes(b"x" * 1_000)
    (whole / "manifest.json").write_text("{}")
    findings = await find(workspace)
    assert [(item.category, item.path, item.bytes) for item in findings.items] == [("prepared", whole, 1_002)]
    outcome = await clean(workspace, findings.items)
    assert outcome.bytes == 1_002 and not whole.exists() and half.is_dir()
    assert contents(workspace.prepared) == {Path(half.name), Path(half.name) / "ids.bin"}


async def test_what_can_be_made_again_from_the_runs_can_go(workspace: Workspace) -> None:
    paths = write_run(workspace, FakeRun("a run", JobStatus.STOPPED, steps=4))
    told = LogFile(paths).tail(3)
    findings = await find(workspace)
    folder = workspace.kept_log(paths.id).parent
    assert [(item.category, item.path, item.bytes) for item in findings.items] == [("cache", folder, size_of(folder))]
    outcome = await clean(workspace, findings.items)
    assert len(outcome.deleted) == 1 and not folder.exists()
    assert LogFile(paths).tail(3) == told


async def test_data_that_a_run_mixes_in_stay(workspace: Workspace) -> None:
    first, second, third = (data_file(workspace, name) for name in ("first", "second", "third"))
    write_run(
        workspace,
        FakeRun(
            "mixed",
            JobStatus.COMPLETED,
            parameters={"dataset_path": f"{first.parent}?split=train", "more_data": [{"path": str(second)}]},
        ),
    )
    assert await found(workspace) == {("datasets", third.parent)}


# ---- checkpoints ----


async def test_checkpoints_of_completed_runs_only(workspace: Workspace) -> None:
    alive = ProcessIdentity.of()
    done = run_with_checkpoint(workspace, "done")
    for status in JobStatus:
        if status is not JobStatus.COMPLETED:
            run_with_checkpoint(
                workspace, f"is {status}", status, process=alive if status is JobStatus.RUNNING else run_gone()
            )
    assert await found(workspace) == {("checkpoints", done.checkpoints)}
    outcome = await clean(workspace, (await find(workspace)).items)
    assert (len(outcome.deleted), outcome.bytes, outcome.kept) == (1, 1_000, {})
    assert not done.checkpoints.exists()
    assert done.events.exists()
    others = [run for run in workspace.runs.iterdir() if run != done.folder]
    assert len(others) == len(JobStatus) - 1
    assert all((run / "checkpoints" / "checkpoint-20" / "weights.bin").exists() for run in others)


def run_gone() -> ProcessIdentity:
    return ProcessIdentity(pid=1, started="never")


async def test_a_run_whose_worker_still_holds_its_lock_is_left(workspace: Workspace) -> None:
    run = run_with_checkpoint(workspace, "ends just now")
    with FileLock(run.lock):
        assert await found(workspace) == set()
    assert await found(workspace) == {("checkpoints", run.checkpoints)}


async def test_a_checkpoint_that_an_open_run_names_is_left(workspace: Workspace) -> None:
    run = run_with_checkpoint(workspace, "done")
    checkpoint = str(run.checkpoints / "checkpoint-20")
    scoring = FakeRun("scores it", JobStatus.PAUSED, JobKind.EVALUATION, parameters={"adapter_path": checkpoint})
    write_run(workspace, scoring)
    assert await found(workspace) == set()


async def test_a_run_that_is_resumed_after_the_list_was_made_keeps_its_checkpoints(workspace: Workspace) -> None:
    run = run_with_checkpoint(workspace, "done")
    items = (await find(workspace)).items
    record = run_folder.read_record(run)
    run_folder.write_record(run, record.model_copy(update={"state": "queued"}))
    outcome = await clean(workspace, items)
    assert outcome.deleted == []
    assert "A run needs it" in kept(outcome)["done"]
    assert (run.checkpoints / "checkpoint-20" / "weights.bin").exists()


async def test_two_of_the_same_name_that_are_left_are_both_said(workspace: Workspace) -> None:
    files = [data_file(workspace, name) for name in ("one", "other")]
    items = (await find(workspace)).items
    for file in files:
        write_run(workspace, FakeRun(file.parent.name, JobStatus.PENDING, parameters={"dataset_path": str(file)}))
    outcome = await clean(workspace, items)
    assert {item.path for item in outcome.kept} == {file.parent for file in files}


async def test_a_run_that_is_deleted_while_the_list_is_made(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_with_checkpoint(workspace, "done")
    read_exit = run_folder.read_exit

    def deleted_then(paths: RunPaths) -> Any:
        ended = read_exit(paths)
        shutil.rmtree(run.folder, ignore_errors=True)
        return ended

    by_open_runs = clean_up._Wanted.by_open_runs

    def asked(wanted: Any, paths: RunPaths) -> bool:
        monkeypatch.setattr(run_folder, "read_exit", deleted_then)
        return by_open_runs(wanted, paths)

    monkeypatch.setattr(clean_up._Wanted, "by_open_runs", asked)
    assert [(item.name, item.bytes) for item in (await find(workspace)).items] == [("done", 0)]


async def test_a_deleted_run_is_no_trouble(workspace: Workspace) -> None:
    run = run_with_checkpoint(workspace, "done")
    items = (await find(workspace)).items
    run_folder.remove_run(workspace, run)
    outcome = await clean(workspace, items)
    assert outcome.deleted == []
    assert kept(outcome) == {"done": "It is gone already."}


# ---- data ----


async def test_data_that_no_run_names(workspace: Workspace) -> None:
    unused = data_file(workspace, "unused")
    used, held_out = data_file(workspace, "used"), data_file(workspace, "höld out & more")
    parameters = {"dataset_path": str(used), "validation_path": str(held_out)}
    write_run(workspace, FakeRun("done", parameters=parameters))
    data_file(workspace, "new", age_s=60)
    assert await found(workspace) == {("datasets", unused.parent)}


async def test_a_folder_of_data_goes_unless_a_run_names_a_file_in_it(workspace: Workspace) -> None:
    for name in ("wanted", "unused"):
        inner = workspace.datasets / name / "my rows"
        inner.mkdir(parents=True)
        (inner / "a.jsonl").write_text("{}")
        aged(inner, LONG_AGO)
    path = str(workspace.datasets / "wanted" / "my rows" / "a.jsonl")
    write_run(workspace, FakeRun("reads", JobStatus.COMPLETED, parameters={"dataset_path": path}))
    assert await found(workspace) == {("datasets", workspace.datasets / "unused")}


async def test_data_are_wanted_by_runs_of_every_status(workspace: Workspace) -> None:
    for status in JobStatus:
        file = data_file(workspace, f"of-{status}")
        write_run(workspace, FakeRun(f"is {status}", status, parameters={"dataset_path": str(file)}))
    assert await found(workspace) == set()


async def test_data_that_a_run_reaches_through_a_link_are_wanted(workspace: Workspace, tmp_path: Path) -> None:
    file = data_file(workspace, "used")
    (tmp_path / "short").symlink_to(file)
    write_run(workspace, FakeRun("done", parameters={"dataset_path": str(tmp_path / "short")}))
    moved = write_run(workspace, FakeRun("moved", parameters={"dataset_path": str(data_file(workspace, "of-moved"))}))
    moved.folder.rename(tmp_path / moved.id)
    moved.folder.symlink_to(tmp_path / moved.id)
    assert await found(workspace) == set()


async def test_nothing_is_taken_while_a_run_cannot_be_read(workspace: Workspace) -> None:
    run_with_checkpoint(workspace, "done")
    data_file(workspace, "unused")
    broken = write_run(workspace, FakeRun("broken"))
    broken.parameters.write_text("{not: [yaml")
    findings = await find(workspace)
    assert findings.items == []
    assert broken.id in findings.obstacle


async def test_a_folder_without_a_data_file_is_not_ours_to_take(workspace: Workspace) -> None:
    nested = workspace.datasets / "somebody" / "deeper"
    nested.mkdir(parents=True)
    aged(nested, LONG_AGO)
    assert await found(workspace) == set()


async def test_a_run_that_is_submitted_in_between_keeps_its_data(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was checked before the data were renamed, and is written down after that."""
    file = data_file(workspace, "wanted-after-all")
    items = (await find(workspace)).items
    bury = clean_up._bury

    def submit_meanwhile(*arguments: Any) -> Any:
        graves = bury(*arguments)
        assert not file.exists()
        write_run(workspace, FakeRun("late", JobStatus.PENDING, parameters={"dataset_path": str(file)}))
        return graves

    monkeypatch.setattr(clean_up, "_bury", submit_meanwhile)
    outcome = await clean(workspace, items)
    assert outcome.deleted == []
    assert kept(outcome) == {"rows.jsonl": "A run has come to need it."}
    assert file.read_text() == '{"text": "a"}\n'
    assert [folder.name for folder in workspace.datasets.iterdir()] == ["wanted-after-all"]


async def test_a_run_that_is_being_written_counts(workspace: Workspace) -> None:
    file = data_file(workspace, "used")
    run = write_run(workspace, FakeRun("new", JobStatus.PENDING, parameters={"dataset_path": str(file)}))
    run.folder.rename(workspace.runs / f".new-{run.id}")
    assert await found(workspace) == set()


# ---- remains ----


async def test_uploads_and_remains(workspace: Workspace) -> None:
    broken_off, under_way = workspace.datasets / ".upload-old", workspace.datasets / ".upload-new"
    draft, new_draft = workspace.runs / ".new-old", workspace.runs / ".new-now"
    graves = [workspace.runs / ".deleted-run", workspace.datasets / ".deleted-data"]
    for folder in (broken_off, under_way, draft, new_draft, *graves):
        folder.mkdir()
        (folder / "half.csv").write_bytes(b"x" * 100)
    aged(broken_off / "half.csv", LONG_AGO)
    aged(draft / "half.csv", LONG_AGO)
    then = time.time() - LONG_AGO
    os.utime(under_way, (then, then))  # a long upload: its file is written to, its folder is not
    items = (await find(workspace)).items
    assert {item.path for item in items} == {broken_off, draft, *graves}
    outcome = await clean(workspace, items)
    assert outcome.bytes == 400
    assert set(workspace.datasets.iterdir()) | set(workspace.runs.iterdir()) == {under_way, new_draft}


async def test_what_another_clean_up_takes_away_right_now_is_left_to_it(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clean_up, "BURIED_S", 60.0)
    for grave in (workspace.runs / ".deleted-run", workspace.datasets / ".deleted-data"):
        grave.mkdir()
        (grave / "weights.bin").touch()
        aged(grave / "weights.bin", LONG_AGO)
    assert await found(workspace) == set()


# ---- links, locks and failures ----


async def test_links_are_neither_followed_nor_taken(workspace: Workspace, tmp_path: Path) -> None:
    outside = tmp_path / "precious"
    (outside / "checkpoint-20").mkdir(parents=True)
    aged(outside / "checkpoint-20", LONG_AGO)
    (outside / "rows.jsonl").write_text("mine")
    run = write_run(workspace, FakeRun("linked checkpoints"))
    run.checkpoints.symlink_to(outside)
    whole = run_with_checkpoint(workspace, "linked run")
    whole.folder.rename(tmp_path / whole.id)
    whole.folder.symlink_to(tmp_path / whole.id)
    for name in ("linked-data", ".upload-link", ".deleted-link"):
        (workspace.datasets / name).symlink_to(outside)
    before = contents(tmp_path)
    assert await found(workspace) == set()
    forged = [
        Item("checkpoints", run.checkpoints, "a", 1),
        Item("datasets", workspace.datasets / "linked-data", "b", 1),
    ]
    assert (await clean(workspace, forged)).deleted == []
    assert contents(tmp_path) == before | {Path("home/devices/queue.lock")}


async def test_a_link_inside_goes_and_its_target_stays(workspace: Workspace, tmp_path: Path) -> None:
    outside = tmp_path / "precious"
    outside.mkdir()
    (outside / "keep.txt").write_text("mine")
    run = run_with_checkpoint(workspace, "done")
    (run.checkpoints / "latest").symlink_to(outside)
    outcome = await clean(workspace, (await find(workspace)).items)
    assert len(outcome.deleted) == 1
    assert not run.checkpoints.exists()
    assert (outside / "keep.txt").read_text() == "mine"


@pytest.mark.parametrize("parent", ["runs", "datasets"])
async def test_a_folder_of_the_home_that_is_a_link_is_left(workspace: Workspace, tmp_path: Path, parent: str) -> None:
    run_with_checkpoint(workspace, "done")
    data_file(workspace, "unused")
    place = workspace.home / parent
    place.rename(tmp_path / "disk")
    place.symlink_to(tmp_path / "disk")
    before = contents(tmp_path / "disk")
    assert all(not path.is_relative_to(place) for _, path in await found(workspace))
    await clean(workspace, (await find(workspace)).items)
    assert contents(tmp_path / "disk") == before


async def test_only_what_may_go_goes_whatever_is_asked_for(workspace: Workspace, tmp_path: Path) -> None:
    run = run_with_checkpoint(workspace, "paused", JobStatus.PAUSED)
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    asked = [run.checkpoints, run.folder, workspace.home, workspace.models, stranger, workspace.runs / ".."]
    outcome = await clean(workspace, [Item("leftovers", path, str(path), 1) for path in asked])
    assert outcome.deleted == []
    assert len(outcome.kept) == len(asked)
    assert all(path.exists() for path in asked)


async def test_a_folder_that_became_a_link_after_the_list_was_made(workspace: Workspace, tmp_path: Path) -> None:
    outside = tmp_path / "precious"
    outside.mkdir()
    (outside / "keep.txt").write_text("mine")
    run = run_with_checkpoint(workspace, "done")
    items = (await find(workspace)).items
    run.checkpoints.rename(run.folder / "aside")
    run.checkpoints.symlink_to(outside)
    outcome = await clean(workspace, items)
    assert outcome.deleted == []
    assert (outside / "keep.txt").exists()


async def test_a_busy_queue_is_said_so_and_nothing_is_touched(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_with_checkpoint(workspace, "done")
    items = (await find(workspace)).items
    monkeypatch.setattr(run_folder, "QUEUE_LOCK_SECONDS", 0.05)
    with FileLock(workspace.queue_lock), pytest.raises(WorkspaceError, match="busy with the queue"):
        await clean(workspace, items)
    assert run.checkpoints.exists()


async def test_what_cannot_be_deleted_is_named(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = run_with_checkpoint(workspace, "first"), run_with_checkpoint(workspace, "second")
    rmtree = shutil.rmtree

    def refuse(path: Path) -> None:
        if first.id in path.name:
            raise PermissionError(13, "Permission denied")
        rmtree(path)

    items = (await find(workspace)).items
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", refuse)
        outcome = await clean(workspace, items)
    assert [item.name for item in outcome.deleted] == ["second"]
    assert kept(outcome) == {"first": "It could not be deleted as a whole: Permission denied."}
    assert not second.checkpoints.exists()
    assert [item.category for item in (await find(workspace)).items] == ["leftovers"]


async def test_deleted_data_leave_the_list_of_data(tmp_path: Path) -> None:
    services = Services.open(AppSettings(home=tmp_path / "home"))
    file = data_file(services.workspace, "unused")
    services.store.datasets.rebuild(services.workspace)
    assert [dataset.id for dataset in await services.datasets()] == ["unused"]
    outcome = await services.clean_up((await find(services.workspace)).items)
    assert [item.name for item in outcome.deleted] == [file.name]
    assert await services.datasets() == []
