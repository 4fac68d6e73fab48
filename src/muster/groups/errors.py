"""What can be wrong with a request to groups.

MusterError
  GroupError
    GroupUnknown       group_unknown
    CustomerUnknown    customer_unknown
    KeyTaken           key_taken
    InUse              in_use, with what uses it
    GroupInactive      group_inactive
    StateNotAllowed    state_not_allowed
    ValueNotAllowed    value_not_allowed
    ListChanged        list_changed
    Overtaken          overtaken: others change what this rests on faster than it is evaluated
    UndoExpired        undo_expired
    ConfirmationNeeded confirmation_needed, with what would be removed
    TemplateUnknown    template_unknown
    ExposureNotAllowed exposure_not_allowed; exposure_limit
  (rules.errors)       definition_invalid, reference_cycle
"""

from __future__ import annotations

from muster.kernel.errors import MusterError


class GroupError(MusterError):
    code = "value_not_allowed"


class GroupUnknown(GroupError):
    code = "group_unknown"


class CustomerUnknown(GroupError):
    code = "customer_unknown"


class KeyTaken(GroupError):
    code = "key_taken"


class InUse(GroupError):
    code = "in_use"


class GroupInactive(GroupError):
    code = "group_inactive"


class StateNotAllowed(GroupError):
    code = "state_not_allowed"


class ValueNotAllowed(GroupError):
    code = "value_not_allowed"


class TemplateUnknown(GroupError):
    code = "template_unknown"


class ListChanged(GroupError):
    code = "list_changed"


class Overtaken(GroupError):
    code = "overtaken"


class UndoExpired(GroupError):
    code = "undo_expired"


class ConfirmationNeeded(GroupError):
    code = "confirmation_needed"


class ExposureNotAllowed(GroupError):
    code = "exposure_not_allowed"
