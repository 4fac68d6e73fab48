"""One hundred segments over some seventy distinct conditions, each condition also as SQL written by hand."""

from __future__ import annotations

import random
from typing import Any

from bench.generate import COUNTRIES, EVENTS
from muster.engine.context import Context
from muster.rules.codec import decode
from muster.rules.nodes import Definition

_NOW = "TIMESTAMP '2026-11-21 12:00:00'"
Pair = tuple[dict[str, Any], str]


def conditions() -> list[Pair]:
    """(condition as JSON, hand-written SQL that yields its customer keys); the app of all is `notes`."""
    return [*_demographic(), *_revenue(), *_usage(), *_behaviour(), *_devices()]


def population_sql() -> list[str]:
    """What everybody writes before any condition: who has the app, who objected, who is too young."""
    return [
        f"SELECT customer_key FROM app_facts WHERE app_key = 1 AND acquired_at <= {_NOW}",
        "SELECT customer_key FROM profiles WHERE profiling_denied",
        "SELECT customer_key FROM profiles WHERE birth_code > 20261121 - 170000 AND birth_code <= 20261121",
    ]


def _profile(where: str) -> str:
    return f"SELECT customer_key FROM profiles WHERE {where}"


def _facts(where: str) -> str:
    return f"SELECT customer_key FROM app_facts WHERE app_key = 1 AND {where}"


def _demographic() -> list[Pair]:
    pairs: list[Pair] = [
        ({"attribute": "country", "op": "is", "value": country}, _profile(f"country = '{country}'"))
        for country in COUNTRIES
    ]
    ages = {"18-24": (18, 24), "25-34": (25, 34), "35-49": (35, 49), "50+": (50, 120)}
    for label, (low, high) in ages.items():
        where = f"birth_code > 20261121 - {high + 1}0000 AND birth_code <= 20261121 - {low}0000"
        pairs.append(({"attribute": "age_group", "op": "is", "value": label}, _profile(where)))
    for gender in ("male", "female"):
        pairs.append(({"attribute": "gender", "op": "is", "value": gender}, _profile(f"gender = '{gender}'")))
    for language in ("de", "fr", "es"):
        pairs.append(({"attribute": "language", "op": "is", "value": language}, _profile(f"language = '{language}'")))
    return pairs


def _revenue() -> list[Pair]:
    pairs: list[Pair] = []
    for amount in (5, 10, 50, 100, 500):
        pairs.append(
            (
                {"attribute": "store_spend", "op": "gt", "value": amount},
                _profile(f"store_spend_micros > {amount}000000"),
            )
        )
    for amount in (10, 100):
        pairs.append(
            ({"attribute": "app_spend", "op": "gte", "value": amount}, _facts(f"app_spend_micros >= {amount}000000"))
        )
    for count in (2, 5, 10):
        pairs.append(
            ({"attribute": "purchase_count", "op": "gte", "value": count}, _profile(f"purchase_count >= {count}"))
        )
    pairs.append(({"attribute": "has_purchased", "op": "is", "value": True}, _profile("purchase_count > 0")))
    top = """
WITH v AS (SELECT f.customer_key, f.app_spend_micros AS value FROM app_facts f JOIN profiles p USING (customer_key)
    WHERE f.app_key = 1 AND f.app_spend_micros IS NOT NULL AND NOT p.profiling_denied
    AND (p.birth_code IS NULL OR p.birth_code <= 20261121 - 170000))
SELECT customer_key FROM v WHERE value >= (SELECT quantile_disc(value, {share}) FROM v)"""
    for percent in (10, 25):
        pairs.append(
            ({"attribute": "app_spend", "op": "top_percent", "value": percent}, top.format(share=1 - percent / 100))
        )
    return pairs


def _usage() -> list[Pair]:
    pairs: list[Pair] = []
    for days in (1, 7, 14, 30, 60, 90):
        since = f"{_NOW} - INTERVAL {days} DAY"
        pairs.append(
            (
                {"attribute": "last_used_at", "op": "in_last", "value": f"P{days}D"},
                _facts(f"last_used_at > {since} AND last_used_at <= {_NOW}"),
            )
        )
    for days in (7, 30, 365):
        since = f"{_NOW} - INTERVAL {days} DAY"
        pairs.append(
            (
                {"attribute": "acquired_at", "op": "in_last", "value": f"P{days}D"},
                _facts(f"acquired_at > {since} AND acquired_at <= {_NOW}"),
            )
        )
    for count in (10, 50, 100):
        pairs.append(({"attribute": "session_count", "op": "gte", "value": count}, _facts(f"session_count >= {count}")))
    for kind in ("trial", "paid"):
        pairs.append(
            ({"attribute": "acquisition_type", "op": "is", "value": kind}, _facts(f"acquisition_type = '{kind}'"))
        )
    for campaign in ("spring", "winter"):
        pairs.append(
            ({"attribute": "campaign_id", "op": "is", "value": campaign}, _facts(f"campaign_id = '{campaign}'"))
        )
    pairs.append(({"attribute": "rating", "op": "lte", "value": 2}, _facts("rating <= 2")))
    return pairs


def _behaviour() -> list[Pair]:
    pairs: list[Pair] = []
    for event, count, days in (
        ("level_up", 1, 7),
        ("level_up", 1, 30),
        ("level_up", 3, 30),
        ("level_up", 3, 90),
        ("level_up", 5, 90),
        ("app_opened", 1, 7),
        ("app_opened", 5, 30),
        ("app_opened", 10, 90),
        ("screen_viewed", 1, 7),
        ("screen_viewed", 3, 30),
        ("app_crashed", 1, 30),
        ("app_crashed", 2, 90),
    ):
        window = f"happened_at > {_NOW} - INTERVAL {days} DAY AND happened_at <= {_NOW}"
        where = f"event = {EVENTS[event]} AND app_key = 1 AND {window}"
        grouped = f"SELECT customer_key FROM events WHERE {where}"
        grouped += f" GROUP BY customer_key HAVING count(*) >= {count}" if count > 1 else " GROUP BY customer_key"
        pairs.append(({"event": event, "value": count, "when": {"last": f"P{days}D"}}, grouped))
    shared = f"""SELECT customer_key FROM all_events WHERE event = {EVENTS["shared"]} AND app_key = 1
AND happened_at > {_NOW} - INTERVAL 90 DAY AND happened_at <= {_NOW} AND try_cast(props['level'] AS DOUBLE) >= 40
GROUP BY customer_key"""
    wanted = {"event": "shared", "where": [{"property": "level", "op": "gte", "value": 40}], "when": {"last": "P90D"}}
    pairs.append((wanted, shared))
    first, second = EVENTS["app_crashed"], EVENTS["shared"]
    steps = f"""SELECT DISTINCT a.customer_key FROM events a JOIN events b ON a.customer_key = b.customer_key
WHERE a.event = {first} AND b.event = {second} AND a.app_key = 1 AND b.app_key = 1
AND b.happened_at > a.happened_at AND b.happened_at <= a.happened_at + INTERVAL 7 DAY
AND a.happened_at <= {_NOW} AND b.happened_at <= {_NOW}"""
    pairs.append(({"sequence": [{"event": "app_crashed"}, {"event": "shared", "within": "P7D"}]}, steps))
    return pairs


def _devices() -> list[Pair]:
    active = f"app_key = 1 AND last_seen_at > {_NOW} - INTERVAL 90 DAY"
    pairs: list[Pair] = [
        (
            {"attribute": "os", "op": "is", "value": os},
            f"SELECT customer_key FROM devices WHERE {active} AND lower(os) = '{os.lower()}'",
        )
        for os in ("iOS", "Windows")
    ]
    together = [
        {"attribute": "os", "op": "is", "value": "Android"},
        {"attribute": "device_family", "op": "is", "value": "tablet"},
    ]
    sql = f"SELECT customer_key FROM devices WHERE {active} AND lower(os) = 'android' AND device_family = 'tablet'"
    pairs.append(({"device": {"all": together}}, sql))
    return pairs


def segments(context: Context, count: int = 100, seed: int = 20) -> list[tuple[Definition, list[tuple[str, int]]]]:
    """`count` segments of 2 to 5 conditions, some negated, with (all/any/none, condition index) for the SQL twin."""
    dice = random.Random(seed)
    pool = conditions()
    found = []
    for _ in range(count):
        chosen = dice.sample(range(len(pool)), dice.choice([2, 3, 3, 4, 5]))
        parts = [(dice.choice(["all", "all", "any", "none"]), index) for index in chosen]
        found.append((_definition(parts, pool, context), parts))
    return found


def _definition(parts: list[tuple[str, int]], pool: list[Pair], context: Context) -> Definition:
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for kind, index in parts:
        by_kind.setdefault(kind, []).append(pool[index][0])
    match = by_kind.pop("all", [])
    match += [{kind: nodes} for kind, nodes in by_kind.items()]
    return decode({"version": 1, "app": "notes", "match": {"all": match}}, context.vocabulary)


def segment_sql(parts: list[tuple[str, int]]) -> str:
    """The whole segment as one hand-written query."""
    pool = conditions()
    terms = [f"customer_key IN ({population_sql()[0]})"]
    terms += [f"customer_key NOT IN ({sql})" for sql in population_sql()[1:]]
    anyone = [f"customer_key IN ({pool[index][1]})" for kind, index in parts if kind == "any"]
    terms += [f"customer_key IN ({pool[index][1]})" for kind, index in parts if kind == "all"]
    terms += [f"customer_key NOT IN ({pool[index][1]})" for kind, index in parts if kind == "none"]
    if anyone:
        terms.append("(" + " OR ".join(anyone) + ")")
    return "SELECT customer_key FROM profiles WHERE " + " AND ".join(terms)
