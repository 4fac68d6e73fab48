"""Whole clauses about events: counts, measures, sequences, windows; `{event}` is a quoted name with its filters."""

from __future__ import annotations

from muster.rules.describe.messages import Message, Wording, message, plural

# How often; `gte` 1 has words of its own below.
COUNT_CLAUSES: dict[str, Wording] = {
    "gte": Wording(
        plural(
            "count",
            "who performed {event} at least {value} time {period}",
            "who performed {event} at least {value} times {period}",
        ),
        plural(
            "count",
            "who did not perform {event} at least {value} time {period}",
            "who did not perform {event} at least {value} times {period}",
        ),
    ),
    "gt": Wording(
        plural(
            "count",
            "who performed {event} more than {value} time {period}",
            "who performed {event} more than {value} times {period}",
        ),
        plural(
            "count",
            "who did not perform {event} more than {value} time {period}",
            "who did not perform {event} more than {value} times {period}",
        ),
    ),
    "lt": Wording(
        plural(
            "count",
            "who performed {event} less than {value} time {period}",
            "who performed {event} less than {value} times {period}",
        ),
        plural(
            "count",
            "who did not perform {event} less than {value} time {period}",
            "who did not perform {event} less than {value} times {period}",
        ),
    ),
    "lte": Wording(
        plural(
            "count",
            "who performed {event} at most {value} time {period}",
            "who performed {event} at most {value} times {period}",
        ),
        plural(
            "count",
            "who did not perform {event} at most {value} time {period}",
            "who did not perform {event} at most {value} times {period}",
        ),
    ),
    "is": Wording(
        plural(
            "count",
            "who performed {event} exactly {value} time {period}",
            "who performed {event} exactly {value} times {period}",
        ),
        plural(
            "count",
            "who did not perform {event} exactly {value} time {period}",
            "who did not perform {event} exactly {value} times {period}",
        ),
    ),
    "in": Wording(
        message("count", "who performed {event} {values} times {period}"),
        message("count", "who did not perform {event} {values} times {period}"),
    ),
    "between": Wording(
        message("count", "who performed {event} {low} to {high} times {period}"),
        message("count", "who did not perform {event} {low} to {high} times {period}"),
    ),
}
PERFORMED = Wording(
    message("event", "who have performed {event}"), message("event", "who have never performed {event}")
)
PERFORMED_WITHIN = Wording(
    message("event", "who performed {event} {period}"), message("event", "who did not perform {event} {period}")
)
# The measure as the subject of a number's or moment's clause: over all history, and within a period.
QUANTITIES: dict[str, tuple[Message, Message]] = {
    "count": (message("quantity", "number of {event}"), message("quantity", "number of {event} {period}")),
    "sum": (
        message("quantity", "total {property} of {event}"),
        message("quantity", "total {property} of {event} {period}"),
    ),
    "avg": (
        message("quantity", "average {property} of {event}"),
        message("quantity", "average {property} of {event} {period}"),
    ),
    "min": (
        message("quantity", "smallest {property} of {event}"),
        message("quantity", "smallest {property} of {event} {period}"),
    ),
    "max": (
        message("quantity", "largest {property} of {event}"),
        message("quantity", "largest {property} of {event} {period}"),
    ),
    "distinct": (
        message("quantity", "number of different {property} of {event}"),
        message("quantity", "number of different {property} of {event} {period}"),
    ),
    "first_at": (message("quantity", "first {event}"), message("quantity", "first {event} {period}")),
    "last_at": (message("quantity", "last {event}"), message("quantity", "last {event} {period}")),
}
EVENT_IN_APP = message("event", "{event} in {app}")
EVENT_WHERE = message("event", "{event} (where {filters})")
EVENT_IN_APP_WHERE = message("event", "{event} in {app} (where {filters})")
IN_LAST = message("period", "in the last {duration}")
FROM_TO = message("period", "on or after {start} and before {end}")
FROM = message("period", "on or after {start}")
TO = message("period", "before {end}")
IN_TOTAL = message("period", "in total")
THEN = message("sequence", "{steps}, then {event}")
THEN_WITHIN = message("sequence", "{steps}, then {event} (at most {duration} later)")
SEQUENCE = Wording(
    message("sequence", "who performed {steps} in this order"),
    message("sequence", "who did not perform {steps} in this order"),
)
SEQUENCE_WITHIN = Wording(
    message("sequence", "who performed {steps} in this order {period}"),
    message("sequence", "who did not perform {steps} in this order {period}"),
)
