"""What can be wrong with a request to the catalog.

MusterError
  CatalogError         value_not_allowed and the codes below
    AppUnknown         app_unknown
    KeyTaken           key_taken
    WordUnknown        attribute_unknown, add_on_unknown
    InUse              in_use
    TypeChangeLoses    type_change_loses, with how many values
"""

from __future__ import annotations

from muster.kernel.errors import MusterError


class CatalogError(MusterError):
    code = "value_not_allowed"


class AppUnknown(CatalogError):
    code = "app_unknown"


class KeyTaken(CatalogError):
    code = "key_taken"


class WordUnknown(CatalogError):
    """What a definition or an order may name is not there; the code says what it would be."""

    code = "attribute_unknown"


class InUse(CatalogError):
    code = "in_use"


class TypeChangeLoses(CatalogError):
    code = "type_change_loses"
