"""How one start of the app was asked for, and the checks before it: home folder, port, session key."""

from __future__ import annotations

import errno
import ipaddress
import os
import secrets
import shutil
import socket
import tempfile
from pathlib import Path

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, field_validator

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.files import write_atomically
from qlora_ui.contract.paths import Workspace

HOME_VARIABLE = "QLORA_UI_HOME"
HOSTS_VARIABLE = "QLORA_UI_ALLOWED_HOSTS"

LOW_DISK_BYTES = 200 * 1024**2
SECRET_BYTES = 32
PORTS_TRIED = 100


def _hosts_from_environment() -> tuple[str, ...]:
    return tuple(name.strip() for name in os.environ.get(HOSTS_VARIABLE, "").split(",") if name.strip())


class AppSettings(BaseModel):
    """What `qlora-ui` was started with."""

    model_config = ConfigDict(frozen=True)

    home: Path
    host: str = "127.0.0.1"
    """The address to listen at; see `bind_host`."""
    port: int = Field(default=8080, ge=1, le=65535)
    lan: bool = False
    """Listen on all addresses of this machine, behind the sign-in."""
    native: bool = False
    """Show the app in a desktop window of its own."""
    browser: bool = True
    """Open a browser tab where a display is there."""
    offline: bool = False
    """Ask no model hub for anything."""
    standby: bool = True
    """Let a worker wait with its libraries loaded, if the settings of the home folder want that."""
    demo: bool = False
    """Start the starter training at once, unless one is there that has not ended."""
    allowed_hosts: tuple[str, ...] = Field(default_factory=_hosts_from_environment)
    """Further names under which the app may be reached through a reverse proxy; with any of them, people sign in."""

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().resolve()

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.home)

    @property
    def bind_host(self) -> str:
        return "0.0.0.0" if self.lan and is_loopback(self.host) else self.host  # noqa: S104  # only behind the sign-in

    @property
    def needs_sign_in(self) -> bool:
        """Others than the people at this machine can reach the app, at its own address or through a proxy."""
        return not all(is_loopback(host) for host in (self.bind_host, *self.allowed_hosts))

    @property
    def url(self) -> str:
        """The address for a browser on this machine."""
        is_everywhere = self.bind_host in {"0.0.0.0", "::"}  # noqa: S104  # compared, not bound to
        return self.url_for("127.0.0.1" if is_everywhere else self.bind_host)

    def url_for(self, host: str) -> str:
        """The app's address under another of this machine's names or addresses."""
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Whether this address or name reaches this machine only."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def lan_address() -> str:
    """This machine's address in its network; its name where the system does not tell."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it only asks which way such a packet would leave
            return str(probe.getsockname()[0])
    except OSError:
        return socket.gethostname()


def resolve_home(argument: Path | None = None) -> Path:
    """The home folder: the argument, else QLORA_UI_HOME, else the platform's folder for user data. Absolute."""
    chosen = argument or os.environ.get(HOME_VARIABLE) or platformdirs.user_data_dir("qlora-ui", appauthor=False)
    return Path(chosen).expanduser().resolve()


def prepare_home(workspace: Workspace) -> list[str]:
    """Make the home folder and what belongs in it, readable by its owner only.

    Returns what the person should know, in sentences. Raises WorkspaceError when the folder cannot be used.
    """
    folders = (workspace.home, workspace.runs, workspace.datasets, workspace.models, workspace.devices)
    try:
        for folder in (*folders, workspace.web_storage):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=workspace.home):
            pass
    except OSError as error:
        raise _unusable(workspace.home, error) from error
    free = shutil.disk_usage(workspace.home).free
    if free < LOW_DISK_BYTES:
        megabytes = free // 1024**2
        return [f"Only {megabytes} MB are free on the disk with {workspace.home}; a training may not be able to save."]
    return []


def load_secret(workspace: Workspace) -> str:
    """The key that signs session cookies: made at the first start, kept for the next ones. Raises WorkspaceError."""
    path = workspace.secret
    try:
        if path.exists():
            path.chmod(0o600)
            secret = path.read_text(encoding="ascii", errors="replace").strip()
            if len(secret) == 2 * SECRET_BYTES and secret.isalnum():
                return secret
        secret = secrets.token_hex(SECRET_BYTES)
        write_atomically(path, secret + "\n")
    except OSError as error:
        raise WorkspaceError(
            f"The session key {path} cannot be used: {error.strerror}.", "Check the permissions of the home folder."
        ) from error
    return secret


def check_port(host: str, port: int) -> None:
    """Raises WorkspaceError, with the next free port in its hint, when nobody can listen there."""
    error = _listening_error(host, port)
    if error is None:
        return
    if error.errno == errno.EADDRINUSE:
        free = next((p for p in range(port + 1, min(port + PORTS_TRIED, 65536)) if not _listening_error(host, p)), None)
        hint = f"Start it with --port {free}" if free else "Choose another port with --port"
        raise WorkspaceError(
            f"Port {port} is in use by another program (or another qlora-ui).", f"{hint}, or end that program."
        )
    if error.errno == errno.EACCES:
        raise WorkspaceError(f"The system does not let you listen at port {port}.", "Choose a port above 1023.")
    raise WorkspaceError(
        f"Nothing can listen at {host}, port {port}: {error.strerror or error}.", "Check --host and --port."
    )


def _listening_error(host: str, port: int) -> OSError | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server itself will do
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        return error
    return None


def _unusable(home: Path, error: OSError) -> WorkspaceError:
    hint = "Choose another folder with --home, or set QLORA_UI_HOME."
    if isinstance(error, FileExistsError | NotADirectoryError):
        culprit = next((part for part in (home, *home.parents) if part.exists() and not part.is_dir()), home)
        return WorkspaceError(f"The home folder {home} cannot be used: {culprit} is a file, not a folder.", hint)
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return WorkspaceError(f"The home folder {home} cannot be written: {error.strerror}.", hint)
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return WorkspaceError(f"The disk with the home folder {home} is full.", f"Free some space. {hint}")
    return WorkspaceError(f"The home folder {home} cannot be used: {error.strerror}.", hint)
