"""The words of the room: scopes and roles, and what each means in a sentence."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SCOPE_TEXTS: dict[str, Promise] = {
    "groups:read": _("See customer groups, their sizes and their history"),
    "groups:write": _("Create, change, refresh and delete customer groups"),
    "members:read": _("See and export who is in a group, and ask why"),
    "customers:read": _("See how many customers there are and what is known about them in total"),
    "customers:write": _("Import customers and what they did"),
    "customers:erase": _("Erase customers for good"),
    "customers:personal": _("See and export personal data of single customers"),
    "catalog:read": _("See the publisher, apps, add-ons and declared events"),
    "catalog:write": _("Change the publisher, apps, add-ons and declared events"),
    "webhooks:read": _("See webhooks, what was sent and what was answered"),
    "webhooks:write": _("Have events sent to other programs, and change what is sent where"),
    "jobs:read": _("See jobs and how far they are"),
    "audit:read": _("See who did what, and export it"),
    "team:admin": _("Invite and change team members, make API tokens, back up"),
}
SCOPES = tuple(SCOPE_TEXTS)
EVERY_SCOPE = frozenset(SCOPES)

_VIEWER = frozenset({"groups:read", "customers:read", "catalog:read", "jobs:read"})
_EDITOR = _VIEWER | {
    "groups:write",
    "members:read",
    "customers:write",
    "customers:personal",
    "catalog:write",
    "webhooks:read",
}
# What each role may do; only owners erase people, have events sent elsewhere, read the audit trail and
# administer the team.
ROLE_SCOPES: dict[str, frozenset[str]] = {"viewer": _VIEWER, "editor": _EDITOR, "owner": EVERY_SCOPE}
ROLE_TEXTS: dict[str, Promise] = {"owner": _("Owner"), "editor": _("Editor"), "viewer": _("Viewer")}

THEMES = ("auto", "light", "dark")
DENSITIES = ("comfortable", "compact")
ROWS = (25, 50, 100)

# What browsers say of themselves, and what people call them. In this order: they name those they resemble, too.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("HeadlessChrome", "Chrome"),
    ("Chromium", "Chromium"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
