"""The lines of a benchmark: `bench NAME RATIO LIMIT ok|short`."""

from __future__ import annotations

_failed: list[str] = []


def report(name: str, ratio: float, limit: float, note: str = "", *, at_least: bool = False) -> None:
    """`short` if the ratio is beyond its limit, which is the most or, `at_least`, the least it may be."""
    good = ratio >= limit if at_least else ratio <= limit
    if not good:
        _failed.append(name)
    bound = ">=" if at_least else "<="
    print(f"bench {name} {ratio:.3f} {bound}{limit:g} {'ok' if good else 'short'}  {note}", flush=True)


def any_short() -> bool:
    return bool(_failed)
