from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from filelock import FileLock

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.preferences import UserPreferences
from qlora_ui.contract.records import (
    Dataset,
    EvaluationMetrics,
    EvaluationReport,
    ExitRecord,
    JobKind,
    JobRecord,
    JobStatus,
    Score,
)
from qlora_ui.people import People
from qlora_ui.store import database
from qlora_ui.store.store import Store

MOMENT = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path)
    for folder in (workspace.runs, workspace.datasets):
        folder.mkdir()
    return workspace


@pytest.fixture
def store(workspace: Workspace) -> Store:
    return Store(workspace)


def add_dataset(workspace: Workspace, dataset_id: str) -> Dataset:
    path = workspace.datasets / dataset_id / "rows.jsonl"
    path.parent.mkdir()
    path.write_text("{}\n")
    return Dataset(id=dataset_id, name=path.name, path=str(path), bytes=3)


def add_run(
    workspace: Workspace,
    run_id: str,
    kind: JobKind = JobKind.TRAINING,
    status: JobStatus = JobStatus.COMPLETED,
    **parameters: str,
) -> RunPaths:
    run = workspace.run(run_id)
    run.adapter.mkdir(parents=True)
    record = JobRecord(id=run_id, kind=kind, name=f"name of {run_id}", created_at=MOMENT, queued_at=MOMENT)
    run.job.write_text(record.model_dump_json())
    run.parameters.write_text(yaml.safe_dump({"model_name": "starter", **parameters}))
    run.exit.write_text(ExitRecord(status=status, attempt=1, time=MOMENT).model_dump_json())
    (run.adapter / "qlora-ui.json").write_text(json.dumps({"dataset_fingerprint": "f00d"}))
    return run


def metrics(accuracy: float) -> EvaluationMetrics:
    return EvaluationMetrics(accuracy=Score(value=accuracy), loss=Score(value=1.0), perplexity=Score(value=2.7))


def add_evaluation(workspace: Workspace, run_id: str, adapter: Path, accuracy: float) -> RunPaths:
    run = add_run(workspace, run_id, JobKind.EVALUATION, adapter_path=str(adapter))
    run.report.mkdir()
    report = EvaluationReport(rows=10, base=metrics(0.0), adapter=metrics(accuracy))
    run.evaluation.write_text(report.model_dump_json())
    return run


# ---- preferences ----


def test_preferences_are_the_defaults_until_they_are_changed(store: Store, workspace: Workspace) -> None:
    assert store.preferences.get() == UserPreferences()
    store.preferences.put(UserPreferences(theme="dark", language="de"))
    store.preferences.put(UserPreferences(theme="light"), user="ada")
    again = Store(workspace).preferences
    assert again.get() == UserPreferences(theme="dark", language="de")
    assert again.get("ada").theme == "light"


async def test_preferences_are_saved_off_the_event_loop(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []
    write = store._database._storage.write

    def watched(data: dict[str, dict[str, object]]) -> None:
        threads.append(threading.current_thread())
        write(data)

    monkeypatch.setattr(store._database._storage, "write", watched)
    await People(store.preferences).change(theme="dark")
    assert store.preferences.get().theme == "dark"
    assert threads
    assert threading.main_thread() not in threads


def test_a_record_that_cannot_be_read_is_left_out_but_not_deleted(
    store: Store, workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    store.datasets.put(add_dataset(workspace, "good"))
    text = workspace.database.read_text().replace('"bytes": 3', '"bytes": "many"')
    workspace.database.write_text(text)
    assert store.datasets.list() == []
    assert "datasets" in caplog.text
    assert '"many"' in workspace.database.read_text()


# ---- several writers ----


def test_two_servers_on_one_home_lose_nothing_of_each_other(workspace: Workspace) -> None:
    here = Store(workspace)
    program = (
        "import sys; from pathlib import Path; from qlora_ui.contract.paths import Workspace\n"
        "from qlora_ui.contract.preferences import UserPreferences; from qlora_ui.store.store import Store\n"
        "store = Store(Workspace(Path(sys.argv[1]))); print('ready', flush=True); sys.stdin.readline()\n"
        "for n in range(20): store.preferences.put(UserPreferences(), f'there-{n}')\n"
    )
    there = subprocess.Popen(
        [sys.executable, "-c", program, str(workspace.home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert there.stdin is not None
    assert there.stdout is not None
    with there:
        assert there.stdout.readline() == b"ready\n"
        there.stdin.write(b"go\n")
        there.stdin.flush()
        threads = [threading.Thread(target=put_many, args=(here, f"here-{t}")) for t in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert there.wait(60) == 0
    users = {row["key"] for row in json.loads(workspace.database.read_text())["tables"]["preferences"].values()}
    assert len(users) == 40


def put_many(store: Store, prefix: str) -> None:
    for n in range(10):
        store.preferences.put(UserPreferences(), f"{prefix}-{n}")


def test_a_lock_that_is_never_given_back_is_named(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LOCK_TIMEOUT_S", 0.05)
    store = Store(workspace)
    with FileLock(workspace.database_lock), pytest.raises(WorkspaceError, match="locked by another program"):
        store.preferences.put(UserPreferences())


# ---- datasets ----


def test_datasets_are_listed_in_the_order_in_which_they_came(store: Store, workspace: Workspace) -> None:
    first = add_dataset(workspace, "zzz")
    second = add_dataset(workspace, "aaa").model_copy(update={"added_at": datetime(2200, 1, 1, tzinfo=UTC)})
    store.datasets.put(second)
    store.datasets.put(first)
    assert [dataset.id for dataset in store.datasets.list()] == ["zzz", "aaa"]
    assert store.datasets.delete("zzz")
    assert not store.datasets.delete("zzz")
    assert store.datasets.get("zzz") is None


def test_the_index_of_datasets_follows_the_folders(store: Store, workspace: Workspace) -> None:
    gone = add_dataset(workspace, "gone")
    store.datasets.put(gone)
    Path(gone.path).unlink()
    unknown = add_dataset(workspace, "unknown")
    (workspace.datasets / ".upload-x").mkdir()
    (workspace.datasets / ".upload-x" / "half.jsonl").write_text("{")
    (workspace.datasets / "empty").mkdir()

    listed = Store(workspace).datasets.list()

    assert [(d.id, d.name, d.path, d.bytes) for d in listed] == [("unknown", unknown.name, unknown.path, 3)]


def test_a_folder_that_came_together_is_found_again(workspace: Workspace) -> None:
    folder = workspace.datasets / "some" / "my rows"
    (folder / "deep").mkdir(parents=True)
    for name, content in (("a.jsonl", "{}"), ("deep/b.txt", "rows"), (".c.txt.tmp", "no data")):
        (folder / name).write_text(content)
    (workspace.datasets / "empty" / "folder").mkdir(parents=True)
    [dataset] = Store(workspace).datasets.list()
    assert (dataset.id, dataset.name, dataset.path) == ("some", "my rows", str(folder))
    assert (dataset.files, dataset.bytes) == (2, 6)
    shutil.rmtree(folder)
    assert Store(workspace).datasets.list() == []


# ---- adapters ----


def test_adapters_are_made_from_completed_trainings(workspace: Workspace) -> None:
    run = add_run(workspace, "a-done")
    add_run(workspace, "b-failed", status=JobStatus.FAILED)
    add_run(workspace, "c-merge", JobKind.MERGE)
    (workspace.runs / ".new-d").mkdir()
    (workspace.runs / "e-torn").mkdir()
    (workspace.runs / "e-torn" / "job.json").write_text("{")

    (adapter,) = Store(workspace).adapters.list()

    assert adapter.id == adapter.job_id == "a-done"
    assert adapter.name == "name of a-done"
    assert adapter.path == str(run.adapter)
    assert adapter.base_model == "starter"
    assert adapter.training_date == MOMENT
    assert adapter.dataset_fingerprint == "f00d"
    assert adapter.metrics is None


def test_an_evaluation_gives_its_adapter_its_scores(store: Store, workspace: Workspace) -> None:
    trained = add_run(workspace, "a")
    assert store.adapters.add_run(trained) is not None
    assert store.adapters.add_run(trained) is None, "nothing new"
    scored = store.adapters.add_run(add_evaluation(workspace, "b", trained.adapter, 0.25))
    assert scored is not None
    assert scored.metrics == metrics(0.25)
    assert store.adapters.add_run(add_evaluation(workspace, "c", workspace.home / "elsewhere", 0.5)) is None
    assert store.adapters.get("a") == scored


def test_the_index_of_adapters_is_rebuilt_after_the_database_is_lost(store: Store, workspace: Workspace) -> None:
    trained = add_run(workspace, "a")
    add_evaluation(workspace, "b", trained.adapter, 0.25)
    store.adapters.rebuild(workspace)
    before = store.adapters.list()
    assert before[0].metrics == metrics(0.25)
    workspace.database.write_text("{")
    workspace.database_backup.unlink()

    again = Store(workspace)

    assert again.adapters.list() == before
    assert "made again from the folders" in again.recovery


def test_what_a_person_wrote_of_an_adapter_stays(store: Store, workspace: Workspace) -> None:
    run = add_run(workspace, "a")
    store.adapters.rebuild(workspace)
    adapter = store.adapters.list()[0].model_copy(update={"name": "mine", "description": "the good one"})
    store.adapters.put(adapter)
    later = ExitRecord(status=JobStatus.COMPLETED, attempt=2, time=datetime(2026, 6, 1, tzinfo=UTC))
    run.exit.write_text(later.model_dump_json())
    store.adapters.rebuild(workspace)
    (renamed,) = store.adapters.list()
    assert (renamed.name, renamed.description, renamed.training_date) == ("mine", "the good one", later.time)


def test_an_adapter_whose_folder_is_gone_is_forgotten(store: Store, workspace: Workspace) -> None:
    run = add_run(workspace, "a")
    store.adapters.rebuild(workspace)
    for file in run.adapter.iterdir():
        file.unlink()
    run.adapter.rmdir()
    store.adapters.rebuild(workspace)
    assert store.adapters.list() == []


def test_a_look_waits_for_no_writer(store: Store, workspace: Workspace) -> None:
    store.preferences.put(UserPreferences(theme="dark"))
    with FileLock(workspace.database_lock):
        assert store.preferences.get().theme == "dark"


def test_a_file_that_is_damaged_while_the_server_runs_is_repaired_on_the_next_look(
    store: Store, workspace: Workspace
) -> None:
    store.preferences.put(UserPreferences(theme="dark"))
    workspace.database.write_text("{")
    assert store.preferences.get().theme == "dark"
    assert "backup" in store.recovery


def test_a_data_file_whose_name_is_no_text_is_left_alone(workspace: Workspace) -> None:
    for name in (b"odd/\xff.jsonl", b"\xff/rows.jsonl"):
        path = os.fsencode(workspace.datasets) + b"/" + name
        os.mkdir(os.path.dirname(path))  # noqa: PTH102, PTH120  # bytes are what this is about
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(b"{}")
    add_dataset(workspace, "good")
    assert [dataset.id for dataset in Store(workspace).datasets.list()] == ["good"]


@pytest.mark.parametrize(
    "content",
    [b"1: 2", b"a: 2020-99-99", b"a: &a [*a]", b"a: " + b"[" * 20_000, b"? [1]\n: 2", b"a: 2020-01-01", b"\xff"],
)
def test_parameters_that_were_changed_by_hand_do_not_keep_the_store_from_opening(
    workspace: Workspace, content: bytes
) -> None:
    add_run(workspace, "a").parameters.write_bytes(content)
    (workspace.run("a").adapter / "qlora-ui.json").write_text("[" * 100_000)
    (adapter,) = Store(workspace).adapters.list()
    assert (adapter.id, adapter.base_model, adapter.dataset_fingerprint) == ("a", "", "")
