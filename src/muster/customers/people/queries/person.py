"""Everything known of one customer, with where each value comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyroaring import BitMap

from muster.catalog.queries import (
    PublisherSettings,
    attribute_labels,
    personal_attributes,
    publisher,
    warehouse_catalog,
)
from muster.customers.errors import CustomerUnknown
from muster.customers.models import Import
from muster.customers.queries import warehouse
from muster.customers.schemas import PERSONAL
from muster.kernel.civil import day_code, full_years, local_day
from muster.kernel.clock import system_clock
from muster.kernel.ids import customer_id, customer_key_of
from muster.kernel.worded import worded
from muster.rules.standard import STANDARD_ATTRIBUTES
from muster.rules.vocabulary import Scope, Type
from muster.warehouse.catalog import Catalog, Trust
from muster.warehouse.port import Person

_RAW = ("identities", "merges", "attributes", "emails")
# In the order in which people ask: who, where, since when.
_STANDARD: Mapping[str, Type] = {
    "name": Type.TEXT, "first_name": Type.TEXT, "last_name": Type.TEXT, "phone": Type.TEXT, "birthday": Type.DATE,
    "age": Type.NUMBER, "age_group": Type.CATEGORY, "gender": Type.CATEGORY, "country": Type.CATEGORY,
    "language": Type.CATEGORY, "time_zone": Type.CATEGORY, "created_at": Type.TIMESTAMP,
}  # fmt: skip  # a table, read by rows
_PERSONAL = PERSONAL | {"birthday", "age"}
# What a standard attribute is read off where it is not said itself.
_SAID_BY = {"age": ("birthday", "age"), "age_group": ("birthday", "age")}


@dataclass(frozen=True)
class Origin:
    """Where a value comes from: an import (its id and file), or what a program sent; `derived` from other data."""

    at: datetime | None = None
    trust: str = ""
    import_id: str = ""
    file_name: str = ""
    derived: bool = False


@dataclass(frozen=True)
class Value:
    """One attribute of a customer. `hidden`: it has a value that the asker may not see; then `value` is None."""

    key: str
    type: Type
    value: Any
    origin: Origin
    label: Mapping[str, str]
    personal: bool = False
    hidden: bool = False


@dataclass(frozen=True)
class AppFacts:
    """What is known of a customer in one app; `values` without those that are missing."""

    app: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Identity:
    """`hidden`: an id that is an address, for those who may not see addresses."""

    kind: str
    app: str
    text: str
    since: datetime
    hidden: bool = False


@dataclass(frozen=True)
class Merge:
    """A customer that turned out to be this one."""

    id: str
    merged_at: datetime


@dataclass(frozen=True)
class Profile:
    """The page of one customer. `person` has no events: those are read piece by piece."""

    id: str
    key: int
    person: Person
    identities: tuple[Identity, ...]
    merges: tuple[Merge, ...]
    values: tuple[Value, ...]
    apps: tuple[AppFacts, ...]
    publisher: PublisherSettings


def key_of_id(identifier: str) -> int:
    """The customer an id stands for after merges; `customer_unknown` for anything else."""
    try:
        key = warehouse().survivor_of(customer_key_of(identifier))
    except ValueError:
        key = None
    if key is None:
        raise CustomerUnknown(worded("There is no customer `{identifier}`.", identifier=identifier))
    return key


def profile_of(key: int, *, personal: bool) -> Profile:
    """Everything known, as far as the asker may see it."""
    store = warehouse()
    person = store.people([key], events=False).get(key)
    if person is None:
        raise CustomerUnknown(worded("There is no customer `{customer}`.", customer=customer_id(key)))
    raw = store.raw_rows(BitMap([key]), _RAW)
    return Profile(
        id=customer_id(key),
        key=key,
        person=person,
        identities=_identities(raw["identities"], personal=personal),
        merges=tuple(
            Merge(customer_id(one["loser"]), datetime.fromisoformat(one["merged_at"])) for one in raw["merges"]
        ),
        **_values(person, raw["attributes"], personal=personal),
        publisher=publisher(),
    )


def _identities(rows: list[dict[str, Any]], *, personal: bool) -> tuple[Identity, ...]:
    found = []
    for row in rows:
        hidden = not personal and "@" in row["id"]
        found.append(
            Identity(
                row["kind"],
                row["app"] or "",
                "" if hidden else row["id"],
                datetime.fromisoformat(row["since"]),
                hidden,
            )
        )
    return tuple(found)


def _values(person: Person, said: list[dict[str, Any]], *, personal: bool) -> dict[str, Any]:
    reader = _Reader(person, said, personal=personal)
    return {
        "values": reader.of_customer(),
        "apps": tuple(AppFacts(app, reader.of_app(app, facts)) for app, facts in person.app_facts.items()),
    }


class _Reader:
    """Puts values and what was said of them together."""

    def __init__(self, person: Person, said: list[dict[str, Any]], *, personal: bool) -> None:
        self._person = person
        self._may_see = personal
        self._catalog: Catalog = warehouse_catalog()
        self._hidden = personal_attributes() | _PERSONAL
        # Oldest first, so that the newest stays; what is trusted too little never counted (C-9).
        self._said = {(row["app"], row["attribute"]): row for row in said if self._is_trusted(row)}
        self._said |= {(None, row["attribute"]): row for row in said if self._is_trusted(row)}
        numbers = {row["import"] for row in said if row["import"]}
        self._imports = {row.number: row for row in Import.objects.filter(number__in=numbers)}
        self._labels = attribute_labels()

    def _is_trusted(self, row: dict[str, Any]) -> bool:
        known = self._catalog.attributes.get(row["attribute"])
        return known is None or Trust[row["trust"].upper()] >= known.accept_from

    def of_customer(self) -> tuple[Value, ...]:
        profile = dict(self._person.profile) | {"birthday": self._person.birthday} | self._age()
        custom = {key: one.type for key, one in self._catalog.attributes.items() if one.scope is Scope.CUSTOMER}
        wanted = {**_STANDARD, **dict(sorted(custom.items()))}
        found = [self._value(None, key, kind, profile.get(key)) for key, kind in wanted.items()]
        return tuple(one for one in found if one.hidden or one.value is not None)

    def _age(self) -> dict[str, Any]:
        born = self._person.profile.get("birth_code")
        if born is None:
            return {}
        today = local_day(system_clock(), publisher().zone)
        years = full_years(born, day_code(today))
        groups = ((18, 24), (25, 34), (35, 49))
        group = next((f"{low}-{high}" for low, high in groups if low <= years <= high), "50+" if years >= 50 else None)
        return {"age": years, "age_group": group}

    def of_app(self, app: str, facts: dict[str, Any]) -> tuple[Value, ...]:
        found = []
        for key, value in facts.items():
            name = key.removesuffix("_micros")
            known = STANDARD_ATTRIBUTES.get(name)
            custom = self._catalog.attributes.get(name)
            kind = custom.type if custom else known.type if known else None
            if kind is not None and value is not None:
                found.append(self._value(app, name, kind, value))
        return tuple(found)

    def _value(self, app: str | None, key: str, kind: Type, value: Any) -> Value:
        personal = key in self._hidden
        hidden = personal and not self._may_see and value is not None
        return Value(
            key=key,
            type=kind,
            value=None if hidden else value,
            origin=self._origin(app, key),
            label=self._labels.get(key, {}),
            personal=personal,
            hidden=hidden,
        )

    def _origin(self, app: str | None, key: str) -> Origin:
        said = [self._said[app, one] for one in _SAID_BY.get(key, (key,)) if (app, one) in self._said]
        if not said:
            return Origin(derived=True)
        row = said[0]
        known = self._imports.get(row["import"] or 0)
        return Origin(
            at=datetime.fromisoformat(row["happened_at"]),
            trust=row["trust"],
            import_id=known.id if known else "",
            file_name=known.file_name if known else "",
        )
