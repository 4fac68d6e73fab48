"""Whom a decision is about: by a token's word, or as whoever asks says (E-24)."""

from __future__ import annotations

from muster.edge.gate import Asker
from muster.online.port import ANONYMOUS, EXTERNAL, SERVER

_LONGEST_ID = 255

Names = tuple[tuple[str, int, str], ...]
"""What the subject may be known by: kind, number of the app or 0, text. The first that is anybody's counts."""


def vouched_names(subject: str) -> Names:
    """Of whom a token names."""
    return ((EXTERNAL, 0, subject),)


def claimed_names(asker: Asker, claimed: str) -> Names:
    """Of an id as it was sent: the publisher's own where that is believed, else the one of a visitor of the app.

    An id that is longer than any that is taken in is nobody's, and would take long to be looked up.
    """
    if len(claimed) > _LONGEST_ID:
        return ()
    visitor = (ANONYMOUS, asker.key.app, claimed)
    if asker.trust == SERVER or asker.key.identity_mode == "open":
        return ((EXTERNAL, 0, claimed), visitor)
    return (visitor,)


def visitor_names(asker: Asker, anonymous_id: str) -> Names:
    return ((ANONYMOUS, asker.key.app, anonymous_id),) if len(anonymous_id) <= _LONGEST_ID else ()
