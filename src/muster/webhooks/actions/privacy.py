"""What deliveries hold of people: customer ids in the bodies (C-45). Asked by the rooms that erase."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from functools import reduce
from operator import or_
from typing import Any

from django.db import transaction
from django.db.models import Q

from muster.kernel.clock import system_clock
from muster.webhooks.models import Attempt, Delivery
from muster.webhooks.queries.webhooks import host_of
from muster.webhooks.terms import OPEN, State

_IDS = re.compile(r'"([a-z]+_[0-9a-z]+)"')
# Of more, every body is read here once, instead of by the database once for each.
_FEW = 20


def forget_people(ids: Collection[str]) -> int:
    """Takes customers out of every body that names them; answers how many bodies did.

    Of what is still to be sent they are taken out, and the others in it are sent. What was sent, or will not be, loses
    its body, and what was answered to it.
    """
    with transaction.atomic():
        found = list(_naming(ids))
        for row in found:
            rest = _without(row.body, ids) if row.state in OPEN else ""
            if not rest and row.state in OPEN:
                row.state, row.reason, row.next_at, row.ended_at = State.GIVEN_UP, "erased", None, system_clock()
            row.body = rest
            row.save(update_fields=["body", "state", "reason", "next_at", "ended_at"])
        Attempt.objects.filter(delivery__in=found).update(answer="")
    return len(found)


def count_naming(ids: Collection[str]) -> int:
    return sum(1 for _ in _naming(ids))


def deliveries_naming(ids: Collection[str]) -> list[dict[str, Any]]:
    """What was sent, or is to be, about these customers: rows of JSON, oldest first."""
    return [
        {
            "event": row.event,
            "at": row.created_at.isoformat().replace("+00:00", "Z"),
            "to": host_of(row.webhook.url),
            "state": row.state,
        }
        for row in _naming(ids)
    ]


def _naming(ids: Collection[str]) -> Iterator[Delivery]:
    """Oldest first. Ids stand in quotation marks: none is taken for the beginning of another."""
    asked = set(ids)
    rows = Delivery.objects.exclude(body="").select_related("webhook").order_by("created_at", "id")
    if len(asked) <= _FEW:
        rows = rows.filter(reduce(or_, (Q(body__contains=f'"{one}"') for one in asked), Q(pk__in=[])))
    return (row for row in rows.iterator() if not asked.isdisjoint(_IDS.findall(row.body)))


def _without(body: str, ids: Collection[str]) -> str:
    """The body without them; nothing if nobody is left."""
    document = json.loads(body)
    data = document["data"]
    named = data.get("customers", [])
    left = [one for one in named if one not in set(ids)]
    if not left:
        return ""
    data["customers"] = left
    if "count" in data:
        data["count"] -= len(named) - len(left)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
