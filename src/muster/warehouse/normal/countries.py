"""Countries: ISO 3166-1 alpha-2 from a code or an English name (C-16)."""

from __future__ import annotations

from functools import cache

import pycountry

# Reserved in ISO 3166-1 at the United Kingdom's request because everybody writes it.
_RESERVED = {"uk": "GB"}


def country_code(text: str) -> str | None:
    """Alpha-2 of an alpha-2 or alpha-3 code, an English name, or a withdrawn code with one successor; else None."""
    return _codes().get(text.strip().casefold())


@cache
def _codes() -> dict[str, str]:
    codes: dict[str, str] = {}
    for country in pycountry.countries:
        names = (country.name, getattr(country, "common_name", None), getattr(country, "official_name", None))
        for name in (country.alpha_2, country.alpha_3, *filter(None, names)):
            codes[name.casefold()] = country.alpha_2
    # A code that was given to another country since (AI, GE, SK) has today's meaning.
    for withdrawn in pycountry.historic_countries:
        if successor := _successor(withdrawn):
            for name in filter(None, (getattr(withdrawn, "alpha_2", None), withdrawn.alpha_3, withdrawn.name)):
                codes.setdefault(name.casefold(), successor)
    return codes | _RESERVED


def _successor(withdrawn: pycountry.db.Data) -> str | None:
    """ISO 3166-3: alpha-4 ends in the successor's code, in `AA` if that is its own, in `HH` or `XX` if not one."""
    code: str = withdrawn.alpha_4[:2] if withdrawn.alpha_4[2:] == "AA" else withdrawn.alpha_4[2:]
    return code if pycountry.countries.get(alpha_2=code) else None
