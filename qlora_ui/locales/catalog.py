"""One language's texts: found by the English original, or, for sentences with values in them, by its pattern."""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice
from pathlib import Path

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_FEWEST_LETTERS = 6
"""Of a pattern, outside its places: one of fewer, such as `{part} of {total}`, would be found where it is not meant."""
_PAGES = ("components/", "pages/")
_LONGEST = 1_000
"""Characters of a sentence that is looked for among the patterns; they take long on a long text."""
_COLONS, _PARTS = 4, 6
"""How many places of a text, and how many sentences in it, are tried."""


class Catalog:
    """The texts of a catalog file, with gettext's plural rules."""

    def __init__(self, translations: gettext.NullTranslations, patterns: Iterable[str]) -> None:
        self._translations = translations
        self._patterns = [(_pattern(text), text) for text in sorted(patterns, key=_fixed_length, reverse=True)]
        self._find = lru_cache(maxsize=2_000)(self._match)

    @classmethod
    def english(cls) -> Catalog:
        return cls(gettext.NullTranslations(), ())

    @classmethod
    def read(cls, file: Path) -> Catalog:
        """From a `.po` file; texts without a translation, or with a doubtful one, stay English."""
        from babel.messages.mofile import write_mo
        from babel.messages.pofile import read_po

        with file.open("rb") as stream:
            source = read_po(stream, locale=file.stem)
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
        return self._find(text) if text and self._patterns else text

    def _match(self, text: str) -> str:
        if len(text) > _LONGEST:
            return self._translations.gettext(text)
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
        for pattern, original in self._patterns:
            found = pattern.fullmatch(text)
            if found:
                return self._translations.gettext(original).format(**found.groupdict())
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


def _pattern(text: str) -> re.Pattern[str]:
    """What a text with placeholders looks like once it is filled; a placeholder that comes twice has one value."""
    parts, seen, end = [], set(), 0
    for found in _PLACEHOLDER.finditer(text):
        name = found.group(1)
        parts += [re.escape(text[end : found.start()]), f"(?P={name})" if name in seen else f"(?P<{name}>.+?)"]
        seen.add(name)
        end = found.end()
    return re.compile("".join([*parts, re.escape(text[end:])]), re.DOTALL)


def _is_pattern(text: str, files: list[str]) -> bool:
    """Whether a finished sentence may be made from this: pages pass theirs through `_`, unless it is an error."""
    fixed, places = _PLACEHOLDER.subn("", text)
    is_told = text.endswith((".", "?")) or not all(file.startswith(_PAGES) for file in files)
    return places > 0 and is_told and sum(map(str.isalpha, fixed)) >= _FEWEST_LETTERS


def _fixed_length(text: str) -> int:
    return len(_PLACEHOLDER.sub("", text))
