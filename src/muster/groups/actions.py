"""Everything that changes a group. Evaluation comes first, then one transaction swaps definition and membership."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from muster.audit.actions import record
from muster.catalog.actions import check_revision
from muster.catalog.queries import publisher
from muster.engine.membership import MembershipFiles
from muster.engine.refresh import Progress, Refreshed, groups_of, in_order, refresh
from muster.groups.errors import KeyTaken, StateNotAllowed, ValueNotAllowed
from muster.groups.models import Group, GroupVersion
from muster.groups.policies import check_can, check_unused
from muster.groups.queries.evaluation import definition_of, evaluation, membership_files, vocabulary
from muster.groups.queries.groups import GroupView, group, group_row, uses_of
from muster.groups.queries.templates import template
from muster.groups.terms import EVALUATED, Exposure, Kind, State, state_of_size
from muster.kernel.clock import system_clock
from muster.kernel.errors import MusterError
from muster.kernel.ids import new_id
from muster.rules.canonical import condition_hash
from muster.rules.codec import decode, encode
from muster.rules.errors import ReferenceCycle
from muster.rules.nodes import Definition
from muster.team.policies import Principal

_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
# What an evaluation finds out, of all that a row says.
_EVALUATION = (
    "generation", "size", "available_customers", "thresholds", "state", "failure", "data_as_of", "refreshed_at",
)  # fmt: skip
_LONGEST_NAME, _MOST_TAGS, _LONGEST_TAG = 200, 20, 50


@dataclass(frozen=True)
class _Evaluated:
    """What a refresh found, before it is stored."""

    refreshed: Refreshed
    data_as_of: datetime | None
    at: datetime


def create_segment(
    actor: Principal,
    *,
    name: str,
    definition: object,
    key: str | None = None,
    tags: list[str] | None = None,
    exposure: str = Exposure.NEVER,
    active: bool = True,
    template_key: str = "",
) -> GroupView:
    """A new segment, evaluated before it is stored, so that it is usable on save; a draft with `active` False."""
    checked = check_name(name)
    chosen = _new_key(key, checked)
    identifier = new_id("grp")
    decoded = decode(definition, vocabulary())
    now = system_clock()
    row = Group(
        id=identifier,
        key=chosen,
        name=checked,
        kind=Kind.SEGMENT,
        app=decoded.app,
        tags=_check_tags(tags or []),
        exposure=_check_exposure(exposure),
        template=template_key,
        definition=encode(decoded),
        state=State.BUILDING if active else State.DRAFT,
        created_at=now,
        updated_at=now,
    )
    evaluated = _evaluate({identifier: decoded}) if active else None
    with transaction.atomic():
        if Group.objects.filter(key=chosen).exists():
            raise KeyTaken(f"There is a group with the key `{chosen}` already.", pointer="/key")
        if evaluated is not None:
            _store([row], evaluated)
        row.save(force_insert=True)
        _remember_version(row, actor, now)
        record(actor, "group.created", "group", identifier, {"key": chosen, "name": checked})
    return group(identifier)


def copy_template(actor: Principal, key: str, app: str, name: str | None = None) -> GroupView:
    """An editable segment from a template (groups spec, section 7)."""
    chosen = template(key)
    return create_segment(actor, name=name or chosen.name, definition=chosen.definition(app), template_key=key)


def edit_group(actor: Principal, reference: str, *, revision: int | None, **changes: Any) -> GroupView:
    """Changes name, tags, exposure or definition. A definition that is in use swaps atomically with its members (G-16)."""
    row = group_row(reference)
    check_revision(row.revision, revision)
    _apply(row, changes)
    evaluated = None
    dependants: list[Group] = []
    fields = ["name", "tags", "exposure", "app", "definition", "revision", "updated_at"]
    if "definition" in changes:
        decoded = _changed_definition(row, changes["definition"])
        row.app, row.definition = decoded.app, encode(decoded)
        if row.state in EVALUATED:
            dependants = _dependants(row)
            evaluated = _evaluate({row.id: decoded} | {one.id: _decoded(one) for one in dependants})
    now = system_clock()
    with transaction.atomic():
        current = Group.objects.get(id=row.id)
        check_revision(current.revision, row.revision)
        check_same_state(row, current)
        row.revision += 1
        row.updated_at = now
        if evaluated is not None:
            _store([row, *_unchanged(dependants)], evaluated)
            fields += _EVALUATION
        row.save(update_fields=fields)
        _remember_version(row, actor, now)
        record(actor, "group.edited", "group", row.id, {"revision": row.revision, "fields": sorted(changes)})
    return group(row.id)


def _apply(row: Group, changes: dict[str, Any]) -> None:
    if "name" in changes:
        row.name = check_name(changes["name"])
    if "tags" in changes:
        row.tags = _check_tags(changes["tags"])
    if "exposure" in changes:
        row.exposure = _check_exposure(changes["exposure"])


def _changed_definition(row: Group, document: object) -> Definition:
    """The new definition, refused if it would refer to itself through others (G-9)."""
    words = vocabulary()
    decoded = decode(document, words)
    others = {
        other.id: definition_of(other, words)
        for other in Group.objects.exclude(id=row.id).exclude(state=State.ARCHIVED).filter(definition__isnull=False)
    }
    try:
        in_order({row.id: decoded, **others})
    except MusterError as error:
        if error.code != ReferenceCycle.code:
            raise
        names = dict(Group.objects.values_list("id", "name"))
        raise ReferenceCycle([names[one] for one in error.details["path"]], pointer="/definition") from error
    return decoded


def change_state(actor: Principal, reference: str, verb: str) -> GroupView:
    """activate, refresh, retry, archive or restore (groups spec, section 5)."""
    row = group_row(reference)
    target = check_can(verb, State(row.state), row.name)
    evaluated = None
    dependants: list[Group] = []
    if target is State.BUILDING and row.kind == Kind.SEGMENT:
        dependants = _dependants(row)
        evaluated = _evaluate({one.id: _decoded(one) for one in (row, *dependants)})
    with transaction.atomic():
        current = Group.objects.get(id=row.id)
        check_revision(current.revision, row.revision)
        check_same_state(row, current)
        if target is State.ARCHIVED:
            check_unused(row.name, uses_of(row), "archived")
        row.state = target
        if evaluated is not None:
            _store([row, *_unchanged(dependants)], evaluated)
        row.save(update_fields=["state", *(_EVALUATION if evaluated is not None else ())])
        record(actor, f"group.{verb}", "group", row.id, {})
    return group(row.id)


@transaction.atomic
def delete_group(actor: Principal, reference: str) -> None:
    """Gone for good; refused while anything uses it (G-22)."""
    row = group_row(reference)
    check_unused(row.name, uses_of(row, archived=True), "deleted")
    record(actor, "group.deleted", "group", row.id, {"key": row.key, "name": row.name})
    row.delete()


def refresh_groups(progress: Progress | None = None) -> int:
    """A full recompute of every evaluated segment; answers how many. Groups saved meanwhile keep their newer state."""
    rows = list(Group.objects.filter(kind=Kind.SEGMENT, state__in=EVALUATED))
    if not rows:
        return 0
    revisions = {row.id: row.revision for row in rows}
    evaluated = _evaluate(_readable(rows), progress)
    with transaction.atomic():
        unchanged = [
            row
            for row in Group.objects.filter(id__in=evaluated.refreshed.results, state__in=EVALUATED)
            if row.revision == revisions[row.id] and not (row.refreshed_at and row.refreshed_at > evaluated.at)
        ]
        _store(unchanged, evaluated)
    return len(unchanged)


def _readable(rows: list[Group]) -> dict[str, Definition]:
    """Definitions by group. One that names what is gone fails alone; its last good membership stays in use."""
    words = vocabulary()
    found = {}
    for row in rows:
        try:
            found[row.id] = definition_of(row, words)
        except MusterError as error:
            reason = f"{error.code}: {error.message}"
            Group.objects.filter(id=row.id, revision=row.revision).update(state=State.FAILED, failure=reason)
    return found


def sweep_memberships() -> int:
    """At the start: removes membership files that no group points to. Answers how many."""
    return membership_files().sweep(dict(Group.objects.filter(generation__gt=0).values_list("id", "generation")))


def check_same_state(row: Group, current: Group) -> None:
    """`state_conflict` if the group was archived, activated, ... while it was evaluated."""
    if (row.state in EVALUATED) != (current.state in EVALUATED):
        raise StateNotAllowed(
            f"“{row.name}” has become {current.state} meanwhile. Load it again.", code="state_conflict"
        )


def _unchanged(rows: list[Group]) -> list[Group]:
    """The rows as they are now, without those that somebody edited or archived while they were evaluated."""
    revisions = {row.id: row.revision for row in rows}
    current = Group.objects.filter(id__in=revisions, state__in=EVALUATED)
    return [row for row in current if row.revision == revisions[row.id]]


def _decoded(row: Group) -> Definition:
    return definition_of(row, vocabulary())


def _dependants(row: Group) -> list[Group]:
    """Segments that refer to the group, directly or through others: they follow it in the same refresh (G-9)."""
    words = vocabulary()
    others = {one: definition_of(one, words) for one in Group.objects.filter(state__in=EVALUATED, kind=Kind.SEGMENT)}
    found: dict[str, Group] = {}
    waiting = [row.id]
    while waiting:
        current = waiting.pop()
        for other, definition in others.items():
            if other.id not in found and other.id != row.id and current in set(groups_of(definition)):
                found[other.id] = other
                waiting.append(other.id)
    return list(found.values())


def _evaluate(definitions: dict[str, Definition], progress: Progress | None = None) -> _Evaluated:
    with evaluation() as asked:
        refreshed = refresh(definitions, asked, progress)
        return _Evaluated(refreshed, asked.warehouse.data_as_of(), asked.context.now)


def _store(rows: list[Group], evaluated: _Evaluated) -> None:
    """Writes the next generation of each row and points the row to it.

    Inside the caller's transaction, which holds the database's write lock: two refreshes never write one generation.
    """
    files = membership_files()
    minimum = publisher().minimum_size
    thresholds = [
        {"condition": condition_hash(ranked.condition), "app": ranked.population.app, "value": value}
        for ranked, value in evaluated.refreshed.thresholds.items()
    ]
    for row in rows:
        _point(row, files, evaluated, minimum)
        row.thresholds = thresholds
    files.sync()
    for row in rows:
        # A row that is not there yet is inserted by the caller; of the others only what was found out is written.
        Group.objects.filter(id=row.id).update(**{name: getattr(row, name) for name in _EVALUATION})


def _point(row: Group, files: MembershipFiles, evaluated: _Evaluated, minimum: int) -> None:
    result = evaluated.refreshed.results[row.id]
    stored = Group.objects.filter(id=row.id).values_list("generation", flat=True).first()
    row.generation = (stored or 0) + 1
    files.prune(row.id, row.generation)
    files.write(row.id, row.generation, result.members)
    row.size = len(result.members)
    row.available_customers = len(result.population)
    row.state = state_of_size(row.size, minimum)
    row.failure = ""
    row.data_as_of = evaluated.data_as_of
    row.refreshed_at = evaluated.at


def _remember_version(row: Group, actor: Principal, now: datetime) -> None:
    GroupVersion.objects.create(
        group=row, revision=row.revision, name=row.name, definition=row.definition, saved_at=now, saved_by=actor.label
    )


def check_name(name: str) -> str:
    """1..200 characters, NFC, trimmed, without control characters."""
    cleaned = unicodedata.normalize("NFC", name).strip()
    if not cleaned or len(cleaned) > _LONGEST_NAME:
        raise ValueNotAllowed(f"A name has 1 to {_LONGEST_NAME} characters.", pointer="/name")
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Cn") for letter in cleaned):
        raise ValueNotAllowed("A name has no control characters.", pointer="/name")
    return cleaned


def _new_key(key: str | None, name: str) -> str:
    """The key asked for, or one made of the name that is free."""
    if key is not None:
        if not _KEY.fullmatch(key):
            raise ValueNotAllowed(
                f"{key!r} is not a key: up to 64 of a-z, 0-9 and hyphens, not starting with a hyphen.", pointer="/key"
            )
        return key
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:56] or "group"
    taken = set(Group.objects.filter(key__startswith=base).values_list("key", flat=True))
    return next(one for one in (base, *(f"{base}-{number}" for number in range(2, 10**6))) if one not in taken)


def _check_tags(tags: list[str]) -> list[str]:
    if len(tags) > _MOST_TAGS or any(not 1 <= len(tag) <= _LONGEST_TAG for tag in tags):
        raise ValueNotAllowed(f"At most {_MOST_TAGS} tags of 1 to {_LONGEST_TAG} characters.", pointer="/tags")
    return sorted(set(tags))


def _check_exposure(exposure: str) -> str:
    if exposure not in set(Exposure):
        raise ValueNotAllowed("The exposure is never, signed or open.", pointer="/exposure")
    return exposure
