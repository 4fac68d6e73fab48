"""What people type to reach the edge, as pages show it."""

from __future__ import annotations

from pathlib import Path

import pytest

from muster.wiring.configuration import read_configuration


@pytest.mark.parametrize(
    ("variables", "address"),
    [
        ({}, "http://127.0.0.1:8081"),
        ({"MUSTER_EDGE_HOST": "0.0.0.0", "MUSTER_EDGE_PORT": "9000"}, "http://localhost:9000"),
        ({"MUSTER_EDGE_HOST": "::"}, "http://localhost:8081"),
        ({"MUSTER_EDGE_HOST": "::1"}, "http://[::1]:8081"),
        ({"MUSTER_EDGE_HOST": "edge.lan"}, "http://edge.lan:8081"),
        ({"MUSTER_URL": "https://muster.example.com/", "MUSTER_EDGE_PORT": "9000"}, "https://muster.example.com"),
    ],
)
def test_address_of_the_edge(tmp_path: Path, variables: dict[str, str], address: str) -> None:
    assert read_configuration({"MUSTER_HOME": str(tmp_path), **variables}).edge_address == address
