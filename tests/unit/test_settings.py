from __future__ import annotations

import errno
import os
import shutil
import socket
from pathlib import Path
from typing import NamedTuple

import pytest
from pydantic import ValidationError

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.paths import Workspace
from qlora_ui.settings import AppSettings, check_port, is_loopback, load_secret, prepare_home, resolve_home


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST", "::1", "[::1]"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com", "localhost.example.com", ""])
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_only_this_machine_gets_in_unless_asked_otherwise(tmp_path: Path) -> None:
    settings = AppSettings(home=tmp_path)
    assert settings.bind_host == "127.0.0.1"
    assert settings.url == "http://127.0.0.1:8080"
    assert not settings.needs_sign_in


@pytest.mark.parametrize(
    ("host", "lan", "bound", "url"),
    [
        ("127.0.0.1", True, "0.0.0.0", "http://127.0.0.1:8080"),
        ("localhost", True, "0.0.0.0", "http://127.0.0.1:8080"),
        ("192.168.1.5", True, "192.168.1.5", "http://192.168.1.5:8080"),
        ("192.168.1.5", False, "192.168.1.5", "http://192.168.1.5:8080"),
        ("::", False, "::", "http://127.0.0.1:8080"),
        ("fd00::5", False, "fd00::5", "http://[fd00::5]:8080"),
    ],
)
def test_whatever_others_can_reach_needs_a_sign_in(tmp_path: Path, host: str, lan: bool, bound: str, url: str) -> None:
    settings = AppSettings(home=tmp_path, host=host, lan=lan)
    assert settings.bind_host == bound
    assert settings.needs_sign_in
    assert settings.url == url


def test_a_port_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        AppSettings(home=tmp_path, port=70_000)


def test_further_names_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QLORA_UI_ALLOWED_HOSTS", "tune.example.com, gpu-box ,")
    assert AppSettings(home=tmp_path).allowed_hosts == ("tune.example.com", "gpu-box")


def test_the_argument_wins_over_the_environment_and_that_over_the_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QLORA_UI_HOME", str(tmp_path / "from-environment"))
    assert resolve_home(tmp_path / "given") == tmp_path / "given"
    assert resolve_home() == tmp_path / "from-environment"
    monkeypatch.delenv("QLORA_UI_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert resolve_home().name == "qlora-ui"
    assert resolve_home().is_absolute()


def test_the_home_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "a" / "home")
    assert prepare_home(workspace) == []
    for folder in (workspace.home, workspace.runs, workspace.datasets, workspace.models, workspace.devices):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert prepare_home(workspace) == [], "a second start finds it as it is"


@pytest.mark.parametrize("below", [".", "home"])
def test_a_file_in_the_place_of_the_home_folder_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match=r"/file is a file, not a folder") as caught:
        prepare_home(Workspace(tmp_path / "file" / below))
    assert "--home" in caught.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_write_permission_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(WorkspaceError, match="cannot be written"):
        prepare_home(Workspace(tmp_path))


@pytest.mark.parametrize(
    ("number", "sentence"),
    [(errno.EACCES, "cannot be written"), (errno.EROFS, "cannot be written"), (errno.ENOSPC, "is full")],
)
def test_a_folder_that_refuses_a_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, sentence: str
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(WorkspaceError, match=sentence):
        prepare_home(Workspace(tmp_path))


def test_a_nearly_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(free=150 * 1024**2))
    (notice,) = prepare_home(Workspace(tmp_path))
    assert "150 MB" in notice


def test_the_session_key_is_kept_and_private(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    secret = load_secret(workspace)
    assert len(secret) == 64
    assert load_secret(workspace) == secret
    workspace.secret.chmod(0o644)
    assert load_secret(workspace) == secret
    assert workspace.secret.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "short", "\x00" * 64])
def test_a_session_key_that_is_none_is_replaced(tmp_path: Path, content: str) -> None:
    workspace = Workspace(tmp_path)
    workspace.secret.write_text(content)
    secret = load_secret(workspace)
    assert len(secret) == 64
    assert load_secret(workspace) == secret


def test_a_port_in_use_is_named_with_the_next_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(WorkspaceError, match=f"Port {port} is in use") as caught:
            check_port("127.0.0.1", port)
    free = int(caught.value.hint.partition("--port ")[2].partition(",")[0])
    assert free > port
    check_port("127.0.0.1", free)
    check_port("127.0.0.1", port)


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(WorkspaceError, match=r"Nothing can listen at 192\.0\.2\.7"):
        check_port("192.0.2.7", 8080)


def test_a_further_name_means_that_others_come_in_through_a_proxy(tmp_path: Path) -> None:
    settings = AppSettings(home=tmp_path, allowed_hosts=("tune.example.com",))
    assert settings.bind_host == "127.0.0.1"
    assert settings.needs_sign_in
    assert not AppSettings(home=tmp_path, allowed_hosts=("localhost", "127.0.0.2")).needs_sign_in
