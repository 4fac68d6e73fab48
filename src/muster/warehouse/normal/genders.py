"""Genders: words of English, German and French as one of three values (C-16)."""

from __future__ import annotations

_WORDS = {
    "male": "m male man männlich maennlich mann masculin homme h",
    "female": "f female woman w weiblich frau féminin feminin femme",
    "other": "x d diverse divers other non-binary nonbinary nicht-binär nichtbinär non-binaire autre",
    "": "na n/a u unknown unbekannt inconnu",
}
_GENDERS = {word: gender for gender, words in _WORDS.items() for word in words.split()} | {
    "": "",
    "non binary": "other",
}


def gender_of(text: str) -> str | None:
    """`male`, `female`, `other`; "" if the word says that it is not known; None if the word is not known."""
    return _GENDERS.get(text.strip().casefold())
