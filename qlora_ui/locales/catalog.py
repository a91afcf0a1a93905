"""One language's texts: found by the English original, or, for sentences with values in them, by its pattern."""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


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
        texts = (message.id for message in source if isinstance(message.id, str) and message.id)
        return cls(gettext.GNUTranslations(compiled), (text for text in texts if _PLACEHOLDER.search(text)))

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
        translated = self._translations.gettext(text)
        if translated != text:
            return translated
        for pattern, original in self._patterns:
            found = pattern.fullmatch(text)
            if found:
                return self._translations.gettext(original).format(**found.groupdict())
        return text


def _pattern(text: str) -> re.Pattern[str]:
    """What a text with placeholders looks like once it is filled; a placeholder that comes twice has one value."""
    parts, seen, end = [], set(), 0
    for found in _PLACEHOLDER.finditer(text):
        name = found.group(1)
        parts += [re.escape(text[end : found.start()]), f"(?P={name})" if name in seen else f"(?P<{name}>.+?)"]
        seen.add(name)
        end = found.end()
    return re.compile("".join([*parts, re.escape(text[end:])]), re.DOTALL)


def _fixed_length(text: str) -> int:
    return len(_PLACEHOLDER.sub("", text))
