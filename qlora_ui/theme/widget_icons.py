"""The few icons that Quasar's own widgets draw, as shapes, so that no icon font (126 KiB) has to be loaded for them."""

from __future__ import annotations

import json

_LINES = "fill:none;stroke:currentColor;stroke-width:1.75;stroke-linecap:round;stroke-linejoin:round"
_SHAPES = {
    "arrow_drop_down": ("m6 9 6 6 6-6",),
    "keyboard_arrow_down": ("m6 9 6 6 6-6",),
    "cancel": ("M18 6 6 18", "m6 6 12 12"),
}
"""Paths within 24 by 24, by Quasar's names."""


def script() -> str:
    """JavaScript for where NiceGUI sets Quasar up; an icon of another name stays one of the font."""
    shapes = {name: "&&".join(f"{path}@@{_LINES}" for path in paths) for name, paths in _SHAPES.items()}
    return (
        f"const shapes = {json.dumps(shapes)};\n"
        "app.config.globalProperties.$q.iconMapFn = (name) => (shapes[name] ? { icon: shapes[name] } : undefined);\n"
    )
