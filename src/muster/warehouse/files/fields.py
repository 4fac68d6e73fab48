"""SQL that reads one field of a row as its type, and the reason where it cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from muster.rules.vocabulary import Type
from muster.warehouse.duckdb.properties import literal
from muster.warehouse.files.mapping import Field

LONGEST_ID = 255


@dataclass(frozen=True)
class Reading:
    """`value`: the typed expression, null if missing or unreadable. `fault`: of the columns that hold the value and the
    cell, the expression of the reason as text, or null: asked of columns, nothing is read twice."""

    value: str
    fault: Callable[[str, str], str]


def cell(one: Field, nulls: tuple[str, ...], cells: dict[str, str]) -> str:
    """The text of the field in NFC, null where the file says so. `cells`: SQL column by the file's column."""
    if one.column is None:
        return literal(one.value or "")
    column = f"nfc_normalize({cells[one.column]})"
    for null in nulls:
        column = f"nullif({column}, {literal(null)})"
    return column


def text(one: Field, nulls: tuple[str, ...], cells: dict[str, str], *, longest: int, required: bool = False) -> Reading:
    def fault(_: str, said: str) -> str:
        # Bytes first: they are known, characters must be counted.
        too_long = f"CASE WHEN strlen({said}) > {longest} THEN length({said}) > {longest} END"
        found = f"CASE WHEN {too_long} THEN 'too_long' WHEN contains({said}, chr(0)) THEN 'control_character'"
        if required:
            # Blank texts come before all signs that are seen.
            found += f" WHEN {said} IS NULL OR CASE WHEN {said} < '!' THEN trim({said}) = '' END THEN 'missing'"
        return found + " END"

    return Reading(cell(one, nulls, cells), fault)


def instant(one: Field, nulls: tuple[str, ...], cells: dict[str, str], *, required: bool) -> Reading:
    """UTC without a zone. Without a format only ISO 8601 is read: nothing is guessed."""
    value = cell(one, nulls, cells)
    trimmed = f"trim({value})"
    if one.format:
        parsed = _in_zone(f"try_strptime({trimmed}, {literal(one.format)})", one.zone)
    else:
        # The casts check the digits; what they read beyond ISO 8601 has no hyphens at these places. Regular
        # expressions would say the same at several times the cost.
        offset = f"(upper({trimmed}[-1]) = 'Z' OR {trimmed}[-6] IN ('+', '-') OR {trimmed}[-5] IN ('+', '-'))"
        iso = f"({trimmed}[5] = '-' AND {trimmed}[8] = '-' AND {trimmed}[11] IN ('', 'T', 't', ' '))"
        plain = _in_zone(f"try_cast({trimmed} AS TIMESTAMP)", one.zone)
        zoned = f"strlen({trimmed}) > 10 AND {offset}"
        # Most files say it this way, with nothing to trim.
        usual = f"{value} >= '!' AND {value} LIKE '____-__-__T%Z'"
        parsed = (
            f"CASE WHEN {usual} THEN {_utc(value)}"
            f" WHEN NOT {iso} THEN NULL WHEN {zoned} THEN {_utc(trimmed)} ELSE {plain} END"
        )
    return _checked(f"({parsed})", "not_a_date", required=required)


def _utc(text: str) -> str:
    """UTC of a time with its offset; by the number, because the cast between the types asks a calendar."""
    return f"make_timestamp(epoch_us(try_cast({text} AS TIMESTAMPTZ)))"


def _in_zone(parsed: str, zone: str) -> str:
    """UTC of a wall-clock time; of a doubled hour its first pass, as everywhere (kernel.civil)."""
    if zone == "UTC":
        return parsed
    name = literal(zone)
    # SQL takes the second pass. The first has the offset of the day before.
    second = f"timezone({name}, {parsed})"
    day_before = f"({second} - INTERVAL 1 DAY)"
    first = f"({parsed} - (timezone({name}, {day_before}) - CAST({day_before} AS TIMESTAMP)))"
    is_pass = f"timezone({name}, timezone('UTC', {first})) = {parsed}"
    return f"(CASE WHEN {is_pass} THEN {first} ELSE CAST({second} AS TIMESTAMP) END)"


def day(one: Field, nulls: tuple[str, ...], cells: dict[str, str], *, required: bool) -> Reading:
    value = cell(one, nulls, cells)
    trimmed = f"trim({value})"
    if one.format:
        parsed = f"CAST(try_strptime({trimmed}, {literal(one.format)}) AS DATE)"
    else:
        iso = f"regexp_matches({trimmed}, '^[0-9]{{4}}-[0-9][0-9]-[0-9][0-9]$')"
        parsed = f"CASE WHEN {iso} THEN try_cast({trimmed} AS DATE) END"
    return _checked(f"({parsed})", "not_a_date", required=required)


def decimal(one: Field, nulls: tuple[str, ...], cells: dict[str, str], *, required: bool = False) -> Reading:
    """DECIMAL(18, 6), exact; signs that are not digits, sign or point must be named in `strip`."""
    value = cell(one, nulls, cells)
    plain = f"trim({value})"
    if one.strip:
        plain = f"translate({plain}, {literal(one.strip)}, '')"
    if one.decimal != ".":
        plain = f"replace({plain}, {literal(one.decimal)}, '.')"
    # No exponents, no words, no separators, which the cast would take.
    shaped = f"regexp_full_match({plain}, '[+-]?[0-9]*[.]?[0-9]*')"
    parsed = f"(CASE WHEN {shaped} THEN try_cast({plain} AS DECIMAL(18, 6)) END)"
    return _checked(parsed, "not_a_number", required=required)


def micros(reading: Reading) -> str:
    """Whole micros of a decimal reading."""
    return f"CAST({reading.value} * 1000000 AS BIGINT)"


def boolean(one: Field, nulls: tuple[str, ...], cells: dict[str, str], *, required: bool = False) -> Reading:
    value = cell(one, nulls, cells)
    word = f"lower(trim({value}))"
    parsed = (
        f"(CASE WHEN {word} IN ('true', 'yes', 'y', '1', 'granted') THEN true"
        f" WHEN {word} IN ('false', 'no', 'n', '0', 'denied') THEN false END)"
    )
    return _checked(parsed, "not_yes_or_no", required=required)


def json_value(one: Field, nulls: tuple[str, ...], cells: dict[str, str]) -> Reading:
    """The value of a trait or property as JSON text, null where it is missing."""
    if one.type is Type.NUMBER:
        reading = decimal(one, nulls, cells)
        return Reading(f"CAST(to_json(CAST({reading.value} AS DOUBLE)) AS VARCHAR)", reading.fault)
    if one.type is Type.BOOLEAN:
        reading = boolean(one, nulls, cells)
        return Reading(f"CAST(to_json({reading.value}) AS VARCHAR)", reading.fault)
    if one.type is Type.DATE:
        reading = day(one, nulls, cells, required=False)
        return Reading(f"CAST(to_json(strftime({reading.value}, '%Y-%m-%d')) AS VARCHAR)", reading.fault)
    if one.type is Type.TIMESTAMP:
        reading = instant(one, nulls, cells, required=False)
        shown = f"strftime({reading.value}, '%Y-%m-%dT%H:%M:%S.%fZ')"
        return Reading(f"CAST(to_json({shown}) AS VARCHAR)", reading.fault)
    reading = text(one, nulls, cells, longest=1_024)
    return Reading(f"CAST(to_json({reading.value}) AS VARCHAR)", reading.fault)


def _checked(parsed: str, reason: str, *, required: bool) -> Reading:
    missing = " WHEN {} IS NULL THEN 'missing'" if required else ""

    def fault(read: str, said: str) -> str:
        return f"CASE WHEN {said} IS NOT NULL AND {read} IS NULL THEN '{reason}'{missing.format(said)} END"

    return Reading(parsed, fault)
