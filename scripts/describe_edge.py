"""Writes `src/muster/edge/openapi.json`: what the edge's own calls take and answer, with the limits of the code.

The edge serves the file as it stands; a test compares it with what this would write.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from muster.edge import consents, decide, description, ingest
from muster.edge.request import SECONDS_FOR_A_BODY
from muster.edge.tokens import LARGEST_BYTES as LARGEST_TOKEN_BYTES
from muster.warehouse.messages.checks import LARGEST_BYTES, LONGEST_ID, TYPES

FILE = Path(description.__file__).with_name("openapi.json")

Document = dict[str, Any]

_KEY_ERRORS = {
    401: (
        "The key is unknown or revoked, or the customer token is wrong.",
        "app_key_invalid customer_token_invalid customer_token_expired",
    ),
    403: ("The key may not do this, or the app does not allow the page's origin.", "scope_missing origin_not_allowed"),
}
_BODY_ERRORS = {
    408: (f"The body did not arrive within {SECONDS_FOR_A_BODY} seconds.", "body_timeout"),
    413: ("Body, headers or address are too large.", "body_too_large"),
    415: ("The body is packed, and not with gzip.", "encoding_unsupported"),
}  # fmt: skip
_HEAD_ERRORS = {413: ("Headers or address are too large.", "body_too_large")}
_FAULT = {500: ("This went wrong; it is logged.", "internal_error")}
_UNPUBLISHED = {503: ("Nothing has been published yet: try again.", "plan_missing")}
_RATE = {429: ("Too many requests.", "rate_limited")}

_INGEST = {
    400: ("The body says nothing; sending it again cannot help.", "invalid_json batch_missing"),
    **_KEY_ERRORS,
    **_BODY_ERRORS,
    429: ("Too many requests, or no room: send it again later, with the same message ids.", "rate_limited spool_full"),
    **_FAULT,
    503: ("Nothing is stored: send it again, with the same message ids.", "plan_missing storage_failed stopping"),
}
_DECIDE = {
    400: ("The body is not JSON.", "invalid_json"),
    **_KEY_ERRORS,
    **_BODY_ERRORS,
    422: ("A member is of the wrong type, or names somebody else than the customer token.", "facts_invalid"),
    **_RATE,
    **_FAULT,
    **_UNPUBLISHED,
}
_CONSENT = {
    **_INGEST,
    400: ("The body is not JSON.", "invalid_json"),
    403: (
        "Nobody has signed in, the key may not do this, or the app does not allow the page's origin.",
        "signed_customer_required scope_missing origin_not_allowed",
    ),
    422: ("The purpose, the state or the channel is none.", "facts_invalid"),
}
_SNIPPET = {
    404: ("There is no such key.", "not_found"), **_HEAD_ERRORS, **_FAULT, **_UNPUBLISHED,
}  # fmt: skip
_POSITION = {404: ("It is no position.", "not_found"), **_HEAD_ERRORS, **_FAULT}
_PLAIN = {**_HEAD_ERRORS, **_FAULT}

_ERRORS: dict[str, dict[int, tuple[str, str]]] = {
    "Ingest": _INGEST,
    "Decide": _DECIDE,
    "Consent": _CONSENT,
    "Snippet": _SNIPPET,
    "Position": _POSITION,
    "Plain": _PLAIN,
}
_BELOW_V1 = ("Ingest", "Snippet")
_ASKED_AGAIN = (429, 503)
_SECURITY = [{"MusterKey": []}, {"ApiKey": []}, {"Basic": []}, {"Bearer": []}, {"QueryKey": []}]


def document() -> Document:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Muster: what apps call",
            "version": "1",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": (
                "Events in, decisions out. Besides these calls there are those of OFREP 0.3 below `/ofrep/v1`, which"
                " OpenFeature describes. The content type of a request is not read: a body is JSON, packed with gzip or"
                " not. Where there is GET there is HEAD. Another method is answered 405 with `Allow`, another address"
                " 404. Pages may call from where the app allows it."
            ),
        },
        "externalDocs": {
            "description": "OFREP, the OpenFeature Remote Evaluation Protocol",
            "url": "https://github.com/open-feature/protocol",
        },
        "servers": [{"url": "/"}],
        "paths": _paths(),
        "components": {
            "securitySchemes": _schemes(),
            "headers": _headers(),
            "parameters": {"Token": _token(), "Verdicts": _verdicts()},
            "responses": _responses(),
            "schemas": _schemas(),
        },
    }


def _paths() -> Document:
    paths = {path: {"post": _ingest(path, call)} for path, call in ingest.PATHS.items()}
    paths["/v1/projects/{key}/settings"] = {"get": _snippet()}
    paths[decide.PATH] = {"post": _decide()}
    paths[consents.PATH + "{purpose}"] = {"put": _consent()}
    paths["/edge/v1/positions/{position}"] = {"get": _position()}
    paths[description.PATH] = {"get": _plain("describe", "This document.", {"type": "object"})}
    paths["/healthz"] = {"get": _plain("alive", "Whether the process answers.", _ref("Alive"))}
    ready = _plain("ready", "Whether the process should be sent requests.", _ref("Readiness"))
    ready["responses"]["503"] = _answer("It should not.", _ref("Readiness"))
    paths["/readyz"] = {"get": ready}
    return paths


def _ingest(path: str, call: str | None) -> Document:
    what = "any calls of tracking libraries" if call is None else f"one `{call}` call"
    return {
        "operationId": path.strip("/").replace("/", "_"),
        "summary": f"Send {what}",
        "parameters": [{"$ref": "#/components/parameters/Verdicts"}, {"$ref": "#/components/parameters/Token"}],
        "requestBody": _body(_ref("Batch" if call is None else "Message"), ingest.LARGEST_BODY_BYTES),
        # A key may also be `writeKey` of the body.
        "security": [*_SECURITY, {}],
        "responses": {"200": {"$ref": "#/components/responses/Taken"}, **_errors("Ingest")},
    }


def _decide() -> Document:
    answer = _answer("What is decided for them.", _ref("Decided"))
    answer["headers"] |= {
        "X-Muster-Generation": {"description": "Which publication it is.", "schema": {"type": "integer"}},
        "X-Muster-Data-As-Of": {
            "description": "Once the data ages: how old it is.",
            "schema": {"type": "string", "format": "date-time"},
        },
    }
    return {
        "operationId": "decide",
        "summary": "Ask for everything that is decided for somebody",
        "parameters": [{"$ref": "#/components/parameters/Token"}],
        "requestBody": _body(_ref("Asked"), decide.LARGEST_BODY_BYTES),
        "security": _SECURITY,
        "responses": {"200": answer, **_errors("Decide")},
    }


def _consent() -> Document:
    """202: it is on disk, and the log has it when its position is drained."""
    answer = _answer("It is on disk.", _ref("Stored"))
    answer["headers"]["X-Muster-Position"] = {"$ref": "#/components/headers/Position"}
    purpose = {"name": "purpose", "in": "path", "required": True, "schema": {"type": "string"}, "example": "marketing"}
    key = {
        "name": "Idempotency-Key", "in": "header", "schema": {"type": "string"},
        "description": "What is sent again with the same one is one entry of the log.",
    }  # fmt: skip
    return {
        "operationId": "put_consent",
        "summary": "Tell what the customer who signed in allows or refuses",
        "parameters": [purpose, key, {"$ref": "#/components/parameters/Token"}],
        "requestBody": _body(_ref("Consent"), consents.LARGEST_BODY_BYTES),
        "security": _SECURITY,
        "responses": {"202": answer, **_errors("Consent")},
    }


def _snippet() -> Document:
    return {
        "operationId": "snippet_settings",
        "summary": "Lets the browser snippet of analytics-next begin with this host",
        "parameters": [{"name": "key", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": {
            "200": _answer("Where it sends to.", _ref("SnippetSettings")),
            **_errors("Snippet"),
        },
    }


def _position() -> Document:
    parameter = {
        "name": "position", "in": "path", "required": True,
        "schema": {"type": "string", "pattern": r"^[1-9][0-9]?\.[0-9]{1,18}$"}, "example": "1.10482",
    }  # fmt: skip
    return {
        "operationId": "position",
        "summary": "Ask whether what was answered with this position has come through",
        "parameters": [parameter],
        "responses": {"200": _answer("How far it has come.", _ref("Progress")), **_errors("Position")},
    }


def _plain(name: str, summary: str, schema: Document) -> Document:
    return {
        "operationId": name,
        "summary": summary,
        "responses": {"200": _answer(summary, schema), **_errors("Plain")},
    }


def _verdicts() -> Document:
    return {
        "name": "verdicts", "in": "query", "schema": {"type": "string"},
        "description": "`1`: what the verdict on each message is, and the position, are in the answer.",
    }  # fmt: skip


def _token() -> Document:
    return {
        "name": "X-Muster-Customer", "in": "header",
        "description": (
            "A customer token: a JSON Web Token of the app's own server, which says who the customer is. One that is"
            f" wrong is refused, never taken for none. {LARGEST_TOKEN_BYTES // 1024} KiB at most. `Authorization:"
            " Bearer` may carry it as well, beside a key or alone."
        ),
        "schema": {"type": "string"},
    }  # fmt: skip


def _body(schema: Document, largest_bytes: int) -> Document:
    return {
        "required": True,
        "description": f"{largest_bytes // 1024} KiB at most, unpacked.",
        "content": {"application/json": {"schema": schema}},
    }


def _answer(text: str, schema: Document, media: str = "application/json") -> Document:
    return {
        "description": text,
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}},
        "content": {media: {"schema": schema}},
    }


def _responses() -> Document:
    taken = _answer("Everything is on disk; messages that cannot be taken with their verdict.", _ref("Taken"))
    taken["headers"]["X-Muster-Position"] = {"$ref": "#/components/headers/Position"}
    return {"Taken": taken} | {
        f"{name}{status}": _error(name, status, text, codes)
        for name, told in _ERRORS.items()
        for status, (text, codes) in told.items()
    }


def _error(name: str, status: int, text: str, codes: str) -> Document:
    kind, media = ("Failure", "application/json") if name in _BELOW_V1 else ("Problem", "application/problem+json")
    schema = {"allOf": [_ref(kind), {"properties": {"code": {"enum": codes.split()}}}]}
    answer = _answer(text, schema, media)
    if status in _ASKED_AGAIN:
        answer["headers"]["Retry-After"] = {"$ref": "#/components/headers/RetryAfter"}
    return answer


def _errors(name: str) -> Document:
    return {str(status): {"$ref": f"#/components/responses/{name}{status}"} for status in sorted(_ERRORS[name])}


def _ref(schema: str) -> Document:
    return {"$ref": f"#/components/schemas/{schema}"}


def _schemes() -> Document:
    publishable = "Publishable keys only."
    return {
        "MusterKey": {"type": "apiKey", "in": "header", "name": "X-Muster-Key"},
        "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        "Basic": {"type": "http", "scheme": "basic", "description": "The key is the user, without a password."},
        "Bearer": {"type": "http", "scheme": "bearer"},
        "QueryKey": {"type": "apiKey", "in": "query", "name": "key", "description": publishable},
    }


def _headers() -> Document:
    return {
        "RequestId": {
            "description": "That of the request, if it is 8 to 64 letters, digits, `_` and `-`; else one of ours.",
            "required": True,
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"},
        },
        "Position": {
            "description": "Where it lies: ask `/edge/v1/positions` for it.",
            "required": True,
            "schema": {"type": "string", "pattern": r"^[1-9][0-9]?\.[0-9]+$"},
        },
        "RetryAfter": {
            "description": "Whole seconds.", "required": True, "schema": {"type": "integer", "minimum": 1},
        },
    }  # fmt: skip


def _schemas() -> Document:
    return {**_ingest_schemas(), **_decide_schemas(), **_other_schemas()}


def _ingest_schemas() -> Document:
    name = {"anyOf": [{"type": "string", "minLength": 1, "maxLength": LONGEST_ID}, {"type": "number"}]}
    members = {
        "type": {"enum": sorted(TYPES), "description": "Where the address does not say it."},
        "messageId": {"type": "string", "description": "A message that is sent again with the same id is stored once."},
        "userId": {**name, "description": "This or `anonymousId` is needed."},
        "anonymousId": name,
        "event": {"type": "string", "description": "Of `track`."},
        "previousId": {**name, "description": "Of `alias`."},
        "timestamp": {"description": "RFC 3339, a day, or seconds or milliseconds since 1970."},
        "properties": {"type": "object"},
        "traits": {"type": "object"},
        "context": {"type": "object"},
    }
    message = (
        f"{LARGEST_BYTES // 1024} KiB at most. `x-members` are those that are understood. One that cannot be taken is"
        " kept with its verdict and costs no other: no member is checked before the answer but what JSON is."
    )
    refused = {
        "type": "object",
        "required": ["index", "code", "message"],
        "properties": {"index": {"type": "integer", "minimum": 0}, **_texts("code", "message")},
    }
    taken = {
        "success": {"const": True},
        "accepted": {"type": "integer", "minimum": 0},
        "refused": {"type": "array", "items": refused},
        "position": {"type": "string"},
    }
    batch = {"batch": {"type": "array", "items": {"description": "A `Message`, with its `type`."}}}
    for_all = ("context", "sentAt", "writeKey")
    return {
        "Message": {"type": "object", "description": message, "x-members": members},
        "Batch": {
            "type": "object",
            "required": ["batch"],
            "properties": batch | {one: {"description": "Of all messages that say nothing else."} for one in for_all},
        },
        "Taken": {"type": "object", "required": ["success"], "properties": taken, "additionalProperties": False},
        "Failure": _whole({"success": {"const": False}, **_texts("code", "message")}),
    }


def _decide_schemas() -> Document:
    name = {"type": ["string", "integer", "null"]}
    customer = {"type": ["object", "null"], "properties": {"id": name, "anonymous_id": name}}
    asked = {
        "want": {
            "type": ["array", "null"],
            "items": {"type": "string"},
            "description": "`groups`, `flags`; all of it, if it is not there.",
        },
        "customer": {**customer, "description": "Without a customer token: of whom it is asked."},
        "device": {"type": ["object", "null"], "description": "Changes no group."},
    }
    flag = {
        "value": {"type": "boolean"},
        "reason": {"enum": ["TARGETING_MATCH", "STATIC", "UNKNOWN"]},
        "variant": {"enum": ["in", "out"]},
    }
    decided = {
        "subject": _whole({"known": {"type": "boolean"}, "trust": {"enum": ["open", "signed", "server"]}}),
        "groups": {"type": "array", "items": {"type": "string"}},
        "flags": {"type": "object", "additionalProperties": _whole(flag)},
        "generation": {"type": "integer", "minimum": 0},
        "data_as_of": {"type": ["string", "null"], "format": "date-time"},
        "expires_in_seconds": {"type": "integer", "minimum": 0, "maximum": decide.SECONDS_UNTIL_NEXT},
    }
    needed = [name for name in decided if name not in ("groups", "flags")]
    return {
        "Asked": {"type": "object", "properties": asked},
        "Decided": {"type": "object", "required": needed, "properties": decided, "additionalProperties": False},
    }


def _other_schemas() -> Document:
    problem = {"type": {"type": "string"}, "status": {"type": "integer"}, **_texts("title", "code")}
    state = {"enum": ["ok", "warning", "failed"]}
    segment = {"Segment.io": _whole(_texts("apiKey", "apiHost") | {"protocol": {"enum": ["http", "https"]}})}
    return {
        "Problem": _whole(problem),
        "Consent": {
            "type": "object",
            "required": ["state"],
            "properties": {
                "state": {"enum": ["granted", "denied"]},
                "channel": {"type": ["string", "null"], "description": "Of marketing."},
                "text_version": {"type": ["string", "null"]},
            },
            "additionalProperties": False,
        },
        "Stored": _whole(_texts("position")),
        "Progress": _whole(
            {
                "drained": {"type": "boolean", "description": "The warehouse has it."},
                "published": {"type": "boolean", "description": "Groups and decisions include it."},
            }
        ),
        "SnippetSettings": _whole({"integrations": _whole(segment)}),
        "Alive": _whole({"status": {"const": "ok"}}),
        "Readiness": _whole(
            {"status": {"enum": ["ok", "failed"]}, "checks": {"type": "object", "additionalProperties": state}}
        ),
    }


def _whole(members: Document) -> Document:
    """An object with exactly these."""
    return {"type": "object", "required": list(members), "properties": members, "additionalProperties": False}


def _texts(*names: str) -> Document:
    return {name: {"type": "string"} for name in names}


def text() -> str:
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{FILE}\n")
