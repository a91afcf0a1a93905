"""The sandbox that chat templates run in, and its bounds: on loops, time, output and the size of values."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import wraps
from math import prod
from typing import Any

import jinja2
import jinja2.exceptions
import jinja2.ext
import jinja2.sandbox
import jinja2.utils
from jinja2 import nodes
from jinja2.visitor import NodeTransformer

LONGEST_OUTPUT = 50_000_000
"""Characters of one rendering, and of each value on the way there; items for lists."""
MOST_TURNS = 1_000_000
"""Of all loops and macros in one rendering together."""
SECONDS = 5.0
"""For one rendering."""
_WIDTHS_OF_EACH = frozenset({"expandtabs", "indent", "tojson"})
"""Filters and methods that put a width before each line, item or tab."""
_WIDTHS = _WIDTHS_OF_EACH | {"batch", "center", "ljust", "rjust", "slice", "zfill"}
_LARGEST_WIDTH = 1_000_000
_MOST_BITS = 10_000
"""Of a product of whole numbers: by multiplying a number with itself a loop would never come to an end."""
_LONG_WIDTH = re.compile(r"\d{6}")
_WIDTH_INSIDE = re.compile(r"\{[^{}]*:[^{}]*\{")
"""`{0:{1}}`: a width that is given as a value, which may be text or lie anywhere in one."""
OPENED, CLOSED = "\ue010\ue011", "\ue012\ue013"
"""Around what `{% generation %}` encloses, while it is looked for. Private characters, in no script."""


class Refusal(jinja2.TemplateError):
    """What `raise_exception` of a template raises."""


class Budget:
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


class BoundedEnvironment(jinja2.sandbox.ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, jinja2.ext.loopcontrols])
        self.filters["tojson"] = _to_json
        self.filters = {name: _bounded(name, function) for name, function in self.filters.items()}
        self.filters["within_bounds"] = _within_bounds
        self.globals |= {
            "raise_exception": _refuse,
            "strftime_now": _now,
        }
        del self.globals["lipsum"]
        self.marking = False
        self._budget = Budget()

    def bounded(self, text: str) -> nodes.Template:
        """The tree of a template with the bounds in it. Raises jinja2.TemplateSyntaxError."""
        tree: nodes.Template = _Bounding().visit(self.parse(text))
        tree.set_environment(self)
        return tree

    def begin(self) -> Budget:
        self._budget = Budget()
        return self._budget

    @property
    def turned(self) -> None:
        """Read at each turn of a loop, which counts it."""
        self._budget.turn()

    def joined(self, *values: Any) -> str:
        """What `~` gives."""
        text = "".join(map(str, values))
        _within_bounds(text)
        return text

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "+" and type(left) is str is type(right) and len(left) + len(right) <= LONGEST_OUTPUT:
            return left + right  # first, because templates do little else
        if operator == "*" and _size(left) * _number(right) + _size(right) * _number(left) > LONGEST_OUTPUT:
            raise _too_large()
        if operator == "*" and _number(left).bit_length() + _number(right).bit_length() > _MOST_BITS:
            raise _too_large()
        if operator == "**" and (_number(right) > 64 or abs(_number(left)) > 2**64):
            raise _too_large()
        if operator == "%" and isinstance(left, str):
            _check_form(left, right if isinstance(right, tuple) else (right,))
        return _within_bounds(super().call_binop(context, operator, left, right))

    def call(self, context: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        target = getattr(getattr(function, "__wrapped__", function), "__self__", None)
        if isinstance(target, str | list | tuple | dict):
            args = _listed(args) if function.__name__ == "join" else args
            _check_arguments(function.__name__, target, (*args, *kwargs.values()))
        return _within_bounds(super().call(context, function, *args, **kwargs))


class _Generation(jinja2.ext.Extension):
    """`{% generation %}…{% endgeneration %}`: what the model writes."""

    tags = {"generation"}

    def parse(self, parser: Any) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_enclose"), [], [], body).set_lineno(line)

    def _enclose(self, caller: Callable[[], str]) -> str:
        written: str = caller()
        return f"{OPENED}{written}{CLOSED}" if getattr(self.environment, "marking", False) else written


class _Bounding(NodeTransformer):
    """Put the bounds into a template's tree."""

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:
        self.generic_visit(node)
        bounded: nodes.Node = node
        if isinstance(node, nodes.For | nodes.Macro | nodes.CallBlock):
            turned = nodes.EnvironmentAttribute("turned")
            node.body.insert(0, nodes.ExprStmt(turned, lineno=node.lineno))
        elif isinstance(node, nodes.Concat):
            joined = nodes.EnvironmentAttribute("joined")
            bounded = nodes.Call(joined, node.nodes, [], None, None, lineno=node.lineno)
        elif isinstance(node, nodes.AssignBlock):
            node.filter = _filtered(node.filter, node.lineno)
        return bounded


def _filtered(inner: Any, line: int) -> Any:
    return nodes.Filter(inner, "within_bounds", [], [], None, None, lineno=line)


def _bounded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, with a bound on what it is asked for and on what it makes."""
    skipped = 1 if hasattr(function, "jinja_pass_arg") else 0

    @wraps(function)
    def bounded(*args: Any, **kwargs: Any) -> Any:
        args = _listed(args) if name == "join" else args
        _check_arguments(name, args[skipped], (*args[skipped + 1 :], *kwargs.values()))
        return _within_bounds(function(*args, **kwargs))

    return bounded


def _check_arguments(name: str, target: Any, values: tuple[Any, ...]) -> None:
    """Refuse what would make far more than it was given, before it does."""
    grown = 0
    if name in _WIDTHS:
        grown = max(map(_number, values), default=0) * (max(_size(target), 1) if name in _WIDTHS_OF_EACH else 1)
    elif name == "replace" and len(values) > 1 and isinstance(target, str):
        grown = (target.count(str(values[0])) + 1) * _size(values[1])
    elif name == "join":
        given = (target, *values)  # what is joined and what stands between, or the other way round
        grown = prod(_size(value) for value in given if _size(value))
        grown += sum(_size(piece) for value in given if isinstance(value, list | tuple) for piece in value)
    elif name in ("format", "format_map") and isinstance(target, str):
        _check_form(target, values)
    if grown > LONGEST_OUTPUT:
        raise _too_large()


def _check_form(form: str, values: tuple[Any, ...]) -> None:
    """Refuse a width beyond any use, written in the form or given as a value, and long values named many times."""
    if _LONG_WIDTH.search(form) or _WIDTH_INSIDE.search(form):
        raise _too_large()
    if "*" in form and any(_number(value) > _LARGEST_WIDTH for value in values):
        raise _too_large()
    if len(form) * max(map(_size, values), default=0) > LONGEST_OUTPUT:
        raise _too_large()


def _listed(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """With lists for what filters give out bit by bit, so that its size is known."""
    return tuple(list(arg) if isinstance(arg, Iterator) else arg for arg in args)


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
    raise Refusal(str(message))


def _now(form: str) -> str:
    return datetime.now().strftime(form)


def _to_json(
    value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
) -> str:
    """As transformers writes it: unlike Jinja's own, without escapes for HTML."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
