"""How much readers take in: what keeps memory, disk and time bounded, whatever a file holds or claims."""

from __future__ import annotations

BLOCK = 1024 * 1024
"""Bytes; about what one block of rows stands for."""

BLOCK_ROWS = 1000
"""At most, of the files whose rows are read while they are cut."""

LONGEST_ROW = 64 * 1024 * 1024
"""Bytes or characters of one row."""

DEEPEST = 100
"""Levels of lists and objects inside one another; few programs that take JSON bear many more."""

MOST_UNPACKED = 100 * 1024**3
"""Bytes that may come out of one packed file."""

FREE_UNPACKED = 100 * 1024**2
"""Bytes that may come out however small the packed file is; from here on the ratio counts."""

HIGHEST_RATIO = 1000
"""Unpacked to packed; text is packed 3 to 20 times."""

MOST_MEMBERS = 100_000
"""Of one archive."""


def megabytes(size: int) -> str:
    return f"{size // 1024**2:,} MB"
