"""The entry point: `qlora-ui` and `python -m qlora_ui`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    from qlora_ui.cli.commands import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
