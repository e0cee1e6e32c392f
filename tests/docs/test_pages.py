"""Every block of the pages runs; tests/properties holds the pages of the families against the code."""

import pathlib
import re
import subprocess
import sys

import pytest

import ludarium  # noqa: F401  (registers the ids)
from ludarium.envs.core.registry import WORLDS

ROOT = pathlib.Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("envs/**/README.md")])


def blocks(language: str) -> list:
    found = []
    for page in PAGES:
        for n, code in enumerate(re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.S | re.M)):
            found.append(pytest.param(code, id=f"{page.relative_to(ROOT)}-{n}"))
    return found


@pytest.mark.parametrize("code", blocks("python"))
def test_python_blocks_run(code, tmp_path):
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("code", blocks("sh"))
def test_shell_blocks_run(code, tmp_path):
    """Blocks marked `sh` are run as written; those that install or serve are marked `console` and are not."""
    path = f"{pathlib.Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    environment = {"PATH": path, "HOME": str(tmp_path)}
    script = "set -e\n" + code
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readme_lists_every_environment():
    readme = (ROOT / "README.md").read_text()
    for name, world in WORLDS.items():
        if "_template" in world.simulator or not world.simulator.startswith("ludarium."):
            continue  # worlds that other tests register
        assert f"`{name}`" in readme
