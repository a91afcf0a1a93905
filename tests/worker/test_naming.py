"""What the folders of merged models are called."""

from __future__ import annotations

import json
from pathlib import Path

from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import JobKind, JobRecord, now
from qlora_ui.worker.model.adapters import CARD
from qlora_ui.worker.model.naming import free_folder, name_of


def test_an_adapter_is_called_after_its_run(tmp_path: Path) -> None:
    paths = Workspace(tmp_path).run("20261123-094512-support-tone-3f2a")
    paths.adapter.mkdir(parents=True)
    record = JobRecord(
        id=paths.id, kind=JobKind.TRAINING, name="../Support: tone é", created_at=now(), queued_at=now(), attempt=1
    )
    paths.job.write_text(record.model_dump_json(), encoding="utf-8")
    assert name_of(paths.adapter) == "Support-tone-é"
    (tmp_path / "elsewhere").mkdir()
    assert name_of(tmp_path / "elsewhere") == "elsewhere"


def test_no_run_takes_the_folder_of_another(tmp_path: Path) -> None:
    def merged(name: str, run_id: str) -> None:
        (tmp_path / name).mkdir()
        (tmp_path / name / CARD).write_text(json.dumps({"run": run_id}))

    assert free_folder(tmp_path, "a-merged", "first").name == "a-merged"
    merged("a-merged", "first")
    assert free_folder(tmp_path, "a-merged", "first").name == "a-merged", "it is tried again"
    assert free_folder(tmp_path, "a-merged", "second").name == "a-merged-2"
    merged("a-merged-2-unverified", "second")
    assert free_folder(tmp_path, "a-merged", "third").name == "a-merged-3"
    (tmp_path / "a-merged-3").mkdir()
    assert free_folder(tmp_path, "a-merged", "third").name == "a-merged-4", "a person made that folder"
