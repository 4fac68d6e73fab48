"""Who is who: the table of section 2, merges, placeholders, devices (C-6 to C-11)."""

from __future__ import annotations

import pytest

from muster.warehouse.catalog import Trust
from muster.warehouse.items import Device
from tests.spec.customers.told import GAME, NOTES, SHOP, at, event, item, order


def _ids(people):
    return {subject: sorted(text for _, _, text in person.identities) for subject, person in people.items()}


def _visit(hours=0.0, *, user=None, visitor="a1", app=NOTES, **fields):
    return event("app_opened", at(hours), user=user, anonymous_id=visitor, app=app, **fields)


def test_user_id_only_is_that_customer(know):
    assert _ids(know([item(), item(), item(user="u2")])) == {"c:u1": ["u1"], "c:u2": ["u2"]}


def test_anonymous_id_only_is_a_customer_per_app(know):
    people = know([_visit(), _visit(1), _visit(app=SHOP, visitor="a2")])
    assert _ids(people) == {"a:a1": ["a1"], "a:a2": ["a2"]}


def test_visitor_who_signs_up_becomes_the_customer(know):
    people = know([_visit(0), _visit(1, user="u1")])
    assert _ids(people) == {"c:u1": ["a1", "u1"]}
    assert people["c:u1"].app_facts["notes"]["first_used_at"] == at(0)


def test_visitor_who_signs_in_is_merged(know):
    """C-7: exactly the state that would exist had every item carried the survivor's id."""
    people = know(
        [
            item(at(5), user="u1"),
            _visit(0),
            order("completed", "o1", 5, at(1), user=None, anonymous_id="a1"),
            _visit(0.1, user="u1"),
            _visit(0.2),
        ]
    )
    assert _ids(people) == {"c:u1": ["a1", "u1"]}
    facts = people["c:u1"].app_facts["notes"]
    assert (facts["first_used_at"], facts["last_used_at"], facts["session_count"]) == (at(0), at(0.2), 1)
    assert people["c:u1"].profile["purchase_count"] == 1


def test_shared_device_merges_nobody(know):
    people = know([_visit(0, user="u1"), _visit(1), _visit(2, user="u2"), _visit(3)])
    assert _ids(people) == {"c:u1": ["u1"], "c:u2": ["a1", "u2"]}
    used = {subject: person.app_facts["notes"]["last_used_at"] for subject, person in people.items()}
    assert used == {"c:u1": at(1), "c:u2": at(3)}


def test_alias_joins_a_visitor(know):
    assert _ids(know([_visit(), item(app=NOTES, previous_id="a1")])) == {"c:u1": ["a1", "u1"]}


def test_alias_of_an_unknown_id_attaches_it(know):
    assert _ids(know([item(app=NOTES, previous_id="a1"), _visit()])) == {"c:u1": ["a1", "u1"]}


def test_alias_of_two_people_merges_them_from_a_server_only(know):
    both = [item(user="u1"), item(user="u2")]
    assert _ids(know([*both, item(user="u2", previous_id="u1")])) == {"c:u1": ["u1", "u2"]}
    refused = item(user="u2", previous_id="u1", trust=Trust.SIGNED)
    assert _ids(know([*both, refused])) == {"c:u1": ["u1"], "c:u2": ["u2"]}


def test_merge_of_merges_keeps_the_first_subject(know):
    people = know(
        [
            item(user="u1"),
            item(user="u2"),
            item(user="u3"),
            item(user="u2", previous_id="u3"),
            item(user="u1", previous_id="u2"),
            _visit(user="u3"),
        ]
    )
    assert _ids(people) == {"c:u1": ["a1", "u1", "u2", "u3"]}


@pytest.mark.parametrize("nobody", ["null", "Undefined", " none ", "0", "", "[object Object]", "guest", "x" * 256])
def test_placeholders_are_nobody(know, nobody):
    """C-8."""
    people = know([item(user=nobody), _visit(visitor=nobody), _visit(visitor="a1", user=nobody)])
    assert _ids(people) == {"a:a1": ["a1"]}


def test_item_without_any_id_is_refused(know):
    assert know([item(user=None)]) == {}


def test_app_that_wants_signatures_refuses_open_claims(know):
    """C-9."""
    items = [_visit(user="u1", visitor=None, app=GAME, trust=trust) for trust in (Trust.OPEN, Trust.SIGNED)]
    assert len(know(items)["c:u1"].events) == 1


def test_equal_ids_differ_by_letters_only_if_unicode_says_so(know):
    assert _ids(know([item(user="A\u030a"), item(user="\u00c5")])) == {"c:\u00c5": ["\u00c5"]}


def test_device_is_whose_who_last_signed_in(know):
    """C-11."""
    here = Device("d1", device_family="Phone", os="iOS", os_version="17.5")
    people = know(
        [
            event("app_opened", at(1), user="u1", device=here),
            event("app_opened", at(2), user="u2", device=Device("d1", os_version="17.6", app_version="2.0")),
            event("app_opened", at(3), user=None, anonymous_id="a1", device=Device("d1")),
        ]
    )
    assert [len(people[subject].devices) for subject in ("c:u1", "c:u2", "a:a1")] == [0, 1, 0]
    device = people["c:u2"].devices[0]
    assert (device["device_family"], device["os"], device["os_version"], device["app_version"]) == (
        "phone",
        "iOS",
        "17.6",
        "2.0",
    )
    assert (device["first_seen_at"], device["last_seen_at"]) == (at(1), at(3))


def test_anonymous_id_stands_for_a_device_without_id(know):
    people = know([_visit(1), _visit(2, user="u1")])
    assert [device["device_id"] for device in people["c:u1"].devices] == ["a1"]
