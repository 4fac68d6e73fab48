"""What the sample's segments would remember had Muster been there all along: a week or two at a time (D-16).

The dates of the sample are shifted to today, so its past lies before the installation. The evaluation clock tells who
would have been in each segment; that is written as if it had been noted then.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from pyroaring import BitMap

from muster.engine.plan import plan
from muster.groups.actions.memory import remember
from muster.groups.models import Group, MembershipChange
from muster.groups.queries.clock import evaluation_at
from muster.groups.queries.evaluation import definition_of
from muster.groups.queries.recall import change_of
from muster.groups.queries.sample import sample
from muster.groups.terms import Cause, Kind
from muster.web.hooks import RunningJob

PAST = "groups.sample-past"
_WEEK = timedelta(weeks=1)
# Ninety days, closer together towards the end: each costs as much as deriving all facts anew.
_WEEKS_BEFORE = (13, 11, 9, 7, 5, 4, 3, 2, 1)


def remember_past(job: RunningJob) -> dict[str, Any]:
    """Of every segment of the sample that remembers nothing from before it was made."""
    rows = [row for row in sample().groups if row.kind == Kind.SEGMENT and row.generation and not _has_past(row)]
    began = min((_first(row).at for row in rows), default=None)
    if began is None:
        return {"groups": 0}
    past: list[tuple[datetime, dict[str, BitMap]]] = []
    for week in _WEEKS_BEFORE:
        job.progress(len(past), len(_WEEKS_BEFORE))
        job.check()
        at = began - week * _WEEK
        past.append((at, _members_at(rows, at)))
    for row in rows:
        _write(row, [(at, members[row.id]) for at, members in past])
    return {"groups": len(rows)}


def _first(row: Group) -> MembershipChange:
    return row.changes.defer("joined", "left").earliest("id")


def _has_past(row: Group) -> bool:
    return _first(row).at < row.created_at - _WEEK


def _members_at(rows: list[Group], at: datetime) -> dict[str, BitMap]:
    with evaluation_at(at) as asked:
        words = asked.context.vocabulary
        return {
            row.id: asked.result(plan(definition_of(row, words), asked.context)).members.to_roaring() for row in rows
        }


def _write(row: Group, past: list[tuple[datetime, BitMap]]) -> None:
    """Before everything that was remembered since, which stays as it is: changes are told in the order of their ids."""
    with transaction.atomic():
        if not Group.objects.select_for_update().filter(id=row.id).exists():
            return
        since = list(MembershipChange.objects.filter(group=row))
        MembershipChange.objects.filter(group=row).delete()
        before = BitMap()
        for at, members in past:
            remember(row, before, members, Cause.DATA, at, is_news=False)
            before = members
        beginning, cause = change_of(since[0]).joined, Cause(since[0].cause)
        remember(row, before, beginning, cause, since[0].at, is_news=False)
        for change in since[1:]:
            change.pk = None
            change.save(force_insert=True)
