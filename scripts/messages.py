"""Keeps the catalogs in step with the code: `python scripts/messages.py update`, and `check` for the tests.

What is collected: the texts in `_()`, `n_()` and `mark()`; the titles, units and sentences of knobs; the sentences of
errors and of what a worker tells. An f-string among the latter becomes a pattern with named places.
"""

from __future__ import annotations

import ast
import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "qlora_ui"
FOLDER = PACKAGE / "locales"
TEMPLATE = FOLDER / "messages.pot"

SENTENCES = re.compile(r"\w+Error$|^(Alert|Failed|Stopped|Phase|Notice|notice|refuse|problem)$")
"""Calls whose texts are sentences for people: the exceptions of `contract/errors.py` and the worker's events."""
KEYWORDS = {"message", "hint", "error", "sentence", "words"}
KNOB_WORDS = {"title", "help", "unit"}
COMMAND_LINE = {"cli", "console.py", "demo.py"}
"""What speaks on the terminal only, which is English."""


@dataclass
class Found:
    """One text of the code: its plural, its context and its places."""

    text: str
    plural: str | None = None
    context: str | None = None
    places: list[tuple[str, int]] = field(default_factory=list)

    @property
    def id(self) -> str | tuple[str, str]:
        return (self.text, self.plural) if self.plural else self.text


def collect() -> Catalog:
    """The template: every text of the package, in the order of the files."""
    catalog = Catalog(project="qlora-ui", charset="utf-8", fuzzy=False)
    for file in sorted(PACKAGE.rglob("*.py")):
        where = file.relative_to(PACKAGE)
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for found in _texts(tree, with_sentences=where.parts[0] not in COMMAND_LINE):
            catalog.add(found.id, locations=[(str(where), 0)], context=found.context)
    return catalog


def _texts(tree: ast.Module, *, with_sentences: bool) -> Iterator[Found]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _of_call(node, with_sentences=with_sentences)
        elif isinstance(node, ast.ClassDef) and node.name.endswith("Error") and with_sentences:
            docstring = ast.get_docstring(node)
            if docstring and "\n" not in docstring:
                yield Found(docstring)


def _of_call(call: ast.Call, *, with_sentences: bool) -> Iterator[Found]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    keywords = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    if name in {"_", "mark"}:
        context = keywords.get("context")
        meaning = _constant(context) if context else None
        yield from (Found(text, context=meaning) for text in _constants(call.args[:1]))
    elif name == "n_":
        one, many = (_constant(argument) for argument in call.args[:2])
        if one and many:
            yield Found(one, plural=many)
    elif name == "knob":
        yield from (Found(text) for text in _constants([v for k, v in keywords.items() if k in KNOB_WORDS]))
    elif with_sentences and SENTENCES.search(name):
        sources = [*call.args, *(value for key, value in keywords.items() if key in KEYWORDS)]
        yield from (Found(text) for source in sources for text in _sentences(source))


def _constants(nodes: list[ast.expr]) -> Iterator[str]:
    yield from (text for node in nodes if (text := _constant(node)))


def _constant(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _sentences(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may give; only what reads as a sentence or a part of one."""
    if isinstance(node, ast.IfExp):
        yield from _sentences(node.body)
        yield from _sentences(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _sentences(value)
    elif isinstance(node, ast.JoinedStr):
        text = _pattern(node)
        if " " in re.sub(r"\{\w+\}", "", text).strip():
            yield text
    elif (constant := _constant(node)) and " " in constant:
        yield constant


def _pattern(node: ast.JoinedStr) -> str:
    """An f-string with each expression named by its last word: `{error.strerror}` becomes `{strerror}`."""
    parts: list[str] = []
    names: dict[str, str] = {}
    for value in node.values:
        if isinstance(value, ast.FormattedValue):
            source = ast.unparse(value.value)
            if source not in names:
                words = re.findall(r"[A-Za-z_]\w*", re.sub(r"\(.*|'[^']*'", "", source)) or ["value"]
                name = words[-1].strip("_") or "value"
                taken = set(names.values())
                names[source] = next(n for i in range(1, 99) if (n := name if i == 1 else f"{name}{i}") not in taken)
            parts.append("{" + names[source] + "}")
        elif isinstance(value, ast.Constant):
            parts.append(str(value.value))
    return "".join(parts)


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
            allowed = set().union(*(_places(text) for text in originals))
            needed = _places(originals[-1]) if len(originals) == 1 else set()
            for form in forms:
                if not needed <= _places(form) <= allowed:
                    found.append(f"other places than the original: {form}")
    return sorted(found)


def _places(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def check() -> list[str]:
    """Every difference between the code and the catalogs, one line each."""
    template = collect()
    found = [] if TEMPLATE.read_bytes() == written(template) else ["messages.pot is not up to date"]
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
