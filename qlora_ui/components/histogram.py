"""How many things are how long, as bars with a mark where they are cut; drawn as SVG, without a library."""

from __future__ import annotations

from html import escape

from nicegui import ui

from qlora_ui.contract.inspection import Histogram
from qlora_ui.locales import _
from qlora_ui.locales.figures import number

_WIDTH, _HEIGHT, _GAP = 600.0, 120.0, 2.0


def histogram(lengths: Histogram, cut: int, *, label: str) -> None:
    """Bars of equal width, one a bin. What is longer than `cut` is in the colour of a warning.

    A screen reader hears `label`, the middle and the ends, and finds the figures in a table that is folded away.
    """
    with ui.element("figure").classes("qu-histogram"):
        ui.html(_drawn(lengths, cut, _in_words(lengths, label)), sanitize=False)
        ui.html(_scale(lengths), sanitize=False)
        with ui.element("details").classes("qu-more"):
            ui.html(f'<summary class="qu-xs">{escape(_("As a table"))}</summary>{_table(lengths)}', sanitize=False)


def _in_words(lengths: Histogram, label: str) -> str:
    median, p95, longest = number(lengths.median), number(lengths.p95), number(lengths.longest)
    return _(
        "{label}: half have at most {median}, 95 % at most {p95}, the longest has {longest}.",
        label=label,
        median=median,
        p95=p95,
        longest=longest,
    )


def _drawn(lengths: Histogram, cut: int, words: str) -> str:
    highest, width = max(lengths.counts, default=0) or 1, _WIDTH / max(1, len(lengths.counts))
    bars = "".join(
        f'<rect x="{index * width + _GAP / 2:.1f}" y="{_HEIGHT - height:.1f}" width="{width - _GAP:.1f}" '
        f'height="{height:.1f}"{_class(lengths.edges[index] >= cut)}>'
        f"<title>{escape(_bar(lengths, index))}</title></rect>"
        for index, count in enumerate(lengths.counts)
        if (height := max(1.5, count / highest * _HEIGHT) if count else 0.0)
    )
    place = _place(lengths, cut) * width
    line = f'<line x1="{place:.1f}" x2="{place:.1f}" y1="0" y2="{_HEIGHT}"/>' if place < _WIDTH else ""
    box = f'viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" preserveAspectRatio="none" role="img"'
    return f'<svg class="qu-bars" {box} aria-label="{escape(words)}">{bars}{line}</svg>'


def _class(is_cut: bool) -> str:
    return ' class="cut"' if is_cut else ""


def _place(lengths: Histogram, cut: int) -> float:
    """Where a length lies, in bins from the left."""
    for index, (low, high) in enumerate(zip(lengths.edges, lengths.edges[1:], strict=False)):
        if cut < high:
            return index + max(0.0, (cut - low) / (high - low))
    return float(len(lengths.counts))


def _scale(lengths: Histogram) -> str:
    middle = lengths.edges[len(lengths.edges) // 2]
    marks = (lengths.edges[0], middle, lengths.edges[-1])
    return f'<div class="qu-scale" aria-hidden="true">{"".join(f"<span>{number(mark)}</span>" for mark in marks)}</div>'


def _bar(lengths: Histogram, index: int) -> str:
    low, high = number(lengths.edges[index]), number(lengths.edges[index + 1] - 1)
    return _("{low} to {high} tokens: {count}", low=low, high=high, count=number(lengths.counts[index]))


def _table(lengths: Histogram) -> str:
    rows = "".join(
        f"<tr><th scope='row'>{number(lengths.edges[i])}–{number(lengths.edges[i + 1] - 1)}</th>"
        f"<td>{number(count)}</td></tr>"
        for i, count in enumerate(lengths.counts)
        if count
    )
    head = f"<tr><th scope='col'>{escape(_('Tokens'))}</th><th scope='col'>{escape(_('Examples'))}</th></tr>"
    return f'<table class="qu-figures"><thead>{head}</thead><tbody>{rows}</tbody></table>'
