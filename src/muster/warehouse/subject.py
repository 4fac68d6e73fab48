"""Whom an erasure or an export is about: one person or many, under every key and name they are known by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from pyroaring import BitMap

Name = tuple[str, int, str]
"""(kind, number of the app or 0, text); kinds are external, anonymous and email (the normal form)."""


@dataclass(frozen=True)
class Subject:
    """`keys` holds retired keys too (C-7). Addresses and ids that somebody else holds as well are not in it: they are
    that person's data."""

    keys: BitMap
    external_ids: tuple[str, ...] = ()
    anonymous_ids: tuple[tuple[int, str], ...] = ()
    addresses: tuple[str, ...] = ()
    """Normal forms."""
    written: tuple[str, ...] = ()
    """Addresses as they were written, where that is not the normal form."""
    sources: tuple[int, ...] = field(default=())
    """Numbers of the imports that brought rows of theirs."""

    def names(self) -> Iterator[Name]:
        yield from (("external", 0, text) for text in self.external_ids)
        yield from (("anonymous", app, text) for app, text in self.anonymous_ids)
        yield from (("email", 0, text) for text in self.addresses)

    def texts(self) -> set[str]:
        """Every text that names them."""
        return {text for _, _, text in self.names()} | set(self.written)

    def with_those_of(self, other: Subject) -> Subject:
        """Everything of both, each once."""
        return Subject(
            self.keys | other.keys,
            tuple(dict.fromkeys(self.external_ids + other.external_ids)),
            tuple(dict.fromkeys(self.anonymous_ids + other.anonymous_ids)),
            tuple(dict.fromkeys(self.addresses + other.addresses)),
            tuple(dict.fromkeys(self.written + other.written)),
            tuple(dict.fromkeys(self.sources + other.sources)),
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"keys": list(self.keys)}


def subject_from_json(document: dict[str, Any]) -> Subject:
    """Of `as_json`."""
    return Subject(
        keys=BitMap(document["keys"]),
        external_ids=tuple(document["external_ids"]),
        anonymous_ids=tuple((int(app), str(text)) for app, text in document["anonymous_ids"]),
        addresses=tuple(document["addresses"]),
        written=tuple(document["written"]),
        sources=tuple(document["sources"]),
    )
