"""Thousands of customers in one pass: the compiled conditions over their rows alone, as boolean columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from muster.engine.atoms import Atom, Beyond
from muster.engine.compile.registry import Keys, Question, Subjects, Values, Where
from muster.engine.context import Context
from muster.engine.follow.questions import Asked, Narrow, Questions
from muster.engine.ranking import beyond
from muster.kernel.bucketing import bucket
from muster.kernel.errors import InternalError
from muster.warehouse.port import Reader, Warehouse

Bools = npt.NDArray[np.bool_]


class Many:
    """`reader` is narrowed to the customers asked about, who are numbered by their place."""

    def __init__(
        self, questions: Questions, warehouse: Warehouse, reader: Reader, count: int, context: Context
    ) -> None:
        self.count = count
        self._questions = questions
        self._warehouse = Narrow(warehouse, reader)
        self._reader = reader
        self._context = context

    def masks(self, atoms: Sequence[Atom]) -> list[int]:
        """Of exactly the atoms the questions were made of."""
        found: dict[Atom, int] = {}
        for asked in self._questions.asked(self._context, self._warehouse, self._reader):
            holds = [np.zeros(self.count, np.bool_) for _ in asked.atoms]
            for batch in asked.batches(self._reader, self._context):
                _note(asked, batch, holds)
            for atom, one, true in zip(asked.atoms, asked.questions, holds, strict=True):
                complement = isinstance(one, Keys | Where) and one.complement
                found[atom] = mask_of(~true if complement else true)
        return [found[atom] for atom in atoms]


def mask_of(bools: Bools) -> int:
    """Bit `i` of the integer is the i-th boolean."""
    return int.from_bytes(np.packbits(bools, bitorder="little").tobytes(), "little")


def places_of(mask: int, count: int) -> npt.NDArray[np.int64]:
    """The places at which a mask has a bit, ascending."""
    raw = np.frombuffer(mask.to_bytes((count + 7) // 8, "little"), np.uint8)
    return np.flatnonzero(np.unpackbits(raw, count=count, bitorder="little"))


def _note(asked: Asked, batch: pa.RecordBatch, holds: list[Bools]) -> None:
    places = batch.column(0).to_numpy(zero_copy_only=False).astype(np.intp)
    if len(asked.atoms) > 1:
        for column, true in enumerate(holds, start=1):
            true[places[batch.column(column).to_numpy(zero_copy_only=False)]] = True
        return
    holds[0][places[_chosen(asked.atoms[0], asked.questions[0], batch)]] = True


def _chosen(atom: Atom, asked: Question, batch: pa.RecordBatch) -> Any:
    """Which rows of the answer to one question count."""
    match asked:
        case Keys():
            return slice(None)
        case Where():
            return batch.column(1).to_numpy(zero_copy_only=False)
        case Values():
            if not isinstance(atom, Beyond):
                raise InternalError("a rank has no threshold among some customers")
            if atom.limit is None:
                return slice(0, 0)
            return beyond(batch.column("value").to_numpy(zero_copy_only=False), asked.op, atom.limit)
        case Subjects():
            subjects = batch.column("subject").to_pylist()
            chosen = [one is not None and bucket(asked.salt, one) < asked.basis_points for one in subjects]
            return np.array(chosen, np.bool_)
