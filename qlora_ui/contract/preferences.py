"""How a person likes the app, and what they want to be told of."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from qlora_ui.contract.records import Moment


class NotificationPreferences(BaseModel):
    """What a person is told of: in the app always by the bell, beyond it where `browser` is on."""

    job_complete: bool = True
    errors: bool = True
    updates: bool = False
    """Ask the package index once a day whether there is a newer qlora-ui; never with `--offline`."""
    browser: bool = False
    """Let the browser show what is told while another window is in front."""
    seen_until: Moment | None = None
    """What was told up to then has been read."""


class AccessibilityPreferences(BaseModel):
    """Beyond what the browser itself asks for, which is followed in any case."""

    reduced_motion: bool = False
    high_contrast: bool = False
    screen_reader: bool = False
    """More text and tables in place of charts that redraw themselves."""
    shortcuts: bool = True
    """Single letters do something, such as `t` for the theme; voice control and some hands are better off without."""


class UserPreferences(BaseModel):
    """How a person likes the app."""

    theme: Literal["light", "dark", "system"] = "system"
    language: str = ""
    """A code of `locales`; empty as long as it is what the browser asks for."""
    sidebar_collapsed: bool = False
    default_model: str = ""
    """What a new fine-tune begins with; empty for none."""
    merged_folder: str = ""
    """The folder in which merges make a folder each; empty for the models of the home folder."""
    guide_hidden: bool = False
    """The first-run guide was put away."""
    dismissed: list[str] = Field(default_factory=list)
    """What was dismissed from what needs attention, `<run id>:<attempt>:<status>` each, the newest last."""
    notifications: NotificationPreferences = Field(default_factory=NotificationPreferences)
    accessibility: AccessibilityPreferences = Field(default_factory=AccessibilityPreferences)
