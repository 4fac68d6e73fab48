"""What the catalog's values are called and begin as."""

from __future__ import annotations

DRAFT = "catalog.draft"
"""Undoing that a draft of a form about the catalog was discarded."""

UNSET_CONSENTS = {
    "profiling": True,
    "marketing.push": True,
    "marketing.email": False,
    "marketing.webhook": False,
    "offers": True,
}
"""Whether something is allowed where a customer said nothing of it, until the publisher decides otherwise (C-12)."""

APP_CHOICES = {
    "spend_basis": ("revenue", "total"),
    "identity_mode": ("open", "signed"),
    "session_source": ("derived", "reported"),
    "commerce_trust": ("any", "signed", "server"),
}
"""What settings of an app may be that are one of a few words."""

PUBLISHABLE, SERVER = "publishable", "server"
KEY_KINDS = (PUBLISHABLE, SERVER)
KEY_SCOPES = ("ingest", "decide")
"""What a server key may; a publishable one may both, as far as anybody may who has the app."""
MOST_KEYS = 10
BEGINNING_CHARACTERS = 8
"""Of a key, what lists show: four letters of it, which leave more than 200 bits of a server key to be guessed."""

HS256, EDDSA = "HS256", "EdDSA"
TOKEN_ALGORITHMS = (HS256, EDDSA)
"""How customer tokens are signed: by a secret that both know, or by a private key (Ed25519) that only the app's server
has."""
MOST_TOKEN_KEYS = 3
LEAST_SECRET_BYTES = 32
