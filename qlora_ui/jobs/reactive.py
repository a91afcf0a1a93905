"""All that jobs take from NiceGUI: objects whose fields pages can bind to, and events that pages can listen to."""

from nicegui import Event
from nicegui.binding import bindable_dataclass
from nicegui.binding import remove as forget_bindings

__all__ = ["Event", "bindable_dataclass", "forget_bindings"]
