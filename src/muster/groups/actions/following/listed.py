"""Known user groups follow too: whoever now has an address that was pending joins by itself (G-23)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from muster.customers.hooks import current_warehouse
from muster.groups.actions.following.kept import Kept
from muster.groups.queries.evaluation import list_files


@dataclass(frozen=True)
class Relisted:
    """Who of the customers asked about a list names now; `entries`: how many of it name those who join."""

    members: BitMap
    entries: int


@dataclass
class Lists:
    """The lists in force, as hashes of their entries."""

    _known: dict[str, tuple[int, npt.NDArray[np.uint64]]] = field(default_factory=dict)

    def named(self, groups: Iterable[Kept], keys: Sequence[int]) -> dict[str, Relisted]:
        """By group; of groups without a list nothing is told."""
        listed = [group for group in groups if group.list_version]
        for gone in self._known.keys() - {group.id for group in listed}:
            del self._known[gone]
        if not listed:
            return {}
        names = current_warehouse().names_of(keys)
        return {group.id: self._named(group, names) for group in listed}

    def _named(self, group: Kept, names: pa.Table) -> Relisted:
        entries = self._hashes(group)
        hashes = names.column("hash").to_numpy()
        place = np.minimum(np.searchsorted(entries, hashes), len(entries) - 1) if len(entries) else hashes
        hit = entries[place] == hashes if len(entries) else np.zeros(len(hashes), np.bool_)
        named = BitMap(names.column("customer_key").to_numpy()[hit])
        coming = named - group.members
        if not coming:
            return Relisted(named, 0)
        theirs = names.filter(pa.array(hit & np.isin(names.column("customer_key").to_numpy(), list(coming))))
        confirmed, count = current_warehouse().named_by(list_files().read(group.id, group.list_version), theirs)
        return Relisted((named & group.members) | confirmed, count)

    def _hashes(self, group: Kept) -> npt.NDArray[np.uint64]:
        found = self._known.get(group.id)
        if found is None or found[0] != group.list_version:
            hashes = current_warehouse().entry_hashes(list_files().read(group.id, group.list_version))
            found = self._known[group.id] = (group.list_version, hashes)
        return found[1]
