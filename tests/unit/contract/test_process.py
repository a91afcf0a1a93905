"""Which process it is: alive, of this boot, or a later one with the same number."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from qlora_ui.contract import process
from qlora_ui.contract.process import ProcessIdentity


def test_a_dead_process_is_not_alive_even_before_it_is_reaped() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = ProcessIdentity.of(child.pid)
    assert identity.is_alive
    assert not ProcessIdentity(pid=child.pid, started="another start").is_alive
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not identity.is_alive
    child.communicate()
    assert not identity.is_alive
    with pytest.raises(ProcessLookupError):
        ProcessIdentity.of(child.pid)


def test_a_sandbox_that_hides_the_boot_id_still_knows_its_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    read = Path.read_text

    def hidden(path: Path, *arguments: Any, **options: Any) -> str:
        if path.name == "boot_id":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return read(path, *arguments, **options)

    monkeypatch.setattr(Path, "read_text", hidden)
    process._boot.cache_clear()
    try:
        assert ProcessIdentity.of().is_alive
    finally:
        process._boot.cache_clear()


def test_a_process_of_another_boot_is_known_as_such() -> None:
    here = ProcessIdentity.of()
    assert here.is_of_this_boot is True
    boot, _, ticks = here.started.rpartition(":")
    if not boot:
        pytest.skip("this system hides the id of its boot")
    assert ProcessIdentity(pid=here.pid, started=f"another-boot:{ticks}").is_of_this_boot is False
    assert ProcessIdentity(pid=here.pid, started="never").is_of_this_boot is None


def test_a_process_older_than_the_first_one_is_of_an_earlier_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_start_of", lambda pid: "boot:500")
    assert ProcessIdentity(pid=7, started="boot:499").is_of_this_boot is False
    assert ProcessIdentity(pid=7, started="boot:501").is_of_this_boot is True
    assert ProcessIdentity(pid=7, started=":501").is_of_this_boot is None
