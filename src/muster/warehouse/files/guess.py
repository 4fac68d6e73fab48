"""Proposes what the columns of a file are, from their names and their first values (C-35); people decide."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from muster.kernel.text import key_of
from muster.rules.vocabulary import Type
from muster.warehouse.files.choices import LINE, PROPERTY, ROLES, TRAIT, Choice, Choices
from muster.warehouse.files.dates import SAMPLE_ROWS, proposed_format
from muster.warehouse.files.mapping import TRAIT_TYPES
from muster.warehouse.files.reading import FileRows
from muster.warehouse.normal.emails import normal_email
from muster.warehouse.normal.traits import STANDARD_TRAITS

_SAMPLES = 3
_STANDARD_TYPES = {"birthday": Type.DATE, "created_at": Type.TIMESTAMP, "age": Type.NUMBER}
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_WORDS_OF_BOOLEANS = frozenset({"true", "false", "yes", "no"})

# What columns are called in files that people have, as keys (C-1), by role.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "external_id": (
        "external_id", "user_id", "customer_id", "customer_key", "customer", "customer_number", "user", "uid",
        "client_id", "id", "kunde", "kunden_id", "kundennummer", "kundennr", "kunden_nr", "client", "id_client",
        "numero_client", "userid", "customerid", "customerkey",
    ),
    "anonymous_id": ("anonymous_id", "anon_id", "visitor_id", "anonymousid"),
    "email": ("email", "e_mail", "mail", "email_address", "e_mail_address", "e_mail_adresse", "emailadresse",
              "courriel", "adresse_e_mail"),
    "happened_at": ("happened_at", "timestamp", "occurred_at", "time", "datetime", "date_time", "order_date",
                    "orderdate", "event_time", "ordered_at", "date", "day", "at", "datum", "zeitpunkt", "bestelldatum",
                    "horodatage", "date_commande"),
    "order_id": ("order_id", "order_number", "ordernumber", "order", "order_no", "orderid", "bestellnummer",
                 "bestell_nr", "bestellung", "numero_commande", "commande"),
    "amount": ("amount", "total", "revenue", "order_total", "value", "sum", "betrag", "summe", "umsatz", "montant"),
    "currency": ("currency", "currency_code", "cur", "waehrung", "währung", "devise"),
    "coupon": ("coupon", "coupon_code", "voucher", "gutschein"),
    "market": ("market", "country", "country_code", "markt", "land", "pays"),
    "line:product_id": ("product_id", "product", "product_key", "productkey", "sku", "item_id", "item", "artikel",
                        "artikelnummer", "produkt", "produit", "article"),
    "line:category": ("category", "product_category", "kategorie", "categorie"),
    "line:name": ("product_name", "item_name", "produktname", "nom_produit"),
    "line:price": ("price", "unit_price", "item_price", "preis", "einzelpreis", "prix", "prix_unitaire"),
    "line:quantity": ("quantity", "qty", "menge", "anzahl", "stueck", "quantite", "quantité"),
    "event": ("event", "event_name", "action", "ereignis", "evenement", "événement"),
    "message_id": ("message_id", "event_id", "insert_id"),
    "device_id": ("device_id", "device", "installation_id"),
    "device_family": ("device_family", "device_type", "family"),
    "os": ("os", "os_name", "operating_system", "platform"),
    "os_version": ("os_version",),
    "app_version": ("app_version", "version"),
    "device_model": ("device_model", "model"),
    "purpose": ("purpose", "zweck", "finalite", "finalité"),
    "channel": ("channel", "kanal", "canal"),
    "granted": ("granted", "consent", "allowed", "opt_in", "optin", "einwilligung", "consentement"),
    "text_version": ("text_version", "version"),
    "day": ("day", "date", "time_period", "datum", "jour"),
    "rate": ("rate", "obs_value", "exchange_rate", "kurs", "taux"),
}  # fmt: skip  # a table, read by rows

# Of customers any other date is something that is known of them.
_SAID_AT = ("happened_at", "timestamp", "updated_at")

# Standard traits under other names.
_TRAITS: Mapping[str, tuple[str, ...]] = {
    "name": ("full_name", "fullname", "nom_complet"),
    "first_name": ("firstname", "given_name", "vorname", "prenom", "prénom"),
    "last_name": ("lastname", "surname", "family_name", "nachname", "familienname", "nom", "nom_de_famille"),
    "phone": ("telephone", "phone_number", "telefon", "telefonnummer", "mobile", "handy", "téléphone"),
    "birthday": ("birth_date", "birthdate", "date_of_birth", "dob", "geburtstag", "geburtsdatum", "date_naissance",
                 "date_de_naissance"),
    "age": ("alter", "âge"),
    "gender": ("sex", "geschlecht", "sexe", "genre"),
    "country": ("country_code", "land", "pays"),
    "language": ("lang", "locale", "sprache", "langue"),
    "time_zone": ("timezone", "zeitzone", "fuseau_horaire"),
    "created_at": ("signed_up_at", "registered_at", "signup_date", "created"),
}  # fmt: skip  # a table, read by rows
_TRAIT_OF = {alias: key for key, aliases in _TRAITS.items() for alias in aliases}
# So many of a hundred values say what a column is; the others get their verdicts.
_MOST = 90


@dataclass(frozen=True)
class Head:
    """The columns of a file with their first cells."""

    columns: tuple[str, ...]
    cells: Mapping[str, Sequence[str | None]]

    def samples(self, column: str) -> list[str]:
        return [cell or "" for cell in self.cells.get(column, ())[:_SAMPLES]]

    def said(self, column: str) -> list[str]:
        """What stands in the column's first cells, empty ones aside."""
        return [cell.strip() for cell in self.cells.get(column, ()) if cell and cell.strip()]


def head_of(rows: FileRows) -> Head:
    """Reads no more than the file's first rows."""
    table = next(rows.tables(), None)
    if table is None:
        return Head(rows.columns, {})
    columns = {name: table.column(1 + place) for place, name in enumerate(rows.columns)}
    return Head(rows.columns, {name: column[:SAMPLE_ROWS].to_pylist() for name, column in columns.items()})


def propose(kind: str, head: Head, known: Mapping[str, Type], *, app: str = "", zone: str = "UTC") -> Choices:
    """`known`: the types of attributes that the catalog has already, by key."""
    roles = _roles(kind, head)
    columns = [_choice(kind, column, roles.get(column, ""), head, known) for column in head.columns]
    return Choices(kind=kind, app=app, columns=tuple(_told_apart(columns)), zone=zone)


def _told_apart(columns: Iterable[Choice]) -> Iterator[Choice]:
    """Of two columns that would be one attribute, the second is left out."""
    taken: set[tuple[str, str]] = set()
    for one in columns:
        if one.is_named and (one.role, one.name) in taken:
            yield Choice(one.column)
        else:
            taken.add((one.role, one.name))
            yield one


def _roles(kind: str, head: Head) -> dict[str, str]:
    """At most one column a role: that with the name that says it best."""
    keys = {column: key_of(column) for column in head.columns}
    found: dict[str, str] = {}
    for role in ROLES[kind]:
        names = _SAID_AT if (kind, role) == ("customers", "happened_at") else _NAMES.get(role, ())
        fitting = [column for column in head.columns if keys[column] in names and column not in found]
        if role == "email":
            fitting = fitting or [column for column in head.columns if _holds_addresses(head.said(column))]
        if fitting:
            found[min(fitting, key=lambda column: _place(names, keys[column]))] = role
    # Lines are told by their order; without its number there are none.
    if "order_id" not in found.values():
        found = {column: role for column, role in found.items() if not role.startswith(LINE)}
    return found


def _place(names: Sequence[str], key: str) -> int:
    return names.index(key) if key in names else len(names)


def _holds_addresses(said: Sequence[str]) -> bool:
    return bool(said) and all("@" in text and normal_email(text) is not None for text in said[:50])


def _choice(kind: str, column: str, role: str, head: Head, known: Mapping[str, Type]) -> Choice:
    said = head.said(column)
    if not role and kind in ("customers", "events"):
        role = TRAIT if kind == "customers" else PROPERTY
    key = _TRAIT_OF.get(key_of(column), key_of(column)) if role == TRAIT else column
    if role == TRAIT and not key:
        return Choice(column)
    kind_of_value = _type_of(key, said, known) if role in (TRAIT, PROPERTY) else Type.TEXT
    chosen = Choice(column, role, key if role in (TRAIT, PROPERTY) else "", kind_of_value)
    return Choice(**{**vars(chosen), "format": proposed_format(said) or ""}) if chosen.is_date else chosen


def _type_of(key: str, said: Sequence[str], known: Mapping[str, Type]) -> Type:
    if key in known:
        return known[key] if known[key] in TRAIT_TYPES else Type.TEXT
    if key in STANDARD_TRAITS:
        return _STANDARD_TYPES.get(key, Type.TEXT)
    if not said:
        return Type.TEXT
    if _mostly(text.lower() in _WORDS_OF_BOOLEANS for text in said):
        return Type.BOOLEAN
    for kind, pattern in ((Type.NUMBER, _NUMBER), (Type.DATE, _DAY), (Type.TIMESTAMP, _INSTANT)):
        if _mostly(pattern.fullmatch(text) is not None for text in said):
            return kind
    return Type.DATE if proposed_format(said) else Type.TEXT


def _mostly(told: Iterable[bool]) -> bool:
    answers = list(told)
    return sum(answers) * 100 >= len(answers) * _MOST
