"""One language's texts: found by the English original, or, for sentences with values in them, by its pattern."""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from string import Formatter

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_FEWEST_LETTERS = 6
"""Of a pattern, outside its places: one of fewer, such as `{part} of {total}`, would be found where it is not meant."""
_PAGES = ("components/", "pages/")
_LONGEST = 1_000
"""Characters of a sentence that is looked for among the patterns, and then remembered."""
_COLONS, _PARTS = 4, 6
"""How many places of a text, and how many sentences in it, are tried."""


class Catalog:
    """The texts of a catalog file, with gettext's plural rules."""

    def __init__(self, translations: gettext.NullTranslations, patterns: Iterable[str]) -> None:
        self._translations = translations
        self._patterns = [_Pattern(text) for text in sorted(patterns, key=_fixed_length, reverse=True)]
        self._find = lru_cache(maxsize=2_000)(self._match)

    @classmethod
    def english(cls) -> Catalog:
        return cls(gettext.NullTranslations(), ())

    @classmethod
    def read(cls, file: Path) -> Catalog:
        """From a `.po` file; texts without a translation, with a doubtful one or with other places, stay English.

        Raises OSError, ValueError (of which UnicodeError is one) or LookupError for a file that is no catalog.
        """
        from babel.messages.mofile import write_mo
        from babel.messages.pofile import read_po

        with file.open("rb") as stream:
            source = read_po(stream, locale=file.stem)
        for message in list(source):
            if message.id and not has_same_places(_forms(message.id), _forms(message.string)):
                source.delete(message.id, message.context)
        compiled = io.BytesIO()
        write_mo(compiled, source)
        compiled.seek(0)
        patterns = [
            message.id
            for message in source
            if isinstance(message.id, str) and _is_pattern(message.id, [file for file, _line in message.locations])
        ]
        return cls(gettext.GNUTranslations(compiled), patterns)

    def text(self, text: str, context: str | None = None) -> str:
        if context is None:
            return self._translations.gettext(text)
        return self._translations.pgettext(context, text)

    def plural(self, one: str, many: str, count: int) -> str:
        return self._translations.ngettext(one, many, count)

    def sentence(self, text: str) -> str:
        """A finished English sentence: as it stands in the catalog, or by the pattern it was made from."""
        if len(text) > _LONGEST:
            return self._translations.gettext(text)
        return self._find(text) if text else text

    def _match(self, text: str) -> str:
        return self._whole(text) or self._behind_its_place(text) or self._in_parts(text) or text

    def _whole(self, text: str) -> str:
        """The translation of a text that the catalog has, or has with a small first letter; empty for any other."""
        for known in dict.fromkeys((text, text[:1].lower() + text[1:])):
            translated = self._translations.gettext(known)
            if translated == known:
                translated = self._by_pattern(known)
            if translated != known:
                return translated if known == text else translated[:1].upper() + translated[1:]
        return ""

    def _by_pattern(self, text: str) -> str:
        for pattern in self._patterns:
            if (values := pattern.values(text)) is not None:
                return self._translations.gettext(pattern.original).format(**values)
        return text

    def _behind_its_place(self, text: str) -> str:
        """`train.jsonl, line 17: the value is no object.`, of which the catalog has what stands behind the colon."""
        for colon in islice(re.finditer(": ", text), _COLONS):
            if translated := self._whole(text[colon.end() :]):
                return text[: colon.end()] + translated
        return ""

    def _in_parts(self, text: str) -> str:
        """Several sentences one after the other, each of which the catalog has."""
        parts = re.split(r"(?<=[.?]) (?=\S)", text)
        translated = [self._whole(part) for part in parts] if 1 < len(parts) <= _PARTS else [""]
        return " ".join(translated) if all(translated) else ""


class _Pattern:
    """What a text with places looks like once it is filled; a place that comes twice has one value."""

    def __init__(self, original: str) -> None:
        self.original = original
        self._first, *pieces = _PLACEHOLDER.split(original)
        self._names, self._fixed = pieces[::2], pieces[1::2]

    def values(self, text: str) -> dict[str, str] | None:
        """What stands in the places of this text, each as short as can be; None where it is another one.

        It goes through the text once: a regular expression would try every way to share it out among the places, and a
        text made for that would keep the whole app waiting.
        """
        if not text.startswith(self._first):
            return None
        values: dict[str, str] = {}
        start, last = len(self._first), len(self._fixed) - 1
        for number, (name, fixed) in enumerate(zip(self._names, self._fixed, strict=True)):
            end = len(text) - len(fixed) if number == last else text.find(fixed, start + 1)
            if end <= start or values.setdefault(name, text[start:end]) != text[start:end]:
                return None
            start = end + len(fixed)
        return values if text.endswith(self._fixed[-1]) else None


def has_same_places(originals: Sequence[str], forms: Sequence[str]) -> bool:
    """Whether each translated form can be filled with what the original is; a form of a plural may name less of it."""
    allowed = set().union(*map(places, originals))
    needed = allowed if len(originals) == 1 else set[str]()
    return all(needed <= places(form) <= allowed and (not allowed or _can_be_filled(form)) for form in forms if form)


def places(text: str) -> set[str]:
    """The names of what is put into a text."""
    return set(_PLACEHOLDER.findall(text))


def _can_be_filled(text: str) -> bool:
    """Whether `str.format` takes it: a lone brace makes it fail, on the page of whoever reads it.

    A place is its name and nothing else; `{count:>999999999}` would fill the memory.
    """
    try:
        found = [found[1:] for found in Formatter().parse(text) if found[1] is not None]
    except ValueError:
        return False
    return all(name and name.isidentifier() and not form and not how for name, form, how in found)


def _forms(text: str | Sequence[str]) -> Sequence[str]:
    """A text, or its singular and plural, as several."""
    return (text,) if isinstance(text, str) else text


def _is_pattern(text: str, files: list[str]) -> bool:
    """Whether a finished sentence may be made from this: pages pass theirs through `_`, unless it is an error."""
    fixed, places = _PLACEHOLDER.subn("", text)
    is_told = text.endswith((".", "?")) or not all(file.startswith(_PAGES) for file in files)
    return places > 0 and is_told and sum(map(str.isalpha, fixed)) >= _FEWEST_LETTERS


def _fixed_length(text: str) -> int:
    return len(_PLACEHOLDER.sub("", text))
