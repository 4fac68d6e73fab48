"""What one publication changes, and what a store promises whoever publishes (edge spec, section 7)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import msgspec
from pyroaring import BitMap

from muster.online.port import Plan, PublishedKey, State, View


class Identity(NamedTuple):
    """`kind`: external or anonymous; `app`: number of the app, 0 for external ids."""

    kind: str
    app: int
    text: str


class Moved(NamedTuple):
    """Who joined and who left; nobody is in both."""

    joined: BitMap
    left: BitMap


class Column(msgspec.Struct, frozen=True):
    """The place of a group among the bits, and the number of the newest change of its members that is in it (G-17)."""

    bit: int
    change: int


@dataclass(frozen=True)
class Publication:
    """All of it becomes visible at once, or none (E-33). What is not in it stays as it is."""

    moved: Mapping[int, Moved] = field(default_factory=dict)
    """By bit."""
    whole: Mapping[int, BitMap] = field(default_factory=dict)
    """Everybody who has the bit, whoever had it before."""
    identities: Mapping[Identity, int | None] = field(default_factory=dict)
    """Whom an identity names; None: nobody any more."""
    forgotten: BitMap = field(default_factory=BitMap)
    """Customers who are in nothing from now on: erased, or merged into another."""
    columns: Mapping[str, Column | None] = field(default_factory=dict)
    """Of published groups, by id; None: it is published no more. The publisher's own memory."""
    plans: Mapping[int, Plan] | None = None
    """Of every app, by its number."""
    meta: Mapping[str, str] = field(default_factory=dict)
    data_as_of: str | None = None


class Rebuild(Protocol):
    """A whole new content, written beside the one in force until `switch`."""

    def put_masks(self, members: Mapping[int, BitMap], progress: Callable[[int, int], None] | None = None) -> None:
        """Everybody's groups, by bit."""

    def put_identities(self, identities: Iterable[tuple[Identity, int]]) -> None: ...
    def give_up(self) -> None: ...
    def switch(self, publication: Publication) -> None:
        """From now on it is in force, with the plans of the publication and all that was published meanwhile."""


class Readers(NamedTuple):
    """Who reads the store: `taken` of `most` places are taken; `behind`: by how many publications the one is that has
    read longest in one go, whose state is kept meanwhile (E-36)."""

    taken: int
    most: int
    behind: int


class Writer(Protocol):
    """The one process that publishes; on disk when a call returns."""

    @property
    def state(self) -> State: ...
    def view(self) -> View:
        """To read what is published; one for each thread."""

    def columns(self) -> dict[str, Column]: ...
    def publish_keys(self, keys: Mapping[bytes, PublishedKey]) -> None:
        """These keys by digest, and no others."""

    def publish_meta(self, values: Mapping[str, str]) -> None: ...
    def publish(self, publication: Publication) -> None: ...
    def rebuild(self, groups: int) -> Rebuild:
        """For so many groups; one that was begun before is given up."""

    def forget_all(self) -> None:
        """Nothing is decided until the next rebuild."""

    def check_readers(self) -> None: ...
    def readers(self) -> Readers: ...
    def beat(self) -> None:
        """Control is alive."""

    def differing(self, identities: Iterable[tuple[Identity, int]]) -> list[Identity]:
        """Those that are published as another's, or not at all."""

    def identity_count(self) -> int: ...
    def used_bytes(self) -> int: ...
    def members(self, bits: Collection[int]) -> dict[int, BitMap]:
        """Everybody who has each of the bits: to compare it with what it should be."""

    def close(self) -> None: ...
