"""Compiles the translation catalogues before Python files are collected; everything else is in pyproject.toml."""

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

# A build front end does not put the project itself on the path.
sys.path.insert(0, str(Path(__file__).parent))

from scripts.compile_catalogues import compile_catalogues


class BuildWithCatalogues(build_py):
    def run(self) -> None:
        compile_catalogues()
        super().run()


setup(cmdclass={"build_py": BuildWithCatalogues})
