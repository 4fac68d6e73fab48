"""REST: customers and imports (customers spec, section 12)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import File, Form, Query, Router
from ninja.files import UploadedFile
from ninja.responses import Status

from muster.catalog.queries import publisher
from muster.customers import actions, queries, schemas
from muster.team.api import permitted
from muster.team.policies import can

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
    return schemas.customer_json(person, personal=personal, currency=publisher().currency)


@router.get("/imports")
def list_imports(request: HttpRequest) -> Any:
    permitted(request, "customers:read")
    return {"items": [schemas.import_json(one) for one in queries.imports()], "next_cursor": None}


@router.post("/imports", response={202: dict[str, Any]})
def begin_import(
    request: HttpRequest, file: File[UploadedFile], mapping: File[UploadedFile], kind: Form[str] = ""
) -> Any:
    """Keeps the file and starts the dry run; the answer names the job. `mapping` is a YAML file."""
    principal = permitted(request, "customers:write")
    view = actions.begin_import(
        principal, file_name=file.name or "file", chunks=file.chunks(), mapping=mapping.read(), kind=kind
    )
    return Status(202, schemas.import_json(view))


@router.get("/imports/{identifier}")
def show_import(request: HttpRequest, identifier: str) -> Any:
    permitted(request, "customers:read")
    return schemas.import_json(queries.import_view(queries.import_row(identifier)))


@router.post("/imports/{identifier}/apply", response={202: dict[str, Any]})
def apply_import(request: HttpRequest, identifier: str, body: schemas.ApplyIn) -> Any:
    principal = permitted(request, "customers:write")
    view = actions.change_import(principal, identifier, "apply", max_invalid=body.max_invalid)
    return Status(202, schemas.import_json(view))


@router.post("/imports/{identifier}/cancel")
def cancel_import(request: HttpRequest, identifier: str) -> Any:
    return schemas.import_json(actions.change_import(permitted(request, "customers:write"), identifier, "cancel"))


@router.get("/imports/{identifier}/rows")
def list_rows(
    request: HttpRequest,
    identifier: str,
    verdict: str | None = None,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> Any:
    """The verdict of every row, in order; of one verdict if it is named."""
    permitted(request, "customers:read")
    items, following = queries.verdicts(identifier, verdict=verdict, cursor=cursor, limit=limit)
    return {"items": [asdict(one) for one in items], "next_cursor": following}
