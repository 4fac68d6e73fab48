"""`python -m bench.edge`: the data plane against bare handlers, bare stores and a peer, in one run."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from bench.edge import world
from bench.edge.deciding import bench_decide
from bench.edge.ingest import bench_ingest
from bench.edge.publishing import bench_publication
from bench.edge.report import any_short
from bench.edge.stalled import bench_stalled
from bench.edge.whole import bench_whole, prepare

SIZES = {"small": 100_000, "medium": 1_000_000, "full": 10_000_000}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="medium")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    customers = SIZES[options.size]
    folder = Path("var/bench/edge") / options.size
    folder.mkdir(parents=True, exist_ok=True)
    world.prepare(folder, customers)
    if options.only in ("", "decide"):
        bench_decide(folder, customers, options.rounds)
    with tempfile.TemporaryDirectory(prefix="mst-", dir=folder) as fresh:
        (Path(fresh) / "online").symlink_to((folder / "online").absolute())
        if options.only in ("", "ingest"):
            bench_ingest(Path(fresh), options.rounds)
        if options.only in ("", "stalled"):
            bench_stalled(Path(fresh))
    if options.only in ("", "publication"):
        bench_publication(customers)
    if options.only in ("", "idle"):
        _whole(SIZES["small"], loaded=False)
    if options.only in ("", "loaded"):
        _whole(min(customers, SIZES["medium"]), loaded=True)
    return 1 if any_short() else 0


def _whole(customers: int, *, loaded: bool) -> None:
    """Sockets want short paths: the installation lies in the system's folder for what is for a while."""
    home = Path(tempfile.gettempdir()) / f"muster-bench-{customers}"
    prepare(home, customers)
    bench_whole(home, customers, loaded=loaded)


if __name__ == "__main__":
    sys.exit(main())
