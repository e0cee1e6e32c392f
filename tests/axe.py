"""Accessibility of pages, by axe-core in the browser of the test."""

from __future__ import annotations

import subprocess
from pathlib import Path

from requirements import give_up, need, required

AXE = "4.14.1"
FOLDER = Path(__file__).parents[1] / "build" / "node"


def axe_source() -> str:
    """Return axe-core's script, fetched once into the build folder by npm where it is required."""
    script = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        need("node")
        if not (required("node") or required("chromium")):
            give_up("node", f"needs axe-core: npm install --prefix {FOLDER} axe-core@{AXE}")
        FOLDER.mkdir(parents=True, exist_ok=True)
        order = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(FOLDER), f"axe-core@{AXE}"]
        subprocess.run(order, check=True, capture_output=True)
    return script.read_text(encoding="utf-8")


def serious(violations: list[dict]) -> list[tuple]:
    """Return the rule and the places of the findings that are serious or critical."""
    told = [(f["id"], f["impact"], [node["html"] for node in f["nodes"]]) for f in violations]
    return [row for row in told if row[1] in ("serious", "critical")]
