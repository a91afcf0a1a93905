"""A process that seems to be a worker at its work, for as long as nobody writes to its input: `at_work.py HOME`.

It changes nothing but says something now and then, so that no server takes its run for a stuck one.
"""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path

from qlora_ui.contract.events import Facts
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import JobRecord
from qlora_ui.worker.report import EventWriter

SAY_EVERY_S = 60.0


def main(home: Path) -> None:
    while not select.select([sys.stdin], [], [], SAY_EVERY_S)[0]:
        for job in home.glob("runs/*/job.json"):
            record = JobRecord.model_validate_json(job.read_bytes())
            if record.process is not None and record.process.pid == os.getpid():
                with EventWriter(Workspace(home).run(record.id).events) as report:
                    report(Facts(values={}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
