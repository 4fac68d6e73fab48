"""Tells webhooks who joined and who left a group: kept back for about a second, in the transaction of the change.

That a group is archived, there again or gone is told at once, in the order of its members' changes.

What was stored is told, also when the process dies right after; what was rolled back is not (ADR 0030). Changes of a
group within that second are told as one: whoever joined and left again did neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from pyroaring import BitMap

from muster.catalog.queries import publisher
from muster.engine.changes import Change, packed, unpacked
from muster.groups.models import Group, MembershipNews
from muster.groups.policies import told_change
from muster.groups.terms import COALESCED, Cause, Kind
from muster.kernel.clock import system_clock
from muster.kernel.ids import customer_id
from muster.webhooks.actions.emitting import emit
from muster.webhooks.actions.waiting import poke_after_commit
from muster.webhooks.queries.webhooks import wanted_among

JOINED, LEFT = "group.member_joined", "group.member_left"
ARCHIVED, RESTORED, DELETED = "group.archived", "group.restored", "group.deleted"
KEPT_BACK = timedelta(seconds=1)
MOST_NAMED = 10_000
"""A larger change is told by its size; who is a member now is read from the group."""
# Below 20 KB with the longest ids there are, of 11 characters.
_A_DELIVERY = 1_000


def announce(group: str, change: Change, cause: Cause, at: datetime, size: int) -> None:
    """Keeps a change for those who want to be told of the group; in the caller's transaction. `size`: after it."""
    announce_all({group: (change, size)}, cause, at)


def announce_all(changes: Mapping[str, tuple[Change, int]], cause: Cause, at: datetime) -> None:
    """The same of several groups that changed together, by id."""
    told = {group: one for group, one in changes.items() if one[0]}
    for group in wanted_among((JOINED, LEFT), told) if told else ():
        _announce(group, *told[group], cause, at)


def _announce(group: str, change: Change, size: int, cause: Cause, at: datetime) -> None:
    # The row of a new group may come later in the transaction; only its id is needed here.
    news = MembershipNews.objects.filter(group=group).first() or MembershipNews(group_id=group)
    if news.due_at is not None and not _goes_with(news, cause):
        _tell(news)
    if news.due_at is None:
        news.due_at = system_clock() + KEPT_BACK
        news.cause, news.size_before = cause, size - len(change.joined) + len(change.left)
    elif news.cause != cause:
        news.cause = Cause.DATA
    whole = _change_of(news).then(change)
    news.joined, news.left = packed(whole.joined), packed(whole.left)
    news.at, news.size = at, size
    news.save()
    poke_after_commit()


def _goes_with(news: MembershipNews, cause: Cause) -> bool:
    """Data and time take turns many times a minute, and are remembered as one, too."""
    return news.cause == cause or {Cause(news.cause), cause} <= COALESCED


def announce_life(row: Group, event: str) -> None:
    """`ARCHIVED`, `RESTORED` or `DELETED`; in the caller's transaction, before a restored group's members change and
    before a deleted one's row goes."""
    now = system_clock()
    news = MembershipNews.objects.filter(group=row).first()
    if news is not None and news.due_at is not None:
        # The row may go with the group, and what came before is told before.
        _tell(news)
    if not wanted_among((event,), (row.id,)):
        return
    news = news or MembershipNews(group=row, cause=Cause.DEFINITION, at=now, size_before=0, size=0)
    news.sequence += 1
    news.save()
    emit(event, [{"group": _group(row), "sequence": news.sequence}], subject=row.id, at=now)


def tell_news() -> datetime | None:
    """Emits what was kept back long enough; answers when the rest will have been. Called by the worker."""
    now = system_clock()
    if MembershipNews.objects.filter(due_at__lte=now).exists():
        with transaction.atomic():
            for news in MembershipNews.objects.filter(due_at__lte=now).select_related("group"):
                _tell(news)
    kept_back = MembershipNews.objects.filter(due_at__isnull=False).order_by("due_at")
    return kept_back.values_list("due_at", flat=True).first()


def erase_from_news(keys: BitMap) -> int:
    """As if these customers had never been there; answers of how many groups they stood in the news."""
    gone = 0
    with transaction.atomic():
        for news in MembershipNews.objects.all():
            change = _change_of(news)
            if change.joined.intersect(keys) or change.left.intersect(keys):
                rest = change.without(keys)
                news.joined, news.left = packed(rest.joined), packed(rest.left)
                news.save(update_fields=["joined", "left"])
                gone += 1
    return gone


def count_in_news(keys: BitMap) -> int:
    changes = (_change_of(news) for news in MembershipNews.objects.all())
    return sum(1 for change in changes if change.joined.intersect(keys) or change.left.intersect(keys))


def _tell(news: MembershipNews) -> None:
    """Its events, under the next number; nothing is kept back any more."""
    change = _change_of(news)
    news.sequence += 1
    minimum = publisher().minimum_size
    sizes = (news.size_before, news.size)
    told = told_change(len(change.joined), len(change.left), sizes, minimum, Kind(news.group.kind), may_list=True)
    for event, keys, size in ((JOINED, change.joined, told[0]), (LEFT, change.left, told[1])):
        if keys:
            emit(event, list(_payloads(news, keys, small=size.small)), subject=news.group_id, at=news.at)
    news.joined, news.left, news.due_at = b"", b"", None
    news.save()


def _payloads(news: MembershipNews, keys: BitMap, *, small: bool) -> Iterator[dict[str, Any]]:
    """`data` of the bodies. Of a Small group nobody is told who, or how many (G-21)."""
    common = {"group": _group(news.group), "sequence": news.sequence, "cause": news.cause}
    address = f"/api/v1/groups/{news.group_id}/members"
    if small:
        yield {**common, "small": True, "customers": [], "more": False}
    elif len(keys) > MOST_NAMED:
        yield {**common, "count": len(keys), "customers": [], "more": False, "members": address}
    else:
        parts = [keys[begin : begin + _A_DELIVERY] for begin in range(0, len(keys), _A_DELIVERY)]
        for place, part in enumerate(parts, 1):
            customers = [customer_id(key) for key in part]
            yield {**common, "count": len(keys), "customers": customers, "more": place < len(parts)}


def _group(row: Group) -> dict[str, str]:
    return {"id": row.id, "key": row.key}


def _change_of(news: MembershipNews) -> Change:
    return Change(unpacked(news.joined), unpacked(news.left))
