"""The pages are held against the code: every block runs, every table is complete."""

import dataclasses
import pathlib
import re
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest

import ludarium  # noqa: F401  (registers the ids)
from ludarium.envs.core.registry import WORLDS, config_class

ROOT = pathlib.Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("envs/*/README.md")])
FAMILIES = sorted({world.family for world in WORLDS.values()})
SECTIONS = (
    "Observation", "Action", "Reward", "Start", "End", "Arguments",
    "Metrics", "Versions", "Sources", "Speed", "Baselines",
)  # fmt: skip


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


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_page_has_every_section(family):
    page = (ROOT / "envs" / family / "README.md").read_text()
    assert re.findall(r"^## (.*)$", page, re.M) == list(SECTIONS)


def table(page: str, section: str) -> list[list[str]]:
    body = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", page, re.S | re.M).group(1)
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in body.splitlines() if line[:1] == "|"]
    return rows[2:]


@pytest.mark.parametrize("name", sorted(WORLDS))
def test_the_table_of_arguments_is_the_config(name):
    page = (ROOT / "envs" / WORLDS[name].family / "README.md").read_text()
    listed = {row[0].strip("`"): row[1].strip("`") for row in table(page, "Arguments")}
    fields = {field.name: field.default for field in dataclasses.fields(config_class(name))}
    assert set(fields) <= set(listed)
    base = config_class(sorted(other for other in WORLDS if WORLDS[other].family == WORLDS[name].family)[-1])
    for field in dataclasses.fields(base):
        assert listed[field.name] == str(field.default), field.name


@pytest.mark.parametrize("name", sorted(WORLDS))
def test_every_metric_is_explained(name):
    page = (ROOT / "envs" / WORLDS[name].family / "README.md").read_text()
    explained = {metric.strip("` ") for row in table(page, "Metrics") for metric in row[0].split(",")}
    env = gym.make(name)
    env.reset(seed=0)
    batch = env.unwrapped.batch
    for metric, values in batch.simulator.metrics(batch.state).items():
        assert metric in explained, metric
        assert values.shape == (1,)
        assert np.isfinite(values).all()


def test_the_readme_lists_every_environment():
    readme = (ROOT / "README.md").read_text()
    for name in WORLDS:
        assert f"`{name}`" in readme
