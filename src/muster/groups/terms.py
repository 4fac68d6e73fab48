"""The words of groups: kinds, states and which state follows which (groups spec, section 5)."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from muster.kernel.worded import word


class Kind(StrEnum):
    SEGMENT = "segment"
    KNOWN = "known"


class State(StrEnum):
    DRAFT = "draft"
    BUILDING = "building"
    ACTIVE = "active"
    INACTIVE = "inactive"
    FAILED = "failed"
    ARCHIVED = "archived"


class Cause(StrEnum):
    """Why a membership changed (G-17)."""

    DEFINITION = "definition"
    DATA = "data"
    TIME = "time"
    FULL = "full"
    LIST = "list"
    UNDO = "undo"


COALESCED = frozenset({Cause.DATA, Cause.TIME})
"""What happens by itself, many times a minute, and is remembered by the minute, the hour, the day."""


IMPORTING = ("members:read", "groups:write")
"""Scopes that are needed to see and to move an import of members."""

IMPORT_KIND = "members"
"""The kind of the imports that change a list, among all imports."""

UNDO_DAYS = timedelta(days=30)
"""So long the version of a list before a change is kept (G-25)."""


class Grain(StrEnum):
    """How exact the memory of a change is."""

    EXACT = "exact"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


class Exposure(StrEnum):
    NEVER = "never"
    SIGNED = "signed"
    OPEN = "open"


TRANSITIONS: dict[str, dict[State, State]] = {
    # what a person asks for -> from -> to; `building` ends as active, inactive or failed by itself.
    "activate": {State.DRAFT: State.BUILDING, State.INACTIVE: State.BUILDING},
    "refresh": {
        State.ACTIVE: State.BUILDING,
        State.INACTIVE: State.BUILDING,
        State.FAILED: State.BUILDING,
        State.BUILDING: State.BUILDING,
    },
    "retry": {State.FAILED: State.BUILDING, State.BUILDING: State.BUILDING},
    "archive": {
        State.DRAFT: State.ARCHIVED,
        State.ACTIVE: State.ARCHIVED,
        State.INACTIVE: State.ARCHIVED,
        State.FAILED: State.ARCHIVED,
    },
    "restore": {State.ARCHIVED: State.BUILDING},
}

STATES = {
    State.DRAFT: word("group", "draft"),
    State.BUILDING: word("group", "building"),
    State.ACTIVE: word("group", "active"),
    State.INACTIVE: word("group", "inactive"),
    State.FAILED: word("group", "failed"),
    State.ARCHIVED: word("group", "archived"),
}
"""As they stand in sentences."""

VERBS = {
    "activate": word("group", "activate"),
    "refresh": word("group", "refresh"),
    "retry": word("group", "retry"),
    "archive": word("group", "archive"),
    "restore": word("group", "restore"),
}

EVALUATED = frozenset({State.BUILDING, State.ACTIVE, State.INACTIVE, State.FAILED})
"""States in which a segment is kept current."""


def state_of_size(size: int, minimum_size: int) -> State:
    """Active, or inactive where the group is smaller than the privacy floor; nobody at all is a size like another."""
    return State.INACTIVE if size < minimum_size else State.ACTIVE


class SampleKind(StrEnum):
    """What the bundled sample is made of."""

    APP = "app"
    IMPORT = "import"
    GROUP = "group"


SAMPLE_NAME = "AdventureWorks"
"""Whose data the sample is; typed by whoever removes it."""
