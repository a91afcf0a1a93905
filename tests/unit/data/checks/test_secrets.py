from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlora_ui.data.checks.secrets import SecretKind, find_secrets, mask_secrets

PIECES = [
    "me@web.de",
    "+49 30 1234567",
    "(212) 456-7890",
    "4111 1111 1111 1111",
    "DE89370400440532013000",
    "https://bob:tr0ub4dor@host/db",
    "AKIA2E5XQ7KDPLMW3RTU",
    "sk-",
    "@",
    "+",
    " ",
    "-",
    "1234567",
    "a.com",
    "://x:",
]


def made(length: int, letters: str = string.ascii_letters + string.digits) -> str:
    """Letters of no meaning, the same each time, so that no key stands in this file."""
    return "".join(random.Random(length).choices(letters, k=length))


PEM = f"-----BEGIN RSA {'PRIVATE'} KEY-----\n{made(64)}\n{made(64)}\n{made(20)}==\n-----END RSA {'PRIVATE'} KEY-----"


@pytest.mark.parametrize(
    ("secret", "kind"),
    [
        (PEM, "key"),
        (PEM.replace("\n", "\\n"), "key"),
        ("AKIA" + made(16, "ABCDEFGHJKLMNPQRSTUVWXYZ234567"), "key"),
        ("AIza" + made(35), "key"),
        ("ghp_" + made(36), "key"),
        ("github_pat_" + made(82), "key"),
        ("glpat-" + made(20), "key"),
        ("hf_" + made(34), "key"),
        ("sk-" + made(48), "key"),
        ("sk-proj-" + made(60), "key"),
        ("sk_live_" + made(24), "key"),
        ("xoxb-274619385027-" + made(24), "key"),
        (f"eyJ{made(30)}.eyJ{made(60)}.{made(43)}", "key"),
        ("4111 1111 1111 1111", "card"),
        ("5555-5555-5555-4444", "card"),
        ("378282246310005", "card"),
        ("3782 822463 10005", "card"),
        ("30569309025904", "card"),
        ("2223003122003222", "card"),
        ("DE89 3704 0044 0532 0130 00", "iban"),
        ("GB29NWBK60161331926819", "iban"),
        ("NO9386011117947", "iban"),
        ("jane.doe+news@mail.web.co.uk", "email"),
        ("JANE@WEB.DE", "email"),
        ("+49 30 1234567", "phone"),
        ("+1 (212) 456-7890", "phone"),
        ("+4915112345678", "phone"),
        ("(212) 456-7890", "phone"),
        ("212-456-7890", "phone"),
    ],
)
def test_is_found_where_it_stands(secret: str, kind: SecretKind) -> None:
    before, after = "Write this: ", ", and no more."
    assert find_secrets(before + secret + after) == [(len(before), len(before) + len(secret), kind)]


@pytest.mark.parametrize(
    "text",
    [
        "commit 3f786850e387550fdab836ed7e6dc881de23001b fixes it",
        "the id is 550e8400-e29b-41d4-a716-446655440000",
        "class A:\n    @property\n    def value(self): ...",
        "y = x@self.weight + b@c.to(device)",
        "npm install react@18.2.0 and see logo@2x.png",
        "git clone git@github.com:owner/name.git",
        "write to someone@example.com, me@host.test or root@localhost",
        "postgres://user:password@localhost:5432/db",
        "https://user:${PASSWORD}@host and https://user:<pw>@host",
        "the time 12:30 is https://host:8080/path?x=y:z@w",
        "AKIAIOSFODNN7EXAMPLE",
        "sk-your-api-key-goes-here-0123A",
        "sk-estimator-doc-link-label-container",
        "from huggingface_hub import hf_hub_download_and_something_else_long",
        "hf_" + "x" * 34,
        "-----BEGIN PRIVATE KEY----- is how such a file starts, and a footer ends it.",
        "-----BEGIN PUBLIC KEY-----\n" + made(64),
        "4111 1111 1111 1112 fails the checksum",
        "0.4111111111111111 is a fraction",
        "1700000000000 is a time in milliseconds, 4220315081820346526 a number",
        "amqp://guest:guest@localhost",
        "f(x) +1.4142135623731*y",
        "ISBN 978-3-16-148410-0",
        "DE88 3704 0044 0532 0130 00 fails the checksum",
        "IN THE YEAR AD24 1234 5678 9012",
        "12 +1234567890123 = 1234567890135",
        "x = 3+1234567890",
        "on 2024-01-01 at 12:00:00 it was 1.234.567,89",
        "(212) 555-0142 is a number in a film",
        "3 14159265358979323846264338327950288",
        "eyJhbGciOiJIUzI1NiJ9 is its head alone",
    ],
)
def test_what_only_looks_like_one_is_not(text: str) -> None:
    assert find_secrets(text) == []


def test_a_password_in_an_address_is_found_and_the_host_is_no_e_mail() -> None:
    text = "https://bob:tr0ub4dor@db.web.de/x"
    assert find_secrets(text) == [(12, 21, "password")]
    assert mask_secrets(text) == "https://bob:[password]@db.web.de/x"


def test_masks_say_what_stood_there_and_leave_the_rest() -> None:
    text = "Jane (jane@web.de) pays DE89370400440532013000 with 4111111111111111 or calls +49 30 1234567."
    assert mask_secrets(text) == "Jane ([email]) pays [iban] with [card] or calls [phone]."


def test_numbers_in_a_row_are_all_found_at_once() -> None:
    assert len(find_secrets("+49 30 1234567 +49 30 7654321 +49 30 1111222")) == 3


def test_a_key_is_masked_with_its_frame() -> None:
    assert mask_secrets(f"before\n{PEM}\nafter") == "before\n[key]\nafter"


def test_a_key_without_its_end_leaves_the_words_behind_it() -> None:
    key = PEM.partition("\n-----END")[0]
    assert mask_secrets(f"{key[:-23]}\nthese are words") == "[key]\nthese are words"


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5)).map("".join))
def test_masked_text_has_no_secret_left(text: str) -> None:
    masked = mask_secrets(text)
    assert find_secrets(masked) == []
    assert masked == text or find_secrets(text)


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5)).map("".join))
def test_spans_follow_each_other_and_lie_in_the_text(text: str) -> None:
    end = 0
    for start, stop, _kind in find_secrets(text):
        assert end <= start < stop <= len(text)
        end = stop


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "unit",
    ["a", "@", "a@a.", "a@a.bc ", "1", "1 ", "4111 1111 ", "+", "+49 30 1234567 ", "+1(", "sk-Ab1", "eyJ", "eyJaaaaaa.",
     f"-----BEGIN {'PRIVATE'} KEY-----", "://a:b", "DE89 ", "DE89370400440532013000 ", "xoxb-"],
)  # fmt: skip
def test_a_long_odd_text_is_no_slower_than_its_length(unit: str) -> None:
    text = unit * (300_000 // len(unit))
    mask_secrets(f"@ 1234567 {text} @a.de")
