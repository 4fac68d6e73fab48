"""What a warehouse can refuse.

WarehouseError
  QueryInterruptedError   somebody stopped this reader
  WarehouseLockedError    another process owns the file
  WarehouseTooNewError    the file was written by a newer Muster
  SubjectWidenedError     somebody else turned out to be one of those being erased
"""

from __future__ import annotations

from muster.kernel.errors import MusterError


class WarehouseError(MusterError):
    code = "warehouse_error"


class QueryInterruptedError(WarehouseError):
    code = "query_interrupted"


class WarehouseLockedError(WarehouseError):
    code = "warehouse_locked"


class WarehouseTooNewError(WarehouseError):
    code = "warehouse_too_new"


class SubjectWidenedError(WarehouseError):
    code = "subject_widened"
