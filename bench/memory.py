"""What groups remember: a year of changes in bytes, and a question about the past against a full evaluation.

    python -m bench.memory --size full --directory /tmp/bench

Ten groups from a thousand to two million members live through 365 days on which one in 200 members leaves and as many
join, in one change an hour, coalesced every night as a server does. Stored bytes are given for a hundred such groups.
The past is asked at 100 instants of the year; the baseline is the evaluation of one segment of about as many members
over the customers of bench.generate. Lines as `bench NAME RATIO LIMIT ok|short`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from bench.generate import SIZES, prepare
from bench.groups import CONTEXT, RESOURCES, VOCABULARY, evaluation, report, short
from muster.engine.plan import plan
from muster.rules.codec import decode
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse

AS_OF_LIMIT = 1.0
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
MEMBERS = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 2_000_000)
DAYS, CHANGES_A_DAY, LEAVING = 365, 4, 200


def _django(home: Path) -> None:
    os.environ |= {"MUSTER_HOME": str(home), "DJANGO_SETTINGS_MODULE": "muster.wiring.settings"}
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def live_through_a_year(customers: int) -> dict[int, str]:
    """Group id by number of members."""
    from pyroaring import BitMap

    from muster.groups.actions.memory import coalesce, remember
    from muster.groups.models import Group
    from muster.groups.terms import Cause, Kind, State

    random = np.random.default_rng(7)
    groups: dict[int, Group] = {}
    members: dict[int, BitMap] = {}
    for size in (one for one in MEMBERS if one * 4 <= customers):
        groups[size] = Group.objects.create(
            id=f"grp_{size}",
            key=f"g{size}",
            name=str(size),
            kind=Kind.SEGMENT,
            state=State.ACTIVE,
            definition={},
            generation=1,
            size=size,
            created_at=BEGIN,
            updated_at=BEGIN,
        )
        members[size] = BitMap(random.choice(customers, size, replace=False).astype(np.uint32))
        remember(groups[size], BitMap(), members[size], Cause.DEFINITION, BEGIN)
    for day in range(DAYS):
        for part in range(CHANGES_A_DAY):
            at = BEGIN + timedelta(days=day, hours=24 / CHANGES_A_DAY * part, minutes=7)
            for size, group in groups.items():
                before = members[size]
                count = max(1, size // LEAVING // CHANGES_A_DAY)
                keys = before.to_array()
                left = BitMap(np.asarray(keys)[random.integers(0, len(keys), count)])
                joined = BitMap(random.integers(0, customers, count).astype(np.uint32))
                members[size] = (before - left) | joined
                remember(group, before, members[size], Cause.DATA, at)
        coalesce(BEGIN + timedelta(days=day + 1, hours=3))
        if day in (29, 89, 179, 364):
            print(f"  after {day + 1} days: {_bytes() * 10 / 1e6:,.0f} MB of a hundred groups", file=sys.stderr)
    return {size: group.id for size, group in groups.items()}


def _bytes() -> int:
    from django.db.models import Sum
    from django.db.models.functions import Length

    from muster.groups.models import MembershipChange, MembershipSnapshot

    changes = MembershipChange.objects.aggregate(total=Sum("bytes"))["total"]
    snapshots = MembershipSnapshot.objects.aggregate(total=Sum(Length("members")))["total"] or 0
    return int(changes) + int(snapshots)


def seconds_of_the_past(identifier: str) -> float:
    from muster.groups.models import Group
    from muster.groups.queries.history import recall

    group = Group.objects.get(id=identifier)
    found = []
    for number in range(100):
        started = time.perf_counter()
        recall(group, BEGIN + timedelta(days=3.6 * number, hours=1))
        found.append(time.perf_counter() - started)
    return statistics.median(found)


SEGMENT = {
    "version": 1,
    "app": "notes",
    "match": {
        "all": [
            {"attribute": "gender", "op": "is", "value": "female"},
            {"attribute": "store_spend", "op": "gt", "value": 10},
        ]
    },
}


def seconds_of_an_evaluation(warehouse: DuckDBWarehouse) -> tuple[float, int]:
    """One segment evaluated from nothing, and how many members it has."""
    definition = decode(SEGMENT, VOCABULARY)
    found = []
    for _ in range(7):
        started = time.perf_counter()
        with ExitStack() as stack:
            size = len(evaluation(warehouse, stack).result(plan(definition, CONTEXT)).members)
        found.append(time.perf_counter() - started)
    return statistics.median(found), size


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--directory", type=Path, default=Path("var/bench"))
    options = parser.parse_args()
    directory = options.directory / options.size
    directory.mkdir(parents=True, exist_ok=True)
    with prepare(directory, SIZES[options.size], RESOURCES) as warehouse, tempfile.TemporaryDirectory() as home:
        _django(Path(home))
        groups = live_through_a_year(warehouse.highest_key())
        baseline, size = seconds_of_an_evaluation(warehouse)
        largest = max(groups)
        past = seconds_of_the_past(groups[largest])
    note = f"{past * 1000:.0f} ms of {largest:,} members against {baseline * 1000:.0f} ms of {size:,}"
    report("as-of", past / baseline, AS_OF_LIMIT, note)
    return 1 if short() else 0


if __name__ == "__main__":
    sys.exit(main())
