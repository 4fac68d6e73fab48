"""Sets of customer keys as packed bits: what a condition, a population and a group are while they are computed.

Bit `k` of the little-endian words stands for customer key `k`. In memory a set of 10 M customers is 1.25 MB and an AND
takes 0.04 ms; on disk the same set is a roaring bitmap.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

Words = npt.NDArray[np.uint64]
Keys = npt.NDArray[np.uint32]

_CHUNK = 65_536
_WORDS_A_CHUNK = _CHUNK // 64
# The portable roaring format: containers of up to 4,096 keys are sorted arrays, larger ones bit fields.
_ARRAY_LIMIT = 4_096
_COOKIE_WITHOUT_RUNS = 12_346


@dataclass(frozen=True)
class Bitset:
    """An immutable set of keys below `size`; sets that meet in an operation must have the same size."""

    words: Words
    size: int

    @classmethod
    def empty(cls, size: int) -> Bitset:
        return cls(np.zeros(_word_count(size), np.uint64), size)

    @classmethod
    def of(cls, keys: Iterable[int], size: int) -> Bitset:
        return cls.from_keys(np.fromiter(keys, np.uint32), size)

    @classmethod
    def from_keys(cls, keys: Keys, size: int) -> Bitset:
        """Keys in any order, repetitions allowed; all below `size`."""
        builder = BitsetBuilder(size)
        builder.add(keys)
        return builder.build()

    @classmethod
    def from_roaring(cls, bitmap: BitMap, size: int) -> Bitset:
        """Keys at or beyond `size` are left out: they belong to customers that came later."""
        keys = np.frombuffer(bitmap.to_array(), np.uint32) if len(bitmap) else np.empty(0, np.uint32)
        return cls.from_keys(keys[keys < size], size)

    def __and__(self, other: Bitset) -> Bitset:
        return Bitset(self.words & other.words, self.size)

    def __or__(self, other: Bitset) -> Bitset:
        return Bitset(self.words | other.words, self.size)

    def __xor__(self, other: Bitset) -> Bitset:
        return Bitset(self.words ^ other.words, self.size)

    def __sub__(self, other: Bitset) -> Bitset:
        return Bitset(self.words & ~other.words, self.size)

    def __len__(self) -> int:
        return int(np.bitwise_count(self.words).sum(dtype=np.int64))

    def __contains__(self, key: int) -> bool:
        return 0 <= key < self.size and bool(int(self.words[key >> 6]) >> (key & 63) & 1)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bitset) and self.size == other.size and bool(np.array_equal(self.words, other.words))

    __hash__ = None  # type: ignore[assignment]  # because a set of ten million keys is no dictionary key

    def keys(self) -> Keys:
        """The keys in ascending order."""
        return np.flatnonzero(self.mask()).astype(np.uint32)

    def mask(self) -> npt.NDArray[np.bool_]:
        """One boolean per key below `size`."""
        bits = np.unpackbits(self.words.view(np.uint8), count=self.size, bitorder="little")
        return bits.view(np.bool_)

    def first(self, count: int) -> list[int]:
        """The `count` smallest keys, without unpacking the whole set."""
        found: list[int] = []
        for index in np.flatnonzero(self.words):
            word = int(self.words[index])
            while word and len(found) < count:
                low = word & -word
                found.append(int(index) * 64 + low.bit_length() - 1)
                word ^= low
            if len(found) == count:
                break
        return found

    def resized(self, size: int) -> Bitset:
        """The same keys in a larger (or smaller) space."""
        words = np.zeros(_word_count(size), np.uint64)
        common = min(len(words), len(self.words))
        words[:common] = self.words[:common]
        if size < self.size and size % 64:
            words[-1] &= np.uint64((1 << (size % 64)) - 1)
        return Bitset(words, size)

    def to_roaring(self) -> BitMap:
        """Through the portable roaring format, written from the words: 50x faster than from the list of keys."""
        return BitMap.deserialize(self.to_roaring_bytes())

    def to_roaring_bytes(self) -> bytes:
        """The set in the portable roaring format (RoaringFormatSpec, without run containers)."""
        chunks = np.zeros((-(-len(self.words) // _WORDS_A_CHUNK), _WORDS_A_CHUNK), np.uint64)
        chunks.reshape(-1)[: len(self.words)] = self.words
        counts = np.bitwise_count(chunks).sum(axis=1, dtype=np.int64)
        present = np.flatnonzero(counts)
        containers = [_container(chunks[number], int(counts[number])) for number in present]
        head = np.array([_COOKIE_WITHOUT_RUNS, len(present)], "<u4").tobytes()
        described = np.empty((len(present), 2), "<u2")
        described[:, 0] = present
        described[:, 1] = counts[present] - 1
        first = len(head) + 8 * len(present)
        lengths = np.array([len(container) for container in containers], np.int64)
        offsets = (first + np.concatenate(([0], np.cumsum(lengths)))[: len(present)]).astype("<u4")
        return b"".join([head, described.tobytes(), offsets.tobytes(), *containers])


class BitsetBuilder:
    """Collects keys batch by batch: one byte a key while building, packed at the end.

    Keys at or beyond `size` are left out: these customers came after the evaluation began and belong to the next.
    """

    def __init__(self, size: int) -> None:
        self._mask = np.zeros(_word_count(size) * 64, np.bool_)
        self._size = size

    def add(self, keys: npt.NDArray[Any]) -> None:
        if len(keys) and keys.max() >= self._size:
            keys = keys[keys < self._size]
        # NumPy indexes by its own type alone: converting all keys at once takes half the time it takes one by one.
        self._mask[keys.astype(np.intp)] = True

    def add_where(self, keys: npt.NDArray[Any], holds: npt.NDArray[np.bool_]) -> None:
        """Adds the keys at whose place `holds` is true; runs of consecutive keys are merged as a whole."""
        first, last = (int(keys[0]), int(keys[-1])) if len(keys) else (0, -1)
        if last - first + 1 == len(keys) and last < self._size and _is_consecutive(keys):
            self._mask[first : last + 1] |= holds
        else:
            self.add(keys[holds])

    def build(self) -> Bitset:
        return from_mask(self._mask, self._size)


def from_mask(mask: npt.NDArray[np.bool_], size: int) -> Bitset:
    """A boolean per key; the mask is `size` long or padded to whole words with False."""
    packed = np.packbits(mask, bitorder="little")
    padded = np.zeros(_word_count(size) * 8, np.uint8)
    padded[: len(packed)] = packed
    return Bitset(padded.view(np.uint64), size)


def _is_consecutive(keys: npt.NDArray[Any]) -> bool:
    return bool((np.diff(keys) == 1).all())


def _container(words: Words, count: int) -> bytes:
    if count > _ARRAY_LIMIT:
        return words.astype("<u8", copy=False).tobytes()
    bits = np.unpackbits(words.view(np.uint8), bitorder="little")
    return np.flatnonzero(bits).astype("<u2").tobytes()


def _word_count(size: int) -> int:
    return -(-size // 64)
