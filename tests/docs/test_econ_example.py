"""The example of the tax economy: offline, with a picture, near the oracle, and any planner by its agent string."""

import importlib.util
import pathlib
import subprocess
import sys

import pytest

EXAMPLE = pathlib.Path(__file__).parents[2] / "docs" / "examples" / "econ_tax_search.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("econ_tax_search", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_runs_as_a_script_and_draws(tmp_path):
    done = subprocess.run([sys.executable, EXAMPLE, "found.svg"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("best year ")
    assert "</svg>" in (tmp_path / "found.svg").read_text()


def test_a_model_that_sees_its_past_schedules_comes_near_the_oracle(example, tmp_path, monkeypatch):
    asked = []
    climb = example.climb
    monkeypatch.setattr(example, "climb", lambda request: asked.append(request) or climb(request))
    welfare, untaxed, best = example.main(str(tmp_path / "climb.svg"))
    assert len(welfare) == len(asked) == example.YEARS
    assert untaxed < max(welfare) <= best * 1.001
    assert (max(welfare) - untaxed) / (best - untaxed) > 0.95
    assert max(welfare) > welfare[0]
    assert "newest first" in str(asked[1].messages[-1]["content"])
    told = "".join(str(message["content"]) for message in asked[-1].messages)
    assert told.count("Welfare at the last settlements") == example.YEARS - 1  # every year before is in its context


def test_any_agent_string_plans(example, tmp_path):
    welfare, untaxed, best = example.main(str(tmp_path / "rule.png"), "bracket_rule")
    assert (welfare[-1] - untaxed) / (best - untaxed) > 0.98
