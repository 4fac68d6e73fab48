"""How groups overlap: the sizes of all their intersections (G-19)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from muster.engine.bitset import Bitset

FEWEST, MOST = 2, 6


def overlap(groups: Mapping[str, Bitset]) -> dict[frozenset[str], int]:
    """For every non-empty combination: how many customers are in exactly these groups and no other (UpSet data).

    All sets share one size. Every customer's combination is a number of up to six bits; the
    union is split by one set after the other.
    """
    names = list(groups)
    counts = _exclusive([groups[name].words for name in names])
    return {
        frozenset(name for index, name in enumerate(names) if combination >> index & 1): count
        for combination, count in sorted(counts.items())
    }


def _exclusive(words: list[np.ndarray]) -> dict[int, int]:
    """Sizes by combination; empty parts are not split further."""
    parts = {0: np.bitwise_or.reduce(words)}
    for index, word in enumerate(words):
        split: dict[int, np.ndarray] = {}
        for combination, part in parts.items():
            inside = part & word
            if inside.any():
                split[combination | 1 << index] = inside
            outside = part & ~word
            if outside.any():
                split[combination] = outside
        parts = split
    return {combination: int(np.bitwise_count(part).sum(dtype=np.int64)) for combination, part in parts.items()}
