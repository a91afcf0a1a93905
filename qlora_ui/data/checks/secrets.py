"""Keys, passwords, card and account numbers, e-mail addresses and telephone numbers in a text.

Found is what has a form of its own: a known start, a checksum, a domain. A password that merely stands in a sentence is
not. Every pattern starts with something rare and has bounds, so that no text, however long or odd, is slow to look at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from qlora_ui.data.checks.contacts import find_emails, find_phones
from qlora_ui.data.checks.numbers import find_cards, find_ibans, has_long_number

SecretKind = Literal["key", "password", "card", "iban", "email", "phone"]
Found = tuple[int, int, SecretKind]
"""Start and end in characters, the end not included, and what it is."""

PERSONAL: frozenset[SecretKind] = frozenset({"email", "phone"})
"""What tells who somebody is; the other kinds give access to something."""


def find_secrets(text: str) -> list[Found]:
    """All that was found, in its order; no two overlap. What documents use as an example is left out."""
    found: list[Found] = [(start, end, "key") for start, end in _keys(text)]
    if "@" in text:
        found += [(start, end, "password") for start, end in _passwords(text)]
        found += [(start, end, "email") for start, end in find_emails(text)]
    if has_long_number(text):
        found += [(start, end, "card") for start, end in find_cards(text)]
        found += [(start, end, "iban") for start, end in find_ibans(text)]
        found += [(start, end, "phone") for start, end in find_phones(text)]
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
    """Of those that overlap, the one that starts first; of those that start together, the one that was found first."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: one[0]):
        if not kept or one[0] >= kept[-1][1]:
            kept.append(one)
    return kept


_KEYS = {
    "-----BEGIN": r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:\s{0,4}[A-Za-z-]{1,20}: [^\n]{0,200}\n){0,5}"
    r"(?:\s|\\[nr]){0,8}[A-Za-z0-9+/=]{40,}+(?:(?:\s|\\[nr]){1,4}+[A-Za-z0-9+/=]{60,}+)*+"
    r"(?:[A-Za-z0-9+/=\s\\]{0,100}+-----END [A-Z ]{0,60}-----)?",
    "AKIA": r"(?<![A-Za-z0-9])AKIA[A-Z2-7]{16}(?![A-Za-z0-9])",
    "ASIA": r"(?<![A-Za-z0-9])ASIA[A-Z2-7]{16}(?![A-Za-z0-9])",
    "AIza": r"(?<![\w-])AIza[\w-]{35}(?![\w-])",
    "ghp_": r"(?<!\w)ghp_[A-Za-z0-9]{36,}+",
    "gho_": r"(?<!\w)gho_[A-Za-z0-9]{36,}+",
    "ghr_": r"(?<!\w)ghr_[A-Za-z0-9]{36,}+",
    "ghs_": r"(?<!\w)ghs_[A-Za-z0-9]{36,}+",
    "ghu_": r"(?<!\w)ghu_[A-Za-z0-9]{36,}+",
    "github_pat_": r"(?<!\w)github_pat_\w{60,}+",
    "glpat-": r"(?<![\w-])glpat-[\w-]{20,}+",
    "hf_": r"(?<!\w)hf_(?=[a-z0-9]{0,63}[A-Z])[A-Za-z0-9]{30,64}(?!\w)",
    "sk-": r"(?<![\w-])sk-(?=[\w-]{0,199}[0-9])(?=[\w-]{0,199}[A-Z])[\w-]{20,}+",
    "_live_": r"(?<!\w)[rs]k_live_[A-Za-z0-9]{20,}+",
    "xox": r"(?<![\w-])xox[abeprs]-(?=[A-Za-z-]{0,40}[0-9])[A-Za-z0-9-]{20,}+",
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


def _keys(text: str) -> Iterator[tuple[int, int]]:
    for rare, starts in _STARTS.items():
        if rare in text:
            for start in starts:
                if start in text:
                    yield from _keys_of_form(_FORMS[start], text)


def _keys_of_form(form: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    for match in form.finditer(text):
        key = match.group()
        if len(set(key)) >= _LEAST_CHARACTERS and (key.startswith("-----") or not _EXAMPLE.search(key)):
            yield match.start(), match.end()


_PASSWORD = re.compile(r"""://([^\s/:@\[\]"'<>`]{0,64}):([^\s/@\[\]"'<>`{}$*]{3,128})@(?=[A-Za-z0-9\[])""")
_NO_PASSWORDS = frozenset(
    ("pass", "passwd", "password", "pwd", "pw", "secret", "token", "mypassword", "mysecretpassword", "your_password")
)
"""What examples say in the place of one."""


def _passwords(text: str) -> Iterator[tuple[int, int]]:
    """Those in addresses: `https://user:password@host`, but not `guest:guest`."""
    for match in _PASSWORD.finditer(text):
        user, password = match.groups()
        if password != user and password.lower() not in _NO_PASSWORDS and not _EXAMPLE.search(password):
            yield match.span(2)
