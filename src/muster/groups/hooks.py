"""What groups learn from the rooms above, which activities use a group (G-22), and tell them: who joined and left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.db import transaction

from muster.engine.changes import Change
from muster.kernel.worded import word


@dataclass(frozen=True)
class Use:
    """Something that refers to a group: `kind` (segment, notification, offer, flight, ...), id and name."""

    kind: str
    id: str
    name: str


USERS = {"segment": word("use", "segment"), "import": word("use", "import")}
"""The kinds as they stand in sentences; the rooms above put in theirs."""

used_by: list[Callable[[str], list[Use]]] = []
"""Each answers what of its room uses the group of an id; registered in the rooms' apps.py."""

memberships_changed: list[Callable[[Mapping[str, Change]], None]] = []
"""Each is told, by group id, who joined and who left, once the control database has committed the new memberships.

One call a transaction: groups that changed together are told together (G-16). Of an archived or deleted group
everybody has left, of a restored one everybody joined. Whoever needs to know that nothing was missed, for instance
after a restart, reads the members; what a subscriber raises is logged and concerns nobody else.
"""


def announce(changes: Mapping[str, Change]) -> None:
    """Tells, when the transaction around it has committed, of the groups in which anything changed."""
    told = {group: change for group, change in changes.items() if change}

    def tell(subscriber: Callable[[Mapping[str, Change]], None]) -> Callable[[], None]:
        # Django names what fails by its qualified name, which a `partial` has not.
        return lambda: subscriber(told)

    if told:
        for subscriber in memberships_changed:
            transaction.on_commit(tell(subscriber), robust=True)


exposure_changed: list[Callable[[], None]] = []
"""Each is told that apps may be told of other groups than before, or of some differently, once that is committed."""


def announce_exposure() -> None:
    for subscriber in exposure_changed:
        transaction.on_commit(subscriber, robust=True)
