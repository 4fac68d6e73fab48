"""Verdicts that a row has to itself: nothing new, lines that take their order along, names beyond the limit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.living import Document, Living, csv_of, living

PEOPLE = {
    "kind": "customers",
    "row": {
        "external_id": "id",
        "email": "email",
        "traits": {"country": "country", "shoe": {"column": "shoe", "type": "number"}},
    },
}
ORDERS = {
    "kind": "orders",
    "app": "shop",
    "row": {"external_id": "id", "order_id": "order", "happened_at": "at", "amount": "amount", "currency": "currency"},
}
LINES = {
    "kind": "orders",
    "app": "shop",
    "row": {
        "external_id": "id",
        "happened_at": "at",
        "products": {"group_by": "order", "product_id": "product", "price": "price"},
    },
}
EVENTS = {"kind": "events", "app": "shop", "row": {"external_id": "id", "event": "event", "happened_at": "at"}}
Verdict = tuple[int, str, str | None, str | None]


@pytest.fixture(scope="module")
def shop(module_environment: dict[str, str]) -> Iterator[Living]:
    with living(module_environment) as installation:
        installation.post("/apps", {"key": "shop", "name": {"en": "Shop"}}, 201)
        yield installation


def _judged(shop: Living, content: bytes, mapping: Document) -> list[Verdict]:
    imported = shop.dry_run(content, mapping)
    found = shop.verdicts(imported["id"])
    assert (imported["state"], sum(imported["counts"].values())) == ("checked", len(found))
    return [(one["row"], one["verdict"], one["reason"], one["value"]) for one in found]


def _words(judged: list[Verdict]) -> list[str]:
    return [verdict for _, verdict, _, _ in judged]


def test_customer_of_whom_nothing_new_is_said_is_unchanged(shop: Living) -> None:
    header = "id,email,country,shoe"
    shop.bring_in(csv_of(header, "c1,c1@example.com,NO,42", "c2,,NO,", "c3,c3@example.com,,"), PEOPLE)
    again = csv_of(
        header,
        "c1,c1@example.com,Norway,42.0",
        "c1x,,,",
        "c2,,NO,42",
        "c3,c4@example.com,,",
        "c3,,,",
    )
    assert _judged(shop, again, PEOPLE) == [
        (1, "unchanged", None, None),
        (2, "new", None, None),
        (3, "updated", None, None),
        (4, "updated", None, None),
        (5, "invalid", "conflict_in_file", "row 4"),
    ]
    assert _words(_judged(shop, csv_of(header, "c3,,,", "c1,,SE,42"), PEOPLE)) == ["unchanged", "updated"]


def test_unchanged_rows_change_nothing(shop: Living) -> None:
    shop.bring_in(csv_of("id,email,country,shoe", "same,same@example.com,NO,42"), PEOPLE)
    before = shop.get("/customers/external:same")
    again = shop.bring_in(csv_of("id,email,country,shoe", "other,,,", "same,same@example.com,NO,42"), PEOPLE)
    assert again["counts"] == {"new": 1, "unchanged": 1}
    after = shop.get("/customers/external:same")
    known = {name: value for name, value in before["attributes"].items() if name != "last_seen_at"}
    assert {name: value for name, value in after["attributes"].items() if name != "last_seen_at"} == known


def test_order_said_again_is_unchanged(shop: Living) -> None:
    header = "id,order,at,amount,currency"
    shop.bring_in(csv_of(header, "o1,a,2026-01-01,10,EUR", "o1,b,2026-01-01,10,EUR", "o1,c,2026-01-01,,"), ORDERS)
    again = csv_of(
        header,
        "o1,c,2026-01-01,,",
        "o1,a,2026-01-01T00:00:00Z,10.00,eur",
        "o2,b,2026-01-01,10,EUR",
        "o1,d,2026-01-01,1,EUR",
    )
    assert _words(_judged(shop, again, ORDERS)) == ["unchanged", "unchanged", "updated", "new"]
    changed = csv_of(header, "o1,a,2026-01-02,10,EUR", "o1,b,2026-01-01,11,EUR", "o1,c,2026-01-01,,EUR")
    assert _words(_judged(shop, changed, ORDERS)) == ["updated", "updated", "updated"]


def test_order_is_unchanged_if_all_its_lines_are(shop: Living) -> None:
    header = "id,order,at,product,price"
    first = ("l1,x,2026-01-01,apple,1.5", "l1,y,2026-01-01,pear,2", "l1,x,2026-01-01,plum,1")
    shop.bring_in(csv_of(header, *first), LINES)
    assert _words(_judged(shop, csv_of(header, *first[::-1][1:], first[2]), LINES)) == ["unchanged"] * 3
    other = csv_of(header, "l1,x,2026-01-01,apple,1.5", "l1,x,2026-01-01,plums,1", "l1,y,2026-01-01,pear,2")
    assert _words(_judged(shop, other, LINES)) == ["updated", "updated", "unchanged"]


def test_consent_given_already_is_unchanged(shop: Living) -> None:
    consents = {"kind": "consents", "row": {"external_id": "id", "purpose": "purpose", "granted": "granted"}}
    shop.bring_in(csv_of("id,purpose,granted", "k1,profiling,no"), consents)
    again = csv_of("id,purpose,granted", "k1,offers,no", "k1,profiling,no", "k1,profiling,yes", "k2,profiling,no")
    assert _words(_judged(shop, again, consents)) == ["new", "unchanged", "new", "new"]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("g1,gx,2026-01-01,plum,1,and more", "too_many_cells"),
        ("g1,gx,2026-01-01", "too_few_cells"),
        ("g1,gx,2026-01-01,plum,cheap", "not_a_number"),
        (f"g1,gx,2026-01-01,{'p' * 2_000},1", "too_long"),
    ],
)
def test_order_is_not_taken_without_one_of_its_lines(shop: Living, wrong: str, reason: str) -> None:
    """Each line says which one is at fault."""
    content = csv_of("id,order,at,product,price", "g1,gx,2026-01-01,apple,1", "g1,gy,2026-01-01,pear,2", wrong)
    judged = _judged(shop, content, LINES)
    assert [(row, verdict, why) for row, verdict, why, _ in judged] == [
        (1, "invalid", "order_incomplete"),
        (2, "new", None),
        (3, "invalid", reason),
    ]
    assert judged[0][3] == "row 3"
    assert shop.dry_run(content, LINES)["items"] == 1


def test_order_of_a_shifted_line_is_found_from_the_right(shop: Living) -> None:
    mapping = {**LINES, "source": {"delimiter": ","}}
    content = csv_of(
        "at,product,price,id,order", "2026-01-01,a,1,s1,sx", "2026-01-01,a,b,1,s1,sx", "2026-01-01,a,1,s1,sy"
    )
    assert _judged(shop, content, mapping) == [
        (1, "invalid", "order_incomplete", "row 2"),
        (2, "invalid", "too_many_cells", "2026-01-01,a,b,1,s1,sx"),
        (3, "new", None, None),
    ]


def test_lines_of_one_order_may_lie_far_apart(shop: Living) -> None:
    """Orders are put together in passes over ranges of the file; lines of this one lie beyond the first's."""
    others = [f"f1,far{number},2026-01-01,pear,2" for number in range(120_000)]
    lines = ["f1,apart,2026-01-01,apple,1", *others[:60_000], "f1,apart,2026-01-01,plum,2", *others[60_000:]]
    content = csv_of("id,order,at,product,price", *lines, "f1,apart,2026-01-01,cherry,3", "f1,far0,2026-01-02,fig,4")
    imported = shop.dry_run(content, LINES)
    assert (imported["counts"], imported["items"]) == ({"new": 120_002, "invalid": 2}, 120_000)
    assert [(one["row"], one["reason"], one["value"]) for one in shop.verdicts(imported["id"], "invalid")] == [
        (2, "conflict_in_file", "order far0"),
        (120_004, "conflict_in_file", "order far0"),
    ]
    finished = shop.finish(shop.post(f"/imports/{imported['id']}/apply", {"max_invalid": 2}, 202)["job"]["id"])
    assert finished["state"] == "done"
    again = csv_of("id,order,at,product,price", lines[60_001], "f1,apart,2026-01-01,cherry,3", lines[0])
    assert _words(_judged(shop, again, LINES)) == ["updated"] * 3
    same = csv_of("id,order,at,product,price", lines[0], lines[60_001], "f1,apart,2026-01-01,cherry,3")
    assert _words(_judged(shop, same, LINES)) == ["unchanged"] * 3


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_blank_line_of_one_column_is_a_row(shop: Living, ending: str) -> None:
    content = ending.join(["id", "b1", "", "b2", "", ""]).encode()
    assert _judged(shop, content, {"kind": "customers", "row": {"external_id": "id"}}) == [
        (1, "new", None, None),
        (2, "invalid", "missing", None),
        (3, "new", None, None),
        (4, "invalid", "missing", None),
    ]


def test_blank_line_between_rows_of_many_columns_is_none(shop: Living) -> None:
    content = csv_of("id,email,country,shoe", "n1,,,", "", "n2,,,1,", "", "n3,,,")
    assert [(row, verdict) for row, verdict, _, _ in _judged(shop, content, PEOPLE)] == [
        (1, "new"),
        (2, "invalid"),
        (3, "new"),
    ]


def test_rate_of_nothing_is_invalid(shop: Living) -> None:
    rates = {"kind": "rates", "row": {"day": "day", "currency": "currency", "rate": "rate"}}
    content = csv_of(
        "day,currency,rate", "2026-01-01,USD,0", "2026-01-02,USD,-1", "2026-01-03,USD,", "2026-01-04,USD,2"
    )
    assert [(verdict, reason) for _, verdict, reason, _ in _judged(shop, content, rates)] == [
        ("invalid", "not_positive"),
        ("invalid", "not_positive"),
        ("invalid", "missing"),
        ("new", None),
    ]


def test_event_names_beyond_the_limit_are_verdicts(shop: Living) -> None:
    """C-4: the first 2,000 are taken, and every row of a name that is known."""
    rows = [f"e{number},Name {number},2026-01-01" for number in range(2_003)]
    content = csv_of(
        "id,event,at", *rows, "e1,name_7,2026-01-02", "e1,app_opened,2026-01-02", "e1,Name 2001,2026-01-03"
    )
    imported = shop.dry_run(content, EVENTS)
    assert imported["counts"] == {"new": 2_002, "invalid": 4}
    refused = [(one["row"], one["reason"], one["value"]) for one in shop.verdicts(imported["id"], "invalid")]
    assert refused == [
        (2_001, "event_limit", "Name 2000"),
        (2_002, "event_limit", "Name 2001"),
        (2_003, "event_limit", "Name 2002"),
        (2_006, "event_limit", "Name 2001"),
    ]
    applied = shop.post(f"/imports/{imported['id']}/apply", {"max_invalid": 4}, 202)
    assert shop.finish(applied["job"]["id"])["state"] == "done"
    assert _words(_judged(shop, csv_of("id,event,at", "f,Name 5,2026-01-01", "f,Another,2026-01-01"), EVENTS)) == [
        "new",
        "invalid",
    ]
