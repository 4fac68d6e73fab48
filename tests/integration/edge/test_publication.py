"""What happens to groups and customers is what the edge answers by, in a whole installation (edge spec, section 7)."""

from __future__ import annotations

pytest_plugins = ["tests.integration.groups.conftest"]
