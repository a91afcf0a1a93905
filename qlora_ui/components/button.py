"""Buttons, and links that look like them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Literal

from nicegui import ui
from nicegui.elements.mixins.disableable_element import DisableableElement
from nicegui.elements.mixins.text_element import TextElement

from qlora_ui.components.text import Text
from qlora_ui.components.toast import toast_error
from qlora_ui.contract.errors import QloraUiError
from qlora_ui.theme import Icon

Variant = Literal["primary", "secondary", "ghost", "danger"]
Size = Literal["sm", "md", "lg"]


class Button(TextElement, DisableableElement, default_classes="qu-btn"):
    """Does something when it is pressed.

    While an async `on_click` runs, the button shows that it works and takes no second click. A QloraUiError that it
    raises is shown to the person; any other error is the page's own and goes to the log.
    A disabled button keeps its place in the tab order, so that `disable_because` can be read: with the mouse as a
    tooltip, with the keyboard in a box that stands below the button while it has the focus.
    """

    def __init__(
        self,
        text: str = "",
        on_click: Callable[[], Any] | None = None,
        *,
        icon: str = "",
        icon_after: str = "",
        variant: Variant = "secondary",
        size: Size = "md",
        is_loading: bool = False,
        is_disabled: bool = False,
    ) -> None:
        super().__init__(tag="button", text=text)
        self._on_click = on_click
        self._is_loading = False
        self._reason: Text | None = None
        self._props["type"] = "button"
        self.classes(f"qu-btn-{variant} qu-btn-{size}")
        with self:
            if icon or icon_after:
                self.icon = Icon(icon or icon_after)
        if icon_after:
            self.classes("qu-btn-after")
        self.on("click", self._press)
        self.set_loading(is_loading)
        self.set_enabled(not is_disabled)

    def set_loading(self, value: bool) -> None:
        """Show that the work behind the button is under way."""
        self._is_loading = value
        if value:
            self.classes("qu-btn-loading")
        else:
            self.classes(remove="qu-btn-loading")
        self._props["aria-busy"] = "true" if value else "false"

    def disable_because(self, reason: str) -> None:
        """Disable it and say why, in words; an empty reason enables it."""
        self.set_enabled(not reason)
        if self._reason is None:
            with self:
                self._reason = Text(classes="qu-reason")
            self._reason._props["aria-hidden"] = "true"  # it describes the button and is no part of its name
        self._reason.text = reason
        self._describe("aria-describedby", self._reason.html_id if reason else "")
        self._describe("title", reason or self._props.get("aria-label", ""))

    def _describe(self, attribute: str, value: str) -> None:
        if value:
            self._props[attribute] = value
        else:
            self._props.pop(attribute, None)

    @property
    def is_ignoring_events(self) -> bool:
        return super().is_ignoring_events or self._is_loading

    async def _press(self) -> None:
        if self._on_click is None:
            return
        try:
            result = self._on_click()
            if inspect.isawaitable(result):
                self.set_loading(True)
                await result
        except QloraUiError as error:
            toast_error(error)
        finally:
            if not self.is_deleted:
                self.set_loading(False)

    def _handle_enabled_change(self, enabled: bool) -> None:
        self._props["aria-disabled"] = "false" if enabled else "true"


def icon_button(
    label: str,
    icon: str,
    on_click: Callable[[], Any] | None = None,
    *,
    variant: Variant = "ghost",
    size: Size = "md",
    is_disabled: bool = False,
) -> Button:
    """A button with a picture only; `label` is its name for screen readers and its tooltip."""
    button = Button("", on_click, icon=icon, variant=variant, size=size, is_disabled=is_disabled).classes("qu-btn-icon")
    button._props.update({"aria-label": label, "title": label})
    return button


def link_button(
    text: str, target: str, *, icon: str = "", icon_after: str = "", variant: Variant = "secondary", size: Size = "md"
) -> ui.link:
    """A link to another page of the app that stands among buttons and looks like one."""
    link = ui.link(text, target).classes(f"qu-btn qu-btn-{variant} qu-btn-{size}")
    if icon or icon_after:
        with link:
            Icon(icon or icon_after)
    if icon_after:
        link.classes("qu-btn-after")
    return link
