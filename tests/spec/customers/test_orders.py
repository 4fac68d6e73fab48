"""Money: orders, refunds, cancellations, currencies, rates (C-23 to C-25) and what they make of a customer."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from muster.warehouse.batch import Rate
from muster.warehouse.catalog import Trust
from muster.warehouse.items import Line
from tests.spec.customers.told import SHOP, at, event, item, order

MICROS = 1_000_000


def _profile(know, *items, **more):
    return know(items, **more)["c:u1"].profile


def _totals(profile):
    return (
        profile["purchase_count"],
        profile["first_purchase_at"],
        profile["last_purchase_at"],
        profile["store_spend_micros"],
    )


def test_totals_without_any_order_are_missing(know):
    assert _totals(_profile(know, item(traits={"name": "Ann"}))) == (None, None, None, None)


def test_totals_count_completed_orders(know):
    profile = _profile(know, order("completed", "o1", 5 * MICROS, at(1)), order("completed", "o2", 2 * MICROS, at(2)))
    assert _totals(profile) == (2, at(1), at(2), 7 * MICROS)


def test_free_order_is_no_purchase(know):
    assert _totals(_profile(know, order("completed", "o1", 0))) == (0, None, None, 0)


def test_order_without_amount_is_no_purchase_and_in_no_sum(know):
    assert _totals(_profile(know, order("completed", "o1", None))) == (0, None, None, None)


def test_same_order_twice_is_one(know):
    """Orders are unique by app and order id for ever (C-19); the first completion counts."""
    items = [order("completed", "o1", 9 * MICROS, at(2)), order("completed", "o1", 5 * MICROS, at(1))]
    assert _totals(_profile(know, *items)) == (1, at(1), at(1), 5 * MICROS)


def test_same_order_id_in_two_apps_are_two(know):
    items = [order("completed", "o1", 1 * MICROS), order("completed", "o1", 2 * MICROS, app=SHOP)]
    assert _totals(_profile(know, *items))[0] == 2


def test_update_replaces_and_keeps_the_day_of_the_order(know):
    items = [
        order("completed", "o1", 5 * MICROS, at(1)),
        order("updated", "o1", 6 * MICROS, at(3)),
        order("updated", "o1", 7 * MICROS, at(2)),
    ]
    assert _totals(_profile(know, *items)) == (1, at(1), at(1), 6 * MICROS)


def test_update_may_correct_the_day(know):
    items = [order("completed", "o1", 5 * MICROS, at(1)), order("updated", "o1", 5 * MICROS, at(9), placed_at=at(4))]
    assert _totals(_profile(know, *items)) == (1, at(4), at(4), 5 * MICROS)


@pytest.mark.parametrize("late", [False, True])
def test_cancellation_voids_whenever_it_comes(know, late):
    items = [order("completed", "o1", 5 * MICROS, at(2)), order("cancelled", "o1", None, at(1 if late else 3))]
    person = know(items)["c:u1"]
    assert _totals(person.profile) == (None, None, None, None)
    assert [found["state"] for found in person.orders] == ["cancelled"]
    assert [found.event for found in person.events] == ["order_cancelled"]
    assert person.app_facts["notes"]["acquired_at"] is None


def test_refund_lowers_spend_and_not_the_count(know):
    items = [order("completed", "o1", 5 * MICROS, at(1)), order("refunded", "o1", 2 * MICROS, at(2))]
    assert _totals(_profile(know, *items)) == (1, at(1), at(1), 3 * MICROS)


def test_refund_is_never_more_than_the_rest(know):
    items = [
        order("completed", "o1", 5 * MICROS),
        order("refunded", "o1", 3 * MICROS, at(2)),
        order("refunded", "o1", -4 * MICROS, at(3)),
    ]
    assert _profile(know, *items)["store_spend_micros"] == 0


def test_refund_without_amount_is_the_whole_rest(know):
    items = [
        order("completed", "o1", 5 * MICROS),
        order("refunded", "o1", 3 * MICROS),
        order("refunded", "o1", None),
    ]
    assert _profile(know, *items)["store_spend_micros"] == 0


def test_refund_before_its_order_waits_for_it(know):
    early = order("refunded", "o1", 2 * MICROS, at(1))
    assert _totals(_profile(know, early)) == (None, None, None, None)
    assert _profile(know, early, order("completed", "o1", 5 * MICROS, at(2)))["store_spend_micros"] == 3 * MICROS


def test_refund_may_name_nobody(know):
    items = [order("completed", "o1", 5 * MICROS), order("refunded", "o1", 1 * MICROS, user=None)]
    assert _profile(know, *items)["store_spend_micros"] == 4 * MICROS


def test_credit_note_is_a_refund_without_order(know):
    person = know([order("completed", "o1", -5 * MICROS, at(1))])["c:u1"]
    assert _totals(person.profile) == (0, None, None, -5 * MICROS)
    assert person.events == ()
    assert person.app_facts["notes"]["acquired_at"] is None


def test_spend_is_per_app_and_over_all(know):
    items = [order("completed", "o1", 5 * MICROS), order("completed", "o2", 2 * MICROS, app=SHOP)]
    person = know(items)["c:u1"]
    assert person.app_facts["notes"]["app_spend_micros"] == 5 * MICROS
    assert person.app_facts["shop"]["app_spend_micros"] == 2 * MICROS
    assert person.profile["store_spend_micros"] == 7 * MICROS


def test_order_waiting_for_a_rate_counts_but_is_in_no_sum(know):
    """C-24: shown and counted, never guessed."""
    items = [order("completed", "o1", 5 * MICROS, currency="USD"), order("completed", "o2", 1 * MICROS, at(1))]
    person = know(items)["c:u1"]
    assert _totals(person.profile) == (2, at(0), at(1), 1 * MICROS)
    assert [found["base_micros"] for found in person.orders] == [None, 1 * MICROS]


@pytest.mark.parametrize(
    ("days_before", "base_micros"), [(0, 4_563_709), (1, 4_563_709), (7, 4_563_709), (8, None), (-1, None)]
)
def test_rate_is_of_the_day_or_the_nearest_earlier_within_seven(know, days_before, base_micros):
    # In New York the order was made on 1 November. 5 / 1.0956 = 4.563709...
    day = date(2026, 11, 1) - timedelta(days=days_before)
    rate = Rate(day, "USD", Fraction(10_000, 10_956))
    person = know([order("completed", "o1", 5 * MICROS, currency="usd")], rates=[rate])["c:u1"]
    assert person.orders[0]["base_micros"] == base_micros


def test_nearest_rate_wins(know):
    rates = [Rate(date(2026, 10, 30), "USD", Fraction(1, 2)), Rate(date(2026, 10, 31), "USD", Fraction(1, 4))]
    person = know([order("completed", "o1", 8 * MICROS, currency="USD")], rates=rates)["c:u1"]
    assert person.orders[0]["base_micros"] == 2 * MICROS


@pytest.mark.parametrize(("micros", "base"), [(1, 0), (3, 2), (5, 2), (-1, 0), (-3, -2), (-5, -2), (7, 4)])
def test_halves_round_to_even(know, micros, base):
    rate = Rate(date(2026, 11, 1), "USD", Fraction(1, 2))
    person = know([order("completed", "o1", micros, currency="USD")], rates=[rate])["c:u1"]
    assert person.orders[0]["base_micros"] == base


def test_amounts_beyond_doubles_stay_exact(know):
    rate = Rate(date(2026, 11, 1), "USD", Fraction(3, 7))
    person = know([order("completed", "o1", 9_007_199_254_740_993, currency="USD")], rates=[rate])["c:u1"]
    assert person.orders[0]["base_micros"] == round(Fraction(9_007_199_254_740_993 * 3, 7))


def test_currency_is_the_apps_then_the_publishers(know):
    items = [
        order("completed", "o1", 1, currency=None),
        order("completed", "o2", 1, at(1), app=SHOP, currency=" "),
        order("completed", "o3", 1, at(2), currency="xyz"),
    ]
    assert [found["currency"] for found in know(items)["c:u1"].orders] == ["EUR", "USD", "XYZ"]


def test_order_below_the_apps_trust_does_not_count(know):
    """C-9: commerce_trust of the shop is signed."""
    items = [
        order("completed", "o1", 5, app=SHOP, trust=Trust.OPEN),
        order("completed", "o2", 7, at(1), app=SHOP, trust=Trust.SIGNED),
    ]
    assert [found["order_id"] for found in know(items)["c:u1"].orders] == ["o2"]


def test_order_belongs_to_whom_its_entry_in_force_names(know):
    items = [order("completed", "o1", 5, user="u1"), order("updated", "o1", 5, at(1), user="u2")]
    people = know(items)
    assert [len(people[subject].orders) for subject in ("c:u1", "c:u2")] == [0, 1]


def test_lines_are_occurrences_of_product_purchased(know):
    lines = (Line("p1", "Bikes", "Road 1", 4_990_000, Decimal("2.5")), Line("p2"))
    person = know([order("completed", "o1", 5 * MICROS, at(1), coupon="HALF", lines=lines)])["c:u1"]
    assert [(found.event, found.happened_at, found.properties) for found in person.events] == [
        ("order_completed", at(1), {"order_id": "o1", "total": 5.0, "currency": "EUR", "coupon": "HALF"}),
        (
            "product_purchased",
            at(1),
            {
                "order_id": "o1",
                "product_id": "p1",
                "category": "Bikes",
                "name": "Road 1",
                "price": 4.99,
                "quantity": 2.5,
            },
        ),
        ("product_purchased", at(1), {"order_id": "o1", "product_id": "p2"}),
    ]


def test_lines_of_a_replaced_entry_are_gone(know):
    items = [
        order("completed", "o1", 5, lines=(Line("p1"),)),
        order("updated", "o1", 5, at(1), lines=(Line("p2"), Line("p3"))),
    ]
    events = know(items)["c:u1"].events
    assert [e.properties["product_id"] for e in events if e.event == "product_purchased"] == ["p2", "p3"]


def test_country_is_the_newest_orders_market_unless_told(know):
    orders = [
        order("completed", "o1", 5, at(2), market="Norway"),
        order("completed", "o2", 5, at(1), market="DE"),
        order("completed", "o3", 5, at(3), market="Atlantis"),
    ]
    assert _profile(know, *orders)["country"] == "NO"
    assert _profile(know, *orders, item(at(0), traits={"country": "France"}))["country"] == "FR"


def test_purchase_event_without_order_is_kept_as_sent(know):
    person = know([event("product_purchased", at(1), props={"product_id": "p9", "price": 3})])["c:u1"]
    assert [(e.event, e.properties) for e in person.events] == [("product_purchased", {"product_id": "p9", "price": 3})]
    assert person.app_facts["notes"]["app_spend_micros"] is None
