"""What a page's address and referrer say about where somebody came from (section 5, acquisition source)."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from muster.warehouse.normal.emails import ascii_domain

# In this order: Microsoft's own, then the one everybody uses.
CAMPAIGN_PARAMETERS = ("cid", "utm_campaign")


def campaign_in(url: str) -> str | None:
    """The campaign a URL carries, trimmed; None if it carries none."""
    try:
        parameters = parse_qs(urlsplit(url).query)
    except ValueError:
        return None
    for name in CAMPAIGN_PARAMETERS:
        if text := parameters.get(name, [""])[0].strip():
            return text
    return None


def referrer_host(referrer: str) -> str | None:
    """Host of a referrer: lower case, A-labels, without `www.`; None if it has none."""
    try:
        host = urlsplit(referrer).hostname
    except ValueError:
        return None
    domain = ascii_domain(host) if host else None
    return domain.removeprefix("www.") if domain else None
