"""A whole new content, written in portions beside the one in force, then switched to at once (E-34)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any

from pyroaring import BitMap

from muster.kernel.errors import MusterError
from muster.online import blocks
from muster.online.changing import BLOCKS_AT_A_TIME, put_blocks
from muster.online.layout import CUSTOMERS_A_BLOCK, block_key
from muster.online.port import identity_digest
from muster.online.publication import Identity, Publication

IDENTITIES_AT_A_TIME = 500_000

Writing = Callable[[], AbstractContextManager[Any]]


class GivenUp(MusterError):
    """Something came in between that a rebuild under way cannot follow: it is begun again."""

    code = "overtaken"


class Aside:
    """`noted`: what was published since it was begun. It is applied again at the end: what of it was in the data by the
    time that was read is the same afterwards, because the last word on everybody comes last."""

    def __init__(
        self,
        writing: Writing,
        databases: tuple[Any, Any],
        width: int,
        switch: Callable[[Aside, Publication], None],
    ) -> None:
        self._writing, self.databases, self.width = writing, databases, width
        self._switch = switch
        self.noted: list[Publication] = []
        self.is_given_up = False
        for database in databases:
            with writing() as transaction:
                transaction.drop(database, delete=False)

    def note(self, publication: Publication) -> None:
        if not self.is_given_up:
            self.noted.append(publication)

    def give_up(self) -> None:
        """It will not be switched to; what is published is not remembered for it any more."""
        self.is_given_up = True
        self.noted.clear()

    def put_masks(self, members: Mapping[int, BitMap], progress: Callable[[int, int], None] | None = None) -> None:
        """Everybody's groups, by bit; `progress` is told the blocks done and all."""
        count = 1 + max((theirs.max() // CUSTOMERS_A_BLOCK for theirs in members.values() if theirs), default=-1)
        for first in range(0, count, BLOCKS_AT_A_TIME):
            portion = min(BLOCKS_AT_A_TIME, count - first)
            masks = blocks.transposed(members, first, portion, self.width)
            names = [block_key(first + place) for place in range(portion)]
            with self._going_on() as transaction:
                put_blocks(transaction, self.databases[0], names, masks, append=True)
            if progress is not None:
                progress(first + portion, count)

    def put_identities(self, identities: Iterable[tuple[Identity, int]]) -> None:
        """In portions, each in the order of the store."""
        waiting = iter(identities)
        while portion := list(islice(waiting, IDENTITIES_AT_A_TIME)):
            rows = sorted((identity_digest(*identity), key.to_bytes(4, "big")) for identity, key in portion)
            with self._going_on() as transaction, transaction.cursor(db=self.databases[1]) as cursor:
                cursor.putmulti(rows)

    def switch(self, publication: Publication) -> None:
        """With the plans of the publication."""
        self._check()
        self._switch(self, publication)

    def _going_on(self) -> AbstractContextManager[Any]:
        self._check()
        return self._writing()

    def _check(self) -> None:
        if self.is_given_up:
            raise GivenUp("Something was published that this rebuild cannot follow.")
