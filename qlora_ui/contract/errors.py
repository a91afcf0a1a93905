"""The exceptions a person may come to see.

    QloraUiError                what happened, and what to do about it
    ├── ParameterError          a parameter is missing, unknown or out of bounds
    ├── DataError               a file or a row cannot be read as training data; names the place
    ├── ModelError              a model folder or name cannot be loaded
    ├── DeviceError             the chosen device is absent, busy or out of memory
    ├── WorkspaceError          the home folder, its database or the disk cannot be used
    ├── JobError                a job cannot do what was asked of it in its present state
    └── MergeError              a merge does not agree with its adapter

Each docstring is the message of last resort; `message` and `hint` are what the person reads.
"""

from __future__ import annotations


class QloraUiError(Exception):
    """Something went wrong. The log of the run has the details."""

    def __init__(self, message: str = "", hint: str = "") -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        self.hint = hint
        super().__init__(self.message)

    def __str__(self) -> str:
        """The message and the hint as one line of text."""
        return f"{self.message} {self.hint}".strip()


class ParameterError(QloraUiError):
    """A parameter is missing, unknown or out of bounds."""

    def __init__(self, message: str = "", hint: str = "", fields: dict[str, str] | None = None) -> None:
        super().__init__(message, hint)
        self.fields = fields or {}
        """Field name → what is wrong with it, for forms."""


class DataError(QloraUiError):
    """This file cannot be read as training data."""

    def __init__(self, message: str = "", hint: str = "", place: str = "") -> None:
        super().__init__(message, hint)
        self.place = place
        """Where it is: a file name, with the line or row and the column where known."""


class ModelError(QloraUiError):
    """This model cannot be loaded."""


class DeviceError(QloraUiError):
    """The chosen device cannot be used."""


class WorkspaceError(QloraUiError):
    """The home folder cannot be used."""


class JobError(QloraUiError):
    """The job cannot do that in its present state."""


class MergeError(QloraUiError):
    """The merged model does not agree with its adapter."""
