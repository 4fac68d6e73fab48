"""Acquisitions, holdings and where they came from (section 5)."""

from __future__ import annotations

import pytest

from muster.warehouse.catalog import Trust
from muster.warehouse.items import Line
from muster.warehouse.port import Holding
from tests.spec.customers.told import SHOP, at, event, item, order


def _acquired(person, app="notes"):
    return person.app_facts[app]["acquired_at"], person.app_facts[app]["acquisition_type"]


def _source(know, *items):
    facts = know([*items, event("app_installed", at(days=2))])["c:u1"].app_facts["notes"]
    return facts["campaign_id"], facts["referrer_domain"], facts["channel_type"]


def test_identify_alone_acquires_nothing(know):
    person = know([item(at(1), app=1, traits={"name": "Ann"})])["c:u1"]
    assert _acquired(person) == (None, None)
    assert person.profile["acquisition_count"] is None


def test_whoever_uses_it_has_it(know):
    person = know([event("app_opened", at(3)), event("app_installed", at(2))])["c:u1"]
    assert _acquired(person) == (at(2), "free")
    assert person.profile["acquisition_count"] == 1


def test_an_order_in_the_app_means_having_it(know):
    assert _acquired(know([order("completed", "o1", 5, at(2))])["c:u1"]) == (at(2), "free")


def test_earliest_acquisition_and_newest_type_count(know):
    items = [
        event("app_acquired", at(4), props={"acquisition_type": "Paid"}),
        event("app_acquired", at(2), props={"acquisition_type": "trial"}),
        event("app_opened", at(3)),
    ]
    assert _acquired(know(items)["c:u1"]) == (at(2), "paid")


@pytest.mark.parametrize(
    ("props", "type"),
    [
        ({}, "free"),
        ({"amount": 0}, "free"),
        ({"amount": 4.99}, "paid"),
        ({"acquisition_type": "Promo Code"}, "promo_code"),
        ({"acquisition_type": "gift"}, "other"),
    ],
)
def test_type_of_an_explicit_acquisition(know, props, type):
    assert _acquired(know([event("app_acquired", at(1), props=props)])["c:u1"]) == (at(1), type)


@pytest.mark.parametrize(
    ("line", "amount", "coupon", "type"),
    [
        (Line("app-shop", price_micros=1), 0, None, "paid"),
        (Line("app-shop"), 5, None, "paid"),
        (Line("app-shop", price_micros=0), 5, "X", "promo_code"),
        (Line("app-shop"), 0, None, "free"),
    ],
)
def test_line_that_names_an_app_acquires_it(know, line, amount, coupon, type):
    person = know([order("completed", "o1", amount, at(2), lines=(line,), coupon=coupon)])["c:u1"]
    assert _acquired(person, "shop") == (at(2), type)
    assert [e.properties for e in person.events if e.event == "app_acquired"] == [
        {"acquisition_type": type, "order_name": "o1"}
    ]


def test_explicit_beats_inferred(know):
    items = [
        event("app_acquired", at(1), app=SHOP, props={"acquisition_type": "trial"}),
        order("completed", "o1", 5, at(2), lines=(Line("app-shop"),)),
    ]
    assert _acquired(know(items)["c:u1"], "shop") == (at(1), "trial")


def test_acquisition_below_the_apps_trust_does_not_count(know):
    person = know([event("app_acquired", at(1), app=SHOP, trust=Trust.OPEN)])["c:u1"]
    assert _acquired(person, "shop") == (None, None)


def test_durables_are_owned_for_good(know):
    person = know([event("addon_acquired", at(1), props={"addon": "sku-9"})])["c:u1"]
    assert person.holdings == (Holding("notes", "pro", None),)
    assert person.app_facts["notes"]["addon_acquired_at"] == at(1)
    assert person.app_facts["notes"]["acquired_at"] is None


def test_order_line_of_an_addon_gives_it(know):
    person = know([order("completed", "o1", 5, at(2), lines=(Line("sku-9"), Line("coins")))])["c:u1"]
    assert person.holdings == (Holding("notes", "pro", None),)
    got = [e.properties for e in person.events if e.event == "addon_acquired"]
    assert sorted(got, key=lambda properties: properties["addon"]) == [
        {"addon": "coins", "order_id": "o1"},
        {"addon": "pro", "order_id": "o1"},
    ]


@pytest.mark.parametrize(
    "taken_back",
    [
        order("refunded", "o1", None, at(3)),
        order("refunded", "o1", 1, at(3), lines=(Line("pro"),)),
        order("cancelled", "o1", None, at(3)),
    ],
)
def test_refunded_durable_is_owned_no_more(know, taken_back):
    bought = order("completed", "o1", 5, at(2), lines=(Line("pro"), Line("thing")))
    assert know([bought, taken_back])["c:u1"].holdings == ()


def test_partly_refunded_order_keeps_what_the_refund_does_not_name(know):
    bought = order("completed", "o1", 5, at(2), lines=(Line("pro"), Line("thing")))
    back = order("refunded", "o1", 1, at(3), lines=(Line("thing"),))
    assert know([bought, back])["c:u1"].holdings == (Holding("notes", "pro", None),)


def test_consumables_are_never_owned_and_each_counts(know):
    items = [event("addon_acquired", at(hour), props={"addon": "coins"}) for hour in (1, 2, 3)]
    items += [event("addon_acquired", at(hour), props={"addon": "pro"}) for hour in (4, 5)]
    person = know(items)["c:u1"]
    assert person.holdings == (Holding("notes", "pro", None),)
    assert person.profile["acquisition_count"] == 4


@pytest.mark.parametrize(
    ("told", "expires_at"),
    [
        ([("subscription_started", 1, "2026-12-01T00:00:00Z")], at(days=29)),
        ([("subscription_started", 1, None)], None),
        (
            [("subscription_renewed", 2, "2027-01-01T00:00:00Z"), ("subscription_started", 1, "2026-12-01T00:00:00Z")],
            at(days=60),
        ),
        ([("subscription_started", 1, "2026-12-01T00:00:00Z"), ("subscription_ended", 2, None)], at(2)),
        ([("addon_acquired", 1, "2026-12-01T00:00:00Z")], at(days=29)),
    ],
)
def test_newest_word_on_a_subscription_counts(know, told, expires_at):
    items = [event(key, at(hour), props={"addon": "club", "expires_at": until}) for key, hour, until in told]
    assert know(items)["c:u1"].holdings == (Holding("notes", "club", expires_at),)


def test_addon_the_catalog_does_not_know_is_counted_and_not_owned(know):
    person = know([event("addon_acquired", at(1), props={"addon": "mystery"})])["c:u1"]
    assert (person.holdings, person.profile["acquisition_count"]) == ((), 1)


# Attribution: the app is installed at day 2.


def test_earliest_touch_with_a_campaign_in_the_day_before_counts(know):
    items = [
        event("listing_viewed", at(days=2, hours=-25), props={"campaign": {"id": "too-early"}}),
        event("listing_viewed", at(days=2, hours=-24), props={"referrer": "https://www.News.example/a"}),
        event(
            "listing_viewed", at(days=2, hours=-3), props={"campaign": {"id": "c-1"}, "referrer": "https://a.example"}
        ),
        event("page_viewed", at(days=2, hours=-2), active=False, props={"campaign": {"id": "c-2"}}),
    ]
    assert _source(know, *items) == ("c-1", "a.example", "campaign")


@pytest.mark.parametrize(
    ("props", "source"),
    [
        ({"campaign": {"name": "Winter"}}, ("Winter", None, "campaign")),
        ({"url": "https://x.example/?utm_campaign=spring+sale&cid=c%2D7"}, ("c-7", None, "campaign")),
        ({"url": "https://x.example/?utm_campaign=spring+sale"}, ("spring sale", None, "campaign")),
        ({"referrer": "https://www.B\u00fccher.example/list"}, (None, "xn--bcher-kva.example", "other")),
        ({"referrer": "https://help.notes.example/"}, (None, None, "store")),
        ({"referrer": "not an address"}, (None, None, "store")),
        ({}, (None, None, "store")),
    ],
)
def test_what_a_listing_view_tells(know, props, source):
    assert _source(know, event("listing_viewed", at(days=2, hours=-1), props=props)) == source


def test_no_touch_leaves_the_source_missing(know):
    assert _source(know) == (None, None, None)


@pytest.mark.parametrize(("days_later", "campaign"), [(0, "paid-ad"), (7, "paid-ad"), (7.1, "c-1")])
def test_install_attribution_overrides_for_seven_days(know, days_later, campaign):
    items = [
        event("listing_viewed", at(days=2, hours=-1), props={"campaign": {"id": "c-1"}}),
        event("install_attributed", at(days=2 + days_later), props={"campaign": {"id": "paid-ad"}}),
    ]
    assert _source(know, *items) == (campaign, None, "campaign")


def test_newest_look_at_the_listing_is_kept(know):
    items = [
        event("listing_viewed", at(1)),
        event("page_viewed", at(3), props={"url": "https://store.example/notes"}),
        event("page_viewed", at(4), props={"url": "https://notes.example/"}),
    ]
    assert know(items)["c:u1"].app_facts["notes"]["page_viewed_at"] == at(3)
