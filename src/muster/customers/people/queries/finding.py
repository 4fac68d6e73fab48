"""Who is meant by an id or an address: found exactly or not at all, nobody is listed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from muster.catalog.queries import warehouse_catalog
from muster.customers.hooks import current_warehouse
from muster.kernel.ids import customer_id, customer_key_of
from muster.team.policies import Principal, check_scope

PERSONAL = "customers:personal"


@dataclass(frozen=True)
class Found:
    """A customer and by what the text names them: `id`, `external`, `anonymous`, `email` or `unverified` e-mail."""

    id: str
    by: str
    apps: tuple[str, ...] = ()


def find(asker: Principal, text: str) -> list[Found]:
    """Everybody the text names; `scope_missing` for an address that the asker may not ask for.

    A prefix (`external:`, `anonymous:`, `email:`) says what the text is; without one an address is an address, and
    anything else may be any id.
    """
    prefix, sign, rest = text.partition(":")
    if sign and prefix in _BY:
        return _BY[prefix](asker, rest)
    if text.startswith("cus_") and (found := _by_id(text)):
        return found
    ways = ("email", "external", "anonymous") if "@" in text else ("external", "anonymous")
    return [one for way in ways for one in _BY[way](asker, text)]


def _by_id(text: str) -> list[Found]:
    """The id of a merged customer leads to the survivor (C-7)."""
    try:
        key = current_warehouse().survivor_of(customer_key_of(text))
    except ValueError:
        return []
    return [] if key is None else [Found(customer_id(key), "id")]


def _by_external(_asker: Principal, text: str) -> list[Found]:
    key = current_warehouse().find_external(text)
    return [] if key is None else [Found(customer_id(key), "external")]


def _by_anonymous(_asker: Principal, text: str) -> list[Found]:
    names = warehouse_catalog().app_keys
    found = current_warehouse().anonymous_holders(text)
    return [
        Found(customer_id(key), "anonymous", tuple(names.get(one, str(one)) for one in apps))
        for key, apps in found.items()
    ]


def _by_email(asker: Principal, text: str) -> list[Found]:
    check_scope(asker, PERSONAL)
    found = current_warehouse().email_holders(text)
    return [Found(customer_id(key), "email" if verified else "unverified") for key, verified in found.items()]


_BY: dict[str, Callable[[Principal, str], list[Found]]] = {
    "external": _by_external,
    "anonymous": _by_anonymous,
    "email": _by_email,
}
