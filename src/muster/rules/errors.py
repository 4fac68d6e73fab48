"""What can be wrong with a definition.

MusterError
  DefinitionInvalid     a definition that cannot be saved or asked; every problem of it at once
  ReferenceCycle        groups that refer to each other in a circle (found by whoever knows all groups)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from muster.kernel.errors import MusterError
from muster.kernel.worded import worded

DEFINITION_INVALID = "definition_invalid"
UNKNOWN_ATTRIBUTE = "unknown_attribute"
UNKNOWN_EVENT = "unknown_event"
UNKNOWN_APP = "unknown_app"
UNKNOWN_GROUP = "unknown_group"
OPERATOR_NOT_ALLOWED = "operator_not_allowed"
VALUE_NOT_ALLOWED = "value_not_allowed"
TOO_MANY_CONDITIONS = "too_many_conditions"
APP_REQUIRED = "app_required"
REFERENCE_CYCLE = "reference_cycle"


@dataclass(frozen=True)
class Problem:
    """One thing wrong: where (JSON Pointer into the document), a stable code, a sentence, the nearest valid choice."""

    pointer: str
    code: str
    message: str
    nearest: str | None = None


class DefinitionInvalid(MusterError):
    """`problems` in document order, at least one; message and pointer are those of the first."""

    code = DEFINITION_INVALID

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        errors = [
            {"pointer": problem.pointer, "code": problem.code, "message": problem.message, "nearest": problem.nearest}
            for problem in problems
        ]
        super().__init__(
            _with_count(first.message, len(problems) - 1), pointer=first.pointer, details={"errors": errors}
        )
        self.problems = tuple(problems)


class ReferenceCycle(MusterError):
    """`path`: the names of the groups on the way round, the first repeated at the end (G-9)."""

    code = REFERENCE_CYCLE

    def __init__(self, path: Sequence[str], *, pointer: str = "") -> None:
        way = " → ".join(path)
        super().__init__(
            worded(
                "These groups would refer to each other in a circle: {way}. Take one of the references out.", way=way
            ),
            pointer=pointer,
            details={"path": list(path)},
        )
        self.path = tuple(path)


def _with_count(message: str, others: int) -> str:
    return worded("{problem} ({others} more)", problem=message, others=others) if others else message
