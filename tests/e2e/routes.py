"""Every page of the app by a name of its own, as a home has them in which something of every kind has happened."""

from __future__ import annotations

import httpx

from qlora_ui.pages.help.paths import TOPICS
from tests.fakes.server import RunningServer

HELP = {path.removeprefix("/help/"): path for path in TOPICS}
"""Each page of help."""
PAGES = {
    "dashboard": "/",
    "train": "/train",
    "playground": "/playground",
    "evaluate": "/evaluate",
    "compare": "/evaluate/dashboard",
    "publish": "/publish",
    "activity": "/activity",
    "settings": "/settings",
    "help": "/help",
    **HELP,
    "not found": "/nowhere",
}
RUNS = {
    "finished run": ("training", "completed"),
    "failed run": ("training", "failed"),
    "interrupted run": ("training", "interrupted"),
    "running run": ("training", "running"),
    "waiting run": ("training", "pending"),
    "paused run": ("training", "paused"),
    "score": ("evaluation", "completed"),
    "receipt": ("merge", "completed"),
}
"""Pages of runs, by kind and status."""
ROUTES = (*PAGES, *RUNS)
DOCUMENTS = tuple(name for name, path in HELP.items() if TOPICS[path].file)
"""Pages of docs/, which are not translated."""
MISSING = ("not found",)
"""Routes whose answer is 404, of which browsers complain."""


def address(app: RunningServer, name: str) -> str:
    """Where the page of this name is in a running app."""
    if name in PAGES:
        return app.url + PAGES[name]
    jobs = httpx.get(f"{app.url}/api/v1/jobs", timeout=30).json()
    found = next(job["id"] for job in jobs if (job["kind"], job["status"]) == RUNS[name])
    return f"{app.url}/activity/{found}"
