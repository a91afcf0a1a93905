"""Chat templates are programs of strangers: compiled and run here so that they can neither do harm nor go on for ever.

What a template can reach is what transformers gives it: Jinja's immutable sandbox, the filters and globals that chat
templates count on, and `{% generation %}` around what a model writes. On top of that come bounds, because the sandbox
has none: on the turns of loops and macros, the time, the text that comes out, and the size of every value made in
between. Not covered: what one call makes out of a list of long lists, or out of long values by `translate`, `wordwrap`
or `sum`. Nothing but the memory of the process bounds that, and the clock is not looked at meanwhile.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jinja2

from qlora_ui.data.templates.bounds import CLOSED, OPENED, BoundedEnvironment, Refusal

LONGEST_TEMPLATE = 1_000_000
"""Characters."""
Span = tuple[int, int]
"""Start and end in characters, the end not included."""


class ChatTemplateError(Exception):
    """A chat template cannot be compiled or run."""

    def __init__(self, reason: str, line: int | None = None, *, refused: bool = False) -> None:
        super().__init__(reason if line is None or refused else f"{reason} (line {line} of the template)")
        self.reason = reason
        """What is wrong, without a full stop."""
        self.line = line
        """Of the template, from 1; None where it is not known."""
        self.refused = refused
        """The template itself says that it does not take these messages."""


class Compiled:
    """A template that is ready to run. One at a time: it is not for several threads at once."""

    def __init__(self, text: str) -> None:
        """Raises ChatTemplateError with the line of a mistake."""
        if len(text) > LONGEST_TEMPLATE:
            raise ChatTemplateError(f"it is longer than {LONGEST_TEMPLATE:,} characters")
        self.text = text
        self.has_marks = "endgeneration" in text
        self._environment = BoundedEnvironment()
        try:
            code = self._environment.compile(self._environment.bounded(text), filename="<template>")
        except jinja2.TemplateSyntaxError as error:
            raise ChatTemplateError(_plain(error.message or "it cannot be read"), error.lineno) from None
        except (RecursionError, MemoryError, OverflowError, SyntaxError, ValueError):
            raise ChatTemplateError("it is nested too deeply to be read") from None
        self._template = self._environment.template_class.from_code(
            self._environment, code, dict(self._environment.globals)
        )

    def render(self, values: dict[str, Any]) -> str:
        """Raises ChatTemplateError when the template refuses the values, breaks, or does not come to an end."""
        budget = self._environment.begin()
        pieces: list[str] = []
        try:
            for piece in self._template.root_render_func(self._template.new_context(values)):
                pieces.append(piece)
                budget.take(len(piece))
            return "".join(pieces)
        except Exception as error:
            problem = self._problem(error)
        pieces.clear()
        raise problem  # out here, so that it does not keep what the template has made: there may be one for each row

    def render_marked(self, values: dict[str, Any]) -> tuple[str, list[Span]]:
        """The text, and where its `{% generation %}` blocks lie in it."""
        self._environment.marking = True
        try:
            marked = self.render(values)
        finally:
            self._environment.marking = False
        return _unmarked(marked)

    def _problem(self, error: Exception) -> ChatTemplateError:
        line, trace = None, error.__traceback__
        while trace is not None:  # the innermost frame that is the template's
            if trace.tb_frame.f_globals.get("__jinja_template__") is self._template:
                line = self._template.get_corresponding_lineno(trace.tb_lineno)
            trace = trace.tb_next
        if isinstance(error, Refusal):
            return ChatTemplateError(_plain(str(error)), line, refused=True)
        if isinstance(error, RecursionError):
            return ChatTemplateError("it calls itself without end", line)
        if isinstance(error, MemoryError):
            return ChatTemplateError("it needs too much memory", line)
        return ChatTemplateError(_plain(str(error)) or type(error).__name__, line)


@lru_cache(maxsize=16)
def compiled(text: str) -> Compiled:
    """The template, compiled once. Raises ChatTemplateError with the line of a mistake."""
    return Compiled(text)


def _unmarked(marked: str) -> tuple[str, list[Span]]:
    pieces, spans, length = [], [], 0
    for part in marked.split(OPENED):
        inside, closed, after = part.partition(CLOSED)
        if closed:
            spans.append((length, length + len(inside)))
        pieces += [inside, after]
        length += len(inside) + len(after)
    return "".join(pieces), spans


def _plain(reason: str) -> str:
    return " ".join(reason.split()).rstrip(".!")
