"""The installation's settings as one typed object; a wrong value refuses to start and says which variable it was.

Every value has a default: nothing needs setting to begin. `MUSTER_X_FILE` reads the value of `MUSTER_X` from a file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from muster.kernel.digits import whole
from muster.kernel.errors import MusterError
from muster.webhooks.channels.addresses import Networks, read_networks


@dataclass(frozen=True)
class OpenIdProvider:
    """Who else says who somebody is (OpenID Connect): the issuer's address, and what it knows this Muster by."""

    issuer: str
    client_id: str
    secret: str
    # What stands on the button of the log-in page.
    label: str


@dataclass(frozen=True)
class Configuration:
    """Where things are and how much of the machine may be used."""

    home: Path
    host: str = "127.0.0.1"
    # 0: any free one.
    port: int = 8400
    warehouse_threads: int = 2
    warehouse_memory: str = "1GiB"
    hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    import_megabytes: int = 8_192
    backup_days: int = 35
    nightly_backup: bool = False
    debug: bool = False
    # Where browsers reach it, scheme and host; empty: at the host they name, over plain HTTP.
    url: str = ""
    # Where apps send what happens. 0 processes: `muster edge` runs elsewhere, or nowhere.
    edge_host: str = "127.0.0.1"
    edge_port: int = 8081
    edge_processes: int = 1
    # Requests a second of a key, and of a key from one address, with its burst. 0: as many as they like.
    edge_requests: int = 10_000
    edge_requests_of_address: int = 200
    edge_burst_of_address: int = 1_000
    # How long an edge process that is asked to end says that it is not ready, before it refuses.
    edge_leaving_seconds: int = 0
    # Networks whose word on the client's address is believed.
    trusted_proxies: tuple[str, ...] = ()
    # Where Prometheus asks, HOST:PORT; empty: nowhere.
    metrics: str = "127.0.0.1:9464"
    oidc: OpenIdProvider | None = None
    # Where webhooks may be sent although it is not public.
    webhook_networks: Networks = ()

    @property
    def oidc_apps(self) -> list[dict[str, Any]]:
        """As allauth reads it: none or one."""
        if self.oidc is None:
            return []
        settings = {"server_url": self.oidc.issuer}
        return [
            {
                "provider_id": "oidc",
                "name": self.oidc.label,
                "client_id": self.oidc.client_id,
                "secret": self.oidc.secret,
                "settings": settings,
            }
        ]

    @property
    def edge_address(self) -> str:
        """What people type to reach the edge: behind a proxy it has the host of the pages (deploy/)."""
        if self.url:
            return self.url
        host = self.edge_host.strip("[]")
        if host in ("0.0.0.0", "::"):  # noqa: S104 - it is asked for here, not listened on
            host = "localhost"
        return f"http://[{host}]:{self.edge_port}" if ":" in host else f"http://{host}:{self.edge_port}"

    @property
    def control_database(self) -> Path:
        return self.home / "control.sqlite3"

    @property
    def warehouse_directory(self) -> Path:
        return self.home / "warehouse"

    @property
    def membership_directory(self) -> Path:
        return self.home / "membership"

    @property
    def list_directory(self) -> Path:
        """The lists of known user groups, a file a version."""
        return self.home / "lists"

    @property
    def past_directory(self) -> Path:
        """Warehouses of past instants while they are asked; nothing in it outlives its question."""
        return self.home / "past"

    @property
    def import_directory(self) -> Path:
        return self.home / "imports"

    @property
    def export_directory(self) -> Path:
        """What is handed over to customers, until its link ends."""
        return self.home / "exports"

    @property
    def ledger(self) -> Path:
        """Who was erased when, in keyed hashes. A backup that is put back leaves it as it is (ADR 0015)."""
        return self.home / "ledger" / "erasures"

    @property
    def backup_directory(self) -> Path:
        return self.home / "backups"

    @property
    def static_directory(self) -> Path:
        """Style, scripts and icons as browsers get them; made from the package's."""
        return self.home / "static"

    @property
    def socket(self) -> Path:
        return self.home / "control.sock"

    @property
    def spool_directory(self) -> Path:
        """What was accepted and is not in the warehouse yet, a file a process of the edge."""
        return self.home / "spool"

    @property
    def online_directory(self) -> Path:
        """What the edge answers from."""
        return self.home / "online"

    @property
    def figure_directory(self) -> Path:
        """What the running processes count."""
        return self.home / "figures"

    @property
    def drain_socket(self) -> Path:
        return self.home / "drain.sock"

    @property
    def lock(self) -> Path:
        return self.home / "owner.lock"

    @property
    def secret_key_file(self) -> Path:
        return self.home / "secret.key"


def read_configuration(environment: Mapping[str, str] | None = None) -> Configuration:
    """The configuration of `MUSTER_*` variables; `configuration_invalid` names the one that is wrong."""
    variables = os.environ if environment is None else environment
    home = Path(_text(variables, "MUSTER_HOME", "var")).expanduser().absolute()
    hosts = _text(variables, "MUSTER_HOSTS", "")
    url = _address(variables, "MUSTER_URL").rstrip("/")
    named = (*hosts.split(","), urlsplit(url).hostname)
    return Configuration(
        home=home,
        host=_text(variables, "MUSTER_HOST", Configuration.host),
        port=_number(variables, "MUSTER_PORT", Configuration.port, 0, 65_535),
        warehouse_threads=_number(variables, "MUSTER_WAREHOUSE_THREADS", min(os.cpu_count() or 2, 8), 1, 256),
        warehouse_memory=_text(variables, "MUSTER_WAREHOUSE_MEMORY", Configuration.warehouse_memory),
        hosts=Configuration.hosts + tuple(host for host in named if host),
        import_megabytes=_number(variables, "MUSTER_IMPORT_MEGABYTES", Configuration.import_megabytes, 1, 1_000_000),
        backup_days=_number(variables, "MUSTER_BACKUP_DAYS", Configuration.backup_days, 1, 3_650),
        nightly_backup=_text(variables, "MUSTER_NIGHTLY_BACKUP", "0") == "1",
        debug=_text(variables, "MUSTER_DEBUG", "0") == "1",
        url=url,
        edge_host=_text(variables, "MUSTER_EDGE_HOST", Configuration.edge_host),
        edge_port=_number(variables, "MUSTER_EDGE_PORT", Configuration.edge_port, 0, 65_535),
        edge_processes=_number(variables, "MUSTER_EDGE_PROCESSES", max((os.cpu_count() or 2) - 1, 1), 0, 64),
        edge_requests=_number(variables, "MUSTER_EDGE_REQUESTS", Configuration.edge_requests, 0, 10_000_000),
        edge_requests_of_address=_number(
            variables, "MUSTER_EDGE_REQUESTS_OF_ADDRESS", Configuration.edge_requests_of_address, 0, 10_000_000
        ),
        edge_burst_of_address=_number(
            variables, "MUSTER_EDGE_BURST_OF_ADDRESS", Configuration.edge_burst_of_address, 0, 10_000_000
        ),
        edge_leaving_seconds=_number(variables, "MUSTER_EDGE_LEAVING_SECONDS", 0, 0, 60),
        trusted_proxies=tuple(map(str, _networks(variables, "MUSTER_TRUSTED_PROXIES"))),
        metrics=_host_and_port(variables, "MUSTER_METRICS", Configuration.metrics),
        oidc=_oidc(variables),
        webhook_networks=_networks(variables, "MUSTER_WEBHOOK_ALLOW_PRIVATE"),
    )


def _host_and_port(variables: Mapping[str, str], name: str, default: str) -> str:
    text = _text(variables, name, default)
    host, _, port = text.rpartition(":")
    number = whole(port)
    if text and (not host or number is None or number > 65_535):
        raise _invalid(name, text, "must be HOST:PORT, or empty")
    return text


def _oidc(variables: Mapping[str, str]) -> OpenIdProvider | None:
    """All of issuer, client and secret, or none."""
    issuer = _address(variables, "MUSTER_OIDC_ISSUER")
    client_id = _text(variables, "MUSTER_OIDC_CLIENT_ID", "")
    secret = _text(variables, "MUSTER_OIDC_SECRET", "")
    if not (issuer or client_id or secret):
        return None
    for name, value in (("ISSUER", issuer), ("CLIENT_ID", client_id), ("SECRET", secret)):
        if not value:
            raise _invalid(f"MUSTER_OIDC_{name}", "", "is needed beside the other MUSTER_OIDC_ variables")
    return OpenIdProvider(issuer, client_id, secret, _text(variables, "MUSTER_OIDC_LABEL", "OpenID Connect"))


def _networks(variables: Mapping[str, str], name: str) -> Networks:
    text = _text(variables, name, "")
    try:
        return read_networks(text)
    except ValueError:
        raise _invalid(name, text, "must be networks such as 10.0.0.0/8,fd00::/8") from None


def _address(variables: Mapping[str, str], name: str) -> str:
    text = _text(variables, name, "")
    parts = urlsplit(text)
    if text and not (parts.scheme in ("http", "https") and parts.hostname):
        raise _invalid(name, text, "must be an address such as https://muster.example.com")
    return text


def _text(variables: Mapping[str, str], name: str, default: str) -> str:
    if file := variables.get(f"{name}_FILE"):
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise _invalid(f"{name}_FILE", file, "must be a readable file") from error
    return variables.get(name, default)


def _number(variables: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = _text(variables, name, str(default))
    number = whole(text)
    if number is None or not low <= number <= high:
        raise _invalid(name, text, f"must be a whole number from {low} to {high}")
    return number


def _invalid(name: str, text: str, remedy: str) -> MusterError:
    return MusterError(f"{name}={text!r} {remedy}.", code="configuration_invalid")
