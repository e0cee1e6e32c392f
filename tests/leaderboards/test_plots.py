"""Plots: well-formed, the same bytes every time, readable without colours, and harmless whatever agents are called."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from ludarium.envs.core.errors import MissingExtraError, StatisticsError
from ludarium.leaderboards import plots, stats

NAMES = [
    "random",
    "lns?window=12&neighbours=5&seconds=2.5",
    'llm:$x_{$ <b onload="x()">&',
    "a\nb\x00\x1b",
    'id="#fe00fe',
    "探索者",
]
CODE = """
import numpy as np
from ludarium.leaderboards import plots, stats
table = np.random.Generator(np.random.PCG64(0)).normal(size=(3, 30))
print(plots.interval_plot("abc", [stats.bootstrap(t) for t in table], "score"))
print(plots.profile_plot("abc", [stats.performance_profile(t, np.linspace(-1, 1, 9)) for t in table], "score"))
"""


def drawn(names):
    table = np.random.Generator(np.random.PCG64(0)).normal(size=(len(names), 30))
    grid = np.linspace(-1, 1, 21)
    profiles = [stats.performance_profile(own, grid) for own in table]
    return plots.interval_plot(names, [stats.bootstrap(own) for own in table], "mean $score$"), plots.profile_plot(
        names, profiles, "score of at least"
    )


@pytest.mark.filterwarnings("error")
def test_plots_are_well_formed_and_hold_nothing_active_whatever_names_say():
    for svg in drawn(NAMES):
        root = ET.fromstring(svg)
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert tags <= {
            "svg",
            "title",
            "desc",
            "style",
            "defs",
            "g",
            "path",
            "text",
            "use",
            "clipPath",
            "rect",
            "tspan",
        }
        attributes = {name for element in root.iter() for name in element.attrib}
        assert not any(name.startswith("on") for name in attributes)
        links = [element.get("href") for element in root.iter() if element.get("href")]
        ids = [element.get("id") for element in root.iter() if element.get("id")]
        assert len(set(ids)) == len(ids)
        assert {link[1:] for link in links} <= set(ids)
        assert set(re.findall(r"url\(#([^)]*)\)", svg)) <= set(ids)
        texts = "".join(element.text or "" for element in root.iter() if element.tag.endswith("text"))
        assert 'id="#fe00fe' in texts
        assert "$x_{$" in texts


def test_two_plots_in_one_page_share_no_id():
    one, other = (set(re.findall(r'\bid="([^"]*)"', svg)) for svg in drawn(["a", "b"]))
    assert not one & other


def test_all_colours_follow_the_page_and_no_rule_reaches_beyond_the_plot():
    for svg in drawn(["a", "b", "c"]):
        root = ET.fromstring(svg)
        for element in root.iter():
            assert not re.search(r"#[0-9a-f]{3,8}\b(?<!\))", element.get("style", "").replace("url(#", "("))
        rules = "".join(element.text or "" for element in root.iter() if element.tag.endswith("style"))
        assert "prefers-color-scheme: dark" in rules
        for selector in re.findall(r"(?:^|[{}])\s*([^{}@]+?)\s*\{", rules.split("@media")[0]):
            assert selector.startswith("svg.plot")
        assert set(re.findall(r"var\((--[a-z0-9-]+)\)", svg)) <= set(re.findall(r"(--[a-z0-9-]+):", rules))


def test_agents_differ_without_colour():
    names = [f"agent {n}" for n in range(12)]
    marks, lines = drawn(names)
    dashes = re.findall(r"stroke-dasharray: ([\d.,]+)", lines)
    assert len(set(dashes)) == 7  # and the whole line
    shapes = re.findall(r'<path id="intervals-m[0-9a-f]+" d="([^"]*)"', marks)
    assert len(set(shapes)) >= 8


def test_every_plot_says_in_words_what_it_shows():
    marks, lines = drawn(["first", "second"])
    for svg in (marks, lines):
        root = ET.fromstring(svg)
        assert root.get("role") == "img"
        told = {element.get("id"): element.text for element in root.iter()}
        words = " ".join(told[name] for name in root.get("aria-labelledby").split())
        assert "first" in words
        assert "second" in words
    assert re.search(r"first -?0\.\d+ \(-?0\.\d+ to", marks)


def test_equal_figures_give_equal_bytes_in_every_process():
    found = {subprocess.run([sys.executable, "-c", CODE], capture_output=True, check=True).stdout for _ in range(2)}
    assert len(found) == 1
    assert drawn(["a", "b"]) == drawn(["a", "b"])


def test_long_names_are_cut_and_stay_distinct():
    long = ["x" * 40 + f"{n}" + "y" * 40 for n in range(3)]
    found = plots.short_names(["short", *long])
    assert found[0] == "short"
    assert len(set(found)) == 4
    assert all(len(name) < 40 for name in found)


def test_what_cannot_be_drawn_is_an_error(monkeypatch):
    with pytest.raises(StatisticsError):
        plots.interval_plot([], [], "score")
    with pytest.raises(StatisticsError):
        plots.profile_plot(["a"], [], "score")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"ludarium\[stats\]"):
        plots.interval_plot(["a"], [stats.Interval(1, 0, 2)], "score")
