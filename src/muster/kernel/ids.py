"""Public identifiers: `cus_` + Crockford base32 of a customer's key, `grp_` and others + 80 random bits."""

from __future__ import annotations

import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_MEANING = {letter: number for number, letter in enumerate(_ALPHABET)} | {"o": 0, "i": 1, "l": 1}


def encode_base32(number: int) -> str:
    """Crockford base32 in lower case, without leading zeros."""
    digits = ""
    while True:
        number, rest = divmod(number, 32)
        digits = _ALPHABET[rest] + digits
        if not number:
            return digits


def decode_base32(text: str) -> int:
    """The number of `encode_base32`; reads `o` as 0 and `i`, `l` as 1 as Crockford asks. ValueError otherwise."""
    number = 0
    for letter in text.lower():
        if letter not in _MEANING:
            raise ValueError(f"{letter!r} is not a base32 digit")
        number = number * 32 + _MEANING[letter]
    return number


def customer_id(customer_key: int) -> str:
    return "cus_" + encode_base32(customer_key)


def customer_key_of(identifier: str) -> int:
    """The key inside a `cus_...` id; ValueError if it is none or beyond 32 bits."""
    prefix, _, digits = identifier.partition("_")
    if prefix != "cus" or not 1 <= len(digits) <= 7:
        raise ValueError(f"{identifier!r} is not a customer id such as cus_2f")
    key = decode_base32(digits)
    if not 0 < key < 2**32:
        raise ValueError(f"{identifier!r} is not a customer id")
    return key


def new_id(prefix: str) -> str:
    """A random id such as `grp_4k2...`; 80 bits, so that two never meet."""
    return f"{prefix}_{encode_base32(secrets.randbits(80) | 1 << 79)}"
