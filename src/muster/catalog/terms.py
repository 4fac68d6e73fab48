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
