"""Rates, and what everybody's facts are derived again for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pyroaring import BitMap

from muster.audit.actions import record
from muster.catalog.actions import check_currency
from muster.catalog.queries import publisher, warehouse_catalog
from muster.customers import hooks
from muster.customers.errors import RateMissing
from muster.customers.hooks import current_warehouse
from muster.kernel.errors import MusterError
from muster.kernel.worded import worded
from muster.team.policies import Principal
from muster.warehouse.batch import Rate
from muster.web.actions import start_job


def put_rates(actor: Principal, rates: Sequence[Rate]) -> tuple[list[Rate], int]:
    """Adds or replaces rates; the orders they concern are derived again. Answers them and how many customers that
    touched. The pointer of an error is into `{"rates": [...]}`.
    """
    named = [replace(rate, currency=_foreign(rate.currency, place)) for place, rate in enumerate(rates)]
    touched = current_warehouse().put_rates(named, warehouse_catalog())
    record(actor, "rates.put", "rates", "rates", {"count": len(named)})
    announce_change(touched)
    return named, len(touched)


def _foreign(currency: str, place: int) -> str:
    pointer = f"/rates/{place}/currency"
    code = check_currency(currency.strip(), pointer)
    if code == publisher().currency:
        raise MusterError(
            worded("{code} is the publisher's own currency; rates are of others to it.", code=code),
            code="value_not_allowed",
            pointer=pointer,
        )
    return code


def follow_publisher(before: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    """What another currency, time zone or unset consent to profiling means for the facts.

    `rate_missing` if rates cannot follow: an order without a rate waits, but a rate that cannot be told in the new
    currency would be lost (ADR 0019).
    """
    unset = changes.get("unset_consents", before["unset_consents"])
    profiled = unset.get("profiling") == before["unset_consents"].get("profiling")
    if profiled and not {"currency", "time_zone"} & set(changes):
        return
    old, new = before["currency"], changes.get("currency", before["currency"])
    lost = current_warehouse().rates_without(new) if new != old else []
    if lost:
        raise RateMissing(
            worded(
                "{count:,} rates cannot be told in {new}, the first of {day}: there is no rate of {new} for"
                " that day or the 7 before. Put these rates first.",
                count=len(lost),
                new=new,
                day=lost[0].day,
            ),
            pointer="/currency",
            details={"count": len(lost), "day": lost[0].day.isoformat()},
        )
    start_job("customers.derive", {"old_currency": old, "new_currency": new})


def derive_again() -> None:
    """Every fact anew from what is kept, as a job: what the catalog says of it has changed (C-5)."""
    currency = publisher().currency
    start_job("customers.derive", {"old_currency": currency, "new_currency": currency})


def announce_change(touched: BitMap | None = None) -> None:
    """Tells the rooms above that the data is another; of these customers alone, if they are known."""
    for changed in hooks.data_changed:
        changed(touched)
