"""The few icons that Quasar's own widgets draw, as shapes, so that no icon font (126 KiB) has to be loaded for them."""

from __future__ import annotations

import json

_LINES = "fill:none;stroke:currentColor;stroke-width:1.75;stroke-linecap:round;stroke-linejoin:round"
_CHEVRON_DOWN = ("m6 9 6 6 6-6",)
_CROSS = ("M18 6 6 18", "m6 6 12 12")
_SHAPES = {
    "arrow_drop_down": _CHEVRON_DOWN,
    "keyboard_arrow_down": _CHEVRON_DOWN,
    "cancel": _CROSS,
    "close": _CROSS,
    "check": ("M20 6 9 17l-5-5",),
    "error": ("M12 3a9 9 0 1 0 0 18 9 9 0 1 0 0-18", "M12 8v4", "M12 16h.01"),
    "visibility": ("M2 12c4-9.3 16-9.3 20 0-4 9.3-16 9.3-20 0", "M12 9a3 3 0 1 0 0 6 3 3 0 1 0 0-6"),
    "visibility_off": ("M2 12c4-9.3 16-9.3 20 0-4 9.3-16 9.3-20 0", "M12 9a3 3 0 1 0 0 6 3 3 0 1 0 0-6", "m4 4 16 16"),
}
"""Paths within 24 by 24, by Quasar's names."""


def script() -> str:
    """JavaScript for where NiceGUI sets Quasar up; an icon of another name stays one of the font."""
    shapes = {name: "&&".join(f"{path}@@{_LINES}" for path in paths) for name, paths in _SHAPES.items()}
    return (
        f"const shapes = {json.dumps(shapes)};\n"
        "app.config.globalProperties.$q.iconMapFn = (name) => (shapes[name] ? { icon: shapes[name] } : undefined);\n"
    )
