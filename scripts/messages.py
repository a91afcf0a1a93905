"""Keeps the catalogs in step with the code: `python scripts/messages.py update`, and `check` for the tests.

What is collected: the texts in `_()`, `n_()` and `mark()`; the titles, units and sentences of knobs; and, where nobody
knows who will read, in errors, events, alerts and findings, every text that ends like a sentence. An f-string among the
latter becomes a pattern with named places.
"""

from __future__ import annotations

import ast
import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from qlora_ui.locales.catalog import has_same_places

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "qlora_ui"
FOLDER = PACKAGE / "locales"
TEMPLATE = FOLDER / "messages.pot"

COMMAND_LINE = {"cli", "console.py", "demo.py", "doctor.py"}
"""What speaks on the terminal only, which is English."""
PAGES = {"pages", "components", "theme", "locales"}
"""What knows who reads, and so marks its texts; only the errors that it raises are sentences as elsewhere."""
ENDS = (".", "?", ".”", ".)")
KNOB_WORDS = {"title", "help", "unit"}
UNSEEN_WORDS = {"description", "summary", "pattern"}
"""Keywords whose texts describe the app to programs."""
BUTTON_WORDS = {"label"}
"""Keywords whose texts stand on buttons, and so do not end like a sentence."""
UNSEEN_ERRORS = {"AssertionError", "RuntimeError", "TypeError", "ValueError"}
"""Errors that tell of a mistake in the code."""
UNSEEN_CONSTANTS = {"_SENTENCES"}
"""What a model reads."""
EXPLAINING = re.compile(r"^_?explain$")
"""Functions whose texts are shown although they are no whole sentences."""


@dataclass(frozen=True)
class Found:
    """One text of the code, with its plural and its context where it has them."""

    text: str
    plural: str | None = None
    context: str | None = None

    @property
    def id(self) -> str | tuple[str, str]:
        return (self.text, self.plural) if self.plural else self.text


def collect(package: Path = PACKAGE) -> Catalog:
    """The template: every text of the package, in the order of the files."""
    catalog = Catalog(project="qlora-ui", charset="utf-8", fuzzy=False)
    for file in sorted(package.rglob("*.py")):
        where = file.relative_to(package)
        for found in texts(file.read_text(encoding="utf-8"), where.parts[0]):
            catalog.add(found.id, locations=[(where.as_posix(), 0)], context=found.context)
    return catalog


def texts(code: str, part: str = "pages") -> Iterator[Found]:
    """The texts of one module, which lies in this `part` of the package, in their order."""
    tree = ast.parse(code)
    yield from marked(tree)
    if part in PAGES:
        yield from (Found(text) for call in _calls(tree) if _name(call).endswith("Error") for text in _told(call))
    elif part not in COMMAND_LINE:
        yield from (Found(text) for text in sentences(tree))


def marked(tree: ast.Module) -> Iterator[Found]:
    """What is in `_()`, `n_()`, `mark()` and `knob()`."""
    for call in _calls(tree):
        keywords = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
        match call.func:
            case ast.Name("_" | "mark") if call.args:
                context = next(iter(variants(keywords.get("context"))), None)
                yield from (Found(text, context=context) for text in _constants(call.args[0]))
            case ast.Name("n_"):
                one, many = (next(_constants(argument), "") for argument in call.args[:2])
                if one and many:
                    yield Found(one, plural=many)
            case ast.Name("knob"):
                words = (value for name, value in keywords.items() if name in KNOB_WORDS)
                yield from (Found(text) for value in words for text in _constants(value))


def sentences(tree: ast.AST) -> Iterator[str]:
    """Every text that ends like a sentence, but for docstrings and what only programmers read."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.ClassDef(name=name) if name.endswith("Error"):
                docstring = ast.get_docstring(node) or ""
                yield from [docstring] if docstring and "\n" not in docstring else []
                yield from sentences(node)
            case ast.Expr(value=ast.Constant()) | ast.Assert():
                pass
            case ast.Call(func=ast.Name(name)) if name in UNSEEN_ERRORS | {"_", "n_", "mark", "knob"}:
                pass
            case ast.keyword(arg=name) if name in UNSEEN_WORDS:
                pass
            case ast.keyword(arg=name, value=ast.Constant(value=str(text))) if name in BUTTON_WORDS:
                yield text
            case ast.Assign(targets=[ast.Name(name)]) if name in UNSEEN_CONSTANTS:
                pass
            case ast.FunctionDef(name=name) if EXPLAINING.search(name):
                returned = (inner.value for inner in ast.walk(node) if isinstance(inner, ast.Return))
                yield from (text for value in returned for text in variants(value) if _has_words(text))
                yield from sentences(node)
            case ast.JoinedStr() | ast.Constant() | ast.BinOp() | ast.IfExp():
                found = [text for text in variants(node) if text.endswith(ENDS) and _has_words(text)]
                yield from found or sentences(node)
            case _:
                yield from sentences(node)


def variants(node: ast.expr | None) -> list[str]:
    """Every text that an expression may give, as far as the code shows it; an f-string gives a pattern."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr():
            return [_pattern(node)]
        case ast.IfExp(body=body, orelse=other):
            return [*variants(body), *variants(other)]
        case ast.BoolOp(values=values):
            return [text for value in values for text in variants(value)]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return [one + other for one, other in product(variants(left), variants(right))]
        case _:
            return []


def put_together(code: str) -> list[int]:
    """The lines in which a text is marked that no catalog can hold, because it is put together before."""
    wrong = (ast.JoinedStr, ast.BinOp)
    marking = (call for call in _calls(ast.parse(code)) if _name(call) in {"_", "n_", "mark"})
    return [call.lineno for call in marking if any(isinstance(argument, wrong) for argument in call.args[:2])]


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _told(call: ast.Call) -> Iterator[str]:
    values = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg in {"message", "hint"})]
    return (text for value in values for text in variants(value) if _has_words(text))


def _constants(node: ast.expr) -> Iterator[str]:
    return (text for text in ([] if isinstance(node, ast.JoinedStr) else variants(node)) if text)


def _has_words(text: str) -> bool:
    return " " in re.sub(r"\{\w+\}", "", text).strip()


def _pattern(node: ast.JoinedStr) -> str:
    """An f-string with each expression named after what it shows: `{error.strerror}` becomes `{strerror}`."""
    names: dict[str, str] = {}
    parts = []
    for value in node.values:
        if isinstance(value, ast.FormattedValue):
            source = ast.unparse(value.value)
            if source not in names:
                name, taken = _place(value.value), set(names.values())
                names[source] = next(n for i in range(1, 99) if (n := name if i == 1 else f"{name}{i}") not in taken)
            parts.append("{" + names[source] + "}")
        elif isinstance(value, ast.Constant):
            parts.append(str(value.value))
    return "".join(parts)


def _place(node: ast.AST) -> str:
    """What a value is called in a pattern."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.strip("_").lower()
        case ast.Call(func=ast.Attribute(attr="join" | "partition" | "get") | ast.Name(), args=[first, *_]):
            return _place(first)
        case ast.Call(func=ast.Attribute(value=inner)) | ast.BinOp(left=inner) | ast.Subscript(value=inner):
            return _place(inner)
        case ast.BoolOp(values=[inner, *_]) | ast.IfExp(body=inner) | ast.GeneratorExp(elt=inner):
            return _place(inner)
        case _:
            return "value"


def languages() -> list[Path]:
    return sorted(FOLDER.glob("*.po"))


def read(file: Path) -> Catalog:
    with file.open("rb") as stream:
        return read_po(stream, locale=None if file == TEMPLATE else file.stem)


def written(catalog: Catalog) -> bytes:
    """As it lies on the disk: without dates and line numbers, so that only a changed text changes the file."""
    stream = io.BytesIO()
    write_po(stream, catalog, width=110, omit_header=False, include_lineno=False, sort_output=False)
    lines = stream.getvalue().split(b"\n")
    dropped = (b'"POT-Creation-Date', b'"PO-Revision-Date', b'"Generated-By', b'"Last-Translator', b'"Language-Team')
    return b"\n".join(line for line in lines if not line.startswith(dropped))


def update() -> None:
    """Write the template anew and bring every catalog in step with it; what is new in them is left empty."""
    template = collect()
    TEMPLATE.write_bytes(written(template))
    for file in languages():
        catalog = read(file)
        catalog.update(template, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        file.write_bytes(written(catalog))
        missing = problems(catalog, template)
        print(f"{file.name}: {len(template)} texts, {len(missing)} to do")


def problems(catalog: Catalog, template: Catalog) -> list[str]:
    """What a catalog lacks against the template: missing, stale and doubtful texts, places that are not in both."""
    wanted = {(message.id, message.context) for message in template if message.id}
    present = {(message.id, message.context): message for message in catalog if message.id}
    found = [f"missing: {text}" for text, context in wanted - present.keys()]
    found += [f"stale: {text}" for text, context in present.keys() - wanted]
    for message in present.values():
        forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if not all(forms):
            found.append(f"not translated: {message.id}")
        elif message.fuzzy:
            found.append(f"doubtful: {message.id}")
        else:
            originals = message.id if isinstance(message.id, tuple | list) else (message.id,)
            found += [
                f"other places than the original: {form}" for form in forms if not has_same_places(originals, (form,))
            ]
    return sorted(found)


def check() -> list[str]:
    """Every difference between the code and the catalogs, one line each."""
    template = collect()
    found = [] if TEMPLATE.read_bytes() == written(template) else ["messages.pot is not up to date"]
    for file in sorted(PACKAGE.rglob("*.py")):
        lines = put_together(file.read_text(encoding="utf-8"))
        found += [f"{file.relative_to(PACKAGE)}, line {line}: the text is put together before _()" for line in lines]
    return found + [f"{file.name}: {problem}" for file in languages() for problem in problems(read(file), template)]


if __name__ == "__main__":
    if sys.argv[1:] == ["update"]:
        update()
    elif sys.argv[1:] == ["check"]:
        complaints = check()
        print("\n".join(complaints) or "Every catalog is complete.")
        sys.exit(bool(complaints))
    else:
        sys.exit("python scripts/messages.py update | check")
