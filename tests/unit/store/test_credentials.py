"""The hub token is kept, used and forgotten, and shows nowhere."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from qlora_ui.contract.errors import ParameterError, WorkspaceError
from qlora_ui.contract.paths import Workspace
from qlora_ui.settings import prepare_home
from qlora_ui.store import credentials as module
from qlora_ui.store.credentials import Credentials, TokenStatus, system_keyring

TOKEN = "hf_AbCdEfGhIjKlMnOpQrStUvWx"


class FakeKeyring:
    """A keyring that remembers, refuses or does not answer."""

    def __init__(self, trouble: Exception | None = None, wait_for: threading.Event | None = None) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self._trouble, self._wait_for = trouble, wait_for

    def get_password(self, service_name: str, username: str) -> str | None:
        self._answer()
        return self.kept.get((service_name, username))

    def set_password(self, service_name: str, username: str, password: str) -> None:
        self._answer()
        self.kept[service_name, username] = password

    def delete_password(self, service_name: str, username: str) -> None:
        self._answer()
        del self.kept[service_name, username]

    def _answer(self) -> None:
        if self._wait_for is not None:
            self._wait_for.wait(30)
        if self._trouble is not None:
            raise self._trouble


@pytest.fixture(autouse=True)
def no_token_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (module.VARIABLE, module.OLD_VARIABLE, module.OFFLINE_VARIABLE):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path / "home")
    prepare_home(workspace)
    return workspace


@pytest.fixture
def credentials(workspace: Workspace) -> Credentials:
    return Credentials(workspace, find_keyring=lambda: None)


def test_without_a_token(credentials: Credentials) -> None:
    assert credentials.status() == TokenStatus("none")
    assert credentials.environment() == {}
    credentials.remove()


def test_a_token_lies_in_a_file_of_its_owner(credentials: Credentials, workspace: Workspace) -> None:
    credentials.set(f"  {TOKEN}\n")
    assert credentials.status() == TokenStatus("file", "UvWx")
    assert credentials.environment() == {"HF_TOKEN": TOKEN}
    assert workspace.hub_token.stat().st_mode & 0o777 == 0o600
    credentials.remove()
    assert credentials.status() == TokenStatus("none")
    assert not workspace.hub_token.exists()


def test_the_file_is_never_open_to_others(
    credentials: Credentials, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even between its creation and the end of its writing."""
    modes: list[int] = []
    replace = Path.replace

    def watched(self: Path, target: Any) -> Path:
        modes.append(self.stat().st_mode & 0o777)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    credentials.set(TOKEN)
    assert modes == [0o600]
    workspace.hub_token.chmod(0o644)
    credentials.status()
    assert workspace.hub_token.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text", ["", "short", "with a space in it", "umläut-token-123", "x" * 501, "line\nbreak-in-it"]
)
def test_what_can_be_no_token_is_refused_and_not_repeated(credentials: Credentials, text: str) -> None:
    credentials.set(TOKEN)
    with pytest.raises(ParameterError) as refused:
        credentials.set(text)
    assert not text or text not in str(refused.value)
    assert credentials.environment() == {"HF_TOKEN": TOKEN}


def test_little_of_a_short_token_is_shown(credentials: Credentials) -> None:
    credentials.set("abcdefgh12")
    assert credentials.status() == TokenStatus("file", "")


@pytest.mark.parametrize("name", [module.VARIABLE, module.OLD_VARIABLE])
def test_a_token_of_the_environment_goes_first(
    credentials: Credentials, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    credentials.set(TOKEN)
    monkeypatch.setenv(name, "hf_given-at-the-start-9999")
    assert credentials.status() == TokenStatus("environment", "9999")
    assert credentials.environment() == {}


def test_an_offline_app_gives_it_to_nobody(credentials: Credentials, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials.set(TOKEN)
    monkeypatch.setenv(module.OFFLINE_VARIABLE, "1")
    assert credentials.environment() == {}


def test_a_keyring_is_used_where_there_is_one(workspace: Workspace) -> None:
    Credentials(workspace, find_keyring=lambda: None).set("hf_older-one-in-the-file")
    keyring = FakeKeyring()
    credentials = Credentials(workspace, find_keyring=lambda: keyring)
    assert credentials.status() == TokenStatus("file", "file")
    credentials.set(TOKEN)
    assert keyring.kept == {("qlora-ui", str(workspace.home)): TOKEN}
    assert not workspace.hub_token.exists()
    assert credentials.status() == TokenStatus("keyring", "UvWx")
    assert credentials.environment() == {"HF_TOKEN": TOKEN}
    credentials.remove()
    assert keyring.kept == {}
    assert credentials.status() == TokenStatus("none")


def test_a_keyring_that_refuses_is_said_so_and_holds_up_no_run(workspace: Workspace) -> None:
    credentials = Credentials(workspace, find_keyring=lambda: FakeKeyring(RuntimeError(f"locked {TOKEN}")))
    with pytest.raises(WorkspaceError, match="refused: RuntimeError") as refused:
        credentials.set(TOKEN)
    assert TOKEN not in str(refused.value)
    assert credentials.environment() == {}


def test_a_keyring_that_waits_for_a_person_holds_up_no_run(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEYRING_TIMEOUT_S", 0.05)
    unlocked = threading.Event()
    credentials = Credentials(workspace, find_keyring=lambda: FakeKeyring(wait_for=unlocked))
    assert credentials.environment() == {}
    with pytest.raises(WorkspaceError, match="does not answer"):
        credentials.status()
    unlocked.set()


@pytest.mark.parametrize(("priority", "is_used"), [(0, False), (0.5, False), (1, True), (5, True)])
def test_only_a_real_keyring_counts(monkeypatch: pytest.MonkeyPatch, priority: float, is_used: bool) -> None:
    class Package(FakeKeyring):
        def get_keyring(self) -> Any:
            return type("Backend", (), {"priority": priority})

    package = Package()
    monkeypatch.setattr(module, "import_module", lambda name: package)
    system_keyring.cache_clear()
    assert system_keyring() is (package if is_used else None)
    system_keyring.cache_clear()


def test_without_the_package_there_is_no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(module, "import_module", missing)
    system_keyring.cache_clear()
    assert system_keyring() is None
    system_keyring.cache_clear()
