"""What can be wrong with a request to the catalog.

MusterError
  CatalogError         value_not_allowed and the codes below
    AppUnknown         app_unknown
    KeyTaken           key_taken
"""

from __future__ import annotations

from muster.kernel.errors import MusterError


class CatalogError(MusterError):
    code = "value_not_allowed"


class AppUnknown(CatalogError):
    code = "app_unknown"


class KeyTaken(CatalogError):
    code = "key_taken"
