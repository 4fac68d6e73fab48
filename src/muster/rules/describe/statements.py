"""Whole statements about one property of an event or one attribute of a device, by family and operator."""

from __future__ import annotations

from muster.rules.describe.messages import Wording, message

STATEMENTS: dict[str, dict[str, Wording]] = {
    "text": {
        "is_set": Wording(message("text", "{property} has a value"), message("text", "{property} has no value")),
        "is": Wording(message("text", "{property} is {value}"), message("text", "{property} is not {value}")),
        "in": Wording(message("text", "{property} is {values}"), message("text", "{property} is not one of {values}")),
        "contains": Wording(
            message("text", "{property} contains {value}"), message("text", "{property} does not contain {value}")
        ),
        "starts_with": Wording(
            message("text", "{property} starts with {value}"), message("text", "{property} does not start with {value}")
        ),
        "ends_with": Wording(
            message("text", "{property} ends with {value}"), message("text", "{property} does not end with {value}")
        ),
    },
    "number": {
        "is_set": Wording(message("number", "{property} has a value"), message("number", "{property} has no value")),
        "is": Wording(
            message("number", "{property} is exactly {value}"), message("number", "{property} is not {value}")
        ),
        "in": Wording(
            message("number", "{property} is {values}"), message("number", "{property} is not one of {values}")
        ),
        "gt": Wording(
            message("number", "{property} is more than {value}"),
            message("number", "{property} is not more than {value}"),
        ),
        "gte": Wording(
            message("number", "{property} is at least {value}"), message("number", "{property} is not at least {value}")
        ),
        "lt": Wording(
            message("number", "{property} is less than {value}"),
            message("number", "{property} is not less than {value}"),
        ),
        "lte": Wording(
            message("number", "{property} is at most {value}"), message("number", "{property} is not at most {value}")
        ),
        "between": Wording(
            message("number", "{property} is between {low} and {high}"),
            message("number", "{property} is not between {low} and {high}"),
        ),
    },
    "boolean": {
        "is_set": Wording(message("boolean", "{property} has a value"), message("boolean", "{property} has no value")),
        "is_true": Wording(message("boolean", "{property} is true"), message("boolean", "{property} is not true")),
        "is_false": Wording(message("boolean", "{property} is false"), message("boolean", "{property} is not false")),
    },
    "moment": {
        "is_set": Wording(message("moment", "{property} has a value"), message("moment", "{property} has no value")),
        "on": Wording(
            message("moment", "{property} falls on {day}"), message("moment", "{property} does not fall on {day}")
        ),
        "before": Wording(
            message("moment", "{property} falls before {moment}"),
            message("moment", "{property} does not fall before {moment}"),
        ),
        "after": Wording(
            message("moment", "{property} falls after {moment}"),
            message("moment", "{property} does not fall after {moment}"),
        ),
        "between": Wording(
            message("moment", "{property} falls between {low} and {high}"),
            message("moment", "{property} does not fall between {low} and {high}"),
        ),
        "in_last": Wording(
            message("moment", "{property} falls within the last {duration}"),
            message("moment", "{property} does not fall within the last {duration}"),
        ),
        "in_next": Wording(
            message("moment", "{property} falls within the next {duration}"),
            message("moment", "{property} does not fall within the next {duration}"),
        ),
        "anniversary_in_next": Wording(
            message("moment", "{property} has its anniversary within the next {duration}"),
            message("moment", "{property} does not have its anniversary within the next {duration}"),
        ),
    },
    "version": {
        "is_set": Wording(message("version", "{property} has a value"), message("version", "{property} has no value")),
        "is": Wording(message("version", "{property} is {value}"), message("version", "{property} is not {value}")),
        "in": Wording(
            message("version", "{property} is {values}"), message("version", "{property} is not one of {values}")
        ),
        "gt": Wording(
            message("version", "{property} is newer than {value}"),
            message("version", "{property} is not newer than {value}"),
        ),
        "gte": Wording(
            message("version", "{property} is {value} or newer"),
            message("version", "{property} is not {value} or newer"),
        ),
        "lt": Wording(
            message("version", "{property} is older than {value}"),
            message("version", "{property} is not older than {value}"),
        ),
        "lte": Wording(
            message("version", "{property} is {value} or older"),
            message("version", "{property} is not {value} or older"),
        ),
        "between": Wording(
            message("version", "{property} is between {low} and {high}"),
            message("version", "{property} is not between {low} and {high}"),
        ),
    },
    "list": {
        "is_set": Wording(message("list", "{property} has a value"), message("list", "{property} has no value")),
        "has_any": Wording(
            message("list", "{property} contains {any_of}"), message("list", "{property} does not contain {any_of}")
        ),
        "has_all": Wording(
            message("list", "{property} contains {all_of}"),
            message("list", "{property} does not contain all of {all_of}"),
        ),
    },
}
