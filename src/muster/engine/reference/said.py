"""A few customers' facts, derived plainly from what was said of them, before the warehouse has derived them."""

from __future__ import annotations

from muster.engine.reference.derive import person_of
from muster.engine.reference.devices import devices_of
from muster.engine.reference.identity import Customer, Everybody
from muster.engine.reference.orders import orders_of
from muster.warehouse.catalog import Catalog
from muster.warehouse.port import Person
from muster.warehouse.said import Said


def people_said(said: Said, catalog: Catalog) -> dict[int, Person]:
    """Those who were asked for, by key, as the warehouse would show them once it has derived everything.

    Devices have no `device_id`, which nothing that is asked about people needs.
    """
    customers = {
        told.key: Customer(told.key, told.subject, list(told.items), set(told.names)) for told in said.people.values()
    }
    everybody = Everybody(list(customers.values()), list(said.orphans))
    orders = orders_of(everybody, said.rates, catalog)
    devices = devices_of(everybody)
    # What was said names devices by their numbers.
    keys = {(app, number): int(number) for app, number in devices}
    return {
        key: person_of(customers[key], orders, devices, keys, catalog)
        for key, told in said.people.items()
        if not told.of_others
    }
