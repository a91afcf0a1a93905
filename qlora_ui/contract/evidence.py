"""What a process notes when it starts, so that its end can be explained when it wrote none itself."""

from __future__ import annotations

import re
from pathlib import Path

_SYSTEM = "system"
_COUNT = re.compile(rb"^oom_kill (\d+)$", re.MULTILINE)


def memory_kills(root: Path = Path("/")) -> dict[str, int]:
    """How many processes were ended so far because memory ran out: of the whole system, and of our own control group.

    Who counts → the count: `system` since the boot, and the group's path, such as `/user.slice/app.slice`. Two looks
    can be compared where they name the same one. Empty where the system counts nothing, or does not say.
    """
    counts = {_SYSTEM: _count_in(root / "proc/vmstat")}
    for path, file in _own_groups(root):
        counts[path] = _count_in(file)
    return {name: count for name, count in counts.items() if count is not None}


def more_memory_kills(then: dict[str, int], now: dict[str, int]) -> bool | None:
    """Whether a process was ended for want of memory between two looks; None where they cannot be compared.

    The control group's own count decides where both have it: that of the system includes other people's containers.
    """
    shared = then.keys() & now.keys()
    own = shared - {_SYSTEM} or shared
    return any(now[name] > then[name] for name in own) if own else None


def _own_groups(root: Path) -> list[tuple[str, Path]]:
    """The control group that we are in, with the file that counts for it: version 2, then the memory part of 1."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        inner = path.strip("/")
        if not controllers:
            found.append((path, root / "sys/fs/cgroup" / inner / "memory.events"))
        elif "memory" in controllers.split(","):
            found.append((f"{path}#1", root / "sys/fs/cgroup/memory" / inner / "memory.oom_control"))
    return found


def _count_in(file: Path) -> int | None:
    try:
        found = _COUNT.search(file.read_bytes())
    except OSError:
        return None
    return int(found[1]) if found else None
