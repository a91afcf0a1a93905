"""Text that was damaged on its way: decoded with the wrong table, or with characters that no person typed."""

from __future__ import annotations

import re

_BYTES = {chr(byte): byte for byte in range(0x80, 0xC0)} | {
    character: byte for byte in range(0x80, 0xC0) if (character := bytes([byte]).decode("cp1252", "ignore"))
}
"""Character → the byte that is read as it: by Windows' table, or by Latin-1."""
_NEXT = "[" + "".join(_BYTES) + "]"
"""What the second and later bytes of a character in UTF-8 are read as."""
_MISREAD = re.compile(
    f"(?:[ÂÃÄÅ]{_NEXT}|Æ’|Ë[†œ]|[âï]{_NEXT}{{2}}|ð[Ÿ\x9f]{_NEXT}{{2}})+"  # Latin letters, punctuation and signs, emoji
    f"|(?:[ÎÏ]{_NEXT}){{2,}}|(?:[ÐÑ]{_NEXT}){{2,}}|(?:×{_NEXT}){{2,}}|(?:[Ø-Û]{_NEXT}){{2,}}"  # words of other scripts
    f"|(?:[à-ï]{_NEXT}{{2}}){{2,}}"  # scripts of Asia
)
_PUNCTUATION = frozenset("’”“‘…–—»«›‹™\xa0")
"""What may well follow a capital letter with an accent at the end of a word: `MAÇÃ”`."""


def repaired(text: str) -> str:
    """The text with what was decoded with the wrong table put right, as often as that happened; mostly the same."""
    while _may_be_misread(text) and (better := _MISREAD.sub(_read_again, text)) != text:
        text = better
    return text


def is_damaged(text: str) -> bool:
    """Whether characters are lost (`�`), cannot have been meant (NUL and other control characters), or are misread."""
    if text.isascii():
        return _has_control(text.encode())
    try:
        data = text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return True
    if b"\xef\xbf\xbd" in data or _has_control(data) or (b"\xc2" in data and _C1.search(text)):
        return True
    return bool(_MAYBE_MISREAD.search(data)) and repaired(text) != text


_C1 = re.compile("[\x80-\x84\x86-\x9f]")  # without NEL, which ends a line
_PLAIN = bytes(byte for byte in range(256) if byte >= 0x20 and byte != 0x7F) + b"\t\n\r\f"


def _has_control(data: bytes) -> bool:
    return bool(data.translate(None, _PLAIN))


def _may_be_misread(text: str) -> bool:
    return not text.isascii() and bool(_MAYBE_MISREAD.search(text.encode("utf-8", "surrogatepass")))


_MAYBE_MISREAD = re.compile(b"\xc3[\x82-\xb0][\xc2\xc5\xc6\xcb\xe2]")
"""One of the first letters of `_MISREAD`, in UTF-8, and the start of one that may follow: fast, mostly not there."""


def _read_again(match: re.Match[str]) -> str:
    """What the bytes behind the characters say in UTF-8; the characters as they are where that makes no sense."""
    misread = match.group()
    if _may_be_meant(match):
        return misread
    try:
        read = bytes(_BYTES.get(character) or ord(character) for character in misread).decode()
    except UnicodeDecodeError:
        return misread
    return read if all(character.isprintable() or character in _UNSEEN for character in repaired(read)) else misread


_UNSEEN = frozenset("\xa0\xad\u2002\u2003\u2009\u200a\u200b\u200c\u200d\u200e\u200f\u202f\u2060\u3000\ufeff")
"""Spaces, joiners and marks that belong to text."""


def _may_be_meant(match: re.Match[str]) -> bool:
    """Whether it is rather a letter with an accent and the punctuation behind it."""
    misread, text = match.group(), match.string
    if not _PUNCTUATION.issuperset(misread[1:]):
        return False
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    if misread[0] in "ÂÃ":
        return not after.isalpha() and (before.isupper() or not (before.islower() or misread[1] == "\xa0"))
    if misread[0] in "ÄÅ":
        return not after.islower() and not before.islower()
    return misread[0] in "âïÆ"
