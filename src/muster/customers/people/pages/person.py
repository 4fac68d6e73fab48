"""Everything known of one customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from muster.catalog.pages.words import attribute_name, reader_language
from muster.catalog.queries import apps
from muster.customers import hooks
from muster.customers.people.pages.values import TRAIT_LABELS, money_of, shown_value
from muster.customers.people.queries.finding import PERSONAL
from muster.customers.people.queries.person import Origin, Profile, Value, key_of_id, profile_of
from muster.kernel.ids import customer_id as id_of
from muster.team.pages.permits import permitted, refusal
from muster.team.policies import Principal, can

_IDENTITIES_SHOWN, _ORDERS_SHOWN, _SESSIONS_SHOWN = 20, 20, 10


@dataclass(frozen=True)
class Line:
    """A value with its name, as text."""

    label: str
    key: str
    text: str
    hidden: bool
    personal: bool
    origin: Origin


@require_GET
def show_person(request: HttpRequest, customer_id: str) -> HttpResponse:
    """The id of a merged customer leads to whom it became part of (C-7)."""
    asker = permitted(request, "customers:read")
    key = key_of_id(customer_id)
    if id_of(key) != customer_id:
        return redirect("customers:customer", customer_id=id_of(key))
    profile = profile_of(key, personal=can(asker, PERSONAL))
    shown = head(asker, key, "overview")
    names = shown["app_names"]
    shown |= _who(profile, names) | _what(profile, names) | _groups(asker, key)
    return render(request, "customers/person.html", shown)


def head(asker: Principal, key: int, tab: str) -> dict[str, Any]:
    """What every page of a customer shows above its tab."""
    return {
        "customer": id_of(key),
        "tab": tab,
        "personal_refusal": refusal(asker, PERSONAL),
        "app_names": {one.key: one.label(reader_language()) for one in apps(archived=True)},
    }


def _who(profile: Profile, names: dict[str, str]) -> dict[str, Any]:
    known = profile.person.profile
    identities = sorted(profile.identities, key=lambda one: one.kind != "external")
    return {
        "identities": [(one, names.get(one.app, one.app)) for one in identities[:_IDENTITIES_SHOWN]],
        "more_identities": max(len(identities) - _IDENTITIES_SHOWN, 0),
        "merges": profile.merges,
        "emails": profile.person.emails,
        "first_seen_at": known.get("first_seen_at"),
        "last_seen_at": known.get("last_seen_at"),
        "profiling_denied": bool(known.get("profiling_denied")),
        "values": [_line(one, profile) for one in profile.values],
        "apps": [
            (names.get(facts.app, facts.app), [_line(one, profile) for one in facts.values]) for facts in profile.apps
        ],
    }


def _line(one: Value, profile: Profile) -> Line:
    text = "" if one.hidden else shown_value(one.key, one.type, one.value, profile.publisher.currency)
    label = TRAIT_LABELS.get(one.key) or attribute_name(one.key, one.label)
    return Line(str(label), one.key, text, one.hidden, one.personal, one.origin)


def _what(profile: Profile, names: dict[str, str]) -> dict[str, Any]:
    person = profile.person

    def named(one: dict[str, Any]) -> dict[str, Any]:
        return one | {"app_name": names.get(one["app"], one["app"])}

    orders = sorted(person.orders, key=lambda one: one["happened_at"], reverse=True)
    sessions = sorted(person.sessions, key=lambda one: one["started_at"], reverse=True)
    return {
        "orders": [
            named(one) | {"amount": money_of(one["amount_micros"]), "refunded": money_of(one["refunded_micros"])}
            for one in orders[:_ORDERS_SHOWN]
        ],
        "order_count": len(orders),
        "purchase_count": person.profile.get("purchase_count") or 0,
        "spend": money_of(person.profile.get("store_spend_micros")),
        "currency": profile.publisher.currency,
        "devices": [
            named(one) for one in sorted(person.devices, key=lambda one: str(one["last_seen_at"]), reverse=True)
        ],
        "sessions": [
            named(one) | {"length": one["ended_at"] - one["started_at"]} for one in sessions[:_SESSIONS_SHOWN]
        ],
        "session_count": len(sessions),
        "holdings": person.holdings,
    }


def _groups(asker: Principal, key: int) -> dict[str, Any]:
    """What upper rooms have them in, for whom may see it."""
    refused = next((reason for one in hooks.belonging_sources if (reason := refusal(asker, one.scope))), "")
    found = [] if refused else [item for one in hooks.belonging_sources for item in one.find(key)]
    return {"groups": found, "groups_refusal": refused, "timeline": reverse("customers:timeline", args=[id_of(key)])}
