"""REST: consent, suppression, export, erasure (customers spec, sections 3, 11 and 12)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http import FileResponse, HttpRequest
from ninja import Router
from ninja.responses import Status

from muster.customers.privacy import queries, schemas
from muster.customers.privacy.actions import consents, erasures, exports, retention, suppressions
from muster.kernel.paging import cursor_invalid
from muster.team.api import permitted
from muster.web.paging import DEFAULT_LIMIT, Limit, Page, read_page

router = Router(tags=["privacy"])


@router.get("/customers/{reference}/consents")
def list_consents(request: HttpRequest, reference: str) -> Any:
    """The whole log, oldest first."""
    permitted(request, "customers:read")
    return {"items": queries.consents(reference), "next_cursor": None}


@router.put("/customers/{reference}/consents/{purpose}")
def put_consent(request: HttpRequest, reference: str, purpose: str, body: schemas.ConsentIn) -> Any:
    """Adds to the log; the newest entry counts. Groups follow within one refresh."""
    principal = permitted(request, "customers:write")
    identifier = consents.put_consent(principal, reference, purpose, **body.model_dump())
    return {"customer": identifier, "purpose": purpose, "channel": body.channel, "granted": body.granted}


@router.post("/customers/{reference}/export", response={202: dict[str, Any]})
def export_customer(request: HttpRequest, reference: str) -> Any:
    """Puts everything known of the customer into a file; the answer names the job."""
    principal = permitted(request, "customers:personal")
    return Status(202, schemas.export_json(exports.request_export(principal, reference)))


@router.get("/exports/{identifier}")
def show_export(request: HttpRequest, identifier: str) -> Any:
    permitted(request, "customers:personal")
    return schemas.export_json(queries.export_view(queries.export_row(identifier)))


@router.get("/exports/{identifier}/file")
def download_export(request: HttpRequest, identifier: str) -> Any:
    """The ZIP file, until the link ends."""
    path = exports.download(permitted(request, "customers:personal"), identifier)
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name, content_type="application/zip")


@router.post("/customers/{reference}/erase", response={202: dict[str, Any]})
def erase_customer(request: HttpRequest, reference: str, body: schemas.EraseIn) -> Any:
    """Orders the erasure; `confirm` is the customer's id, typed."""
    principal = permitted(request, "customers:erase")
    view = erasures.request_erasure(principal, [reference], confirm=body.confirm, grace_hours=body.grace_hours)
    return Status(202, schemas.erasure_json(view))


@router.get("/erasures", response=Page[dict[str, Any]])
def list_erasures(request: HttpRequest, cursor: str | None = None, limit: Limit = DEFAULT_LIMIT) -> Any:
    """Newest first."""
    permitted(request, "customers:read")
    found, following = read_page(
        cursor,
        limit,
        lambda before, count: queries.erasures(_position(before), count),
        lambda one: [one.requested_at.isoformat(), one.id],
    )
    return {"items": [schemas.erasure_json(one) for one in found], "next_cursor": following}


@router.post("/erasures", response={202: dict[str, Any]})
def erase_customers(request: HttpRequest, body: schemas.EraseManyIn) -> Any:
    """Orders the erasure of many in one pass; `confirm` is their number, typed."""
    principal = permitted(request, "customers:erase")
    view = erasures.request_erasure(principal, body.customers, confirm=body.confirm, grace_hours=body.grace_hours)
    return Status(202, schemas.erasure_json(view))


@router.get("/erasures/{identifier}")
def show_erasure(request: HttpRequest, identifier: str) -> Any:
    """How far it is, place by place, and its receipt."""
    permitted(request, "customers:read")
    return schemas.erasure_json(queries.erasure_view(queries.erasure_row(identifier)))


@router.post("/erasures/{identifier}/withdraw")
def withdraw_erasure(request: HttpRequest, identifier: str) -> Any:
    """While its grace lasts."""
    return schemas.erasure_json(erasures.withdraw_erasure(permitted(request, "customers:erase"), identifier))


@router.get("/suppressions", response=Page[dict[str, Any]])
def list_suppressions(request: HttpRequest, cursor: str | None = None, limit: Limit = DEFAULT_LIMIT) -> Any:
    """Newest first."""
    permitted(request, "customers:personal")
    found, following = read_page(
        cursor,
        limit,
        lambda before, count: queries.suppressions(_position(before), count),
        lambda one: [one.since.isoformat(), one.id],
    )
    return {"items": [asdict(one) for one in found], "next_cursor": following}


@router.post("/suppressions", response={201: dict[str, Any]})
def suppress(request: HttpRequest, body: schemas.SuppressionIn) -> Any:
    """From now on no message reaches the address or id."""
    principal = permitted(request, "customers:write")
    return Status(201, asdict(suppressions.suppress(principal, body.kind, body.identity, body.reason)))


@router.delete("/suppressions/{identifier}", response={204: None})
def lift_suppression(request: HttpRequest, identifier: str) -> Any:
    """Only a person may; a token may not."""
    suppressions.lift_suppression(permitted(request, "customers:write"), identifier)
    return Status(204, None)


@router.get("/privacy")
def show_privacy(request: HttpRequest) -> Any:
    """How long things are kept."""
    permitted(request, "customers:read")
    return asdict(queries.kept())


@router.patch("/privacy")
def edit_privacy(request: HttpRequest, body: schemas.PrivacyEdit) -> Any:
    principal = permitted(request, "team:admin")
    changes = {name: value for name, value in body.model_dump().items() if value is not None}
    return asdict(retention.edit_privacy(principal, revision=None, **changes))


def _position(before: Any) -> tuple[str, str] | None:
    match before:
        case None:
            return None
        case [str(at), str(identifier)]:
            return at, identifier
    raise cursor_invalid()
