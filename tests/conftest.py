"""What every test needs before it starts."""

from __future__ import annotations

from scripts.compile_catalogues import compile_catalogues

# A source tree has catalogues as text only; the build compiles them, and so does a test run.
compile_catalogues()
