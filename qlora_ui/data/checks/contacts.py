"""E-mail addresses and telephone numbers of people in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator

_DOMAIN = re.compile(r"@((?:[a-z0-9-]{1,63}+\.){1,8}?([a-z]{2,24}+))(?![\w-]|\.[a-z0-9]|\()", re.IGNORECASE | re.ASCII)
_LOCAL = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-"
_LONGEST_LOCAL = 64  # RFC 5321
_TOP_NAMES = """
academy agency app asia bank berlin bike biz blog business cafe care cat center church city cloud club coach
com community company consulting coop design dev digital earth edu education email energy engineering eu
events expert family farm finance foundation fun global gmbh gov group hamburg health help hotel house info
institute int international jobs koeln law legal life live london ltd marketing me media mil mobi moscow
museum name net network news ngo nyc online org page paris partners photo plus post press pro school science
services shop site social software solutions space store studio support swiss systems team tech tel today
tokyo tools top training travel university ventures vip wien wiki work works world xyz zone
"""
_TOP = frozenset(_TOP_NAMES.split())
"""Top-level domains in wide use, besides those of countries, which have two letters."""
_NO_COUNTRIES = frozenset(("cs", "gz", "js", "py", "rb", "ts"))
"""Two letters that end the name of a file more often than a domain."""
_RESERVED = ("example.com", "example.net", "example.org", "example.edu")  # RFC 2606, and one used alike
_NOBODY = frozenset(("git", "noreply", "no-reply", "donotreply"))


def find_emails(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each, without addresses of nobody: of examples, of machines, of files."""
    for match in _DOMAIN.finditer(text):
        before = text[max(0, match.start() - _LONGEST_LOCAL) : match.start()]
        local = before[len(before.rstrip(_LOCAL)) :].lstrip(".%+-")
        if local and local.lower() not in _NOBODY and _is_somebodys(match.group(1).lower(), match.group(2).lower()):
            yield match.start() - len(local), match.end()


def _is_somebodys(domain: str, top: str) -> bool:
    if any(domain == name or domain.endswith(f".{name}") for name in _RESERVED):
        return False
    return top in _TOP or (len(top) == 2 and top not in _NO_COUNTRIES)


_INTERNATIONAL = re.compile(r"(?<![\w+*/=.-])\+[1-9][\d ().-]{7,20}+", re.ASCII)
_GROUPS = re.compile(r"\+\d+(?:(?:[ .-]| ?\(|\)[ -]?)\d+)*", re.ASCII)
_AMERICAN = re.compile(r"(?<![\w.+-])(?:\([2-9]\d\d\) ?|[2-9]\d\d-)[2-9]\d\d-\d{4}(?![\w-])", re.ASCII)
_FICTION = re.compile(r"555.?01\d\d$")
"""Numbers that are kept free for films and examples."""
_FRACTION = re.compile(r"\+\d+\.\d+")


def find_phones(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each that is written in an international form (`+49 30 …`), or in North America's."""
    last_end = 0
    for match in _INTERNATIONAL.finditer(text):
        number = match.group().rstrip(" ().-")
        start, end = match.start(), match.start() + len(number)
        is_sum = text[max(last_end, start - 3) : start].rstrip()[-1:].isdigit()
        if _is_international(number) and not is_sum and not text[end : end + 1].isalpha():
            last_end = end
            yield start, end
    for match in _AMERICAN.finditer(text):
        if not _FICTION.search(match.group()):
            yield match.start(), match.end()


def _is_international(number: str) -> bool:
    digits = sum(character.isdigit() for character in number)
    is_apart = digits < len(number) - 1
    enough = 9 <= digits <= 15 and (is_apart or digits >= 11)  # E.164
    return enough and bool(_GROUPS.fullmatch(number)) and not (_FICTION.search(number) or _FRACTION.fullmatch(number))
