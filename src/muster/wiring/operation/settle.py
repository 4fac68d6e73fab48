"""What happens once after a backup was put back, before anybody is let in."""

from __future__ import annotations

from muster.customers import hooks
from muster.web.models import Job, JobState
from muster.wiring.configuration import Configuration
from muster.wiring.operation.jobs import BACK_UP
from muster.wiring.operation.restore import is_settling, note_settled


def settle(configuration: Configuration) -> bool:
    """With the warehouse open and no job running. Repeated from the start after a crash. Answers whether it was due."""
    if not is_settling(configuration.home):
        return False
    # The job that made this backup was running in it, and would make another one now.
    Job.objects.filter(kind=BACK_UP, state__in=(JobState.WAITING, JobState.RUNNING)).update(state=JobState.CANCELLED)
    for restored in hooks.after_restore:
        restored()
    # Time has passed, and erasures may have been done again.
    for changed in hooks.data_changed:
        changed(None)
    note_settled(configuration.home)
    return True
