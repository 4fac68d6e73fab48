"""Following and evaluating everybody must agree; where they do not, it is repaired, counted and said (G-15)."""

from __future__ import annotations

import logging
from datetime import datetime

from pyroaring import BitMap

from muster.customers.hooks import current_warehouse
from muster.engine.bitset import Bitset
from muster.engine.evaluate import Evaluation
from muster.engine.refresh import in_order
from muster.groups.actions.followed import FOLLOWED
from muster.groups.actions.following.follower import Follower, Standing
from muster.groups.actions.lists import match
from muster.groups.models import Group
from muster.groups.terms import Kind
from muster.kernel.ids import customer_id
from muster.metrics.figures import counter

logger = logging.getLogger("muster.following")

_MOST_NAMED = 20


def check_agreement(follower: Follower, now: datetime | None = None, patience_seconds: float = 3.0) -> int:
    """Evaluates everybody by where ranks begin now, and compares; answers in how many memberships that differed.

    Who is followed meanwhile is left out: of them this knows less than the follower.
    """
    standing = follower.stand(now)
    differing = _differing(standing)
    if not differing:
        return 0
    # Whoever has written to the warehouse is about to tell whom it touched.
    follower.await_turns(patience_seconds)
    followed = FOLLOWED.since(standing.mark)
    if followed is None:
        return 0
    found = {group: keys - followed for group, keys in differing.items() if keys - followed}
    count = sum(map(len, found.values()))
    if count:
        follower.mend(BitMap.union(*found.values()), now)
        _say(found, count)
    return count


def _say(found: dict[str, BitMap], count: int) -> None:
    counter("muster_following_disagreements_total", "Memberships that following had otherwise than a full refresh").inc(
        count
    )
    keys = dict(Group.objects.filter(id__in=found).values_list("id", "key"))
    for group, customers in found.items():
        named = ", ".join(customer_id(key) for key in customers[:_MOST_NAMED])
        logger.error(
            "following and a full refresh disagreed about %d customers of %s, evaluated again: %s",
            len(customers),
            keys.get(group, group),
            named,
        )


def _differing(standing: Standing) -> dict[str, BitMap]:
    """By group who should be in and is not, or the other way round."""
    expected = _listed(standing)
    asked = current_warehouse()
    with asked.reader() as reader:
        size = asked.highest_key() + 1

        def members(group: str) -> Bitset:
            return Bitset.from_roaring(expected.get(group, standing.members.get(group, BitMap())), size)

        evaluation = Evaluation(standing.context, asked, reader, size, members)
        evaluation.ask_together(standing.prepared.program.atoms)
        for group in in_order(standing.prepared.definitions):
            expected[group] = evaluation.result(standing.prepared.plans[group]).members.to_roaring()
    differing = {group: found ^ standing.members.get(group, BitMap()) for group, found in expected.items()}
    return {group: keys for group, keys in differing.items() if keys}


def _listed(standing: Standing) -> dict[str, BitMap]:
    rows = Group.objects.filter(id__in=standing.members, kind=Kind.KNOWN, list_version__gt=0)
    return {row.id: match(row.id, row.list_version, row.entry_count).members for row in rows}
