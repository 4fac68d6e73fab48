"""The bundled sample as it stands: what of the installation belongs to it, and what of one's own hangs on that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from muster.customers.models import Import
from muster.customers.queries import current_state
from muster.customers.terms import ImportState
from muster.groups.hooks import Use, used_by
from muster.groups.models import Group, SampleThing
from muster.groups.queries.groups import referred_to
from muster.groups.terms import SAMPLE_NAME, SampleKind
from muster.web.queries import JobView, jobs_about

_MOVING = (ImportState.CHECKING, ImportState.APPLYING, ImportState.UNDOING)
_TAKEN_IN = (ImportState.APPLYING, ImportState.DONE, ImportState.UNDOING)

LOADING = "groups.load-sample"
SUBJECT = ("sample", SAMPLE_NAME)

# Asked on every page, so it is kept: one process owns an installation.
_seen = [False]


@dataclass(frozen=True)
class Sample:
    """Keys of apps, groups and imports, each oldest first."""

    apps: list[str]
    groups: list[Group]
    imports: list[Import]


def is_shown() -> bool:
    """Whether pages say that there is sample data; as of the last `look`."""
    return _seen[0]


def look() -> None:
    """Called as a server starts and about once a minute, and when the sample comes or goes."""
    _seen[0] = SampleThing.objects.exists()


def sample() -> Sample:
    """What is there of what was marked: some of it may have been deleted since."""
    marked: dict[str, list[str]] = {kind: [] for kind in SampleKind}
    for kind, thing in SampleThing.objects.values_list("kind", "thing"):
        marked[kind].append(thing)
    return Sample(
        marked[SampleKind.APP],
        list(Group.objects.filter(id__in=marked[SampleKind.GROUP]).order_by("created_at", "id")),
        list(Import.objects.filter(id__in=marked[SampleKind.IMPORT]).order_by("number")),
    )


def last_loading() -> JobView | None:
    """The newest job that loads or loaded the sample."""
    return next((job for job in jobs_about(*SUBJECT) if job.kind == LOADING), None)


def is_loaded() -> bool:
    """Whether all of it was brought; what somebody deleted of it since does not come again by itself."""
    last = last_loading()
    return is_shown() and (last is None or last.state == "done")


def is_loading() -> bool:
    last = last_loading()
    return last is not None and last.state in ("waiting", "running")


def is_moving(found: Sample) -> bool:
    """Whether an import of the sample is under way."""
    return any(current_state(row)[0] in _MOVING for row in found.imports)


def obstacles(found: Sample) -> list[Use]:
    """What is not of the sample and would be broken without it: segments, imports, activities."""
    mine = {group.id for group in found.groups}
    names = mine | {group.key for group in found.groups}
    apps = set(found.apps)
    segments = [
        Use("segment", row.id, row.name)
        for row in Group.objects.exclude(id__in=mine).filter(definition__isnull=False)
        if referred_to(row.definition) & names or row.app in apps or _apps_in(row.definition) & apps
    ]
    known = {row.id for row in found.imports}
    imports = [
        Use("import", row.id, row.file_name)
        for row in Import.objects.filter(mapping__app__in=found.apps, state__in=_TAKEN_IN)
        if row.id not in known
    ]
    uses = [use for group in found.groups for ask in used_by for use in ask(group.id)]
    return [*segments, *imports, *uses]


def _apps_in(document: Any) -> set[str]:
    """Keys of the apps that conditions name, without needing the definition to be valid today."""
    children: Iterable[Any] = document.values() if isinstance(document, dict) else document
    if isinstance(document, dict | list):
        named = document.get("app") if isinstance(document, dict) else None
        return set().union(*map(_apps_in, children)) | ({named} if isinstance(named, str) else set())
    return set()
