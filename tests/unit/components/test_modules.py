"""A browser is told of every JavaScript module with the first page that it opens."""

from __future__ import annotations

import json
import subprocess
import sys

CODE = """
import json
from importlib import import_module
from pkgutil import walk_packages
from nicegui import dependencies
import qlora_ui.pages
names = lambda: sorted(module.name for module in dependencies.esm_modules.values())
first = names()
from qlora_ui import components, pages
for package in (components, pages):
    for module in walk_packages(package.__path__, package.__name__ + "."):
        import_module(module.name)
from nicegui import ui
ui.codemirror
print(json.dumps([first, names()]))
"""


def test_no_module_becomes_known_only_with_a_later_page() -> None:
    ran = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    first, all_of_them = json.loads(ran.stdout)
    assert "qlora-ui-uploading" in first
    assert first == all_of_them
