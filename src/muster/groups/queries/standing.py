"""How every group stands: compared by whoever keeps groups in memory."""

from __future__ import annotations

from muster.groups.models import Group

Standing = dict[str, tuple[int, int]]
"""Of every group its revision, and how often it was evaluated: whoever stores it anew changes one of them.

The small changes of who follows the data change neither (`actions/followed.py`).
"""


def standing() -> Standing:
    rows = Group.objects.values_list("id", "revision", "evaluations")
    return {identifier: (revision, evaluations) for identifier, revision, evaluations in rows}
