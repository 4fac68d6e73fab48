"""Everything that changes a group. Evaluation comes first, then one transaction swaps definition and membership."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Any

from django.db import transaction

from muster.audit.actions import record
from muster.catalog.actions import check_revision
from muster.engine.refresh import in_order
from muster.groups.actions.announcing import ARCHIVED, DELETED, RESTORED, announce_life
from muster.groups.actions.generations import all_joined, all_left
from muster.groups.actions.membership import (
    EVALUATION,
    again_if_overtaken,
    dependants_of,
    evaluate,
    saved_definition,
    still_dependants,
    store,
)
from muster.groups.errors import KeyTaken, StateNotAllowed, ValueNotAllowed
from muster.groups.hooks import announce, announce_exposure
from muster.groups.models import Group, GroupVersion
from muster.groups.policies import check_can, check_unused
from muster.groups.queries.evaluation import definition_of, vocabulary
from muster.groups.queries.exposure import check_exposures
from muster.groups.queries.groups import GroupView, group, group_row, uses_of
from muster.groups.queries.templates import template
from muster.groups.terms import EVALUATED, STATES, Cause, Exposure, Kind, State
from muster.kernel.clock import system_clock
from muster.kernel.errors import MusterError
from muster.kernel.ids import new_id
from muster.kernel.worded import word, worded
from muster.rules.codec import decode, encode
from muster.rules.errors import ReferenceCycle
from muster.rules.nodes import Definition
from muster.team.policies import Principal

_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_LONGEST_NAME, _MOST_TAGS, _LONGEST_TAG = 200, 20, 50


@again_if_overtaken
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
    decoded = decode(definition, vocabulary())
    row = new_group(Kind.SEGMENT, name=name, key=key, tags=tags, exposure=exposure)
    row.app, row.definition, row.template = decoded.app, encode(decoded), template_key
    row.state = State.BUILDING if active else State.DRAFT
    evaluated = evaluate({row.id: decoded}) if active else None
    with transaction.atomic():
        if evaluated is not None:
            check_key_free(row.key)
            announce(store([row], evaluated, Cause.DEFINITION))
        insert_group(actor, row)
    return group(row.id)


def new_group(
    kind: Kind, *, name: str, key: str | None = None, tags: list[str] | None = None, exposure: str = Exposure.NEVER
) -> Group:
    """A row with what every group has, checked; not saved, and without a state."""
    checked = check_name(name)
    now = system_clock()
    return Group(
        id=new_id("grp"),
        key=_new_key(key, checked),
        name=checked,
        kind=kind,
        tags=check_tags(tags or []),
        exposure=_check_exposure(exposure),
        created_at=now,
        updated_at=now,
    )


def check_key_free(key: str) -> None:
    if Group.objects.filter(key=key).exists():
        raise KeyTaken(worded("There is a group with the key `{key}` already.", key=key), pointer="/key")


def insert_group(actor: Principal, row: Group) -> None:
    """Stores a new group with its first version; inside the caller's transaction."""
    check_key_free(row.key)
    check_exposures(row)
    row.save(force_insert=True)
    remember_version(row, actor, row.created_at)
    record(actor, "group.created", "group", row.id, {"key": row.key, "name": row.name})
    announce_exposure()


def copy_template(actor: Principal, key: str, app: str, name: str | None = None) -> GroupView:
    """An editable segment from a template (groups spec, section 7)."""
    chosen = template(key)
    return create_segment(actor, name=name or chosen.name, definition=chosen.definition(app), template_key=key)


@again_if_overtaken
def edit_group(actor: Principal, reference: str, *, revision: int | None, **changes: Any) -> GroupView:
    """Changes name, tags, exposure or definition; a definition in use swaps atomically with its members (G-16)."""
    row = group_row(reference)
    check_revision(row.revision, revision)
    if row.kind == Kind.KNOWN and "definition" in changes:
        raise ValueNotAllowed("A known user group has no definition: its members are listed.", pointer="/definition")
    _apply(row, changes)
    evaluated = None
    dependants: list[Group] = []
    fields = ["name", "tags", "exposure", "app", "definition", "revision", "updated_at"]
    if "definition" in changes:
        decoded = _changed_definition(row, changes["definition"])
        row.app, row.definition = decoded.app, encode(decoded)
        if row.state in EVALUATED:
            dependants = dependants_of(row)
            evaluated = evaluate({row.id: decoded} | {one.id: saved_definition(one) for one in dependants})
    now = system_clock()
    with transaction.atomic():
        current = Group.objects.get(id=row.id)
        check_revision(current.revision, row.revision)
        check_same_state(row, current)
        check_exposures(row)
        row.revision += 1
        row.updated_at = now
        if evaluated is not None:
            announce(store([row, *still_dependants(row, dependants)], evaluated, Cause.DEFINITION))
            fields += EVALUATION
        row.save(update_fields=fields)
        remember_version(row, actor, now)
        record(actor, "group.edited", "group", row.id, {"revision": row.revision, "fields": sorted(changes)})
        if "exposure" in changes or "definition" in changes:
            announce_exposure()
    return group(row.id)


def _apply(row: Group, changes: dict[str, Any]) -> None:
    if "name" in changes:
        row.name = check_name(changes["name"])
    if "tags" in changes:
        row.tags = check_tags(changes["tags"])
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


@again_if_overtaken
def change_state(actor: Principal, reference: str, verb: str) -> GroupView:
    """activate, refresh, retry, archive or restore (groups spec, section 5)."""
    row = group_row(reference)
    target = check_can(verb, State(row.state), row.name)
    if row.kind == Kind.KNOWN and target is State.BUILDING:
        # A list needs no evaluation; who of it is a customer is asked again with the next refresh.
        target = State.ACTIVE
    evaluated = None
    dependants: list[Group] = []
    if target is State.BUILDING and row.kind == Kind.SEGMENT:
        dependants = dependants_of(row)
        evaluated = evaluate({one.id: saved_definition(one) for one in (row, *dependants)})
    with transaction.atomic():
        current = Group.objects.get(id=row.id)
        check_revision(current.revision, row.revision)
        check_same_state(row, current)
        if target is State.ARCHIVED:
            check_unused(row.name, uses_of(row), word("group", "archived"))
        elif current.state == State.ARCHIVED:
            check_exposures(row)
        row.state = target
        if verb in ("archive", "restore"):
            announce_life(row, ARCHIVED if verb == "archive" else RESTORED)
        changes = {}
        if evaluated is not None:
            cause = Cause.FULL if verb == "refresh" else Cause.DEFINITION
            changes = store([row, *still_dependants(row, dependants)], evaluated, cause)
        if verb in ("archive", "restore"):
            changes[row.id] = all_left(row) if verb == "archive" else all_joined(row)
        announce(changes)
        row.save(update_fields=["state", *(EVALUATION if evaluated is not None else ())])
        record(actor, f"group.{verb}", "group", row.id, {})
        announce_exposure()
    return group(row.id)


@transaction.atomic
def delete_group(actor: Principal, reference: str) -> None:
    """Gone for good; refused while anything uses it (G-22)."""
    row = group_row(reference)
    check_unused(row.name, uses_of(row, archived=True), word("group", "deleted"))
    record(actor, "group.deleted", "group", row.id, {"key": row.key, "name": row.name})
    if row.state != State.ARCHIVED:
        announce({row.id: all_left(row)})
    announce_life(row, DELETED)
    row.delete()
    announce_exposure()


def check_same_state(row: Group, current: Group) -> None:
    """`state_conflict` if the group was archived, activated, ... while it was evaluated."""
    if (row.state in EVALUATED) != (current.state in EVALUATED):
        raise StateNotAllowed(
            worded(
                "“{name}” has become {state} meanwhile. Load it again.",
                name=row.name,
                state=STATES[State(current.state)],
            ),
            code="state_conflict",
        )


def remember_version(row: Group, actor: Principal, now: datetime) -> None:
    GroupVersion.objects.create(
        group=row, revision=row.revision, name=row.name, definition=row.definition, saved_at=now, saved_by=actor.label
    )


def check_name(name: str) -> str:
    """1..200 characters, NFC, trimmed, without control characters."""
    cleaned = unicodedata.normalize("NFC", name).strip()
    if not cleaned or len(cleaned) > _LONGEST_NAME:
        raise ValueNotAllowed(worded("A name has 1 to {longest} characters.", longest=_LONGEST_NAME), pointer="/name")
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Cn") for letter in cleaned):
        raise ValueNotAllowed("A name has no control characters.", pointer="/name")
    return cleaned


def _new_key(key: str | None, name: str) -> str:
    """The key asked for, or one made of the name that is free."""
    if key is not None:
        if not _KEY.fullmatch(key):
            raise ValueNotAllowed(
                worded(
                    "{key} is not a key: up to 64 of a-z, 0-9 and hyphens, not starting with a hyphen.", key=repr(key)
                ),
                pointer="/key",
            )
        return key
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:56] or "group"
    taken = set(Group.objects.filter(key__startswith=base).values_list("key", flat=True))
    return next(one for one in (base, *(f"{base}-{number}" for number in range(2, 10**6))) if one not in taken)


def check_tags(tags: list[str]) -> list[str]:
    if len(tags) > _MOST_TAGS or any(not 1 <= len(tag) <= _LONGEST_TAG for tag in tags):
        raise ValueNotAllowed(
            worded("At most {most} tags of 1 to {longest} characters.", most=_MOST_TAGS, longest=_LONGEST_TAG),
            pointer="/tags",
        )
    return sorted(set(tags))


def _check_exposure(exposure: str) -> str:
    if exposure not in set(Exposure):
        raise ValueNotAllowed("The exposure is never, signed or open.", pointer="/exposure")
    return exposure
