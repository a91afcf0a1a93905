"""The pages of the app. `register` makes them all known; each module builds one of them."""

from qlora_ui.pages.shell.frame import register

__all__ = ["register"]
