"""What there is to read below `/help`: a fixed list, so that no address ever becomes the name of a file."""

from __future__ import annotations

from dataclasses import dataclass

from qlora_ui.locales import mark


@dataclass(frozen=True)
class Topic:
    """A page of help: its title, what a person finds there, its icon. The texts are marked: show them through `_`."""

    title: str
    about: str
    icon: str
    file: str = ""
    """The page of `docs/` that it shows; empty for one that is built by code."""


TOPICS: dict[str, Topic] = {
    "/help/glossary": Topic(
        mark("Glossary"),
        mark("What the words of the field mean, in a sentence or two each."),
        "book-open",
    ),
    "/help/shortcuts": Topic(
        mark("Keyboard shortcuts"),
        mark("Which keys do what, on every page."),
        "keyboard",
    ),
    "/help/keyboard-and-accessibility": Topic(
        mark("Keyboard and accessibility"),
        mark("How to use the app without a mouse or with a screen reader, and what was tested."),
        "accessibility",
        "keyboard-and-accessibility.md",
    ),
    "/help/data": Topic(
        mark("Data"),
        mark("What can be given, how it is read and mended, which tokens are trained, and where the limits lie."),
        "database",
        "data.md",
    ),
    "/help/training": Topic(
        mark("Choosing settings"),
        mark("What the settings of a training do together, and which of them do not go together."),
        "layers",
        "training.md",
    ),
    "/help/jobs": Topic(
        mark("Jobs and the queue"),
        mark("How runs wait, stop, pause and go on, and how new runs are made from old ones."),
        "list-ordered",
        "jobs.md",
    ),
    "/help/recovery": Topic(
        mark("When something goes wrong"),
        mark("Why a run ended, what survives a crash or a power cut, and how the home folder is moved."),
        "triangle-alert",
        "recovery.md",
    ),
    "/help/parameters": Topic(
        mark("Parameters"),
        mark("Every setting of a training, an evaluation and a merge, with its default and its range."),
        "sliders-horizontal",
        "parameters.md",
    ),
    "/help/monitoring": Topic(
        mark("Watching a training"),
        mark("What a run tells while you are away, when it ends by itself, and where else its curves can go."),
        "bell",
        "monitoring.md",
    ),
    "/help/architecture": Topic(
        mark("How it works"),
        mark("What happens between the click and the adapter, and which file says what."),
        "git-merge",
        "architecture.md",
    ),
    "/help/performance": Topic(
        mark("Performance"),
        mark("How fast and how accurate it is, where that was measured, and how to measure it again."),
        "chart-column",
        "performance.md",
    ),
    "/help/translating": Topic(
        mark("Translating"),
        mark("How to mend a translation, or to add a language."),
        "languages",
        "translating.md",
    ),
}

HELP_PATHS: dict[str, str] = {"/help": "Help", **{path: topic.title for path, topic in TOPICS.items()}}
"""Every path of help, and the name of the browser's tab until the page gives its own."""
