"""The wheel is whole: installed alone, it serves its pages with their style, speaks three languages, has the sample."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import version
from pathlib import Path

import django
import httpx
import pytest

from tests.integration.processes import muster, serving

ROOT = Path(__file__).parents[2]
_PATIENCE_SECONDS = 300
# As pyproject.toml has it.
_OLDEST_SETUPTOOLS = 77


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of the sources, with the tools that are here: no network, nothing left behind."""
    if int(version("setuptools").partition(".")[0]) < _OLDEST_SETUPTOOLS:
        pytest.skip("the tools here are older than those of the lock file: run `make setup`")
    sources = tmp_path_factory.mktemp("sources")
    for name in ("src", "scripts", "pyproject.toml", "setup.py", "README.md", "LICENSE", "NOTICE"):
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "*.mo")
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, sources / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, sources)
    built = tmp_path_factory.mktemp("built")
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    _run([*pip, "-w", str(built), "."], sources)
    [found] = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an environment that has the wheel, and its dependencies from the environment of the tests."""
    directory = tmp_path_factory.mktemp("installed")
    venv.create(directory, with_pip=False)
    site = next((directory / "lib").glob("python*")) / "site-packages"
    _run([sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", str(site), str(wheel)], ROOT)
    # Behind its own: an editable link to these sources is code that runs from a .pth file, which is not read again.
    (site / "dependencies.pth").write_text(f"{Path(django.__file__).parents[1]}\n", encoding="utf-8")
    return directory / "bin" / "python"


def _run(command: list[str], folder: Path) -> None:
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]


@pytest.fixture
def as_installed(environment: dict[str, str]) -> dict[str, str]:
    """Of processes that see nothing of the sources."""
    return {name: value for name, value in environment.items() if not name.startswith(("PYTHONPATH", "DJANGO_"))}


def test_wheel_holds_everything_but_sources_of_translations(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("muster/")}
    wanted = {
        f"muster/{path.relative_to(ROOT / 'src' / 'muster').as_posix()}"
        for path in (ROOT / "src" / "muster").rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".po", ".pot", ".cfg")
    }
    assert wanted - packed == set()
    assert {name for name in packed if name.endswith(".mo")} == {
        f"muster/{room}/locale/{language}/LC_MESSAGES/{domain}.mo"
        for room, domain in (("web", "django"), ("rules", "rules"))
        for language in ("de", "fr")
    }


def test_wheel_serves_alone(as_installed: dict[str, str], python: Path, home: Path) -> None:
    where = subprocess.run(
        [str(python), "-c", "import muster.web.apps as a; print(a.__file__)"],
        env=as_installed,
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(str(python.parents[1]))
    command = [str(python), "-m", "muster.wiring.main"]
    with serving(as_installed, command) as server:
        assert httpx.get(f"{server.address}/healthz").text == "ok\n"
        page = httpx.get(f"{server.address}/setup?token={server.setup_token}", headers={"Accept-Language": "de"})
        assert (page.status_code, 'lang="de"' in page.text) == (200, True)
        assets = re.findall(r'(?:href|src)="(/static/[^"#]+)', page.text)
        assert {re.sub(r"\.[0-9a-f]{12}\.", ".", asset) for asset in assets} >= {
            "/static/muster.css",
            "/static/vendor/htmx.js",
        }
        assert {httpx.get(f"{server.address}{asset}").status_code for asset in assets} == {200}
        listed = muster(as_installed, "groups", "list", "--json", command=command)
        assert listed.returncode == 0
    shown = muster(as_installed, "demo", "load", "--help", command=command)
    assert (shown.returncode, shown.stdout.splitlines()[2].strip()[:20]) == (0, "Loads AdventureWorks")
    sample = subprocess.run(
        [str(python), "-c", "from muster.groups.sample.rows import read; print(len(read('customers')))"],
        env=as_installed,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(sample.stdout) > 1_000
