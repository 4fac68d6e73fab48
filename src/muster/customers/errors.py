"""What can be wrong with a request to customers.

MusterError
  CustomerError
    CustomerUnknown      customer_unknown
    ImportUnknown        import_unknown
    ImportExpired        import_expired
    MappingChanged       mapping_changed
    ImportStateWrong     import_state
    ImportHasInvalid     import_invalid_rows, with counts
    ImportTooLarge       import_too_large
    RateMissing          rate_missing, with how many rates and the first day
  (warehouse.files.errors)  mapping_invalid, column_unknown, date_ambiguous, encoding_unreadable, file_unreadable
"""

from __future__ import annotations

from muster.kernel.errors import MusterError


class CustomerError(MusterError):
    code = "customer_unknown"


class CustomerUnknown(CustomerError):
    code = "customer_unknown"


class ImportUnknown(CustomerError):
    code = "import_unknown"


class ImportExpired(CustomerError):
    code = "import_expired"


class MappingChanged(CustomerError):
    code = "mapping_changed"


class ImportStateWrong(CustomerError):
    code = "import_state"


class ImportHasInvalid(CustomerError):
    code = "import_invalid_rows"


class ImportTooLarge(CustomerError):
    code = "import_too_large"


class RateMissing(CustomerError):
    code = "rate_missing"
