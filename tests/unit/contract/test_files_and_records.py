"""Atomic files, events on a line, run ids, addresses, errors."""

import errno
import math
import os
import stat
from pathlib import Path

import pytest

from qlora_ui.contract import files
from qlora_ui.contract.errors import DataError, ParameterError, QloraUiError
from qlora_ui.contract.events import Event, Metric, Started, dump_event, parse_event
from qlora_ui.contract.paths import dataset_location, is_starter, model_location
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import Score, new_id


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    files.write_atomically(path, "old")
    files.write_atomically(path, "new")
    assert path.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_full_disk_leaves_the_old_file_and_no_rubbish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    files.write_atomically(path, "old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_an_event_survives_its_line() -> None:
    told: list[Event] = [
        Metric(seq=3, step=7, values={"loss": 1.5}),
        Started(seq=1, process=ProcessIdentity(pid=1, started="x"), attempt=1),
    ]
    for event in told:
        line = dump_event(event)
        assert line.count(b"\n") == 1
        assert parse_event(line) == event


def test_figures_that_are_not_finite_survive_their_file() -> None:
    told = parse_event(dump_event(Metric(step=1, values={"loss": math.inf, "grad_norm": math.nan})))
    assert isinstance(told, Metric)
    assert told.values["loss"] == math.inf and math.isnan(told.values["grad_norm"])
    score = Score(value=math.inf, standard_error=0.5)
    assert Score.model_validate_json(score.model_dump_json()) == score


def test_a_file_system_that_flushes_no_folders_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flush = os.fsync

    def files_only(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", files_only)
    files.write_atomically(tmp_path / "a.json", "new")
    assert (tmp_path / "a.json").read_text() == "new"


def test_run_ids_sort_by_time_and_are_safe_names() -> None:
    for name in ("../../etc", "Grüße an Ölaf", "", "x" * 100, "a/b\\c\n"):
        assert set(new_id(name)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        assert len(new_id(name)) <= 64


def test_the_starter_is_found_by_name() -> None:
    assert (Path(model_location("starter")) / "config.json").is_file()
    assert dataset_location("starter") == dataset_location("starter/train")
    assert dataset_location("starter/heldout").is_file()
    assert is_starter("starter/heldout") and not is_starter("starter/other")
    assert model_location("nobody/no-model") == "nobody/no-model"


def test_errors_speak() -> None:
    assert str(DataError("Row 3 has no answer.", "Add one.", "a.csv, line 4")) == "Row 3 has no answer. Add one."
    assert str(ParameterError()) == "A parameter is missing, unknown or out of bounds."
    assert all(kind.__doc__ for kind in QloraUiError.__subclasses__())
