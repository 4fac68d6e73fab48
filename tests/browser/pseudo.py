"""A language that nobody speaks (en-XA): whatever a page still says in English was not given to the translators."""

from __future__ import annotations

import re
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE = Path(__file__).parents[2] / "src" / "muster"
# It takes the place of a language that Muster has: formats stay those of German.
INSTEAD_OF = "de"
_LETTERS = str.maketrans("aceghijklnorstuyzACEGHIJKLNORSTUYZ", "àçéğĥîĵķļñöŕšţûýžÀÇÉĞĤÎĴĶĻÑÖŔŠŢÛÝŽ")
LETTERS = "àçéğĥîĵķļñöŕšţûýžÀÇÉĞĤÎĴĶĻÑÖŔŠŢÛÝŽ"
_KEPT = re.compile(r"%\(\w+\)[sd]|%%|\{[^{}]*\}|<[^>]*>|&\w+;")
_GROWTH = 0.4


def write_catalogues(folder: Path) -> None:
    """Compiled, as `web/LC` and `rules/LC` hold theirs: `folder/web/de/...`, `folder/rules/de/...`."""
    for room, domain in (("web", "django"), ("rules", "rules")):
        with (SOURCE / room / "locale" / INSTEAD_OF / "LC_MESSAGES" / f"{domain}.po").open("rb") as file:
            catalogue = read_po(file, locale=INSTEAD_OF, domain=domain)
        target = folder / room / INSTEAD_OF / "LC_MESSAGES" / f"{domain}.mo"
        target.parent.mkdir(parents=True)
        with target.open("wb") as compiled:
            write_mo(compiled, _translated(catalogue))


def _translated(catalogue: Catalog) -> Catalog:
    for message in catalogue:
        if message.id:
            message.string = _of(message)
    return catalogue


def _of(message: Message) -> str | tuple[str, ...]:
    if isinstance(message.id, str):
        return pseudo(message.id)
    return tuple(pseudo(text) for text in message.id)


def pseudo(text: str) -> str:
    """Accented and two fifths longer; names of values, tags and entities stay."""
    words = "".join(
        part if _KEPT.fullmatch(part) else part.translate(_LETTERS) for part in re.split(f"({_KEPT.pattern})", text)
    )
    grown = int(len(_KEPT.sub("", text)) * _GROWTH)
    return " ".join([words, *(["öööööö"] * (grown // 7)), *(["ö" * (grown % 7)] if grown % 7 else [])])
