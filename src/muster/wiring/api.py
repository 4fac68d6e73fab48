"""The one REST API: every room's paths behind one door."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec

from django.utils.module_loading import import_string
from ninja import NinjaAPI

from muster.customers.incoming.api import router as incoming
from muster.customers.privacy.api import router as privacy
from muster.team.api import MusterAuth
from muster.team.api import router as team
from muster.web.api import router as web
from muster.web.doors import answer_with_problems
from muster.web.json_body import StrictParser
from muster.wiring.operation.api import router as operation

api = NinjaAPI(
    title="Muster",
    version=version("muster-groups"),
    description="Customer groups of app publishers. Errors are problem+json (RFC 9457) with a stable `code`.",
    urls_namespace="api",
    auth=MusterAuth(),
    parser=StrictParser(),
    # Its page of documentation loads scripts from elsewhere, which our pages never do.
    docs_url=None,
)
answer_with_problems(api)
for router in (team, web):
    api.add_router("", router)
for room in ("audit", "webhooks", "catalog", "customers", "groups"):
    if find_spec(f"muster.{room}.api"):
        api.add_router("", import_string(f"muster.{room}.api.router"))
api.add_router("", privacy)
api.add_router("", incoming)
api.add_router("", operation)
