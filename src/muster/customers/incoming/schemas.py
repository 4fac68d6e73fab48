"""What the API says of refused items, and is told to replay."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from ninja import Schema
from pydantic import ConfigDict, Field

from muster.web.schemas import JobOut


class RefusedOut(Schema):
    """`code`: the verdict. `key`: the id of the key it was sent with. `replayable`: whether it can be taken once more.
    `item`: as it was sent, for who may see personal data."""

    number: int
    code: str
    app: str | None
    key: str | None
    received_at: datetime
    replayable: bool
    item: str | None


class VerdictOut(Schema):
    app: str | None
    code: str
    count: int
    replayable: int
    newest_at: datetime


class VerdictList(Schema):
    items: list[VerdictOut]
    next_cursor: str | None = None


class ReplayIn(Schema):
    """Which of them; what is left out is any. `numbers`: these alone."""

    model_config = ConfigDict(extra="forbid", strict=True)

    app: str | None = None
    code: str | None = None
    numbers: Annotated[list[Annotated[int, Field(ge=1, lt=2**63)]], Field(min_length=1, max_length=1_000)] | None = None


class ReplayBegun(Schema):
    job: JobOut
