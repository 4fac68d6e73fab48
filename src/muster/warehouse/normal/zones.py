"""Time zones: canonical IANA names (C-16)."""

from __future__ import annotations

from functools import cache
from importlib import resources


def zone_name(text: str) -> str | None:
    """`europe/kiev` -> `Europe/Kyiv`; None if IANA knows no such zone.

    A name that stands for a place of its own stays (`Europe/Stockholm`), though the database links it to another
    with the same clock since 1970; other links are followed.
    """
    return _names().get(text.strip().casefold())


@cache
def _names() -> dict[str, str]:
    data = resources.files("tzdata").joinpath("zoneinfo")
    places = {
        line.split("\t")[2]
        for line in data.joinpath("zone.tab").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    }
    links: dict[str, str] = {}
    names: set[str] = set()
    for line in data.joinpath("tzdata.zi").read_text("utf-8").splitlines():
        kind, *words = line.split(" ")
        if kind == "Z":
            names.add(words[0])
        elif kind == "L":
            links[words[1]] = words[0]
    canonical = {name: name for name in names | places}
    for link in links:
        target = link
        while target not in canonical:
            target = links[target]
        canonical[link] = target
    return {name.casefold(): target for name, target in canonical.items()}
