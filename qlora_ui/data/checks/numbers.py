"""Numbers of payment cards and bank accounts in a text, told from other numbers by their checksums."""

from __future__ import annotations

import re
from collections.abc import Iterator

_CLASSES = bytes(ord("0") if chr(byte).isascii() and chr(byte).isdigit() else byte for byte in range(256))
_LEAST_DIGITS = b"0000000"


def has_long_number(text: str) -> bool:
    """Whether seven digits follow each other, whatever usually parts them left out. Fast, for most texts have none."""
    return _LEAST_DIGITS in text.encode("utf-8", "surrogatepass").translate(_CLASSES, b" -().")


_CARD = re.compile(
    r"(?<![\w.-])(?:[2-6]\d{3}([ -]?)\d{4}\1\d{4}\1\d{4}|3\d{3}([ -]?)\d{6}\2\d{4,5})(?![\w-]|\.\d)", re.ASCII
)
_ISSUERS = {
    16: re.compile(r"4|5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720|35|30[0-5]|3[689]|6011|64[4-9]|65|62"),
    15: re.compile(r"3[47]"),
    14: re.compile(r"30[0-5]|3[689]"),
}
"""Digits of a number → how it starts. Those of 13 and of 19 are rare, and mostly numbers of other things."""


def find_cards(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each number that an issuer of cards could have given out."""
    for match in _CARD.finditer(text):
        digits = match.group().replace(" ", "").replace("-", "")
        if _ISSUERS[len(digits)].match(digits) and _passes_luhn(digits):
            yield match.start(), match.end()


def _passes_luhn(digits: str) -> bool:
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    return (sum(int(digit) for digit in digits[-1::-2]) + sum(two - 9 if two > 9 else two for two in doubled)) % 10 == 0


_IBAN_START = re.compile(r"(?<!\w)([A-Z]{2})\d\d(?= ?[A-Z0-9])", re.ASCII)
_REGISTRY = """
AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18
FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20
LV21 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SE24 SI19 SK24 SM27
TN24 TR26 UA29 VA22 VG24 XK20
"""
_IBAN_LENGTHS = {entry[:2]: int(entry[2:]) for entry in _REGISTRY.split()}
"""Country → characters of its account numbers: the registry of ISO 13616."""


def find_ibans(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each, single spaces between its characters included."""
    for match in _IBAN_START.finditer(text):
        length = _IBAN_LENGTHS.get(match.group(1), 0)
        end = _end_of_groups(text, match.start(), length)
        if end > match.start() and _passes_mod_97(text[match.start() : end].replace(" ", "")):
            yield match.start(), end


def _passes_mod_97(number: str) -> bool:
    """ISO 7064: the first four characters go to the end, letters count from A = 10, and division by 97 leaves 1."""
    return int("".join(str(int(character, 36)) for character in number[4:] + number[:4])) % 97 == 1


def _end_of_groups(text: str, start: int, length: int) -> int:
    """Where `length` capitals and digits end, single spaces between them not counted; `start` if they do not."""
    end, left = start, length
    while left and end < len(text):
        character = text[end]
        if character.isascii() and (character.isdigit() or character.isupper()):
            left -= 1
        elif character != " " or text[end - 1] == " ":
            return start
        end += 1
    return start if left or text[end : end + 1].isalnum() else end
