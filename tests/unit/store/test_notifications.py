"""The book of what was told, and the file of one secret."""

from __future__ import annotations

import os
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.notifications import Notification
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import now
from qlora_ui.store import notifications
from qlora_ui.store.notifications import KEPT, NotificationBook
from qlora_ui.store.secret_file import SecretFile
from qlora_ui.store.store import Store


@pytest.fixture
def book(tmp_path: Path) -> NotificationBook:
    return Store(Workspace(tmp_path)).notifications


def of(notification_id: str) -> Notification:
    return Notification(id=notification_id, event="job_completed", topic="job_complete", tone="success", title="done")


def test_the_newest_are_kept_and_everything_counts_as_told(book: NotificationBook) -> None:
    book.begin([], [])
    ids = [f"run-{number}:1:completed" for number in range(KEPT + 5)]
    assert len(book.add([of(name) for name in ids])) == KEPT + 5
    assert [told.id for told in book.history()] == list(reversed(ids))[:KEPT]
    assert book.add([of(ids[0]), of("new:1:failed"), of("new:1:failed")]) == [book.history()[0]]
    assert len(book.history()) == KEPT


def test_it_is_written_in_one_step(book: NotificationBook, monkeypatch: pytest.MonkeyPatch) -> None:
    book.begin(["old:1:completed"], ["old"])
    written: list[object] = []
    storage = book._records._database._storage
    write = storage.write

    def watched(data: dict[str, dict[str, Any]]) -> None:
        written.append(data)
        write(data)

    monkeypatch.setattr(storage, "write", watched)
    book.add([of("a:1:completed"), of("b:1:failed")])
    assert len(written) == 1
    book.add([of("a:1:completed"), of("old:1:completed")])
    assert len(written) == 1, "nothing new, nothing written"


def test_a_clock_that_is_set_back_does_not_bring_news_into_the_past(book: NotificationBook) -> None:
    later, earlier = of("a:1:completed"), of("b:1:completed")
    [first] = book.add([later])
    [second] = book.add([earlier.model_copy(update={"told_at": now() - timedelta(days=1)})])
    assert second.told_at > first.told_at


def test_what_may_be_told_again_takes_the_place_of_what_was_told(book: NotificationBook) -> None:
    book.add([of("webhook:f00d"), of("a:1:completed")])
    book.forget("webhook:f00d")
    book.add([of("webhook:f00d")])
    assert [told.id for told in book.history()] == ["webhook:f00d", "a:1:completed"]


def test_runs_that_are_gone_are_forgotten_once_they_are_many(
    book: NotificationBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "GONE_RUNS_REMEMBERED", 2)
    book.begin(["a:1:completed", "b:1:failed", "c:1:failed", "update:9.1"], [])
    book.begin([], ["a", "b"])
    assert len(book.told()) == 4, "one that is gone is not many"
    book.begin([], [])
    assert len(book.told()) == 4, "a folder without runs may only be out of reach"
    book.begin([], ["d"])
    assert book.told() == {"update:9.1"}


def test_a_secret_is_for_its_owner_only(tmp_path: Path) -> None:
    secret = SecretFile(tmp_path / "webhook.url")
    assert secret.get() == ""
    secret.set("s3cret")
    file = tmp_path / "webhook.url"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    assert secret.get() == "s3cret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    secret.set("")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_nothing_is_left_of_a_secret_that_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, other = SecretFile(tmp_path / "hub.token"), tmp_path / ".db.json.x.tmp"
    secret.set("s3cret")
    other.touch()
    with monkeypatch.context() as crash:
        crash.setattr(Path, "replace", lambda *_: os._exit(9))
        if not (child := os.fork()):
            secret.set("s3cret too")
    os.waitpid(child, 0)
    assert len(list(tmp_path.iterdir())) == 3
    secret.remove()
    assert list(tmp_path.iterdir()) == [other]


def test_a_secret_that_cannot_be_kept_is_not_repeated(tmp_path: Path) -> None:
    secret = SecretFile(tmp_path / "no folder" / "webhook.url")
    with pytest.raises(WorkspaceError, match="cannot be used") as caught:
        secret.set("s3cret")
    assert "s3cret" not in str(caught.value)
    (tmp_path / "folder").mkdir()
    for act in (SecretFile(tmp_path / "folder").get, SecretFile(tmp_path / "folder").remove):
        with pytest.raises(WorkspaceError):
            act()
