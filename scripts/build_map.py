"""Makes `web/static/map.svg`: the world as one picture whose countries have their ISO 3166-1 codes as ids (D-6).

    .venv/bin/python -m scripts.build_map

Run again when world-atlas changes; the result is kept with the sources. Natural Earth is in the public domain,
world-atlas and d3-geo are ISC.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pycountry

ROOT = Path(__file__).parents[1]
MAP = ROOT / "src" / "muster" / "web" / "static" / "map.svg"


def build_map() -> str:
    """The group `world` with a path for every country; territories without a code of their own have no id."""
    answer = subprocess.run(
        ["node", "scripts/project_world.mjs"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    drawn = json.loads(answer)
    paths = [f'<path id="{_code(number)}" d="{path}"/>' for number, path in sorted(drawn["paths"].items())]
    paths += [f'<path d="{path}"/>' for path in drawn["others"]]
    view = f"0 0 {drawn['width']} {drawn['height']}"
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}">', '<g id="world">', *paths, "</g>", "</svg>"]
    return "\n".join(lines) + "\n"


def _code(number: str) -> str:
    """ISO 3166-1 alpha-2 of a numeric code."""
    country = pycountry.countries.get(numeric=number)
    assert country is not None, number
    return str(country.alpha_2)


if __name__ == "__main__":
    MAP.write_text(build_map(), encoding="utf-8")
