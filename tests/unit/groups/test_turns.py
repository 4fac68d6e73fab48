"""G-14: of the questions of one page the latest is answered, in whatever order they come."""

from __future__ import annotations

from contextlib import ExitStack
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from muster.groups.queries.turns import Turns
from muster.warehouse.port import Reader


class _Reader:
    def __init__(self) -> None:
        self.interrupts = 0

    def interrupt(self) -> None:
        self.interrupts += 1


def _reader() -> tuple[_Reader, Reader]:
    told = _Reader()
    return told, cast(Reader, told)


@given(st.permutations(range(6)))
def test_the_highest_number_is_the_latest(numbers: list[int]) -> None:
    with ExitStack() as stack:
        turns = Turns()
        begun = [stack.enter_context(turns.turn("edt_1", number)) for number in numbers]
        assert [turn.number for turn in begun if not turn.overtaken] == [5]


def test_of_those_that_are_not_counted_the_last_that_came_is_the_latest() -> None:
    turns = Turns()
    with turns.turn("edt_1") as first, turns.turn("edt_1") as second, turns.turn("edt_2") as other:
        assert (first.overtaken, second.overtaken, other.overtaken) == (True, False, False)


def test_without_an_editor_nobody_overtakes() -> None:
    turns = Turns()
    with turns.turn(None) as first, turns.turn("") as second:
        assert (first.overtaken, second.overtaken) == (False, False)


def test_whoever_is_answered_overtakes_and_stops_nobody() -> None:
    turns = Turns()
    with turns.turn("edt_1", 2) as first:
        told, reader = _reader()
        with first.reads(reader):
            pass
    with turns.turn("edt_1", 1) as second:
        assert not second.overtaken
    first.overtake()
    assert told.interrupts == 0


def test_what_is_overtaken_is_stopped_before_it_reads_and_while() -> None:
    turns = Turns()
    with turns.turn("edt_1", 1) as first, turns.turn("edt_1", 3) as third:
        (told_first, reader_first), (told_third, reader_third) = _reader(), _reader()
        with first.reads(reader_first), third.reads(reader_third):
            assert (told_first.interrupts, told_third.interrupts) == (1, 0)
            with turns.turn("edt_1", 4):
                assert told_third.interrupts == 1
