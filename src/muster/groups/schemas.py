"""What the groups API takes and gives."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ninja import Field, Schema
from pydantic import ConfigDict

from muster.groups.policies import Told
from muster.groups.queries.clock import AtInstant
from muster.groups.queries.comparison import ComparisonView, SpendView
from muster.groups.queries.groups import GroupView
from muster.groups.queries.history import ChangeDetail, ChangeView, Recalled
from muster.groups.queries.people import Listed, MemberPage, Why
from muster.groups.queries.previews import PreviewView
from muster.groups.queries.sample import Sample
from muster.groups.terms import Kind


class Strict(Schema):
    """Fields nobody reads are mistakes of the caller, not decoration."""

    model_config = ConfigDict(extra="forbid", strict=True)


class GroupIn(Strict):
    """`definition` and `active` are of segments; a known user group starts with nobody on its list."""

    name: str
    kind: str = "segment"
    definition: dict[str, Any] | None = None
    key: str | None = None
    tags: list[str] = []
    exposure: str = "never"
    active: bool = True


class GroupEdit(Strict):
    """What is left out stays as it is; null is no value of any of them."""

    name: str = ""
    definition: dict[str, Any] = {}
    tags: list[str] = []
    exposure: str = ""


class PreviewIn(Strict):
    definition: dict[str, Any]
    edited: str | None = Field(None, description="group whose saved members the preview is compared with")
    overlap: list[str] = []
    editor: str | None = Field(None, description="a newer preview of the same editor cancels the older one")


class FreezeIn(Strict):
    name: str | None = None
    key: str | None = None


class DemoAppIn(Strict):
    key: str
    name: dict[str, str] = {}


class DemoThingIn(Strict):
    kind: Literal["import", "group"]
    id: str


class DemoLoadIn(Strict):
    seed: int = 20


class DemoRemovalIn(Strict):
    confirm: str = ""


class CopyIn(Strict):
    app: str
    name: str | None = None


def told_json(told: Told | None) -> dict[str, Any] | None:
    """`{"size": n}`, or `{"size": null, "small": true}` where the number is not told (G-21)."""
    if told is None:
        return None
    return {"size": told.size, "small": True} if told.small else {"size": told.size}


def group_json(view: GroupView) -> dict[str, Any]:
    """A group as groups.md section 8 shows it; `small` stands only beside a size that is not told."""
    shown = {name: getattr(view, name) for name in view.__dataclass_fields__ if name not in ("small", "used_by")}
    if shown.pop("available_small"):
        shown["available_small"] = True
    if view.small:
        shown["small"] = True
    if view.kind == Kind.SEGMENT:
        del shown["entries"], shown["pending"]
    shown["used_by"] = [vars(use) for use in view.used_by]
    return {name: _plain(value) for name, value in shown.items()}


def preview_json(view: PreviewView) -> dict[str, Any]:
    return {
        "definition": view.definition,
        **(told_json(view.size) or {}),
        "available_customers": view.available_customers.size,
        **({"available_small": True} if view.available_customers.small else {}),
        "share": view.share,
        "data_as_of": _plain(view.data_as_of),
        "waterfall": [
            {
                "pointer": step.pointer,
                "condition": step.condition,
                "alone": told_json(step.alone),
                "after": told_json(step.after),
            }
            for step in view.waterfall
        ],
        "sample": view.sample,
        "overlap": {group: told_json(told) for group, told in view.overlap.items()},
        "joined": told_json(view.joined),
        "left": told_json(view.left),
        **({} if view.not_historic is None else {"not_historic": view.not_historic}),
    }


def at_json(found: AtInstant, size: Told, available: Told) -> dict[str, Any]:
    """The size a group would have at an instant."""
    shown = {"at": _plain(found.at), **(told_json(size) or {}), "available_customers": available.size}
    return shown | {"not_historic": found.not_historic}


def members_at_json(page: MemberPage, found: AtInstant) -> dict[str, Any]:
    return {
        "items": page.items,
        "at": _plain(found.at),
        "not_historic": found.not_historic,
        "next_cursor": page.next_cursor,
    }


def recalled_json(page: MemberPage, found: Recalled) -> dict[str, Any]:
    return {
        "items": page.items,
        "as_of": _plain(found.as_of),
        "recorded_at": _plain(found.recorded_at),
        "grain": found.grain,
        "exact": found.exact,
        "next_cursor": page.next_cursor,
    }


def change_json(view: ChangeView) -> dict[str, Any]:
    return {
        "id": view.id,
        "began_at": _plain(view.began_at),
        "at": _plain(view.at),
        "cause": view.cause,
        "grain": view.grain,
        **(told_json(view.size) or {}),
        "joined": told_json(view.joined),
        "left": told_json(view.left),
    }


def change_detail_json(detail: ChangeDetail) -> dict[str, Any]:
    shown = change_json(detail.change)
    return shown | {"joined_ids": detail.joined, "left_ids": detail.left, "complete": detail.complete}


def comparison_json(view: ComparisonView) -> dict[str, Any]:
    def spend(one: SpendView) -> dict[str, Any]:
        return {
            "buyers": told_json(one.buyers),
            "total": None if one.total is None else str(one.total),
            "average": None if one.average is None else str(one.average),
        }

    return {
        **(told_json(view.size) or {}),
        "available_customers": view.available_customers.size,
        "breakdowns": [
            {
                "key": one.key,
                "exclusive": one.exclusive,
                "values": [
                    {
                        "value": share.value,
                        "group": told_json(share.group),
                        "population": told_json(share.population),
                        "index": share.index,
                    }
                    for share in one.shares
                ],
            }
            for one in view.breakdowns
        ],
        "spend": {"currency": view.currency, "group": spend(view.spend), "population": spend(view.population_spend)},
    }


def listed_json(found: Listed) -> dict[str, Any]:
    return {
        "group": found.group.id,
        "customer": found.customer_id,
        "member": found.member,
        "stored_member": found.member,
        "entries": found.entries,
    }


def why_json(why: Why, tree: dict[str, Any], sentence: str) -> dict[str, Any]:
    found = why.explanation
    return {
        "group": why.group.id,
        "customer": why.customer_id,
        "member": found.member,
        "stored_member": why.stored,
        "in_population": found.in_population,
        "changes_at": _plain(found.changes_at),
        "evaluated_at": _plain(why.evaluated_at),
        "sentence": sentence,
        "tree": tree,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value


def sample_json(found: Sample) -> dict[str, Any]:
    return {
        "loaded": bool(found.apps),
        "apps": found.apps,
        "groups": [row.key for row in found.groups],
        "imports": [row.id for row in found.imports],
    }
