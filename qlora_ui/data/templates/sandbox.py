"""Chat templates are programs of strangers: compiled and run here so that they can neither do harm nor go on for ever.

What a template can reach is what transformers gives it: Jinja's immutable sandbox, the filters and globals that chat
templates count on, and `{% generation %}` around what a model writes. On top of that come bounds, because the sandbox
has none: on the turns of loops and macros, the time, the text that comes out, and the size of every value made in
between. Not covered: a filter of Jinja's own that needs long for one small value.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache, wraps
from typing import Any

import jinja2
import jinja2.ext
import jinja2.sandbox
from jinja2 import nodes
from jinja2.visitor import NodeTransformer

LONGEST_TEMPLATE = 1_000_000
"""Characters."""
LONGEST_OUTPUT = 50_000_000
"""Characters of one rendering, and of each value on the way there; items for lists."""
MOST_TURNS = 2_000_000
"""Of all loops and macros in one rendering together."""
SECONDS = 10.0
"""For one rendering."""
_MOST_REPEATS = 1_000_000
"""The largest whole number given to a filter or method: a width, a count."""
_LONG_WIDTH = re.compile(r"\d{6}")
_OPENED, _CLOSED = "\ue010\ue011", "\ue012\ue013"
"""Around what `{% generation %}` encloses, while it is looked for. Private characters, in no script."""

Span = tuple[int, int]
"""Start and end in characters, the end not included."""


class TemplateProblem(Exception):
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
        """Raises TemplateProblem with the line of a mistake."""
        if len(text) > LONGEST_TEMPLATE:
            raise TemplateProblem(f"it is longer than {LONGEST_TEMPLATE:,} characters")
        self.text = text
        self.has_marks = "endgeneration" in text
        self._environment = _Environment()
        try:
            tree = _Bounding(self._environment).visit(self._environment.parse(text))
            code = self._environment.compile(tree, filename="<template>")
        except jinja2.TemplateSyntaxError as error:
            raise TemplateProblem(_plain(error.message or "it cannot be read"), error.lineno) from None
        except (RecursionError, MemoryError, OverflowError, SyntaxError, ValueError):
            raise TemplateProblem("it is nested too deeply to be read") from None
        self._template = self._environment.template_class.from_code(
            self._environment, code, self._environment.make_globals(None)
        )

    def render(self, values: Mapping[str, Any]) -> str:
        """Raises TemplateProblem when the template refuses the values, breaks, or does not come to an end."""
        budget = self._environment.begin()
        pieces: list[str] = []
        try:
            for piece in self._template.root_render_func(self._template.new_context(values)):
                pieces.append(piece)
                budget.take(len(piece))
            return "".join(pieces)
        except Exception as error:
            raise self._problem(error) from None

    def render_marked(self, values: Mapping[str, Any]) -> tuple[str, list[Span]]:
        """The text, and where its `{% generation %}` blocks lie in it."""
        self._environment.marking = True
        try:
            marked = self.render(values)
        finally:
            self._environment.marking = False
        return _unmarked(marked)

    def _problem(self, error: Exception) -> TemplateProblem:
        line, trace = None, error.__traceback__
        while trace is not None:  # the innermost frame that is the template's
            if trace.tb_frame.f_globals.get("__jinja_template__") is self._template:
                line = self._template.get_corresponding_lineno(trace.tb_lineno)
            trace = trace.tb_next
        if isinstance(error, _Refusal):
            return TemplateProblem(_plain(str(error)), line, refused=True)
        if isinstance(error, RecursionError):
            return TemplateProblem("it calls itself without end", line)
        if isinstance(error, MemoryError):
            return TemplateProblem("it needs too much memory", line)
        return TemplateProblem(_plain(str(error)) or type(error).__name__, line)


@lru_cache(maxsize=16)
def compiled(text: str) -> Compiled:
    """The template, compiled once. Raises TemplateProblem with the line of a mistake."""
    return Compiled(text)


class _Refusal(jinja2.TemplateError):
    """What `raise_exception` of a template raises."""


class _Budget:
    """What one rendering may still use."""

    def __init__(self) -> None:
        self.characters = LONGEST_OUTPUT
        self.turns = MOST_TURNS
        self.deadline = time.monotonic() + SECONDS

    def take(self, characters: int) -> None:
        self.characters -= characters
        if self.characters < 0:
            raise jinja2.TemplateRuntimeError(f"it writes more than {LONGEST_OUTPUT:,} characters")

    def turn(self) -> None:
        self.turns -= 1
        if self.turns < 0:
            raise jinja2.TemplateRuntimeError(f"its loops go round more than {MOST_TURNS:,} times")
        if self.turns % 64 == 0 and time.monotonic() > self.deadline:
            raise jinja2.TemplateRuntimeError(f"it takes longer than {SECONDS:.0f} seconds")


class _Environment(jinja2.sandbox.ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, jinja2.ext.loopcontrols])
        self.filters["tojson"] = _to_json
        self.filters = {name: _bounded(function) for name, function in self.filters.items()}
        self.filters["within_bounds"] = _within_bounds
        self.globals |= {
            "raise_exception": _refuse,
            "strftime_now": lambda form: datetime.now().strftime(form),
            "dict": dict,
            "namespace": _Namespace,
        }
        del self.globals["lipsum"]
        self.marking = False
        self._budget = _Budget()

    def begin(self) -> _Budget:
        self._budget = _Budget()
        return self._budget

    @property
    def turned(self) -> None:
        """Read at each turn of a loop, which counts it."""
        self._budget.turn()

    def joined(self, *values: Any) -> str:
        """What `~` gives."""
        return _within_bounds("".join(map(str, values)))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "*" and _size(left) * _number(right) + _size(right) * _number(left) > LONGEST_OUTPUT:
            raise _too_large()
        if operator == "**" and (_number(right) > 64 or abs(_number(left)) > 2**64):
            raise _too_large()
        if operator == "%" and isinstance(left, str) and _asks_for_width(left, right):
            raise _too_large()
        return _within_bounds(super().call_binop(context, operator, left, right))

    def call(self, context: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        target = getattr(getattr(function, "__wrapped__", function), "__self__", None)
        if isinstance(target, str | list | tuple | dict):
            _check_arguments(function.__name__, target, args, kwargs)
        return _within_bounds(super().call(context, function, *args, **kwargs))


class _Generation(jinja2.ext.Extension):
    """`{% generation %}…{% endgeneration %}`: what the model writes."""

    tags = {"generation"}

    def parse(self, parser: Any) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_enclose"), [], [], body).set_lineno(line)

    def _enclose(self, caller: Callable[[], str]) -> str:
        return f"{_OPENED}{caller()}{_CLOSED}" if self.environment.marking else caller()  # type: ignore[attr-defined]


class _Bounding(NodeTransformer):
    """Put the bounds into a template's tree."""

    def __init__(self, environment: _Environment) -> None:
        self._environment = environment

    def _counted(self, node: Any) -> nodes.Node:
        self.generic_visit(node)
        turned = nodes.EnvironmentAttribute("turned", environment=self._environment)
        node.body.insert(0, nodes.ExprStmt(turned, lineno=node.lineno, environment=self._environment))
        return node  # type: ignore[no-any-return]

    visit_For = visit_Macro = visit_CallBlock = _counted

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        joined = nodes.EnvironmentAttribute("joined")
        made = nodes.Call(joined, node.nodes, [], None, None, lineno=node.lineno)
        return made.set_environment(self._environment)

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> nodes.Node:
        self.generic_visit(node)
        within: Any = nodes.Filter(node.filter, "within_bounds", [], [], None, None, lineno=node.lineno)  # type: ignore[arg-type]
        node.filter = within.set_environment(self._environment)
        return node


class _Namespace(jinja2.utils.Namespace):
    """Jinja's namespace, without names that reach into Python."""

    def __init__(*args: Any, **kwargs: Any) -> None:  # `self` among them, so that a template may use that name
        self, *given = args
        values = dict(*given, **kwargs)
        for name in values:
            _check_name(name)
        jinja2.utils.Namespace.__init__(self, values)

    def __setitem__(self, name: str, value: Any) -> None:
        _check_name(name)
        super().__setitem__(name, value)


def _check_name(name: object) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise jinja2.sandbox.SecurityError(f"the name {name!r} starts with an underscore, which is not allowed")


def _bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, with a bound on what it is asked for and on what it makes."""
    skipped = 1 if hasattr(function, "jinja_pass_arg") else 0

    @wraps(function)
    def bounded(*args: Any, **kwargs: Any) -> Any:
        _check_arguments(function.__name__.removeprefix("do_"), args[skipped], args[skipped + 1 :], kwargs)
        return _within_bounds(function(*args, **kwargs))

    return bounded


def _check_arguments(name: str, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    values = (*args, *kwargs.values())
    if any(_number(value) > _MOST_REPEATS for value in values):
        raise _too_large()
    if name == "replace" and len(values) >= 2 and isinstance(target, str) and _size(values[1]) > 1:
        if (target.count(str(values[0])) + 1) * _size(values[1]) > LONGEST_OUTPUT:
            raise _too_large()
    if name == "join" and _size(target) * max(map(_size, values), default=0) > LONGEST_OUTPUT:
        raise _too_large()
    if name in ("format", "format_map") and isinstance(target, str) and _LONG_WIDTH.search(target):
        raise _too_large()


def _asks_for_width(form: str, values: Any) -> bool:
    given = values if isinstance(values, tuple) else (values,)
    return bool(_LONG_WIDTH.search(form)) or ("*" in form and any(_number(value) > _MOST_REPEATS for value in given))


def _within_bounds(value: Any) -> Any:
    if _size(value) > LONGEST_OUTPUT:
        raise _too_large()
    return value


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str | list | tuple) else 0


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _too_large() -> jinja2.TemplateRuntimeError:
    return jinja2.TemplateRuntimeError("it makes a value that is too large")


def _refuse(message: object) -> None:
    raise _Refusal(str(message))


def _to_json(
    value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
) -> str:
    """As transformers writes it: unlike Jinja's own, without escapes for HTML."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _unmarked(marked: str) -> tuple[str, list[Span]]:
    pieces, spans, length = [], [], 0
    for part in marked.split(_OPENED):
        inside, closed, after = part.partition(_CLOSED)
        if closed:
            spans.append((length, length + len(inside)))
        pieces += [inside, after]
        length += len(inside) + len(after)
    return "".join(pieces), spans


def _plain(reason: str) -> str:
    return " ".join(reason.split()).rstrip(".")
