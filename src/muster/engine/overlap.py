"""How groups overlap: the sizes of all their intersections (G-19)."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from muster.engine.bitset import Bitset, Words

FEWEST, MOST = 2, 6
# One block a thread: measured faster than smaller blocks that stay in a core's own cache.
_THREADS = 2
# Where fewer members than one word in this many are left, only their words are looked at: measured, 4 to 16 are alike.
_FEW = 8


def overlap(groups: Mapping[str, Bitset]) -> dict[frozenset[str], int]:
    """For every combination that occurs: how many customers are in exactly these groups and no other (UpSet data).

    All sets share one size. Combinations are numbers whose bits are the groups.
    """
    names = list(groups)
    words = [groups[name].words for name in names]
    length = -(-len(words[0]) // _THREADS)
    blocks = [[one[start : start + length] for one in words] for start in range(0, len(words[0]), length)]
    with ThreadPoolExecutor(_THREADS) as threads:
        common = np.sum(list(threads.map(_intersections, blocks)), axis=0)
    return {
        frozenset(name for index, name in enumerate(names) if combination >> index & 1): count
        for combination, count in enumerate(_exclusive([int(size) for size in common], len(names)))
        if combination and count
    }


def _intersections(sets: list[Words]) -> list[int]:
    """By combination: how many are in all its groups, whatever else they are in. Depth first, one buffer a level."""
    sizes = [0] * (1 << len(sets))
    levels = [np.empty_like(sets[0]) for _ in sets]
    counts = np.empty(len(sets[0]), np.uint8)

    def descend(combination: int, members: Words, start: int, others: list[Words]) -> None:
        counted = np.bitwise_count(members, out=counts[: len(members)])
        size = sizes[combination] = int(np.add.reduce(counted, dtype=np.uint32))
        if size * _FEW < len(members) and start + 1 < len(others):
            occupied = np.flatnonzero(counted != 0)
            members = members.take(occupied)
            others = [*others[:start], *(other.take(occupied) for other in others[start:])]
        for index in range(start, len(others) if size else 0):
            common = np.bitwise_and(members, others[index], out=levels[index][: len(members)])
            descend(combination | 1 << index, common, index + 1, others)

    for index, members in enumerate(sets):
        descend(1 << index, members, index + 1, sets)
    return sizes


def _exclusive(common: list[int], count: int) -> list[int]:
    """From "in all of these" to "in exactly these": larger combinations are taken out of the smaller (Moebius)."""
    sizes = list(common)
    for index in range(count):
        for combination in range(1 << count):
            if not combination >> index & 1:
                sizes[combination] -= sizes[combination | 1 << index]
    return sizes
