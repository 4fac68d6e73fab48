"""What the privacy API takes and gives."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import ConfigDict, Field

from muster.customers.privacy.queries import ErasureView, ExportView
from muster.customers.terms import MOST_ERASED_AT_ONCE
from muster.web.schemas import Instant


class ConsentIn(Schema):
    """`channel` of marketing only. `happened_at`: when the person said so, now if it is left out."""

    model_config = ConfigDict(extra="forbid")

    granted: bool
    channel: str | None = None
    text_version: Annotated[str | None, Field(max_length=200)] = None
    happened_at: Instant | None = None


class EraseIn(Schema):
    """`confirm`: the customer's id (cus_...), typed by whoever means it."""

    model_config = ConfigDict(extra="forbid")

    confirm: str
    grace_hours: int | None = None


class EraseManyIn(Schema):
    """`confirm`: how many different customers these are; of one their id."""

    model_config = ConfigDict(extra="forbid")

    customers: Annotated[list[str], Field(min_length=1, max_length=MOST_ERASED_AT_ONCE)]
    confirm: str
    grace_hours: int | None = None


class SuppressionIn(Schema):
    """`identity`: an e-mail address or an external id."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["email", "external"]
    identity: Annotated[str, Field(min_length=1, max_length=320)]
    reason: str = "manual"


class PrivacyEdit(Schema):
    model_config = ConfigDict(extra="forbid")

    grace_hours: int | None = None
    events_months: int | None = None
    anonymous_months: int | None = None
    rejects_days: int | None = None
    verdict_days: int | None = None
    exports_days: int | None = None
    under_age_data: Literal["keep", "discard"] | None = None


def erasure_json(view: ErasureView) -> dict[str, Any]:
    return asdict(view) | {"job": {"id": view.job} if view.job else None}


def export_json(view: ExportView) -> dict[str, Any]:
    link = f"/api/v1/exports/{view.id}/file" if view.state == "ready" else None
    return asdict(view) | {"job": {"id": view.job} if view.job else None, "file": link}
