"""A standby worker that loads nothing and does its run as the fake worker does.

    python tests/fakes/standby.py DEVICE

`FAKE_STANDBY` scripts its fate: `broken` ends while it loads, `mute` takes no run, `loading` never gets ready.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.standby import READY
from qlora_ui.worker import standby
from tests.fakes import worker

FATE = os.environ.get("FAKE_STANDBY", "")


def load(_device: str) -> None:
    print("a library said this while it was loaded", file=sys.stderr)
    match FATE:
        case "broken":
            raise ImportError("libnothing.so is missing")
        case "loading":
            threading.Event().wait()


def work_on(paths: RunPaths) -> int:
    print("printed by", os.environ.get("QLORA_UI_TEST_NAME"), "in", Path.cwd())
    return max(0, worker.main(paths.folder))


def be_mute() -> None:
    """Say that it is ready, and nothing after that."""
    sys.stdout.buffer.write(READY)
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    if FATE == "mute":
        be_mute()
    sys.exit(standby.main(sys.argv[1], load, work_on))
