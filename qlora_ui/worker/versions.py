"""Which versions of the libraries made a result."""

from __future__ import annotations

import platform
from importlib.metadata import version

_LIBRARIES = ("torch", "transformers", "peft", "bitsandbytes", "accelerate", "tokenizers")


def versions() -> dict[str, str]:
    """Library → version, with Python's and this program's own."""
    return {"qlora-ui": version("qlora-ui"), "python": platform.python_version()} | {
        library: version(library) for library in _LIBRARIES
    }
