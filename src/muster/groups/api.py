"""REST: customer groups (groups spec, section 8)."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from django.utils.translation import get_language
from ninja import File, Form, Query, Router
from ninja.files import UploadedFile
from ninja.responses import Status

from muster.customers.schemas import import_json
from muster.groups import schemas
from muster.groups.actions import imports, lists, segments
from muster.groups.actions import sample as removing
from muster.groups.errors import ValueNotAllowed
from muster.groups.queries import comparison, groups, history, people, previews, sample, templates, wording
from muster.groups.queries.trees import tree
from muster.groups.sample import loading
from muster.groups.terms import Kind, SampleKind
from muster.rules.describe.sentence import sentence
from muster.rules.schema import definition_schema
from muster.team.api import permitted
from muster.team.policies import can
from muster.web.actions import start_job
from muster.web.answers import csv_download
from muster.web.paging import revision_of
from muster.web.schemas import Instant, job_out

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
def create_group(request: HttpRequest, body: schemas.GroupIn) -> Any:
    """A segment by its definition, or with `kind` known a user group whose members are listed."""
    principal = permitted(request, "groups:write")
    fields = body.model_dump(exclude={"kind"})
    if body.kind == Kind.SEGMENT:
        return Status(201, schemas.group_json(segments.create_segment(principal, **fields)))
    if body.kind != Kind.KNOWN:
        raise ValueNotAllowed("The kind is segment or known.", pointer="/kind")
    if fields.pop("definition") is not None or not fields.pop("active"):
        raise ValueNotAllowed("A known user group has no definition and is no draft.", pointer="/definition")
    return Status(201, schemas.group_json(lists.create_known(principal, **fields)))


@router.post("/groups/{reference}/freeze", response={201: dict[str, Any]})
def freeze(request: HttpRequest, reference: str, body: schemas.FreezeIn) -> Any:
    """A known user group of those who are in the group now (G-27)."""
    permitted(request, "members:read")
    return Status(
        201, schemas.group_json(lists.freeze(permitted(request, "groups:write"), reference, **body.model_dump()))
    )


@router.post("/groups/{reference}/imports", response={202: dict[str, Any]})
def begin_import(
    request: HttpRequest,
    reference: str,
    file: File[UploadedFile | None] = None,
    text: Form[str] = "",
    format: Form[str] = "file",
    mode: Form[str] = "add",
    ids: Form[str] = "email",
    column: Form[str | None] = None,
    encoding: Form[str] = "auto",
    delimiter: Form[str] = "auto",
) -> Any:
    """The dry run of a change of the list (G-25): a file (CSV, NDJSON, Parquet), or with `format` text a pasted one.

    What is pasted may also come as `text`. Then as with every import: `imports/{id}`, `/rows`, `/apply`, `/undo`.
    """
    permitted(request, "members:read")
    principal = permitted(request, "groups:write")
    if (file is None) == (not text):
        raise ValueNotAllowed("Send either a `file` or a `text`.", pointer="/file")
    view = imports.begin_members_import(
        principal,
        reference,
        chunks=[text.encode()] if file is None else file.chunks(),
        file_name="text" if file is None else file.name or "file",
        pasted=file is None or format == "text",
        mode=mode,
        ids=ids,
        column=column,
        source={"encoding": encoding, "delimiter": delimiter},
    )
    return Status(202, import_json(view))


@router.get("/groups/{reference}/export")
def export(request: HttpRequest, reference: str) -> Any:
    """Everybody, as CSV; of a list what imports again without loss (G-26)."""
    permitted(request, "members:read")
    lines = people.export_lines(reference)
    name = groups.group_row(reference).key
    return csv_download(lines, name)


@router.post("/groups/preview")
def preview(request: HttpRequest, body: schemas.PreviewIn, at: Instant | None = None) -> Any:
    """Size, waterfall, sample and overlap of a definition that is not saved (G-14); as if it were `at` (G-29)."""
    principal = permitted(request, "groups:read")
    found = previews.preview_document(
        body.definition,
        may_list=can(principal, "members:read"),
        edited=body.edited,
        compared=body.overlap or (),
        editor=f"{principal.id}:{body.editor}" if body.editor else None,
        at=at,
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
def show_group(request: HttpRequest, reference: str, at: Instant | None = None) -> Any:
    """With `at` also the size it would have if it were that instant (G-29)."""
    permitted(request, "groups:read")
    found = groups.group(reference)
    described = wording.described(found.definition, _language()) if found.definition else {}
    clock = {} if at is None else {"at": schemas.at_json(*people.size_at(reference, at))}
    return schemas.group_json(found) | described | clock


@router.patch("/groups/{reference}")
def edit_group(request: HttpRequest, reference: str, body: schemas.GroupEdit) -> Any:
    """Needs `If-Match` with the revision that was read."""
    principal = permitted(request, "groups:write")
    changes = body.model_dump(exclude_unset=True)
    return schemas.group_json(segments.edit_group(principal, reference, revision=revision_of(request), **changes))


@router.delete("/groups/{reference}", response={204: None})
def delete_group(request: HttpRequest, reference: str) -> Any:
    segments.delete_group(permitted(request, "groups:write"), reference)
    return Status(204, None)


def _change(request: HttpRequest, reference: str, verb: str) -> Any:
    return schemas.group_json(segments.change_state(permitted(request, "groups:write"), reference, verb))


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
    as_of: Instant | None = None,
    at: Instant | None = None,
) -> Any:
    """`as_of`: as recorded at a past instant (G-17); `at`: as they would be if it were that instant (G-29)."""
    permitted(request, "members:read")
    if as_of is not None and at is not None:
        raise ValueNotAllowed(
            "`as_of` reads what was recorded, `at` evaluates anew: ask for one of them.", pointer="/at"
        )
    if as_of is not None:
        return schemas.recalled_json(*people.members_as_of(reference, as_of, cursor=cursor, limit=limit))
    if at is not None:
        return schemas.members_at_json(*people.members_at(reference, at, cursor=cursor, limit=limit))
    page = people.members(reference, cursor=cursor, limit=limit)
    return {"items": page.items, "generation": page.generation, "next_cursor": page.next_cursor}


@router.get("/groups/{reference}/changes")
def list_changes(
    request: HttpRequest,
    reference: str,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Any:
    """How many joined and left, newest first (G-17)."""
    principal = permitted(request, "groups:read")
    may_list = can(principal, "members:read")
    items, following = history.changes_of(reference, may_list=may_list, cursor=cursor, limit=limit)
    return {"items": [schemas.change_json(one) for one in items], "next_cursor": following}


@router.get("/groups/{reference}/changes/{number}")
def show_change(request: HttpRequest, reference: str, number: int) -> Any:
    """Who joined and who left: the first thousand of each."""
    permitted(request, "members:read")
    return schemas.change_detail_json(history.change_of_group(reference, number))


@router.get("/groups/{reference}/sizes")
def list_sizes(request: HttpRequest, reference: str) -> Any:
    """The size at the end of every day on which it changed, oldest first."""
    permitted(request, "groups:read")
    days = history.sizes_by_day(reference)
    return {"items": [{"day": day.date().isoformat(), **(schemas.told_json(size) or {})} for day, size in days]}


@router.get("/groups/{reference}/compare")
def compare(request: HttpRequest, reference: str) -> Any:
    """Key figures of a group beside those of its population (G-20)."""
    principal = permitted(request, "groups:read")
    found = comparison.comparison_of(reference, may_list=can(principal, "members:read"))
    return schemas.comparison_json(found)


@router.get("/groups/{reference}/explain")
def explain(request: HttpRequest, reference: str, customer: str, as_of: Instant | None = None) -> Any:
    """Why a customer is or is not in the group (G-18). `customer`: `cus_...`, `external:...` or an e-mail address.

    `as_of`: by the definition of that instant, over what had happened by then.
    """
    permitted(request, "members:read")
    row = groups.group_row(reference)
    if row.kind == Kind.KNOWN:
        return schemas.listed_json(people.why_listed(row, customer))
    why = people.why(reference, customer) if as_of is None else people.why_as_of(reference, customer, as_of)
    words = wording.words_for(_language())
    return schemas.why_json(why, tree(why.explanation.tree, words), sentence(why.definition, words))


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
        found = previews.preview_document(definition, may_list=can(principal, "members:read"))
        shown.append(
            {"key": template.key, "name": template.name, "definition": definition}
            | (schemas.told_json(found.size) or {})
            | wording.described(definition, _language())
        )
    return {"items": shown}


@router.post("/group-templates/{key}/copy", response={201: dict[str, Any]})
def copy_template(request: HttpRequest, key: str, body: schemas.CopyIn) -> Any:
    principal = permitted(request, "groups:write")
    return Status(201, schemas.group_json(segments.copy_template(principal, key, body.app, body.name)))


@router.get("/demo")
def show_demo(request: HttpRequest) -> Any:
    """What of the installation is the bundled sample."""
    permitted(request, "groups:read")
    return schemas.sample_json(sample.sample())


@router.post("/demo/load", response={200: dict[str, Any], 202: dict[str, Any]})
def load_demo(request: HttpRequest, body: schemas.DemoLoadIn) -> Any:
    """Loads the sample, as a job (202), or goes on where one stopped; `job` is null if all of it is there."""
    for scope in removing.SCOPES:
        principal = permitted(request, scope)
    job = loading.order_loading(principal, body.seed)
    return Status(200 if job is None else 202, {"job": None if job is None else job_out(job)})


@router.post("/demo/apps", response={201: dict[str, Any]})
def create_demo_app(request: HttpRequest, body: schemas.DemoAppIn) -> Any:
    """An app that goes with the sample."""
    made = removing.create_sample_app(permitted(request, "catalog:write"), body.key, body.name)
    return Status(201, {"key": made.key, "name": made.name})


@router.post("/demo/things", response={204: None})
def mark_demo_thing(request: HttpRequest, body: schemas.DemoThingIn) -> Any:
    """An import, or a group, goes with the sample."""
    for scope in removing.SCOPES:
        permitted(request, scope)
    removing.mark_thing(SampleKind(body.kind), body.id)
    return Status(204, None)


@router.post("/demo/remove", response={202: dict[str, Any]})
def remove_demo(request: HttpRequest, body: schemas.DemoRemovalIn) -> Any:
    """The sample and nothing else; `confirm` is its name."""
    for scope in removing.SCOPES:
        principal = permitted(request, scope)
    return Status(202, {"job": job_out(removing.order_removal(principal, body.confirm))})


@router.get("/customers/{reference}/groups")
def groups_of_customer(request: HttpRequest, reference: str) -> Any:
    permitted(request, "members:read")
    return {"items": [{"id": row.id, "key": row.key, "name": row.name} for row in people.groups_of_customer(reference)]}
