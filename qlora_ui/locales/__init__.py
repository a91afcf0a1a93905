"""Every word on a page, in the language of who reads it.

Pages and components write English and mark it: `_("{count} rows are left", count=3)`. Sentences that are born
elsewhere (errors, alerts, knobs) are English in files, logs and on the command line; a page passes them through
`sentence()` when it shows them, so that each person reads a run in their own language, whenever it happened.

A catalog is a file `<language>.po` in this folder, beside the template `messages.pot`; `scripts/messages.py` keeps them
in step with the code. A further language needs nothing but its file.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from babel import Locale, UnknownLocaleError

from qlora_ui.locales.catalog import Catalog

log = logging.getLogger(__name__)

ENGLISH = "en"
FOLDER = Path(__file__).parent

_QUASAR = {"en": "en-US", "zh_CN": "zh-CN"}

_spoken: ContextVar[str | None] = ContextVar("spoken language", default=None)
_ask: Callable[[], str | None] = lambda: None  # noqa: E731  # replaced by `ask_for_language`
_loading = threading.Lock()


def _(text: str, /, *, context: str | None = None, **values: object) -> str:
    """`text` in the language of the page that is being built, with `values` put in as `str.format` does.

    `context` tells two meanings of one English word apart, for translators.
    """
    translated = catalog().text(text, context)
    return translated.format(**values) if values else translated


def n_(one: str, many: str, count: int, /, **values: object) -> str:
    """The form that suits `count`, which the text may name: `n_("{count} run", "{count} runs", 2)`."""
    from qlora_ui.locales.figures import number

    return catalog().plural(one, many, count).format(count=number(count), **values)


def mark(text: str) -> str:
    """Marks a text for the catalogs and returns it as it is: a constant, which `_` translates where it is shown."""
    return text


def sentence(text: str) -> str:
    """An English sentence of an error, an event or a knob, in the language of the page; unknown ones stay English."""
    return catalog().sentence(text)


def language() -> str:
    """The code of the language that is spoken here: `en`, `de`, `zh_CN`."""
    spoken = _spoken.get() or _ask() or ENGLISH
    return spoken if spoken in languages() else ENGLISH


def locale() -> Locale:
    """What Babel needs to know to write numbers and dates."""
    return _locale(language())


def catalog() -> Catalog:
    return load(language())


def load(code: str) -> Catalog:
    """The catalog of a language; reading it the first time takes some 0.2 s, so do that in a thread."""
    with _loading:
        return _load(code)


@cache
def languages() -> dict[str, str]:
    """Code → the language's own name, English first. A file whose name is no language's is left out."""
    names = {ENGLISH: _own_name(ENGLISH)}
    for file in sorted(FOLDER.glob("*.po")):
        try:
            names[file.stem] = _own_name(file.stem)
        except (ValueError, UnknownLocaleError):
            log.warning("%s is left out: its name is no language's, such as de.po or pt_BR.po", file)
    return names


def tag(code: str) -> str:
    """The language as HTML and Quasar's packs write it: `en-US`, `de`, `zh-CN`."""
    return _QUASAR.get(code, code.replace("_", "-"))


def best_of(accepted: str) -> str:
    """The language to begin with for a browser that sends this `Accept-Language`; English when none fits."""
    known = {code.lower(): code for code in languages()}
    base = {code.partition("_")[0]: known[code] for code in reversed(known)}
    for part in accepted[:200].split(","):
        wanted = part.partition(";")[0].strip().replace("-", "_").lower()
        if found := known.get(wanted) or base.get(wanted.partition("_")[0]):
            return found
    return ENGLISH


def chosen(code: str, otherwise: str) -> str:
    """The language that a person chose, as long as its catalog is here; `otherwise` for none, or one that is gone."""
    return code if code in languages() else otherwise


def ask_for_language(ask: Callable[[], str | None]) -> None:
    """Lets `ask` say which language the page speaks that is being built or is acting; None outside of any."""
    global _ask
    _ask = ask


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Speak this language within the block, whoever reads: for tests and scripts."""
    token = _spoken.set(code)
    try:
        yield
    finally:
        _spoken.reset(token)


@cache
def _locale(code: str) -> Locale:
    return Locale.parse(code)


@cache
def _load(code: str) -> Catalog:
    if code == ENGLISH:
        return Catalog.english()
    try:
        return Catalog.read(FOLDER / f"{code}.po")
    except (OSError, ValueError, LookupError) as error:
        log.error("%s.po cannot be read, so its readers get English: %s", code, error)
        return Catalog.english()


def _own_name(code: str) -> str:
    """`Deutsch`, `简体中文`: the name of the language as it is written, without the country.

    Raises ValueError or UnknownLocaleError for what is no language's code.
    """
    if not code.replace("_", "").isalpha():
        raise UnknownLocaleError(code)
    spoken = Locale.parse(code)
    name = spoken.languages.get(f"{spoken.language}_{spoken.script}") or spoken.language_name or code
    return name[:1].upper() + name[1:]
