"""REST: customers and imports (customers spec, section 12)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import File, Form, Query, Router
from ninja.files import UploadedFile
from ninja.responses import Status

from muster.catalog.queries import personal_attributes, publisher
from muster.customers import hooks, queries, schemas
from muster.customers.actions import facts, imports, mappings, uploads
from muster.customers.terms import ImportState
from muster.kernel.paging import cursor_invalid
from muster.team.api import permitted
from muster.team.policies import Principal, can
from muster.web.paging import DEFAULT_LIMIT, Limit, Page, read_page

router = Router(tags=["customers"])


@router.get("/customers")
def find_customers(request: HttpRequest, search: str) -> Any:
    """Customers by id, external id (`external:...`) or e-mail address."""
    permitted(request, "customers:read")
    return {"items": [{"id": one} for one in queries.find_customers(search)], "next_cursor": None}


@router.get("/customers/{reference}")
def show_customer(request: HttpRequest, reference: str) -> Any:
    principal = permitted(request, "customers:read")
    person = queries.customer(reference)
    personal = can(principal, "customers:personal")
    marked = personal_attributes()
    return schemas.customer_json(person, personal=personal, currency=publisher().currency, marked=marked)


@router.get("/imports", response=Page[dict[str, Any]])
def list_imports(request: HttpRequest, cursor: str | None = None, limit: Limit = DEFAULT_LIMIT) -> Any:
    """Newest first."""
    permitted(request, "customers:read")

    def fetch(before: Any, count: int) -> list[queries.ImportView]:
        if before is not None and (not isinstance(before, int) or abs(before) >= 2**63):
            raise cursor_invalid()
        return queries.imports(before, count)

    found, following = read_page(cursor, limit, fetch, lambda one: one.number)
    return {"items": [schemas.import_json(one) for one in found], "next_cursor": following}


@router.post("/imports", response={202: dict[str, Any]})
def begin_import(
    request: HttpRequest, file: File[UploadedFile], mapping: File[UploadedFile], kind: Form[str] = ""
) -> Any:
    """Keeps the file and starts the dry run; the answer names the job. `mapping` is a YAML file."""
    principal = permitted(request, "customers:write")
    view = uploads.begin_import(
        principal,
        file_name=file.name or "file",
        chunks=file.chunks(),
        document=mappings.parsed_mapping(mapping.read(), kind),
    )
    return Status(202, schemas.import_json(view))


def _permitted(request: HttpRequest, identifier: str, scope: str) -> Principal:
    """Who may see or move the import; other rooms' kinds ask for scopes of their own."""
    kind = hooks.import_kinds.get(queries.import_row(identifier).kind)
    principal: Principal | None = None
    for one in (scope,) if kind is None else kind.scopes:
        principal = permitted(request, one)
    assert principal is not None
    return principal


@router.get("/imports/{identifier}")
def show_import(request: HttpRequest, identifier: str) -> Any:
    _permitted(request, identifier, "customers:read")
    return schemas.import_json(queries.import_view(queries.import_row(identifier)))


@router.post("/imports/{identifier}/apply", response={202: dict[str, Any]})
def apply_import(request: HttpRequest, identifier: str, body: schemas.ApplyIn) -> Any:
    """Takes in what the dry run judged; again, to go on after a pause or a crash."""
    principal = _permitted(request, identifier, "customers:write")
    return Status(202, schemas.import_json(imports.change_import(principal, identifier, "apply", **body.model_dump())))


@router.post("/imports/{identifier}/pause")
def pause_import(request: HttpRequest, identifier: str) -> Any:
    """Stops after the chunk at hand."""
    return schemas.import_json(
        imports.change_import(_permitted(request, identifier, "customers:write"), identifier, "pause")
    )


@router.post("/imports/{identifier}/cancel", response={200: dict[str, Any], 202: dict[str, Any]})
def cancel_import(request: HttpRequest, identifier: str) -> Any:
    """Ends it; what has been taken in already is taken out by a job (202)."""
    view = imports.change_import(_permitted(request, identifier, "customers:write"), identifier, "cancel")
    return Status(202 if view.state == ImportState.UNDOING else 200, schemas.import_json(view))


@router.post("/imports/{identifier}/undo", response={202: dict[str, Any]})
def undo_import(request: HttpRequest, identifier: str) -> Any:
    """Takes out, up to 30 days later, what it brought."""
    view = imports.change_import(_permitted(request, identifier, "customers:write"), identifier, "undo")
    return Status(202, schemas.import_json(view))


@router.get("/imports/{identifier}/rows")
def list_rows(
    request: HttpRequest,
    identifier: str,
    verdict: str | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> Any:
    """The verdict of every row, in order; of one verdict if it is named."""
    _permitted(request, identifier, "customers:read")
    items, following = queries.verdicts(identifier, verdict=verdict, cursor=cursor, limit=limit)
    return {"items": [asdict(one) for one in items], "next_cursor": following}


@router.get("/rates", response=Page[schemas.RateOut])
def list_rates(
    request: HttpRequest, currency: str | None = None, cursor: str | None = None, limit: Limit = DEFAULT_LIMIT
) -> Any:
    """Newest day first."""
    permitted(request, "catalog:read")
    found, following = read_page(
        cursor,
        limit,
        lambda before, count: queries.rates(before, currency, count),
        lambda rate: [rate.day.isoformat(), rate.currency],
    )
    return {"items": [schemas.rate_json(one) for one in found], "next_cursor": following}


@router.post("/rates", response={201: schemas.RatesOut})
def put_rates(request: HttpRequest, body: schemas.RatesIn) -> Any:
    """Adds rates, or replaces those of the same day and currency; the orders they concern are derived again."""
    principal = permitted(request, "catalog:write")
    rates = [schemas.rate_from(one, f"/rates/{place}") for place, one in enumerate(body.rates)]
    put, customers = facts.put_rates(principal, rates)
    return Status(201, {"items": [schemas.rate_json(one) for one in put], "customers": customers})
