"""Customers as they stand: found by id, external id or e-mail; one person with everything known."""

from __future__ import annotations

from muster.customers.hooks import current_warehouse
from muster.kernel.ids import customer_key_of


def customer_key(reference: str) -> int | None:
    """The key of `cus_...`, `external:...` or a verified e-mail address; None if there is nobody.

    The id of a merged customer answers with the survivor (C-7).
    """
    warehouse = current_warehouse()
    if reference.startswith("cus_"):
        try:
            return warehouse.survivor_of(customer_key_of(reference))
        except ValueError:
            return None
    if reference.startswith("external:"):
        return warehouse.find_external(reference.removeprefix("external:"))
    return warehouse.find_email(reference) if "@" in reference else warehouse.find_external(reference)
