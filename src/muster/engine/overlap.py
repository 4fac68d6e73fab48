"""How groups overlap: the sizes of all their intersections (G-19)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from muster.engine.bitset import Bitset

FEWEST, MOST = 2, 6


def overlap(groups: Mapping[str, Bitset]) -> dict[frozenset[str], int]:
    """For every combination that occurs: how many customers are in exactly these groups and no other (UpSet data).

    All sets share one size. Combinations are numbers whose bits are the groups.
    """
    names = list(groups)
    common = _intersections([groups[name] for name in names])
    return {
        frozenset(name for index, name in enumerate(names) if combination >> index & 1): count
        for combination, count in _exclusive(common, len(names)).items()
        if count
    }


def _intersections(sets: list[Bitset]) -> dict[int, int]:
    """How many customers are in all groups of a combination, whatever else they are in.

    Depth first: every intersection is its parent's with one more set, in one buffer a level.
    """
    sizes: dict[int, int] = {}
    levels = [np.empty_like(sets[0].words) for _ in sets]

    def descend(combination: int, start: int, depth: int) -> None:
        for index in range(start, len(sets)):
            words = sets[index].words
            if combination:
                words = np.bitwise_and(levels[depth - 1], words, out=levels[depth])
            else:
                levels[depth][:] = words
            size = sizes[combination | 1 << index] = int(np.bitwise_count(words).sum(dtype=np.int64))
            if size:
                descend(combination | 1 << index, index + 1, depth + 1)

    descend(0, 0, 0)
    return sizes


def _exclusive(common: Mapping[int, int], count: int) -> dict[int, int]:
    """From "in all of these" to "in exactly these": larger combinations are taken out of the smaller (Moebius)."""
    sizes = [common.get(combination, 0) for combination in range(1 << count)]
    for index in range(count):
        for combination in range(1 << count):
            if not combination >> index & 1:
                sizes[combination] -= sizes[combination | 1 << index]
    return {combination: sizes[combination] for combination in range(1, 1 << count)}
