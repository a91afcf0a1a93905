"""Keys, passwords, card and account numbers, e-mail addresses and telephone numbers in a text.

Found is what has a form of its own: a known start, a checksum, a domain. A password that merely stands in a sentence is
not. Every pattern starts with something rare and has bounds, so that no text, however long or odd, is slow to look at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

SecretKind = Literal["key", "password", "card", "iban", "email", "phone"]
Found = tuple[int, int, SecretKind]
"""Start and end in characters, the end not included, and what it is."""

PERSONAL: frozenset[SecretKind] = frozenset({"email", "phone"})
"""What tells who somebody is; the other kinds give access to something."""


def find_secrets(text: str) -> list[Found]:
    """All that was found, in its order; no two overlap. What documents use as an example is left out."""
    found = list(_keys(text))
    if "@" in text:
        found += [*_passwords(text), *_emails(text)]
    if _has_long_number(text):
        found += [*_cards(text), *_ibans(text), *_phones(text)]
    return _apart(found) if found else found


def mask_secrets(text: str) -> str:
    """The text with `[key]`, `[email]` and so on in the place of what `find_secrets` finds."""
    while found := find_secrets(text):  # what is left around a mask may take a form of its own
        parts, end = [], 0
        for start, stop, kind in found:
            parts += [text[end:start], f"[{kind}]"]
            end = stop
        text = "".join([*parts, text[end:]])
    return text


def _apart(found: list[Found]) -> list[Found]:
    """Of those that overlap, the one that starts first; of those that start together, the longest."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: (one[0], -one[1])):
        if not kept or one[0] >= kept[-1][1]:
            kept.append(one)
    return kept


_KEYS = {
    "-----BEGIN": r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:\s{0,4}[A-Za-z-]{1,20}: [^\n]{0,200}\n){0,5}"
    r"[A-Za-z0-9+/=\s\\]{40,}+(?:-----END [A-Z ]{0,60}-----)?",
    "AKIA": r"(?<![A-Za-z0-9])AKIA[A-Z2-7]{16}(?![A-Za-z0-9])",
    "ASIA": r"(?<![A-Za-z0-9])ASIA[A-Z2-7]{16}(?![A-Za-z0-9])",
    "AIza": r"(?<![\w-])AIza[\w-]{35}(?![\w-])",
    "ghp_": r"(?<!\w)ghp_[A-Za-z0-9]{36,255}+",
    "gho_": r"(?<!\w)gho_[A-Za-z0-9]{36,255}+",
    "ghs_": r"(?<!\w)ghs_[A-Za-z0-9]{36,255}+",
    "ghu_": r"(?<!\w)ghu_[A-Za-z0-9]{36,255}+",
    "github_pat_": r"(?<!\w)github_pat_\w{60,255}+",
    "glpat-": r"(?<![\w-])glpat-[\w-]{20,255}+",
    "hf_": r"(?<!\w)hf_[A-Za-z0-9]{30,64}(?!\w)",
    "sk-": r"(?<![\w-])sk-(?=[\w-]{0,199}[0-9])(?=[\w-]{0,199}[A-Z])[\w-]{20,200}+",
    "_live_": r"(?<!\w)[rs]k_live_[A-Za-z0-9]{20,255}+",
    "xox": r"(?<![\w-])xox[abeprs]-(?=[A-Za-z-]{0,40}[0-9])[A-Za-z0-9-]{20,255}+",
    "eyJ": r"(?<![\w.-])eyJ[\w-]{10,}+\.eyJ[\w-]{10,}+\.[\w-]{10,}+",
}
"""How a key starts → its whole form, as those who issue them document it."""
_FORMS = {start: re.compile(form, re.ASCII) for start, form in _KEYS.items()}
_STARTS = {rare: tuple(start for start in _KEYS if rare in start) for rare in "_AJ"} | {
    "-": tuple(start for start in _KEYS if not set("_AJ") & set(start))
}
"""A character that is looked for first, as that is fastest → the starts that have it."""
_EXAMPLE = re.compile(r"example|your|dummy|placeholder|redacted|xxxx|0000000|1234567890", re.IGNORECASE)
_LEAST_CHARACTERS = 10
"""A key of fewer different characters was made up by a person."""


def _keys(text: str) -> Iterator[Found]:
    for rare, starts in _STARTS.items():
        if rare in text:
            for start in starts:
                if start in text:
                    yield from _keys_of_form(_FORMS[start], text)


def _keys_of_form(form: re.Pattern[str], text: str) -> Iterator[Found]:
    for match in form.finditer(text):
        key = match.group()
        if len(set(key)) >= _LEAST_CHARACTERS and (key.startswith("-----") or not _EXAMPLE.search(key)):
            yield match.start(), match.end(), "key"


_PASSWORD = re.compile(r"""://[^\s/:@\[\]"'<>`]{0,64}:([^\s/@\[\]"'<>`{}$*]{3,128})@(?=[A-Za-z0-9\[])""")
_NO_PASSWORDS = frozenset(
    ("pass", "passwd", "password", "pwd", "pw", "secret", "token", "mypassword", "mysecretpassword", "your_password")
)
"""What examples say in the place of one."""


def _passwords(text: str) -> Iterator[Found]:
    """Those in addresses: `https://user:password@host`."""
    for match in _PASSWORD.finditer(text):
        if match.group(1).lower() not in _NO_PASSWORDS and not _EXAMPLE.search(match.group(1)):
            yield match.start(1), match.end(1), "password"


_DOMAIN = re.compile(r"@((?:[a-z0-9-]{1,63}+\.){1,8}?([a-z]{2,24}+))(?![\w-]|\.[a-z0-9]|\()", re.IGNORECASE | re.ASCII)
_LOCAL = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-"
_LONGEST_LOCAL = 64  # RFC 5321
_TOP = frozenset(
    (
        "academy agency app asia bank berlin bike biz blog business cafe care cat center church city cloud club coach com "
        "community company consulting coop design dev digital earth edu education email energy engineering eu events "
        "expert family farm finance foundation fun global gmbh gov group hamburg health help hotel house info institute "
        "int international jobs koeln law legal life live london ltd marketing me media mil mobi moscow museum name net "
        "network news ngo nyc online org page paris partners photo plus post press pro school science services shop site "
        "social software solutions space store studio support swiss systems team tech tel today tokyo tools top "
        "training travel university ventures vip wien wiki work works world xyz zone"
    ).split()
)
"""Top-level domains in wide use, besides those of countries, which have two letters."""
_NO_COUNTRIES = frozenset(("cs", "gz", "js", "py", "rb", "ts"))
"""Two letters that end the name of a file more often than a domain."""
_RESERVED = ("example.com", "example.net", "example.org", "example.edu")  # RFC 2606, and one used alike
_NOBODY = frozenset(("git", "noreply", "no-reply", "donotreply"))


def _emails(text: str) -> Iterator[Found]:
    for match in _DOMAIN.finditer(text):
        before = text[max(0, match.start() - _LONGEST_LOCAL) : match.start()]
        local = before[len(before.rstrip(_LOCAL)) :].lstrip(".%+-")
        if local and local.lower() not in _NOBODY and _is_somebodys(match.group(1).lower(), match.group(2).lower()):
            yield match.start() - len(local), match.end(), "email"


def _is_somebodys(domain: str, top: str) -> bool:
    if any(domain == name or domain.endswith(f".{name}") for name in _RESERVED):
        return False
    return top in _TOP or (len(top) == 2 and top not in _NO_COUNTRIES)


_CLASSES = bytes(ord("0") if chr(byte).isascii() and chr(byte).isdigit() else byte for byte in range(256))
_LEAST_DIGITS = b"0000000"


def _has_long_number(text: str) -> bool:
    """Whether seven digits follow each other, whatever usually parts them left out. Fast, for most texts have none."""
    return _LEAST_DIGITS in text.encode("utf-8", "surrogatepass").translate(_CLASSES, b" -().")


_CARD = re.compile(
    r"(?<![\w.-])(?:[2-6]\d{3}([ -]?)\d{4}\1\d{4}\1\d{1,7}|3[47]\d\d([ -]?)\d{6}\2\d{5})(?![\w-]|\.\d)", re.ASCII
)
_ISSUERS = {  # how a number starts → how many digits it has
    re.compile(r"4"): (13, 16, 19),
    re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"): (16,),
    re.compile(r"3[47]"): (15,),
    re.compile(r"30[0-5]|3[689]"): (14, 16),
    re.compile(r"35|6011|64[4-9]|65|62"): (16, 19),
}


def _cards(text: str) -> Iterator[Found]:
    for match in _CARD.finditer(text):
        digits = match.group().replace(" ", "").replace("-", "")
        issued = any(start.match(digits) and len(digits) in lengths for start, lengths in _ISSUERS.items())
        if issued and _passes_luhn(digits) and len(set(digits)) > 1:
            yield match.start(), match.end(), "card"


def _passes_luhn(digits: str) -> bool:
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    return (sum(int(digit) for digit in digits[-1::-2]) + sum(two - 9 if two > 9 else two for two in doubled)) % 10 == 0


_IBAN_START = re.compile(r"(?<!\w)([A-Z]{2})\d\d(?= ?[A-Z0-9])", re.ASCII)
_IBAN_LENGTHS = {
    country[:2]: int(country[2:])
    for country in (
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 "
        "FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 "
        "LV21 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SE24 SI19 SK24 SM27 "
        "TN24 TR26 UA29 VA22 VG24 XK20"
    ).split()
}
"""Country → characters of its account numbers: the registry of ISO 13616."""


def _ibans(text: str) -> Iterator[Found]:
    for match in _IBAN_START.finditer(text):
        length = _IBAN_LENGTHS.get(match.group(1), 0)
        end = _end_of_groups(text, match.start(), length)
        number = text[match.start() : end].replace(" ", "")
        # ISO 7064: the first four characters go to the end, letters count from A = 10, and 97 leaves 1
        if length and len(number) == length and int("".join(str(int(c, 36)) for c in number[4:] + number[:4])) % 97 == 1:
            yield match.start(), end, "iban"


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


_INTERNATIONAL = re.compile(r"(?<![\w+*/=.-])\+[1-9][\d ().-]{7,20}+", re.ASCII)
_GROUPS = re.compile(r"\+\d+(?:(?:[ .-]| ?\(|\)[ -]?)\d+)*", re.ASCII)
_AMERICAN = re.compile(r"(?<![\w.+-])(?:\([2-9]\d\d\) ?|[2-9]\d\d-)[2-9]\d\d-\d{4}(?![\w-])", re.ASCII)
_FICTION = re.compile(r"555.?01\d\d$")
"""Numbers that are kept free for films and examples."""


def _phones(text: str) -> Iterator[Found]:
    for match in _INTERNATIONAL.finditer(text):
        number = match.group().rstrip(" ().-")
        digits = sum(character.isdigit() for character in number)
        written_apart = digits < len(number) - 1
        is_sum = text[max(0, match.start() - 3) : match.start()].rstrip()[-1:].isdigit()
        if 9 <= digits <= 15 and (written_apart or digits >= 11) and _GROUPS.fullmatch(number) and not is_sum:  # E.164
            if not _FICTION.search(number) and not text[match.start() + len(number) :][:1].isalpha():
                yield match.start(), match.start() + len(number), "phone"
    for match in _AMERICAN.finditer(text):
        if not _FICTION.search(match.group()):
            yield match.start(), match.end(), "phone"
