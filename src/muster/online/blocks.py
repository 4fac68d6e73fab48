"""Masks of many customers at once: bitmaps of groups become blocks of 64 customers, and back. For the writer only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from muster.online.layout import CUSTOMERS_A_BLOCK, LEAST_WIDTH, MOST_WIDTH
from muster.online.publication import Moved

Blocks = npt.NDArray[np.uint8]
"""(blocks, 64, width): the masks of 64 customers each, little-endian."""
Keys = npt.NDArray[np.uint32]

_SHIFT, _LAST = np.uint32(CUSTOMERS_A_BLOCK.bit_length() - 1), np.uint32(CUSTOMERS_A_BLOCK - 1)


def width_for(bits: int) -> int:
    """Bytes of a mask that has room for so many bits."""
    width = LEAST_WIDTH
    while width * 8 < bits:
        width *= 2
    if width > MOST_WIDTH:
        raise ValueError(f"{bits} bits are more than a mask has")
    return width


def keys_of(members: BitMap) -> Keys:
    return np.frombuffer(members.to_array(), np.uint32) if members else np.empty(0, np.uint32)


def blocks_of(members: BitMap) -> Keys:
    """The numbers of the blocks in which anybody is, in order."""
    blocks = keys_of(members) >> _SHIFT
    # They come in order: comparing neighbours is faster than sorting again.
    return blocks[np.concatenate(([True], blocks[1:] != blocks[:-1]))] if len(blocks) else blocks


def read_blocks(found: Mapping[bytes, bytes], names: list[bytes], width: int) -> Blocks:
    """Blocks by their keys; one that is not there is all zero."""
    nobody = bytes(CUSTOMERS_A_BLOCK * width)
    whole = bytearray(b"".join(found.get(name, nobody) for name in names))
    return np.frombuffer(whole, np.uint8).reshape(len(names), CUSTOMERS_A_BLOCK, width)


def apply_moved(blocks: Blocks, numbers: Keys, moved: Mapping[int, Moved]) -> None:
    """Sets and clears bits of those who are in these blocks, whose numbers are in order."""
    for bit, change in moved.items():
        for members, there in ((change.joined, True), (change.left, False)):
            _put(blocks, numbers, keys_of(members), bit, there=there)


def apply_whole(blocks: Blocks, numbers: Keys, whole: Mapping[int, BitMap]) -> None:
    """Makes bits those of exactly these customers."""
    for bit, members in whole.items():
        blocks[:, :, bit >> 3] &= 0xFF ^ (1 << (bit & 7))
        _put(blocks, numbers, keys_of(members), bit, there=True)


def forget(blocks: Blocks, numbers: Keys, keys: Keys) -> None:
    places, rows = _places(numbers, keys)
    blocks[places, rows] = 0


def _put(blocks: Blocks, numbers: Keys, keys: Keys, bit: int, *, there: bool) -> None:
    if not len(keys):
        return
    places, rows = _places(numbers, keys)
    # Nobody is in it twice, so no place is named twice.
    if there:
        blocks[places, rows, bit >> 3] |= np.uint8(1 << (bit & 7))
    else:
        blocks[places, rows, bit >> 3] &= np.uint8(0xFF ^ (1 << (bit & 7)))


def _places(numbers: Keys, keys: Keys) -> tuple[npt.NDArray[np.intp], Keys]:
    """Of each customer the place of its block, and its own in it; who is in none of the blocks must not be asked."""
    return np.searchsorted(numbers, keys >> _SHIFT), keys & _LAST


def transposed(members: Mapping[int, BitMap], first: int, count: int, width: int) -> Blocks:
    """The masks of `count` blocks from the block `first` on, of all these groups."""
    begin, end = first * CUSTOMERS_A_BLOCK, (first + count) * CUSTOMERS_A_BLOCK
    masks = np.zeros((end - begin, width), np.uint8)
    section = BitMap(range(begin, min(end, 2**32)))
    for plane, bits in _planes(members).items():
        column = np.zeros(end - begin, np.uint8)
        for bit, theirs in bits.items():
            column[keys_of(theirs & section) - np.uint32(begin)] |= np.uint8(1 << (bit & 7))
        masks[:, plane] = column
    return masks.reshape(count, CUSTOMERS_A_BLOCK, width)


def _planes(members: Mapping[int, BitMap]) -> dict[int, dict[int, BitMap]]:
    """Bits by the byte they are in."""
    planes: dict[int, dict[int, BitMap]] = {}
    for bit, theirs in members.items():
        if theirs:
            planes.setdefault(bit >> 3, {})[bit] = theirs
    return planes


def widened(blocks: Blocks, width: int) -> Blocks:
    wide = np.zeros((*blocks.shape[:2], width), np.uint8)
    wide[:, :, : blocks.shape[2]] = blocks
    return wide


def members_in(blocks: Blocks, numbers: Keys, bit: int) -> BitMap:
    """Who of the blocks has the bit."""
    has = blocks[:, :, bit >> 3] & np.uint8(1 << (bit & 7))
    places, rows = np.nonzero(has)
    return BitMap((numbers[places].astype(np.uint32) << _SHIFT) + rows.astype(np.uint32))


def portions(numbers: Keys, size: int) -> Iterator[Keys]:
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]
