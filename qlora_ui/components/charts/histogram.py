"""How many things are how long, as bars with a mark where they are cut; without a library and without a script."""

from __future__ import annotations

from html import escape

from nicegui import ui

from qlora_ui.contract.inspection import Histogram
from qlora_ui.locales import _, n_
from qlora_ui.locales.figures import number


def histogram(lengths: Histogram, cut: int, *, label: str) -> None:
    """Bars of equal width, one a bin; what lies right of a line at `cut` is striped in the colour of a warning.

    Pointing at a bar shows its figures. A screen reader hears `label`, the middle and the ends, and finds the figures
    in a table that is folded away. `label` is a heading of level 3.
    """
    with ui.element("figure").classes("qu-histogram"):
        words = escape(f"{label}. {in_words(lengths)}")
        ui.html(
            f'<h3 class="qu-sm qu-muted">{escape(label)}</h3>'
            f'<div class="qu-plot" role="img" aria-label="{words}">{_plot(lengths, cut)}</div>',
            sanitize=False,
        )
        ui.html(
            f'<figcaption class="qu-xs qu-muted qu-num">{escape(in_words(lengths))} '
            f"{escape(cut_in_words(lengths, cut))}</figcaption>"
            f'<details class="qu-more"><summary class="qu-xs">{escape(_("As a table"))}</summary>'
            f"{_table(lengths, label)}</details>",
            sanitize=False,
        )


def in_words(lengths: Histogram) -> str:
    """`Half have at most 97, 95 % at most 130; the longest has 201.`"""
    return _(
        "Half have at most {median}, 95 % at most {p95}; the longest has {longest}.",
        median=number(lengths.median),
        p95=number(lengths.p95),
        longest=number(lengths.longest),
    )


def cut_in_words(lengths: Histogram, cut: int) -> str:
    """What the mark means, or why there is none."""
    if lengths.longest <= cut:
        return _("None is cut: up to {cut} fit.", cut=number(cut))
    return _("What is longer than {cut} is cut.", cut=number(cut))


def _plot(lengths: Histogram, cut: int) -> str:
    place = 100 * _place(lengths, cut)
    highest = max(lengths.counts, default=0)
    bars = "".join(_bar(lengths, index, highest, cut) for index in range(len(lengths.counts)))
    middle = lengths.edges[len(lengths.edges) // 2]
    ticks = (lengths.edges[0], middle, lengths.edges[-1])
    scale = "".join(f'<span style="left:{100 * _place(lengths, tick):.2f}%">{number(tick)}</span>' for tick in ticks)
    return (
        f'<span class="qu-plot-most">{number(highest)}</span><span class="qu-plot-none">{number(0)}</span>'
        f'<div class="qu-bars">{bars}{_cut_mark(place, cut)}</div><div class="qu-scale">{scale}</div>'
    )


def _bar(lengths: Histogram, index: int, highest: int, cut: int) -> str:
    """A column over the whole height, so that a low bar can be pointed at as well; the part that is cut is striped."""
    low, high, count = lengths.edges[index], lengths.edges[index + 1], lengths.counts[index]
    height = max(2.0, 100 * count / highest) if count else 0.0
    whole = 100 * min(1.0, max(0.0, (cut - low) / (high - low)))
    side = "end" if index >= len(lengths.counts) / 2 else "start"
    return (
        f'<i class="{side}" data-about="{escape(_about(low, high - 1, count))}">'
        f'<b style="height:{height:.1f}%;--whole:{whole:.0f}%"></b></i>'
    )


def _about(low: int, high: int, count: int) -> str:
    """`100 to 199 tokens: 55 examples`."""
    if low == high:
        return n_("{low} tokens: {count} example", "{low} tokens: {count} examples", count, low=number(low))
    return n_(
        "{low} to {high} tokens: {count} example",
        "{low} to {high} tokens: {count} examples",
        count,
        low=number(low),
        high=number(high),
    )


def _cut_mark(place: float, cut: int) -> str:
    if place >= 100:
        return ""
    words = escape(_("cut at {length}", length=number(cut)))
    side = "end" if place > 50 else "start"
    return f'<u class="{side}" style="left:{place:.2f}%"><span>{words}</span></u>'


def _place(lengths: Histogram, length: int) -> float:
    """Where a length lies between the ends, from 0 to 1; the bins are of equal width."""
    first, last = lengths.edges[0], lengths.edges[-1]
    return min(1.0, max(0.0, (length - first) / (last - first)))


def _table(lengths: Histogram, label: str) -> str:
    rows = "".join(
        f'<tr><th scope="row">{_bounds(lengths.edges[i], lengths.edges[i + 1] - 1)}</th><td>{number(count)}</td></tr>'
        for i, count in enumerate(lengths.counts)
        if count
    )
    head = f'<tr><th scope="col">{escape(_("Tokens"))}</th><th scope="col">{escape(_("Examples"))}</th></tr>'
    table = f'<table class="qu-figures" aria-label="{escape(label)}">'
    return f"{table}<thead>{head}</thead><tbody>{rows}</tbody></table>"


def _bounds(low: int, high: int) -> str:
    return number(low) if low == high else f"{number(low)}–{number(high)}"
