"""Who was evaluated again while others evaluate everybody: what they found is older than what was followed (G-15).

A long evaluation takes a mark before it looks at the data and asks at the end, in its transaction, whom the follower
has taken up since. Those stay as they are stored, and the follower takes them up once more.
"""

from __future__ import annotations

import threading
from collections import deque

from pyroaring import BitMap

# A cycle is a tenth of a second or longer: some minutes.
_MOST = 4_096


class Followed:
    """Shared by the threads of the process that follows; where none does, nothing is ever noted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._noted: deque[tuple[int, BitMap]] = deque(maxlen=_MOST)
        self._number = 0
        self._again = BitMap()
        self._begun_anew = 0

    def mark(self) -> int:
        return self._number

    def note(self, keys: BitMap) -> None:
        """Before they are evaluated: whoever stores after this leaves them alone."""
        with self._lock:
            self._number += 1
            self._noted.append((self._number, keys.copy()))

    def since(self, mark: int) -> BitMap | None:
        """Everybody noted after the mark; None if that is so long ago that it is not known any more."""
        with self._lock:
            if self._noted and self._noted[0][0] > mark + 1:
                return None
            found = BitMap()
            for number, keys in reversed(self._noted):
                if number <= mark:
                    break
                found |= keys
            return found

    def follow_again(self, keys: BitMap) -> None:
        """They are taken up with the next cycle."""
        with self._lock:
            self._again |= keys

    def take_again(self) -> BitMap:
        with self._lock:
            keys, self._again = self._again, BitMap()
            return keys

    @property
    def begun_anew(self) -> int:
        """Counts up when what is kept in memory of members, or of who changes by time, must be read again."""
        return self._begun_anew

    def begin_anew(self) -> None:
        with self._lock:
            self._begun_anew += 1


FOLLOWED = Followed()
