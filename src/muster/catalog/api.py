"""REST: the publisher, apps, add-ons, attributes and events."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest
from ninja import Router
from ninja.responses import Status

from muster.catalog import actions, models, queries, schemas
from muster.catalog.actions import keys
from muster.catalog.terms import SERVER
from muster.rules.vocabulary import Scope
from muster.team.api import permitted
from muster.web.idempotency import show_once
from muster.web.paging import DEFAULT_LIMIT, Limit, Page, page_of, revision_of

router = Router(tags=["catalog"])


@router.get("/publisher", response=schemas.PublisherOut)
def show_publisher(request: HttpRequest) -> Any:
    permitted(request, "catalog:read")
    return queries.publisher()


@router.patch("/publisher", response=schemas.PublisherOut)
def edit_publisher(request: HttpRequest, body: schemas.PublisherEdit) -> Any:
    principal = permitted(request, "catalog:write")
    changes = body.model_dump(exclude_unset=True, exclude_none=True)
    if "unset_consents" in changes:
        permitted(request, "team:admin")
    return actions.edit_publisher(principal, revision=revision_of(request), **changes)


@router.get("/apps", response=Page[schemas.AppOut])
def list_apps(request: HttpRequest, cursor: str | None = None, limit: Limit = DEFAULT_LIMIT) -> Any:
    """By key, archived ones included."""
    permitted(request, "catalog:read")
    return page_of(queries.apps(archived=True), cursor, limit, lambda one: one.key)


@router.post("/apps", response={201: schemas.AppOut})
def create_app(request: HttpRequest, body: schemas.AppIn) -> Any:
    principal = permitted(request, "catalog:write")
    settings = body.settings.model_dump(exclude_unset=True)
    return Status(201, actions.create_app(principal, key=body.key, name=body.name, **settings))


@router.get("/apps/{key}", response=schemas.AppOut)
def show_app(request: HttpRequest, key: str) -> Any:
    permitted(request, "catalog:read")
    return queries.app(key)


@router.patch("/apps/{key}", response=schemas.AppOut)
def edit_app(request: HttpRequest, key: str, body: schemas.AppEdit) -> Any:
    principal = permitted(request, "catalog:write")
    changes = body.model_dump(exclude_unset=True, exclude_none=True)
    changes |= changes.pop("settings", {})
    return actions.edit_app(principal, key, revision=revision_of(request), **changes)


@router.get("/apps/{key}/add-ons", response=Page[schemas.AddOnOut])
def list_add_ons(request: HttpRequest, key: str, cursor: str | None = None, limit: Limit = DEFAULT_LIMIT) -> Any:
    permitted(request, "catalog:read")
    queries.app(key)
    return page_of(models.AddOn.objects.filter(app__key=key), cursor, limit, lambda one: one.product_id)


@router.post("/apps/{key}/add-ons", response={201: schemas.AddOnOut})
def create_add_on(request: HttpRequest, key: str, body: schemas.AddOnIn) -> Any:
    principal = permitted(request, "catalog:write")
    return Status(201, actions.create_add_on(principal, key, **body.model_dump()))


@router.post("/apps/{key}/add-ons/{add_on_id}/retire", response=schemas.AddOnOut)
def retire_add_on(request: HttpRequest, key: str, add_on_id: str) -> Any:
    """It is offered no more."""
    return actions.retire_add_on(permitted(request, "catalog:write"), key, add_on_id)


@router.get("/apps/{key}/keys", response=Page[schemas.KeyOut])
def list_keys(request: HttpRequest, key: str, cursor: str | None = None, limit: Limit = DEFAULT_LIMIT) -> Any:
    """What its programs send with everything; server keys without their text."""
    permitted(request, "catalog:read")
    queries.app(key)
    return page_of(queries.app_keys(key), cursor, limit, lambda one: one.id)


@router.post("/apps/{key}/keys", response={201: schemas.KeyOut})
def create_key(request: HttpRequest, key: str, body: schemas.KeyIn) -> Any:
    """`key` of the answer is shown this once, of a server key."""
    made, text = keys.create_key(permitted(request, "catalog:write"), key, **body.model_dump())
    if made.kind == SERVER:
        show_once(request)
    return Status(201, replace(made, key=text))


@router.post("/apps/{key}/keys/{key_id}/revoke", response=schemas.KeyOut)
def revoke_key(request: HttpRequest, key: str, key_id: str) -> Any:
    """It opens nothing any more."""
    return keys.revoke_key(permitted(request, "catalog:write"), key, key_id)


@router.get("/apps/{key}/token-keys", response=Page[schemas.TokenKeyOut])
def list_token_keys(request: HttpRequest, key: str, cursor: str | None = None, limit: Limit = DEFAULT_LIMIT) -> Any:
    """What customer tokens of the app are verified with; secrets are not shown."""
    permitted(request, "catalog:read")
    queries.app(key)
    return page_of(queries.token_keys(key), cursor, limit, lambda one: one.id)


@router.post("/apps/{key}/token-keys", response={201: schemas.TokenKeyMade})
def create_token_key(request: HttpRequest, key: str, body: schemas.TokenKeyIn) -> Any:
    """`secret` of the answer, for HS256, is shown this once. At most three are in force."""
    made, secret = keys.create_token_key(permitted(request, "catalog:write"), key, **body.model_dump())
    if secret:
        show_once(request)
    return Status(201, {**vars(made), "secret": secret})


@router.post("/apps/{key}/token-keys/{key_id}/revoke", response=schemas.TokenKeyOut)
def revoke_token_key(request: HttpRequest, key: str, key_id: str) -> Any:
    """Tokens that name it are refused from now on."""
    return keys.revoke_token_key(permitted(request, "catalog:write"), key, key_id)


@router.get("/attributes", response=Page[schemas.AttributeOut])
def list_attributes(request: HttpRequest, cursor: str | None = None, limit: Limit = DEFAULT_LIMIT) -> Any:
    """What is known of a customer as a whole; what is known per app is listed under the app."""
    permitted(request, "catalog:read")
    return page_of(queries.attribute_summaries(of_apps=False), cursor, limit, lambda one: one.key)


@router.post("/attributes", response={201: schemas.AttributeOut})
def declare_attribute(request: HttpRequest, body: schemas.AttributeIn) -> Any:
    principal = permitted(request, "catalog:write")
    row = actions.declare_attribute(principal, **body.model_dump(), scope=Scope.CUSTOMER)
    return Status(201, queries.summary_of(row))


@router.patch("/attributes/{key}", response=schemas.AttributeOut)
def edit_attribute(request: HttpRequest, key: str, body: schemas.AttributeEdit) -> Any:
    """Label, type, personal; of attributes of customers and of apps. A type that would lose values is refused."""
    principal = permitted(request, "catalog:write")
    return queries.summary_of(actions.edit_attribute(principal, key, **body.model_dump(exclude_none=True)))


@router.get("/apps/{key}/attributes", response=Page[schemas.AttributeOut])
def list_app_attributes(request: HttpRequest, key: str, cursor: str | None = None, limit: Limit = DEFAULT_LIMIT) -> Any:
    """What is known of a customer per app; every app has the same ones."""
    permitted(request, "catalog:read")
    queries.app(key)
    return page_of(queries.attribute_summaries(of_apps=True), cursor, limit, lambda one: one.key)


@router.post("/apps/{key}/attributes", response={201: schemas.AttributeOut})
def declare_app_attribute(request: HttpRequest, key: str, body: schemas.AttributeIn) -> Any:
    principal = permitted(request, "catalog:write")
    queries.app(key)
    row = actions.declare_attribute(principal, **body.model_dump(), scope=Scope.APP)
    return Status(201, queries.summary_of(row))


@router.get("/apps/{key}/events", response=Page[schemas.EventOut])
def list_events(request: HttpRequest, key: str, cursor: str | None = None, limit: Limit = DEFAULT_LIMIT) -> Any:
    """What can happen in an app; every app has the same ones."""
    permitted(request, "catalog:read")
    queries.app(key)
    return page_of(queries.event_summaries(), cursor, limit, lambda one: one.key)


@router.post("/apps/{key}/events", response={201: schemas.EventOut})
def declare_event(request: HttpRequest, key: str, body: schemas.EventIn) -> Any:
    principal = permitted(request, "catalog:write")
    queries.app(key)
    return Status(201, actions.declare_event(principal, **body.model_dump()))
