"""What people are told of without asking: ends of runs, trouble, and, if they like, newer versions of the app."""

from qlora_ui.notifications.service import Notifications

__all__ = ["Notifications"]
