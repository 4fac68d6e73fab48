"""Which groups apps are told of, and how sure it must be who asks (edge spec, E-8, E-25, E-32)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from muster.groups.errors import ExposureNotAllowed, GroupError
from muster.groups.models import Group
from muster.groups.terms import EVALUATED, Exposure, Kind, State
from muster.kernel.worded import worded
from muster.online.port import MOST_GROUPS
from muster.web.wording import said


@dataclass(frozen=True)
class Exposed:
    """A group that is published. `exposure`: as it is in effect; `guarded`: a claim makes nobody its member."""

    id: str
    key: str
    app: str | None
    exposure: str
    guarded: bool
    generation: int


def exposed_groups() -> list[Exposed]:
    """Those that apps may be told of and that have members, by age: the oldest have the lowest bits."""
    rows = list(Group.objects.exclude(state=State.ARCHIVED))
    guarded = guarded_groups(rows)
    shown = [row for row in rows if is_published(row)]
    shown.sort(key=lambda row: (row.created_at, row.id))
    return [
        Exposed(
            row.id,
            row.key,
            row.app,
            # Whatever is stored: what rests on a list is never answered to a mere claim.
            Exposure.SIGNED if row.id in guarded and row.exposure == Exposure.OPEN else row.exposure,
            row.id in guarded,
            row.generation,
        )
        for row in shown[:MOST_GROUPS]
    ]


def is_published(row: Group) -> bool:
    """Small and failed ones too: what they say of one person is as true, and where they exclude they go on doing so."""
    return row.exposure != Exposure.NEVER and row.generation > 0 and row.state in EVALUATED


def guarded_groups(rows: list[Group]) -> set[str]:
    """Ids of the known user groups, and of the segments that somebody joins by being on one, directly or through other
    segments: in a `none` of a `none` too."""
    kinds = {row.id: row.kind for row in rows}
    ids = {row.key: row.id for row in rows} | {row.id: row.id for row in rows}
    references = {row.id: _references(row, ids) for row in rows}
    # A definition has no circle (G-9); one that came about all the same ends where it began.
    asking: set[tuple[str, bool]] = set()

    @cache
    def rests(group: str, positive: bool) -> bool:
        if (group, positive) in asking:
            return False
        if kinds[group] == Kind.KNOWN:
            return positive
        asking.add((group, positive))
        try:
            return any(rests(other, same == positive) for other, same in references[group])
        finally:
            asking.discard((group, positive))

    return {row.id for row in rows if rests(row.id, True)}


def _references(row: Group, ids: Mapping[str, str]) -> list[tuple[str, bool]]:
    """The groups a definition names, and whether being in one makes somebody a member, or a stranger."""
    found = _named(row.definition, positive=True) if row.definition is not None else ()
    return [(ids[name], positive) for name, positive in found if name in ids]


def _named(document: Any, *, positive: bool) -> Iterator[tuple[str, bool]]:
    if isinstance(document, list):
        for one in document:
            yield from _named(one, positive=positive)
    elif isinstance(document, dict):
        if isinstance(document.get("group"), str):
            yield document["group"], positive
        for name, value in document.items():
            yield from _named(value, positive=positive != (name == "none"))


def check_exposures(row: Group) -> None:
    """Refuses a change of a group, or a new one, after which a claim would open a list (E-8); in the transaction that
    stores it. The groups that would be concerned are named: nothing is changed behind anybody's back."""
    others = list(Group.objects.exclude(id=row.id).exclude(state=State.ARCHIVED))
    guarded = guarded_groups([*others, row])
    if row.exposure == Exposure.OPEN and row.id in guarded:
        raise _not_open(row)
    concerned = [one for one in others if one.exposure == Exposure.OPEN and one.id in guarded]
    if concerned:
        raise ExposureNotAllowed(
            worded(
                "“{name}” is open to whoever an app names, and through this a list would decide who is in it."
                " Set it to signed first.",
                name=concerned[0].name,
            ),
            pointer="/definition",
            details={"groups": [one.id for one in concerned]},
        )
    if row.exposure != Exposure.NEVER and sum(one.exposure != Exposure.NEVER for one in others) >= MOST_GROUPS:
        raise GroupError(
            worded("Apps are told of {most:,} groups already. Set another to never first.", most=MOST_GROUPS),
            code="exposure_limit",
            pointer="/exposure",
        )


def exposure_refusal(row: Group, exposure: str) -> str:
    """Why a group may not be set to it, in the reader's language; nothing if it may."""
    others = list(Group.objects.exclude(id=row.id).exclude(state=State.ARCHIVED))
    if exposure == Exposure.OPEN and row.id in guarded_groups([*others, row]):
        return said(_not_open(row).message)
    return ""


def _not_open(row: Group) -> ExposureNotAllowed:
    return ExposureNotAllowed(
        worded(
            "“{name}” cannot be open: a list decides who is in it, and an app may name whoever it likes. Set it to"
            " signed.",
            name=row.name,
        ),
        pointer="/exposure",
    )
