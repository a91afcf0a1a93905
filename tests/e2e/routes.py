"""Every page of the app by a name of its own, as a home has them in which something of every kind has happened."""

from __future__ import annotations

import httpx

from tests.fakes.server import RunningServer

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
    "glossary": "/help/glossary",
    "shortcuts": "/help/shortcuts",
    "accessibility": "/help/keyboard-and-accessibility",
    "parameters": "/help/parameters",
    "architecture": "/help/architecture",
    "performance": "/help/performance",
    "translating": "/help/translating",
    "not found": "/nowhere",
}
RUNS = {
    "finished run": ("training", "completed"),
    "failed run": ("training", "failed"),
    "interrupted run": ("training", "interrupted"),
    "running run": ("training", "running"),
    "waiting run": ("training", "pending"),
    "score": ("evaluation", "completed"),
    "receipt": ("merge", "completed"),
}
"""Pages of runs, by kind and status."""
ROUTES = (*PAGES, *RUNS)
DOCUMENTS = ("accessibility", "parameters", "architecture", "performance", "translating")
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
