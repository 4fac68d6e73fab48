"""Values that data really holds, to choose among (D-21)."""

from __future__ import annotations

from collections.abc import Sequence

from muster.rules.vocabulary import Attribute, Scope
from muster.warehouse.port import Warehouse

_RELATIONS = {Scope.CUSTOMER: "profiles", Scope.APP: "app_facts", Scope.DEVICE: "devices"}


def labels_of(warehouse: Warehouse, attribute: Attribute) -> Sequence[str] | None:
    """The labels of an open category; None if they are too many to choose among."""
    column = attribute.key if attribute.number is None else f"c_{attribute.number}"
    return warehouse.categories(_RELATIONS[attribute.scope], column)
