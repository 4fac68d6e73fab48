"""Attributes from identify (section 4): newest wins, ages, normal forms, custom types."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from muster.kernel.civil import day_code, full_years
from muster.warehouse.catalog import Trust
from muster.warehouse.items import Consent, Device, Email, Item
from tests.spec.customers.told import CATALOG, DAY, at, event, item

AGES = json.loads((Path(__file__).parents[2] / "data/time/tz_and_age_edges.json").read_text())["age_on_date"]


def _profile(know, *items):
    return know(items)["c:u1"].profile


def test_newest_value_wins_whatever_came_first(know):
    """C-17."""
    items = [item(at(2), traits={"name": "New"}), item(at(1), traits={"name": "Old", "phone": "1"})]
    profile = _profile(know, *items)
    assert (profile["name"], profile["phone"]) == ("New", "1")


def test_tie_goes_to_the_greater_hash(know):
    low, high = item(at(1), traits={"name": "Low"}), item(at(1), traits={"name": "High"})
    assert [_profile(know, *order)["name"] for order in ((low, high), (high, low))] == ["High", "High"]


def test_null_removes(know):
    """C-16."""
    items = [item(at(1), traits={"name": "Ann", "plan": "pro"}), item(at(2), traits={"name": None, "plan": None})]
    profile = _profile(know, *items)
    assert (profile["name"], profile["plan"]) == (None, None)


def test_value_that_cannot_be_taken_leaves_the_one_before(know):
    items = [
        item(at(1), traits={"country": "Norway", "age": 40, "gender": "f", "budget": 5}),
        item(at(2), traits={"country": "Atlantis", "age": 121, "gender": "robot", "budget": "plenty"}),
    ]
    profile = _profile(know, *items)
    assert (profile["country"], profile["gender"], profile["budget"]) == ("NO", "female", Decimal(5))
    assert profile["birth_code"] == 20261101 - 40 * 10_000


@pytest.mark.parametrize("vector", AGES, ids=lambda vector: f"{vector['birth']} on {vector['on']}")
def test_age_by_birthday(know, vector):
    told = Item(
        (99).to_bytes(16, "big"),
        datetime.fromisoformat(vector["on"]).replace(tzinfo=UTC),
        external_id="u1",
        traits={"birthday": vector["birth"]},
    )
    code = _profile(know, told)["birth_code"]
    assert full_years(code, day_code(date.fromisoformat(vector["on"]))) == vector["age"]


def test_age_as_sent_grows_with_the_publishers_days(know):
    """Sent on 2 November UTC, which is 1 November in New York."""
    code = _profile(know, item(DAY, traits={"age": "41"}))["birth_code"]
    assert [full_years(code, day) for day in (20261101, 20271031, 20271101)] == [41, 41, 42]


def test_birthday_beats_a_newer_age(know):
    person = know([item(at(1), traits={"birthday": "1980-05-17"}), item(at(2), traits={"age": 20})])["c:u1"]
    assert (person.profile["birth_code"], person.birthday) == (19800517, date(1980, 5, 17))


@pytest.mark.parametrize("birthday", ["2026-11-03", "1905-11-02", "2026-02-30", "soon", 5])
def test_impossible_birthday_is_not_taken(know, birthday):
    assert _profile(know, item(DAY, traits={"birthday": birthday}))["birth_code"] is None


def test_country_of_the_address_is_the_country(know):
    assert _profile(know, item(traits={"country": "DE", "address": {"country": "FRA"}}))["country"] == "FR"


def test_language_and_zone_fall_back_to_the_device(know):
    device = Device("d1", locale="nb_no", time_zone="Asia/Calcutta")
    said = event("app_opened", at(3), device=device)
    profile = _profile(know, said, event("app_opened", at(4), device=Device("d1", locale="C")))
    assert (profile["language"], profile["time_zone"]) == ("nb-NO", "Asia/Kolkata")
    profile = _profile(know, said, item(at(1), traits={"language": "de", "time_zone": "europe/kiev"}))
    assert (profile["language"], profile["time_zone"]) == ("de", "Europe/Kyiv")


def test_attribute_takes_only_trusted_items(know):
    """C-9: gender from servers, seats from signed items up."""
    items = [
        item(at(1), traits={"gender": "m", "seats": 3, "plan": "pro"}),
        item(at(2), trust=Trust.SIGNED, traits={"gender": "f", "seats": 4}),
        item(at(3), trust=Trust.OPEN, traits={"gender": "x", "seats": 5, "plan": "free"}),
    ]
    profile = _profile(know, *items)
    assert (profile["gender"], profile["seats"], profile["plan"]) == ("male", 4.0, "free")


def test_custom_attribute_of_an_app_is_each_apps_own(know):
    items = [item(app=1, traits={"level": 3}), item(app=2, traits={"level": "4"}), item(traits={"level": 9})]
    facts = know(items)["c:u1"].app_facts
    assert [facts[app]["level"] for app in ("notes", "shop")] == [3.0, 4.0]


@pytest.mark.parametrize("allowed", [True, False])
def test_profiling_nobody_spoke_of_is_as_the_publisher_says(know, allowed):
    """C-12: changeable; what was said counts either way."""
    catalog = replace(CATALOG, profiling_unset=allowed)
    items = [
        item(at(1), traits={"name": "Ann"}),
        item(at(1), user="u2", consents=(Consent("profiling", granted=False),)),
        item(at(1), user="u3", consents=(Consent("profiling", granted=True),)),
        item(at(1), user="u4", consents=(Consent("offers", granted=not allowed),)),
    ]
    people = know(items, catalog=catalog)
    denied = {subject: person.profile["profiling_denied"] for subject, person in people.items()}
    assert denied == {"c:u1": not allowed, "c:u2": True, "c:u3": False, "c:u4": not allowed}


def test_newest_word_on_profiling_counts(know):
    """C-13."""
    items = [
        item(at(2), consents=(Consent("profiling", granted=False),)),
        item(at(1), consents=(Consent("profiling", granted=True),)),
        item(at(3), consents=(Consent("marketing", granted=True, channel="push"),)),
    ]
    assert _profile(know, *items)["profiling_denied"] is True
    assert _profile(know, items[1])["profiling_denied"] is False


def test_addresses_are_kept_newest_first_and_verified_by_servers_only(know):
    """C-10."""
    items = [
        item(at(1), traits={"email": " Ann@Example.COM"}),
        item(at(2), trust=Trust.SIGNED, traits={"email": "ann+shop@example.com"}),
        item(at(3), trust=Trust.SIGNED, emails=(Email("ANN@B\u00dcCHER.example", verified=True),)),
        item(at(4), trust=Trust.OPEN, traits={"email": "ann@example.com"}),
        item(at(5), traits={"email": "nobody"}),
    ]
    assert know(items)["c:u1"].emails == (
        {"address": "ann@example.com", "normal": "ann@example.com", "verified": True, "since": at(1)},
        {"address": "ANN@B\u00dcCHER.example", "normal": "ann@xn--bcher-kva.example", "verified": True, "since": at(3)},
        {"address": "ann+shop@example.com", "normal": "ann+shop@example.com", "verified": False, "since": at(2)},
    )
