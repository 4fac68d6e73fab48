"""E-mail addresses: the normal form in which two are the same (C-10)."""

from __future__ import annotations

import unicodedata

import idna

_LONGEST = 254  # RFC 5321


def normal_email(address: str) -> str | None:
    """Trimmed, NFC, the domain by UTS 46 as A-labels, casefolded; dots and `+tag` stay. None if it is no address."""
    text = address.strip()
    # Composed it is shorter, but not by so much; to compose thousands of marks takes seconds.
    if len(text) > 4 * _LONGEST:
        return None
    text = unicodedata.normalize("NFC", text)
    local, _, domain = text.rpartition("@")
    if not local or not domain or any(letter.isspace() for letter in text):
        return None
    # A quoted name may hold one; anywhere else it is a slip of the hand.
    if "@" in local and not (local.startswith('"') and local.endswith('"')):
        return None
    host = ascii_domain(domain)
    if not host or not all(host.split(".")):
        return None
    normal = f"{local.casefold()}@{host}"
    return normal if len(normal) <= _LONGEST else None


def ascii_domain(domain: str) -> str | None:
    """The domain by UTS 46 as A-labels in lower case; None if it cannot be one."""
    if domain.isascii():
        # IDNA 2008 would refuse underscores and hyphens that exist in real host names.
        return domain.casefold()
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return None
