"""REST: customer groups (groups spec, section 8)."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from django.utils.translation import get_language
from ninja import Query, Router
from ninja.responses import Status

from muster.groups import actions, schemas
from muster.groups.queries import groups, people, previews, templates, wording
from muster.groups.queries.evaluation import definition_of, vocabulary
from muster.groups.queries.trees import tree
from muster.rules.describe.sentence import sentence
from muster.rules.schema import definition_schema
from muster.team.api import permitted
from muster.team.policies import can
from muster.web.actions import start_job
from muster.web.paging import revision_of

router = Router(tags=["groups"])


def _language() -> str:
    return (get_language() or "en")[:2]


@router.get("/schemas/definition.json")
def schema(request: HttpRequest) -> Any:
    """JSON Schema of a definition."""
    permitted(request, "groups:read")
    return definition_schema()


@router.get("/groups")
def list_groups(
    request: HttpRequest,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    state: str | None = None,
) -> Any:
    permitted(request, "groups:read")
    page = groups.groups(cursor=cursor, limit=limit, state=state)
    return {"items": [schemas.group_json(one) for one in page.items], "next_cursor": page.next_cursor}


@router.post("/groups", response={201: dict[str, Any]})
def create_segment(request: HttpRequest, body: schemas.SegmentIn) -> Any:
    principal = permitted(request, "groups:write")
    return Status(201, schemas.group_json(actions.create_segment(principal, **body.model_dump())))


@router.post("/groups/preview")
def preview(request: HttpRequest, body: schemas.PreviewIn) -> Any:
    """Size, waterfall, sample and overlap of a definition that is not saved (G-14)."""
    principal = permitted(request, "groups:read")
    found = previews.preview_definition(
        body.definition,
        may_list=can(principal, "members:read"),
        edited=body.edited,
        compared=body.overlap,
        editor=f"{principal.id}:{body.editor}" if body.editor else None,
    )
    return schemas.preview_json(found) | wording.described(body.definition, _language())


@router.get("/groups/overlap")
def overlap(request: HttpRequest, ids: str) -> Any:
    """`ids`: two to six ids or keys, separated by commas (G-19)."""
    principal = permitted(request, "groups:read")
    found = previews.overlap_of([one for one in ids.split(",") if one], may_list=can(principal, "members:read"))
    return {"intersections": [{"groups": names, **(schemas.told_json(told) or {})} for names, told in found]}


@router.post("/groups/refresh", response={202: dict[str, Any]})
def refresh_all(request: HttpRequest) -> Any:
    """A full recompute of every segment, as a job."""
    permitted(request, "groups:write")
    return Status(202, {"job": {"id": start_job("groups.refresh", {}, key="all").id}})


@router.get("/groups/{reference}")
def show_group(request: HttpRequest, reference: str) -> Any:
    permitted(request, "groups:read")
    found = groups.group(reference)
    described = wording.described(found.definition, _language()) if found.definition else {}
    return schemas.group_json(found) | described


@router.patch("/groups/{reference}")
def edit_group(request: HttpRequest, reference: str, body: schemas.GroupEdit) -> Any:
    """Needs `If-Match` with the revision that was read."""
    principal = permitted(request, "groups:write")
    changes = body.model_dump(exclude_unset=True)
    return schemas.group_json(actions.edit_group(principal, reference, revision=revision_of(request), **changes))


@router.delete("/groups/{reference}", response={204: None})
def delete_group(request: HttpRequest, reference: str) -> Any:
    actions.delete_group(permitted(request, "groups:write"), reference)
    return Status(204, None)


def _change(request: HttpRequest, reference: str, verb: str) -> Any:
    return schemas.group_json(actions.change_state(permitted(request, "groups:write"), reference, verb))


@router.post("/groups/{reference}/activate")
def activate(request: HttpRequest, reference: str) -> Any:
    return _change(request, reference, "activate")


@router.post("/groups/{reference}/refresh")
def refresh(request: HttpRequest, reference: str) -> Any:
    return _change(request, reference, "refresh")


@router.post("/groups/{reference}/retry")
def retry(request: HttpRequest, reference: str) -> Any:
    return _change(request, reference, "retry")


@router.post("/groups/{reference}/archive")
def archive(request: HttpRequest, reference: str) -> Any:
    return _change(request, reference, "archive")


@router.post("/groups/{reference}/restore")
def restore(request: HttpRequest, reference: str) -> Any:
    return _change(request, reference, "restore")


@router.get("/groups/{reference}/members")
def list_members(
    request: HttpRequest,
    reference: str,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=people.MEMBERS_A_PAGE)] = 100,
) -> Any:
    permitted(request, "members:read")
    page = people.members(reference, cursor=cursor, limit=limit)
    return {"items": page.items, "generation": page.generation, "next_cursor": page.next_cursor}


@router.get("/groups/{reference}/explain")
def explain(request: HttpRequest, reference: str, customer: str) -> Any:
    """Why a customer is or is not in the group (G-18). `customer`: `cus_...`, `external:...` or an e-mail address."""
    permitted(request, "members:read")
    why = people.why(reference, customer)
    words = wording.words_for(_language())
    text = sentence(definition_of(why.group, vocabulary()), words)
    return schemas.why_json(why, tree(why.explanation.tree, words), text)


@router.get("/groups/{reference}/versions")
def versions(request: HttpRequest, reference: str) -> Any:
    permitted(request, "groups:read")
    return {
        "items": [
            {
                "revision": one.revision,
                "name": one.name,
                "definition": one.definition,
                "saved_at": one.saved_at.isoformat().replace("+00:00", "Z"),
                "saved_by": one.saved_by,
            }
            for one in groups.versions(reference)
        ]
    }


@router.get("/group-templates")
def list_templates(request: HttpRequest, app: str) -> Any:
    """Every template with its size for the app, before copying (groups spec, section 7)."""
    principal = permitted(request, "groups:read")
    shown = []
    for template in templates.TEMPLATES.values():
        definition = template.definition(app)
        found = previews.preview_definition(definition, may_list=can(principal, "members:read"))
        shown.append(
            {"key": template.key, "name": template.name, "definition": definition}
            | (schemas.told_json(found.size) or {})
            | wording.described(definition, _language())
        )
    return {"items": shown}


@router.post("/group-templates/{key}/copy", response={201: dict[str, Any]})
def copy_template(request: HttpRequest, key: str, body: schemas.CopyIn) -> Any:
    principal = permitted(request, "groups:write")
    return Status(201, schemas.group_json(actions.copy_template(principal, key, body.app, body.name)))


@router.get("/customers/{reference}/groups")
def groups_of_customer(request: HttpRequest, reference: str) -> Any:
    permitted(request, "members:read")
    return {"items": [{"id": row.id, "key": row.key, "name": row.name} for row in people.groups_of_customer(reference)]}
