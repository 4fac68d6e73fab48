"""Applies what a publication changes of masks and ids, inside the writer's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from pyroaring import BitMap

from muster.online import blocks
from muster.online.layout import CUSTOMERS_A_BLOCK, block_key
from muster.online.port import identity_digest
from muster.online.publication import Identity, Moved, Publication

# Blocks that are read, changed and written at a time: 16 MiB of the usual width.
BLOCKS_AT_A_TIME = 16_384


def change_masks(transaction: Any, database: Any, width: int, publication: Publication) -> None:
    """Reads, changes and writes the blocks of everybody concerned; of a whole bit those are all there are."""
    concerned = _concerned(publication)
    numbers = blocks.blocks_of(concerned)
    if publication.whole:
        numbers = np.union1d(numbers, _numbers(transaction, database)).astype(np.uint32)
    for portion in blocks.portions(numbers, BLOCKS_AT_A_TIME):
        within = publication if len(numbers) == len(portion) else _section(publication, portion)
        names = [block_key(int(number)) for number in portion]
        with transaction.cursor(db=database) as cursor:
            found = {bytes(name): value for name, value in cursor.getmulti(names)}
        masks = blocks.read_blocks(found, names, width)
        blocks.apply_whole(masks, portion, within.whole)
        blocks.apply_moved(masks, portion, within.moved)
        blocks.forget(masks, portion, blocks.keys_of(within.forgotten))
        put_blocks(transaction, database, names, masks)


def change_ids(transaction: Any, database: Any, identities: Mapping[Identity, int | None]) -> None:
    for identity, key in identities.items():
        digest = identity_digest(*identity)
        if key is None:
            transaction.delete(digest, db=database)
        else:
            transaction.put(digest, key.to_bytes(4, "big"), db=database)


def put_blocks(
    transaction: Any, database: Any, names: Iterable[bytes], masks: blocks.Blocks, *, append: bool = False
) -> None:
    """`append`: all of them come behind what is there, in order."""
    size = CUSTOMERS_A_BLOCK * masks.shape[2]
    whole = memoryview(masks.tobytes())
    with transaction.cursor(db=database) as cursor:
        cursor.putmulti(
            [(name, whole[place * size : (place + 1) * size]) for place, name in enumerate(names)], append=append
        )


def _concerned(publication: Publication) -> BitMap:
    parts = [part for change in publication.moved.values() for part in change]
    return BitMap.union(BitMap(), publication.forgotten, *publication.whole.values(), *parts)


def _numbers(transaction: Any, database: Any) -> blocks.Keys:
    """Of every block there is."""
    with transaction.cursor(db=database) as cursor:
        names = b"".join(cursor.iternext(values=False))
    return np.frombuffer(names, ">u4").astype(np.uint32)


def _section(publication: Publication, numbers: blocks.Keys) -> Publication:
    """What of it concerns these blocks."""
    begin, end = int(numbers[0]) * CUSTOMERS_A_BLOCK, (int(numbers[-1]) + 1) * CUSTOMERS_A_BLOCK
    within = BitMap(range(begin, end))
    return Publication(
        moved={bit: Moved(one.joined & within, one.left & within) for bit, one in publication.moved.items()},
        whole={bit: members & within for bit, members in publication.whole.items()},
        forgotten=publication.forgotten & within,
    )
