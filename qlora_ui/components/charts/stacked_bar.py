"""What a whole is made of, as one bar with its parts named below it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from nicegui import ui

from qlora_ui.components.words import share, size


def stacked_bar(parts: Sequence[tuple[str, int]], room: int, *, label: str) -> None:
    """Parts as (name, bytes), drawn in this order, beside the `room` that there is, in bytes.

    Where they are more than the room, the bar is full and a mark shows where the room ends. Below it is a table of the
    parts, which a screen reader finds too; `label` is its name. There are colours for five parts.
    """
    total = sum(count for _name, count in parts)
    whole = max(total, room, 1)
    pieces = "".join(f'<i style="width:{100 * count / whole:.2f}%"></i>' for _name, count in parts)
    end = f'<u style="left:{100 * room / whole:.2f}%"></u>' if total > room else ""
    rows = "".join(
        f'<tr title="{escape(share(count, total))}"><th scope="row"><i></i>{escape(name)}</th>'
        f"<td>{escape(size(count))}</td></tr>"
        for name, count in parts
    )
    ui.html(
        f'<div class="qu-stack" aria-hidden="true">{pieces}{end}</div>'
        f'<table class="qu-stack-parts" aria-label="{escape(label)}"><tbody>{rows}</tbody></table>',
        sanitize=False,
    ).classes("qu-wide")
