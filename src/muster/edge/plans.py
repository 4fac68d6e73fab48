"""What is decided in one app, ready to be asked: integers for the algebra, answers as pieces of JSON (E-25 to E-30)."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

import msgspec
import orjson

from muster.online.port import OPEN, SERVER, SIGNED, Plan, PlanGroup

_FLAG = "group."
_EXPOSED: dict[int, tuple[str, ...]] = {
    OPEN: ("open",),
    SIGNED: ("open", "signed"),
    SERVER: ("open", "signed", "never"),
}
"""Which exposures are answered at which trust (E-8)."""
# Of an app with many groups, people in ever other ones: the answers of the first are kept.
_MOST_KEPT = 4_096

_decode = msgspec.json.Decoder(Plan).decode


class Answers(NamedTuple):
    """Of somebody who is in these groups: pieces of JSON, and the whole body of OFREP with its tag."""

    groups: bytes
    flags: bytes
    bulk: bytes
    etag: bytes


class ReadyPlan:
    def __init__(self, encoded: bytes) -> None:
        groups = _decode(encoded).groups
        guarded = _bits(group for group in groups if group.guarded)
        self.visible = tuple(~guarded if trust == OPEN else -1 for trust in (OPEN, SIGNED, SERVER))
        """By trust: the groups that somebody who is only said to be in them is in (E-25)."""
        self._listed = tuple(
            tuple(_Ready(group) for group in groups if is_listed(group, trust)) for trust in (OPEN, SIGNED, SERVER)
        )
        self.answered = tuple(
            self.visible[trust] & _bits(one.group for one in listed) for trust, listed in enumerate(self._listed)
        )
        """By trust: the groups that an answer says anything of."""
        self._flags = tuple({one.flag: one for one in listed} for listed in self._listed)
        self._kept: dict[tuple[int, bool, int], Answers] = {}

    def answers(self, trust: int, mask: int, *, known: bool) -> Answers:
        """`mask`: the groups of somebody, as far as an answer may say them."""
        asked = (trust, known, mask)
        found = self._kept.get(asked)
        if found is None:
            found = _answers(self._listed[trust], mask, known=known)
            if len(self._kept) < _MOST_KEPT:
                self._kept[asked] = found
        return found

    def flag(self, trust: int, key: str, mask: int, *, known: bool) -> bytes | None:
        """The whole body of one flag; None if there is none that this trust may see."""
        one = self._flags[trust].get(key)
        return None if one is None else one.evaluated(mask, known=known)


class _Ready:
    """A group with what is said of it, which is always one of three things."""

    __slots__ = ("_flags", "_single", "flag", "group", "name")

    def __init__(self, group: PlanGroup) -> None:
        self.group = group
        self.flag = f"{_FLAG}{group.key}"
        self.name = orjson.dumps(group.key)
        said = (
            {"value": True, "reason": "TARGETING_MATCH", "variant": "in"},
            {"value": False, "reason": "STATIC", "variant": "out"},
            {"value": False, "reason": "UNKNOWN", "variant": "out"},
        )
        whole = ({"key": self.flag, **one, "metadata": {"kind": "group"}} for one in said)
        self._single = tuple(orjson.dumps(one) for one in whole)
        flag = orjson.dumps(self.flag)
        self._flags = tuple(b"%s:%s" % (flag, orjson.dumps(one)) for one in said)

    def has(self, mask: int) -> bool:
        return bool(mask >> self.group.bit & 1)

    def evaluated(self, mask: int, *, known: bool) -> bytes:
        return self._single[0 if self.has(mask) else 1 if known else 2]

    def in_decision(self, mask: int, *, known: bool) -> bytes:
        return self._flags[0 if self.has(mask) else 1 if known else 2]


def is_listed(group: PlanGroup, trust: int) -> bool:
    """Whether an answer at this trust says anything of it; of a guarded one no claim does, whatever it is set to."""
    return group.exposure in _EXPOSED[trust] and not (group.guarded and trust == OPEN)


def _answers(listed: tuple[_Ready, ...], mask: int, *, known: bool) -> Answers:
    evaluated = b",".join(one.evaluated(mask, known=known) for one in listed)
    return Answers(
        groups=b"[%s]" % b",".join(one.name for one in listed if one.has(mask)),
        flags=b"{%s}" % b",".join(one.in_decision(mask, known=known) for one in listed),
        bulk=b'{"flags":[%s],"metadata":{}}' % evaluated,
        etag=b'"%s"' % blake2b(evaluated, digest_size=16).hexdigest().encode("ascii"),
    )


def _bits(groups: Iterable[PlanGroup]) -> int:
    mask = 0
    for group in groups:
        mask |= 1 << group.bit
    return mask
