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
    PrivacyError
      ConfirmMismatch    confirm_mismatch
      ErasureRunning     erasure_running, with the erasure
      ErasureUnknown     erasure_unknown
      ErasureStateWrong  erasure_state
      ErasureIncomplete  erasure_incomplete
      ExportUnknown      export_unknown
      ExportExpired      export_expired
      ExportNotReady     export_not_ready
      SuppressionUnknown suppression_unknown
      PersonNeeded       person_needed
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


class PrivacyError(CustomerError):
    code = "value_not_allowed"


class ConfirmMismatch(PrivacyError):
    code = "confirm_mismatch"


class ErasureRunning(PrivacyError):
    code = "erasure_running"


class ErasureUnknown(PrivacyError):
    code = "erasure_unknown"


class ErasureStateWrong(PrivacyError):
    code = "erasure_state"


class ErasureIncomplete(PrivacyError):
    code = "erasure_incomplete"


class ExportUnknown(PrivacyError):
    code = "export_unknown"


class ExportExpired(PrivacyError):
    code = "export_expired"


class ExportNotReady(PrivacyError):
    code = "export_not_ready"


class SuppressionUnknown(PrivacyError):
    code = "suppression_unknown"


class PersonNeeded(PrivacyError):
    code = "person_needed"
