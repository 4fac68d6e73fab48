"""The command `muster`. Every command but `serve` is a client of the REST API."""

from __future__ import annotations

import click

from muster.cli.catalog import catalog
from muster.cli.customers import customers
from muster.cli.demo import demo
from muster.cli.doors import Doors
from muster.cli.groups import groups
from muster.cli.jobs import jobs
from muster.cli.online import online
from muster.cli.operation import backup, backups, doctor, restore
from muster.cli.output import shown_errors
from muster.cli.plans import apply, plan
from muster.cli.spool import spool
from muster.cli.team import setup, team, tokens
from muster.cli.webhooks import webhooks


@click.group(
    epilog="Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 no such thing. "
    "Errors are `error [code] at pointer: sentence` on stderr; with --json the API's problem document."
)
@click.version_option(package_name="muster-groups")
def muster() -> None:
    """Customer groups of app publishers. The installation is the folder MUSTER_HOME (default: var)."""


@muster.command("serve")
@click.pass_obj
def serve(doors: Doors) -> None:
    """Answers browsers and programs until it is stopped (MUSTER_HOST, MUSTER_PORT)."""
    with shown_errors():
        doors.serve(click.echo)


@muster.command("edge")
@click.option("--bind", metavar="HOST:PORT", help="Where it listens; otherwise MUSTER_EDGE_HOST and MUSTER_EDGE_PORT.")
@click.option("--processes", type=click.IntRange(1, 64), help="How many; otherwise MUSTER_EDGE_PROCESSES.")
@click.pass_obj
def edge(doors: Doors, bind: str | None, processes: int | None) -> None:
    """Takes what apps send until it is stopped, whether or not `muster serve` runs beside it."""
    host, _, port = (bind or "").rpartition(":")
    if bind and not (host and port.isdecimal() and int(port) < 65_536):
        raise click.UsageError(f"{bind} is not HOST:PORT.")
    with shown_errors():
        doors.serve_edge(click.echo, host or None, int(port) if bind else None, processes)


_COMMANDS = (
    setup, team, tokens, webhooks, jobs, groups, customers, catalog, demo, plan, apply, online, spool,
    backup, backups, restore, doctor,
)  # fmt: skip  # in the order of the help
for _command in _COMMANDS:
    muster.add_command(_command)
