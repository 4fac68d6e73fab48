"""REST: the publisher, apps, add-ons, attributes and events."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router
from ninja.responses import Status

from muster.catalog import actions, models, queries, schemas
from muster.rules.standard import STANDARD_ATTRIBUTES
from muster.team.policies import Principal, check_scope
from muster.web.paging import revision_of

router = Router(tags=["catalog"])


def _may(request: HttpRequest, scope: str) -> Principal:
    principal: Principal = request.auth  # type: ignore[attr-defined]  # set by the API's own authentication
    check_scope(principal, scope)
    return principal


@router.get("/publisher", response=schemas.PublisherOut)
def show_publisher(request: HttpRequest) -> Any:
    _may(request, "catalog:read")
    return queries.publisher()


@router.patch("/publisher", response=schemas.PublisherOut)
def edit_publisher(request: HttpRequest, body: schemas.PublisherEdit) -> Any:
    principal = _may(request, "catalog:write")
    changes = body.model_dump(exclude_unset=True)
    return actions.edit_publisher(principal, revision=revision_of(request), **changes)


@router.get("/apps", response=list[schemas.AppOut])
def list_apps(request: HttpRequest) -> Any:
    _may(request, "catalog:read")
    return queries.apps(archived=True)


@router.post("/apps", response={201: schemas.AppOut})
def create_app(request: HttpRequest, body: schemas.AppIn) -> Any:
    principal = _may(request, "catalog:write")
    return Status(201, actions.create_app(principal, key=body.key, name=body.name, **body.settings))


@router.get("/apps/{key}", response=schemas.AppOut)
def show_app(request: HttpRequest, key: str) -> Any:
    _may(request, "catalog:read")
    return queries.app(key)


@router.patch("/apps/{key}", response=schemas.AppOut)
def edit_app(request: HttpRequest, key: str, body: schemas.AppEdit) -> Any:
    principal = _may(request, "catalog:write")
    changes = body.model_dump(exclude_unset=True)
    changes |= changes.pop("settings", {})
    return actions.edit_app(principal, key, revision=revision_of(request), **changes)


@router.get("/apps/{key}/add-ons", response=list[schemas.AddOnOut])
def list_add_ons(request: HttpRequest, key: str) -> Any:
    _may(request, "catalog:read")
    queries.app(key)
    return models.AddOn.objects.filter(app__key=key)


@router.post("/apps/{key}/add-ons", response={201: schemas.AddOnOut})
def create_add_on(request: HttpRequest, key: str, body: schemas.AddOnIn) -> Any:
    principal = _may(request, "catalog:write")
    return Status(201, actions.create_add_on(principal, key, **body.model_dump()))


@router.get("/attributes", response=list[schemas.AttributeOut])
def list_attributes(request: HttpRequest) -> Any:
    _may(request, "catalog:read")
    return [
        {
            "key": one.key,
            "type": one.type,
            "scope": one.scope,
            "category": one.category,
            "source": "standard" if one.key in STANDARD_ATTRIBUTES else "custom",
            "values": list(one.values),
        }
        for one in queries.attributes().values()
    ]


@router.post("/attributes", response={201: schemas.AttributeOut})
def declare_attribute(request: HttpRequest, body: schemas.AttributeIn) -> Any:
    principal = _may(request, "catalog:write")
    row = actions.declare_attribute(principal, **body.model_dump())
    return Status(
        201, {"key": row.key, "type": row.type, "scope": row.scope, "category": "custom", "source": row.source}
    )


@router.get("/events", response=list[schemas.EventOut])
def list_events(request: HttpRequest) -> Any:
    _may(request, "catalog:read")
    custom = set(models.Event.objects.values_list("key", flat=True))
    return [
        {
            "key": event.key,
            "number": event.number,
            "source": "custom" if event.key in custom else "standard",
            "properties": dict(event.properties),
        }
        for event in queries.events().values()
    ]


@router.post("/events", response={201: schemas.EventOut})
def declare_event(request: HttpRequest, body: schemas.EventIn) -> Any:
    principal = _may(request, "catalog:write")
    row = actions.declare_event(principal, **body.model_dump())
    return Status(201, {"key": row.key, "number": row.number, "source": "custom", "properties": row.properties})
