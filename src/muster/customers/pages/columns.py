"""Step 2 of an import: what each column of the file is (C-35)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from muster.catalog.forms import TYPE_LABELS
from muster.customers.actions.mappings import parsed_mapping
from muster.customers.models import Import
from muster.kernel.errors import MusterError
from muster.warehouse.files.choices import FIXED, LINE, PROPERTY, ROLES, TRAIT, Choice, Choices, choices_of, document_of
from muster.warehouse.files.guess import Head
from muster.warehouse.files.mapping import TRAIT_TYPES
from muster.web.wording import said

KIND_LABELS = {
    "customers": _("Customers"),
    "orders": _("Orders"),
    "events": _("Events"),
    "consents": _("Consents"),
    "rates": _("Exchange rates"),
}
ROLE_LABELS = {
    "external_id": _("Your own customer id"),
    "anonymous_id": _("Anonymous id"),
    "email": _("E-mail address"),
    "happened_at": _("Time"),
    TRAIT: _("Attribute"),
    "order_id": _("Order number"),
    "amount": _("Amount of the order"),
    "currency": _("Currency"),
    "coupon": _("Coupon"),
    "market": _("Market (country)"),
    "line:product_id": _("Line: product"),
    "line:category": _("Line: category"),
    "line:name": _("Line: name of the product"),
    "line:price": _("Line: price of one"),
    "line:quantity": _("Line: quantity"),
    "event": _("Event"),
    "message_id": _("Id of the event"),
    "device_id": _("Device: id"),
    "device_family": _("Device: family"),
    "os": _("Device: operating system"),
    "os_version": _("Device: version of the operating system"),
    "app_version": _("Device: version of the app"),
    "device_model": _("Device: model"),
    PROPERTY: _("Property of the event"),
    "purpose": _("Purpose (profiling, marketing, offers)"),
    "channel": _("Channel (push, email, webhook)"),
    "granted": _("Granted (yes or no)"),
    "text_version": _("Version of the text"),
    "day": _("Day"),
    "rate": _("Rate"),
}
_DAY_FIRST, _MONTH_FIRST = _("day first"), _("month first")
# An example, and what it does not say by itself.
DATE_FORMATS: dict[str, tuple[str, str | Promise]] = {
    "": ("2026-01-31 (ISO 8601)", ""),
    "%d.%m.%Y": ("31.01.2026", ""),
    "%d/%m/%Y": ("31/01/2026", _DAY_FIRST),
    "%m/%d/%Y": ("01/31/2026", _MONTH_FIRST),
    "%d-%m-%Y": ("31-01-2026", _DAY_FIRST),
    "%m-%d-%Y": ("01-31-2026", _MONTH_FIRST),
    "%Y/%m/%d": ("2026/01/31", ""),
    "%Y%m%d": ("20260131", ""),
    "%d.%m.%Y %H:%M": ("31.01.2026 17:45", ""),
    "%d.%m.%Y %H:%M:%S": ("31.01.2026 17:45:30", ""),
    "%d/%m/%Y %H:%M": ("31/01/2026 17:45", _DAY_FIRST),
    "%m/%d/%Y %H:%M": ("01/31/2026 17:45", _MONTH_FIRST),
}
# Decimal sign and the signs between thousands, which are left out.
NUMBER_STYLES = {
    "point": (".", ""),
    "us": (".", ","),
    "comma": (",", ""),
    "eu": (",", "."),
    "space": (",", " \u00a0\u202f"),
}
STYLE_LABELS = {
    "point": "1234.56",
    "us": "1,234.56",
    "comma": "1234,56",
    "eu": "1.234,56",
    "space": "1 234,56",
}
ENCODINGS = ("auto", "utf-8", "cp1252", "iso-8859-1", "utf-16", "mac-roman", "shift_jis", "gb18030")
DELIMITERS = ("auto", ",", ";", "\t", "|")


@dataclass(frozen=True)
class Column:
    """A column of the file as the step shows it. `error` belongs to it."""

    number: int
    choice: Choice
    samples: list[str]
    formats: list[tuple[str, str]]
    error: str = ""


def document_from(given: Mapping[str, Any], row: Import, head: Head) -> dict[str, Any]:
    """The mapping that the step's form says."""
    decimal, thousands = NUMBER_STYLES.get(given.get("numbers", ""), (".", ""))
    ignored = given.get("ignored", "")
    columns = [_choice(given, number, column) for number, column in enumerate(head.columns)]
    kind = given.get("kind", "")
    chosen = Choices(
        kind=kind,
        app=given.get("app", ""),
        columns=tuple(columns),
        fixed={name: given.get(f"fixed.{name}", "").strip() for name in FIXED.get(kind, ())},
        zone=given.get("zone", "") or "UTC",
        decimal=decimal,
        strip="".join(dict.fromkeys(thousands + ignored)),
        direction=given.get("direction", "") or "per_base",
        source=row.mapping.get("source") or {},
    )
    return document_of(chosen)


def _choice(given: Mapping[str, Any], number: int, column: str) -> Choice:
    role = given.get(f"role.{number}", "")
    return Choice(
        column=column,
        role=role,
        name=(given.get(f"name.{number}", "").strip() or column) if role in (TRAIT, PROPERTY) else "",
        type=given.get(f"type.{number}", "") or "text",
        format=given.get(f"format.{number}", ""),
    )


def document_from_yaml(text: str, row: Import) -> dict[str, Any]:
    """The mapping as somebody wrote it."""
    document: dict[str, Any] = parsed_mapping(text.encode("utf-8", "replace"), "")
    if isinstance(document, dict) and "source" not in document and row.mapping.get("source"):
        document["source"] = row.mapping["source"]
    return document


def shown_columns(document: Mapping[str, Any], head: Head, error: MusterError | None) -> dict[str, Any]:
    """What the step's template needs of a mapping."""
    chosen = choices_of(document, head.columns)
    wrong = _column_of(error, chosen)
    return {
        "columns": [
            Column(
                number,
                choice,
                head.samples(choice.column),
                _formats(choice.format),
                said(error.message) if error and wrong == choice.column else "",
            )
            for number, choice in enumerate(chosen.columns)
        ],
        "chosen": chosen,
        "kind_label": KIND_LABELS.get(chosen.kind, chosen.kind),
        "roles": [(role, ROLE_LABELS[role]) for role in ROLES.get(chosen.kind, ())],
        "types": [(kind.value, TYPE_LABELS[kind]) for kind in TRAIT_TYPES],
        "fixed": [(name, ROLE_LABELS[name], chosen.fixed.get(name, "")) for name in FIXED.get(chosen.kind, ())],
        "styles": [(name, label, name == _style(chosen)) for name, label in STYLE_LABELS.items()],
        "ignored": _ignored(chosen),
        "encodings": ENCODINGS,
        "delimiters": DELIMITERS,
        "encoding": (chosen.source or {}).get("encoding", "auto"),
        "delimiter": (chosen.source or {}).get("delimiter", "auto"),
        "yaml": yaml.safe_dump(dict(document), allow_unicode=True, sort_keys=False),
        "named": (TRAIT, PROPERTY),
    }


def _formats(current: str) -> list[tuple[str, str]]:
    """The formats to choose from, one more if the mapping has another."""
    known = {name: f"{example}, {note}" if note else example for name, (example, note) in DATE_FORMATS.items()}
    return list((known if current in known else {**known, current: current}).items())


def _style(chosen: Choices) -> str:
    """The style whose signs the mapping has; of those with the same decimal sign that with most of them."""
    fitting = [name for name, (decimal, signs) in NUMBER_STYLES.items() if _fits(chosen, decimal, signs)]
    return max(fitting, key=lambda name: len(NUMBER_STYLES[name][1]), default="point")


def _fits(chosen: Choices, decimal: str, signs: str) -> bool:
    return decimal == chosen.decimal and set(signs) <= set(chosen.strip)


def _ignored(chosen: Choices) -> str:
    _decimal, signs = NUMBER_STYLES[_style(chosen)]
    return "".join(sign for sign in chosen.strip if sign not in signs)


def _column_of(error: MusterError | None, chosen: Choices) -> str:
    """The column an error points to: its pointer is into the mapping."""
    parts = error.pointer.split("/")[1:] if error else []
    if len(parts) < 2 or parts[0] != "row":
        return ""
    part, name = parts[1], parts[2] if len(parts) > 2 else ""
    wanted = {"traits": (TRAIT, name), "properties": (PROPERTY, name), "products": (LINE + name, "")}
    role, called = wanted.get(part, (part, ""))
    return next((one.column for one in chosen.columns if one.role == role and called in ("", one.name)), "")
