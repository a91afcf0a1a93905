"""Data on its way into the workspace: streamed to the disk, and there as a whole or not at all.

A file may come in one request (`receive`), as text that somebody pasted (`receive_text`), or in parts (`parts`), alone
or with others in a folder; what arrived of parts outlives a broken connection and a restart of the server for a day.
"""

from qlora_ui.upload.draft import ABANDONED_S, PREFIX, UnknownUploadError, UploadConflictError, remove_abandoned
from qlora_ui.upload.names import clean_name, clean_path
from qlora_ui.upload.parts import ContentRange, cancel, finish, state, write_part
from qlora_ui.upload.room import DiskFullError, TooLargeError
from qlora_ui.upload.whole import receive, receive_text

__all__ = [
    "ABANDONED_S",
    "PREFIX",
    "ContentRange",
    "DiskFullError",
    "TooLargeError",
    "UnknownUploadError",
    "UploadConflictError",
    "cancel",
    "clean_name",
    "clean_path",
    "finish",
    "receive",
    "receive_text",
    "remove_abandoned",
    "state",
    "write_part",
]
