"""What the pages of a customer show of groups: which they are in, and when they joined and left."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from muster.customers.hooks import Belonging, Moment, Position
from muster.groups.queries.people import groups_of_customer, moves_of
from muster.groups.terms import Kind
from muster.kernel.ids import customer_id

_KINDS = {Kind.SEGMENT: _("Segment"), Kind.KNOWN: _("Known users")}


def belongings(key: int) -> list[Belonging]:
    """The groups a customer is in, each with the page that says why."""
    customer = customer_id(key)
    found = sorted(groups_of_customer(customer), key=lambda row: (row.name.casefold(), row.id))
    return [
        Belonging(
            name=row.name,
            kind=_KINDS[Kind(row.kind)],
            address=reverse("groups:group", args=[row.key]),
            why=reverse("groups:why") + "?" + urlencode({"group": row.id, "customer": customer}),
        )
        for row in found
    ]


def moments(key: int, position: Position | None, limit: int, newer: bool) -> list[Moment]:
    """When a customer joined groups and left them."""
    return [
        Moment(
            at=move.at,
            place=move.place,
            title=_("Joined") if move.joined else pgettext_lazy("members", "Left"),
            address=reverse("groups:group", args=[move.group_key]),
            details=((str(_("Group")), move.group_name),),
        )
        for move in moves_of(key, position, limit, newer=newer)
    ]
