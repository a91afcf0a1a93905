"""Disks of a few megabytes, in memory, for what happens on a full one or on one that may only be read."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def small_disk(megabytes: int = 8) -> Iterator[Path | None]:
    """Such a disk for a while; None where this system lets us make none.

    It lies outside of pytest's folders: a test that is killed leaves its disk behind, and pytest could not clear that.
    """
    with tempfile.TemporaryDirectory(prefix="small-disk-") as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder]
        if subprocess.run(mount, capture_output=True).returncode:
            yield None
            return
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def remount(disk: Path, options: str) -> None:
    """Have a disk of `small_disk` from now on with other options, such as `ro` or `size=100m`."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(disk)], check=True)
