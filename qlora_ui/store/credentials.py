"""The token for the model hub: kept apart from everything else that is remembered, and shown to nobody.

It lies in the system's keyring where the optional package `keyring` finds one, else in a file of the home folder that
only its owner can read. Processes that ask the hub get it as an environment variable, which does not show in a list of
processes as an argument would. It does not cover other programs of the same user, which can read both.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Literal, Protocol, TypeVar

from qlora_ui.contract.errors import ParameterError, WorkspaceError
from qlora_ui.contract.paths import Workspace
from qlora_ui.store.secret_file import SecretFile

VARIABLE = "HF_TOKEN"
OLD_VARIABLE = "HUGGING_FACE_HUB_TOKEN"
"""What the hub's libraries read beside `HF_TOKEN`."""
OFFLINE_VARIABLE = "QLORA_UI_OFFLINE"

SHORTEST, LONGEST = 8, 500
SHOWN = 4
"""How many of its last characters are shown, so that a person can tell which token it is."""
KEYRING_TIMEOUT_S = 10.0
_KEYRING_SERVICE = "qlora-ui"

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class TokenStatus:
    """Where the token is, without the token itself."""

    place: Literal["none", "file", "keyring", "environment"]
    """`environment`: the app was started with one, which goes before any that is kept."""
    ending: str = ""
    """Its last four characters; empty where that would be much of it."""


class Keyring(Protocol):
    """What is used of the package `keyring`."""

    def get_password(self, service_name: str, username: str) -> str | None: ...

    def set_password(self, service_name: str, username: str, password: str) -> None: ...

    def delete_password(self, service_name: str, username: str) -> None: ...


class Credentials:
    """The hub token of one home folder. Every method reads a file or asks the keyring: call them in a thread."""

    def __init__(self, workspace: Workspace, find_keyring: Callable[[], Keyring | None] | None = None) -> None:
        """`find_keyring` is asked when the token is; by default for the system's keyring."""
        self._file = SecretFile(workspace.hub_token)
        self._user = str(workspace.home)
        self._find_keyring = find_keyring or system_keyring

    def status(self) -> TokenStatus:
        """Raises WorkspaceError when the file or the keyring cannot be read."""
        if token := _given():
            return TokenStatus("environment", _ending(token))
        place, token = self._kept()
        return TokenStatus(place, _ending(token))

    def set(self, token: str) -> None:
        """Keep a token in place of the old one. Raises ParameterError for what can be none, WorkspaceError."""
        token = token.strip()
        if not (SHORTEST <= len(token) <= LONGEST and token.isascii() and token.isprintable() and " " not in token):
            raise ParameterError(
                "This cannot be a token: it has 8 to 500 letters and digits, without spaces.",
                "Copy it from the settings of your account on the hub, whole and alone.",
            )
        keyring = self._find_keyring()
        if keyring is not None:
            _ask(lambda: keyring.set_password(_KEYRING_SERVICE, self._user, token))
            self._file.remove()
        else:
            self._file.set(token)

    def remove(self) -> None:
        """Forget the token. What is at work keeps the one that it was started with. Raises WorkspaceError."""
        keyring = self._find_keyring()
        if keyring is not None and _ask(lambda: keyring.get_password(_KEYRING_SERVICE, self._user)):
            _ask(lambda: keyring.delete_password(_KEYRING_SERVICE, self._user))
        self._file.remove()

    def environment(self) -> dict[str, str]:
        """What a process that asks the hub gets in addition to this one's environment.

        Empty where there is no token, where the app is offline, and where it was started with a token of its own.
        """
        if _given() or os.environ.get(OFFLINE_VARIABLE) == "1":
            return {}
        try:
            _, token = self._kept()
        except WorkspaceError:
            return {}  # the hub says that it wants one, and the settings say why there is none
        return {VARIABLE: token} if token else {}

    def _kept(self) -> tuple[Literal["none", "file", "keyring"], str]:
        keyring = self._find_keyring()
        if keyring is not None and (found := _ask(lambda: keyring.get_password(_KEYRING_SERVICE, self._user))):
            return "keyring", found
        token = self._file.get()
        return ("file", token) if token else ("none", "")


@cache
def system_keyring() -> Keyring | None:
    """The system's keyring; None where the package is not installed or finds nothing that keeps a secret."""
    try:
        keyring = import_module("keyring")
        # 1 is the least that the package itself recommends: below it are stand-ins and plain files
        return keyring if keyring.get_keyring().priority >= 1 else None
    except Exception:  # a backend may raise anything, and then it is not there for us
        return None


def _ask(question: Callable[[], Answer]) -> Answer:
    """What the keyring answers. It may wait for a person to unlock it, which must not hold up a run for long.

    Raises WorkspaceError when it refuses or does not answer.
    """
    answers: queue.Queue[Answer | Exception] = queue.Queue()

    def ask() -> None:
        try:
            answers.put(question())
        except Exception as error:  # of whatever backend is installed
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=KEYRING_TIMEOUT_S)
    except queue.Empty:
        raise WorkspaceError("The keyring of the system does not answer.", "Unlock it, then try again.") from None
    if isinstance(answer, Exception):
        raise WorkspaceError(f"The keyring of the system refused: {type(answer).__name__}.", "Unlock it and try again.")
    return answer


def _given() -> str:
    return os.environ.get(VARIABLE) or os.environ.get(OLD_VARIABLE) or ""


def _ending(token: str) -> str:
    return token[-SHOWN:] if len(token) >= 4 * SHOWN else ""
