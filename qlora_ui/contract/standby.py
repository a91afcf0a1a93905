"""What a server and the worker that waits for a run say to each other: one line each way, over its pipes.

The worker says READY once its libraries are loaded. The server answers with an Assignment, which the worker has TAKEN
once its output goes to the run's console. When the pipe ends before that, so does the worker.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

READY = b"ready\n"
TAKEN = b"taken\n"


@dataclass(frozen=True)
class Assignment:
    """The run that a waiting worker is to do."""

    folder: Path
    """Absolute; its name is the run's id."""
    environment: Mapping[str, str]
    """All of it: what the worker would have been started with."""

    def as_line(self) -> bytes:
        """ASCII, so that names and values of the environment that are no text survive too."""
        return json.dumps({"folder": str(self.folder), "environment": dict(self.environment)}).encode() + b"\n"

    @classmethod
    def of_line(cls, line: bytes) -> Assignment:
        """Raises ValueError or KeyError for what is none."""
        document = json.loads(line)
        return cls(Path(document["folder"]), document["environment"])
