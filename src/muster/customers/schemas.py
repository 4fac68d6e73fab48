"""What the customers API gives."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import date, datetime
from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import ConfigDict, Field

from muster.customers.queries import ImportView
from muster.kernel.errors import MusterError
from muster.kernel.ids import customer_id
from muster.kernel.worded import worded
from muster.warehouse.batch import Rate
from muster.warehouse.files.rates import rate_of
from muster.warehouse.port import Person

PERSONAL = frozenset({"name", "first_name", "last_name", "phone"})
_TWELVE = Context(prec=12)
_NOT_ATTRIBUTES = frozenset({"customer_key", "subject", "birth_code", "profiling_denied"})


class ApplyIn(Schema):
    """`digest` (SHA-256 of the file) and `mapping`, if given, must be those of the dry run.

    `confirm`: a large removal of members is meant. `consented`: these people agreed; noted with the import.
    """

    model_config = ConfigDict(extra="forbid")

    max_invalid: int = 0
    consented: bool = False
    confirm: bool = False
    digest: str | None = None
    mapping: dict[str, Any] | None = None


class RateIn(Schema):
    """`rate`: units of the currency for one of the publisher's (`per_base`), or the other way round (`to_base`)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    day: str
    currency: str
    rate: Decimal | int | str
    direction: Literal["per_base", "to_base"] = "per_base"


class RatesIn(Schema):
    model_config = ConfigDict(extra="forbid")

    rates: Annotated[list[RateIn], Field(min_length=1, max_length=1_000)]


class RateOut(Schema):
    """The same rate both ways, to twelve digits."""

    day: date
    currency: str
    to_base: str
    per_base: str


class RatesOut(Schema):
    """`customers`: how many have orders that may have got another worth."""

    items: list[RateOut]
    customers: int


def import_json(view: ImportView) -> dict[str, Any]:
    shown = {name: _plain(value) for name, value in asdict(view).items()}
    return shown | {"job": {"id": view.job} if view.job else None}


def rate_from(one: RateIn, pointer: str) -> Rate:
    """The rate as it is kept, exact; `value_not_allowed` where it is none. The currency is not checked here."""
    try:
        day = date.fromisoformat(one.day)
    except ValueError as error:
        raise MusterError(
            worded("{day} is not a day such as 2026-11-21.", day=repr(one.day)),
            code="value_not_allowed",
            pointer=f"{pointer}/day",
        ) from error
    said = _number(one.rate)
    rate = None if said is None else rate_of(day, one.currency, said, one.direction)
    if rate is None or max(rate.rate.numerator, rate.rate.denominator) >= 2**63:
        raise MusterError(
            worded("{rate} is not a rate: a number above 0 of at most 18 digits.", rate=f"{one.rate!s:.40}"),
            code="value_not_allowed",
            pointer=f"{pointer}/rate",
        )
    return rate


def _number(text: Decimal | int | str) -> Decimal | None:
    """A number above 0 of a size that rates have; else None."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and number > 0 and abs(number.adjusted()) <= 18 else None


def rate_json(rate: Rate) -> dict[str, Any]:
    return {
        "day": rate.day,
        "currency": rate.currency,
        "to_base": _decimal(rate.rate),
        "per_base": _decimal(1 / rate.rate),
    }


def _decimal(number: Fraction) -> str:
    shown = _TWELVE.divide(Decimal(number.numerator), Decimal(number.denominator))
    return f"{shown.normalize():f}"


def customer_json(
    person: Person, *, personal: bool, currency: str, marked: Collection[str] = frozenset()
) -> dict[str, Any]:
    """Everything known of one person; fields marked personal only for who may see them.

    `marked`: the custom attributes that somebody marked as personal.
    """
    hidden = frozenset() if personal else PERSONAL | frozenset(marked)
    shown = {
        "id": customer_id(person.customer_key),
        "external_id": next((text for kind, _, text in person.identities if kind == "external"), None),
        "anonymous_ids": [{"app": app, "id": text} for kind, app, text in person.identities if kind == "anonymous"],
        "attributes": {
            name: _plain(value)
            for name, value in person.profile.items()
            if value is not None and name not in _NOT_ATTRIBUTES and name not in hidden
        },
        "profiling_denied": bool(person.profile.get("profiling_denied")),
        "apps": {app: _facts(facts, currency, hidden) for app, facts in person.app_facts.items()},
        "orders": [_plain(dict(order)) for order in person.orders],
        "devices": [_plain(dict(device)) for device in person.devices],
    }
    if personal:
        shown["emails"] = [_plain(dict(email)) for email in person.emails]
        shown["birthday"] = _plain(person.birthday)
    return shown


def _facts(facts: dict[str, Any], currency: str, hidden: Collection[str]) -> dict[str, Any]:
    shown = {name: _plain(value) for name, value in facts.items() if value is not None and name not in hidden}
    micros = shown.pop("app_spend_micros", None)
    if micros is not None:
        shown["app_spend"] = {"amount_micros": micros, "currency": currency}
    return shown


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
