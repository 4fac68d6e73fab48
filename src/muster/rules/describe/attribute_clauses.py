"""Whole relative clauses about attributes and quantities, by family of types and operator; one message each way."""

from __future__ import annotations

from muster.rules.describe.messages import Wording, message

CLAUSES: dict[str, dict[str, Wording]] = {
    "text": {
        "is_set": Wording(
            message("text", "whose {attribute} has a value"), message("text", "whose {attribute} has no value")
        ),
        "is": Wording(
            message("text", "whose {attribute} is {value}"), message("text", "whose {attribute} is not {value}")
        ),
        "in": Wording(
            message("text", "whose {attribute} is {values}"),
            message("text", "whose {attribute} is not one of {values}"),
        ),
        "contains": Wording(
            message("text", "whose {attribute} contains {value}"),
            message("text", "whose {attribute} does not contain {value}"),
        ),
        "starts_with": Wording(
            message("text", "whose {attribute} starts with {value}"),
            message("text", "whose {attribute} does not start with {value}"),
        ),
        "ends_with": Wording(
            message("text", "whose {attribute} ends with {value}"),
            message("text", "whose {attribute} does not end with {value}"),
        ),
    },
    "number": {
        "is_set": Wording(
            message("number", "whose {attribute} has a value"), message("number", "whose {attribute} has no value")
        ),
        "is": Wording(
            message("number", "whose {attribute} is exactly {value}"),
            message("number", "whose {attribute} is not {value}"),
        ),
        "in": Wording(
            message("number", "whose {attribute} is {values}"),
            message("number", "whose {attribute} is not one of {values}"),
        ),
        "gt": Wording(
            message("number", "whose {attribute} is more than {value}"),
            message("number", "whose {attribute} is not more than {value}"),
        ),
        "gte": Wording(
            message("number", "whose {attribute} is at least {value}"),
            message("number", "whose {attribute} is not at least {value}"),
        ),
        "lt": Wording(
            message("number", "whose {attribute} is less than {value}"),
            message("number", "whose {attribute} is not less than {value}"),
        ),
        "lte": Wording(
            message("number", "whose {attribute} is at most {value}"),
            message("number", "whose {attribute} is not at most {value}"),
        ),
        "between": Wording(
            message("number", "whose {attribute} is between {low} and {high}"),
            message("number", "whose {attribute} is not between {low} and {high}"),
        ),
    },
    "boolean": {
        "is_set": Wording(
            message("boolean", "whose {attribute} has a value"), message("boolean", "whose {attribute} has no value")
        ),
        "is_true": Wording(
            message("boolean", "whose {attribute} is true"), message("boolean", "whose {attribute} is not true")
        ),
        "is_false": Wording(
            message("boolean", "whose {attribute} is false"), message("boolean", "whose {attribute} is not false")
        ),
    },
    "moment": {
        "is_set": Wording(
            message("moment", "whose {attribute} has a value"), message("moment", "whose {attribute} has no value")
        ),
        "on": Wording(
            message("moment", "whose {attribute} falls on {day}"),
            message("moment", "whose {attribute} does not fall on {day}"),
        ),
        "before": Wording(
            message("moment", "whose {attribute} falls before {moment}"),
            message("moment", "whose {attribute} does not fall before {moment}"),
        ),
        "after": Wording(
            message("moment", "whose {attribute} falls after {moment}"),
            message("moment", "whose {attribute} does not fall after {moment}"),
        ),
        "between": Wording(
            message("moment", "whose {attribute} falls between {low} and {high}"),
            message("moment", "whose {attribute} does not fall between {low} and {high}"),
        ),
        "in_last": Wording(
            message("moment", "whose {attribute} falls within the last {duration}"),
            message("moment", "whose {attribute} does not fall within the last {duration}"),
        ),
        "in_next": Wording(
            message("moment", "whose {attribute} falls within the next {duration}"),
            message("moment", "whose {attribute} does not fall within the next {duration}"),
        ),
        "anniversary_in_next": Wording(
            message("moment", "whose {attribute} has its anniversary within the next {duration}"),
            message("moment", "whose {attribute} does not have its anniversary within the next {duration}"),
        ),
    },
    "version": {
        "is_set": Wording(
            message("version", "whose {attribute} has a value"), message("version", "whose {attribute} has no value")
        ),
        "is": Wording(
            message("version", "whose {attribute} is {value}"), message("version", "whose {attribute} is not {value}")
        ),
        "in": Wording(
            message("version", "whose {attribute} is {values}"),
            message("version", "whose {attribute} is not one of {values}"),
        ),
        "gt": Wording(
            message("version", "whose {attribute} is newer than {value}"),
            message("version", "whose {attribute} is not newer than {value}"),
        ),
        "gte": Wording(
            message("version", "whose {attribute} is {value} or newer"),
            message("version", "whose {attribute} is not {value} or newer"),
        ),
        "lt": Wording(
            message("version", "whose {attribute} is older than {value}"),
            message("version", "whose {attribute} is not older than {value}"),
        ),
        "lte": Wording(
            message("version", "whose {attribute} is {value} or older"),
            message("version", "whose {attribute} is not {value} or older"),
        ),
        "between": Wording(
            message("version", "whose {attribute} is between {low} and {high}"),
            message("version", "whose {attribute} is not between {low} and {high}"),
        ),
    },
    "list": {
        "is_set": Wording(
            message("list", "whose {attribute} has a value"), message("list", "whose {attribute} has no value")
        ),
        "has_any": Wording(
            message("list", "whose {attribute} contains {any_of}"),
            message("list", "whose {attribute} does not contain {any_of}"),
        ),
        "has_all": Wording(
            message("list", "whose {attribute} contains {all_of}"),
            message("list", "whose {attribute} does not contain all of {all_of}"),
        ),
    },
}
RANK_CLAUSES: dict[str, Wording] = {
    "top_percent": Wording(
        message("rank", "who are in the top {percent} by {attribute}"),
        message("rank", "who are not in the top {percent} by {attribute}"),
    ),
    "bottom_percent": Wording(
        message("rank", "who are in the bottom {percent} by {attribute}"),
        message("rank", "who are not in the bottom {percent} by {attribute}"),
    ),
    "top_count": Wording(
        message("rank", "who are among the top {count} by {attribute}"),
        message("rank", "who are not among the top {count} by {attribute}"),
    ),
}
# Clauses that say what a standard attribute means better than its name does.
SPECIAL_CLAUSES: dict[tuple[str, str], Wording] = {
    ("age_group", "is"): Wording(
        message("age_group", "who are aged {value}"), message("age_group", "who are not aged {value}")
    ),
    ("age_group", "in"): Wording(
        message("age_group", "who are aged {values}"), message("age_group", "who are not aged {values}")
    ),
    ("has_purchased", "is_true"): Wording(
        message("has_purchased", "who have purchased something"),
        message("has_purchased", "who have not purchased anything"),
    ),
    ("has_purchased", "is_false"): Wording(
        message("has_purchased", "who have not purchased anything"),
        message("has_purchased", "who have purchased something"),
    ),
    ("churn_predicted", "is_true"): Wording(
        message("churn_predicted", "who are predicted to leave"),
        message("churn_predicted", "who are not predicted to leave"),
    ),
    ("app_spend", "gt"): Wording(
        message("app_spend", "who spent more than {value} in the app"),
        message("app_spend", "who did not spend more than {value} in the app"),
    ),
    ("app_spend", "gte"): Wording(
        message("app_spend", "who spent at least {value} in the app"),
        message("app_spend", "who did not spend at least {value} in the app"),
    ),
    ("app_spend", "lt"): Wording(
        message("app_spend", "who spent less than {value} in the app"),
        message("app_spend", "who did not spend less than {value} in the app"),
    ),
    ("store_spend", "gt"): Wording(
        message("store_spend", "who spent more than {value} in the Store"),
        message("store_spend", "who did not spend more than {value} in the Store"),
    ),
    ("store_spend", "gte"): Wording(
        message("store_spend", "who spent at least {value} in the Store"),
        message("store_spend", "who did not spend at least {value} in the Store"),
    ),
    ("acquired_at", "in_last"): Wording(
        message("acquired_at", "who acquired the app within the last {duration}"),
        message("acquired_at", "who did not acquire the app within the last {duration}"),
    ),
    ("last_used_at", "in_last"): Wording(
        message("last_used_at", "who last used the app within the last {duration}"),
        message("last_used_at", "who did not use the app within the last {duration}"),
    ),
}
