"""What commands read: JSON and YAML files, or standard input as `-`, and `name=value` on the command line."""

from __future__ import annotations

import json
from typing import Any, TextIO

import click
import yaml

from muster.kernel.errors import MusterError


def read_json(file: TextIO) -> Any:
    """`file_unreadable` with line and column."""
    try:
        return json.load(file)
    except json.JSONDecodeError as error:
        message = f"{file.name} is not JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        raise MusterError(message, code="file_unreadable") from error
    except UnicodeDecodeError as error:
        raise MusterError(f"{file.name} is not UTF-8.", code="file_unreadable") from error


def read_fields(pairs: tuple[str, ...]) -> dict[str, Any]:
    """`name=value`; a value is read as YAML, so that `true`, `3` and `[a, b]` are what they look like."""
    fields = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise click.UsageError(f"{pair!r} is not name=value.")
        try:
            fields[name] = yaml.safe_load(text)
        except yaml.YAMLError:
            fields[name] = text
        # YAML reads days and times of its own; the API wants them as they were written.
        if not isinstance(fields[name], str | int | float | bool | list | dict | None):
            fields[name] = text
    return fields
