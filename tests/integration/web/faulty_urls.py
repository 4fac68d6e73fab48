"""Addresses that fail in every way an API or a page can."""

from __future__ import annotations

from typing import NoReturn

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.urls import path
from ninja import NinjaAPI, Schema

from muster.kernel.errors import MusterError
from muster.rules.errors import DefinitionInvalid, Problem
from muster.team.errors import ScopeMissing
from muster.web.doors import answer_with_problems
from muster.web.json_body import StrictParser
from muster.web.paging import revision_of
from muster.wiring.urls import handler404, handler500
from muster.wiring.urls import urlpatterns as real

__all__ = ["handler404", "handler500", "urlpatterns"]

api = NinjaAPI(urls_namespace="faulty", parser=StrictParser(), docs_url=None, openapi_url=None)
answer_with_problems(api)
FAULTS = {
    "definition": DefinitionInvalid(
        [
            Problem("/all/0/attribute", "unknown_attribute", "unknown attribute `contry`", "country"),
            Problem("/all/1/op", "operator_not_allowed", "`before` does not go with text."),
        ]
    ),
    "place": MusterError("The key is taken.", code="key_taken", pointer="/key"),
    "use": MusterError("Used by 1 flight.", code="in_use", details={"used_by": [{"kind": "flight", "id": "fl_1"}]}),
    "customer": MusterError("There is no customer u9.", code="customer_unknown"),
    "column": MusterError("There is no column `emial`.", code="column_unknown"),
    "scope": ScopeMissing("groups:write"),
    "nothing": Http404("a secret path"),
    "denied": PermissionDenied("a secret reason"),
    "internal": ZeroDivisionError("a secret detail"),
}


class Body(Schema):
    name: str
    size: int = 1


@api.get("/fault/{name}")
def fault(request: HttpRequest, name: str) -> NoReturn:
    raise FAULTS[name]


@api.post("/body")
def body(request: HttpRequest, given: Body) -> dict[str, object]:
    return {"name": given.name}


@api.get("/number")
def number(request: HttpRequest, limit: int) -> dict[str, int]:
    return {"limit": limit}


@api.patch("/thing")
def thing(request: HttpRequest) -> dict[str, int]:
    return {"revision": revision_of(request)}


@login_not_required
def page(request: HttpRequest, name: str) -> NoReturn:
    raise FAULTS[name]


urlpatterns = [path("api/test/", api.urls), path("fault/<name>", page), *real]
