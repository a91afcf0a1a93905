"""What the system counts of processes that it ended for want of memory."""

from pathlib import Path

import pytest

from qlora_ui.contract.evidence import memory_kills, more_memory_kills


def write(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


VMSTAT = {"proc/vmstat": "nr_free_pages 1\noom_kill 7\ndrop_slab 0\n"}


@pytest.mark.parametrize(
    ("files", "counts"),
    [
        ({}, {}),
        (VMSTAT, {"system": 7}),
        (VMSTAT | {"proc/self/cgroup": "0::/\n"}, {"system": 7}),  # the root has no count of its own
        (
            VMSTAT | {"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.events": "oom 3\noom_kill 2\n"},
            {"system": 7, "/a/b": 2},
        ),
        (
            {
                "proc/self/cgroup": "9:pids:/\n4:cpu,memory:/c\n",
                "sys/fs/cgroup/memory/c/memory.oom_control": "oom_kill 1",
            },
            {"/c#1": 1},
        ),
    ],
)
def test_counts_of_the_system_and_of_the_own_group(
    tmp_path: Path, files: dict[str, str], counts: dict[str, int]
) -> None:
    assert memory_kills(write(tmp_path, files)) == counts


@pytest.mark.parametrize(
    ("then", "now", "answer"),
    [
        ({}, {"system": 1}, None),
        ({"system": 1}, {"system": 1}, False),
        ({"system": 1}, {"system": 2}, True),
        ({"system": 1, "/a": 0}, {"system": 2, "/a": 0}, False),  # somebody else's container
        ({"system": 1, "/a": 0}, {"system": 2, "/a": 1}, True),
        ({"system": 1, "/a": 0}, {"system": 2, "/b": 0}, True),  # another group: only the system's count is common
    ],
)
def test_two_looks_are_compared(then: dict[str, int], now: dict[str, int], answer: bool | None) -> None:
    assert more_memory_kills(then, now) is answer
