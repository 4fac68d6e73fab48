"""What an import refuses for its size."""

from __future__ import annotations

from pathlib import Path

from tests.integration.processes import muster

MAPPING = """kind: customers
row: {external_id: id, traits: {note: note}}
"""


def test_file_beyond_the_limit_is_refused(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "large.csv").write_text("id,note\n" + "\n".join(f"{number},{'x' * 900}" for number in range(1_300)))
    done = muster(
        {**environment, "MUSTER_IMPORT_MEGABYTES": "1"},
        *("customers", "import", str(tmp_path / "large.csv"), "--kind", "customers"),
        *("--mapping", str(tmp_path / "mapping.yaml")),
    )
    assert done.returncode == 1
    assert "import_too_large" in done.stderr
