"""The comparison in a run's report: its figures, its words, and what it does where there is nothing to compare."""

import dataclasses
import html.parser
import re
import sys

import pytest

from ludarium.leaderboards import stats
from ludarium.leaderboards.comparison import COSTS, compare, comparison_section, is_cost, passes_section
from ludarium.leaderboards.folder import RunFolder
from ludarium.leaderboards.report import write_report
from ludarium.leaderboards.table import results, terminal_table
from ludarium.scenarios.loader import load


@pytest.fixture
def scenario(finished):
    return RunFolder.open(finished.root).scenario()


class Checked(html.parser.HTMLParser):
    """Every tag that is opened is closed in order."""

    VOID = ("meta", "link", "br", "hr", "line", "rect", "use", "path")

    def __init__(self, text):
        super().__init__()
        self.open, self.seen = [], []
        self.feed(text)
        assert not self.open

    def handle_startendtag(self, tag, attributes):
        self.seen.append(tag)

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_figures_are_those_of_the_statistics(finished, scenario):
    found = compare(scenario, finished.rows, "test")
    assert (found.metric, found.normalised) == ("throughput", False)
    assert [(r.agent, str(r.rank)) for r in found.ranked] == [("pibt", "1"), ("random", "2")]
    scores = stats.Scores.of(finished.rows, lambda row: row["metrics"]["throughput"])
    assert found.ranked[0].mean == stats.bootstrap(scores.agent("pibt"), stats.mean, scores.cases)
    assert found.improvement["pibt", "random"].value == pytest.approx(1 - found.improvement["random", "pibt"].value)
    assert found.profiles[0].value[0] == 1.0
    line = next(line for line in results(scenario, finished.rows) if (line.agent, line.case) == ("pibt", "all cases"))
    assert line.metrics["throughput"].mean == pytest.approx(found.ranked[0].mean.value)


def test_where_less_is_better_the_least_is_first(finished, scenario):
    rows = [{**row, "metrics": {**row["metrics"], "makespan": row["metrics"]["throughput"]}} for row in finished.rows]
    costly = dataclasses.replace(scenario, metrics=("makespan",))
    found = compare(costly, rows, "test")
    assert [r.agent for r in found.ranked] == ["random", "pibt"]
    assert found.improvement["random", "pibt"].value > 0.5
    assert found.profiles[0].value[-1] == 1.0
    assert "lower is better" in comparison_section(costly, rows, "test")
    assert is_cost("sum_of_costs_of_bound")
    assert not is_cost("throughput_of_bound")


def test_every_metric_of_the_suites_scenarios_is_known_to_be_a_cost_or_a_gain():
    from ludarium.scenarios.loader import scenario_names

    gains = {"throughput", "csr", "isr", "success", "spl", "normalized_score", "progress"}
    gains |= {"agreement", "efficiency", "first_gain", "nash_ratio", "payoff", "revenue", "second_gain", "survival"}
    gains |= {"collusion_index", "equality", "houses", "mean_price", "mean_utility", "optimality", "price", "product"}
    gains |= {"allocative_efficiency", "contribution_rate", "productivity", "profit", "survival_rounds", "trades"}
    gains |= {"turnover", "welfare"}
    shown = {name.removesuffix("_of_bound") for scenario in scenario_names() for name in load(scenario).metrics}
    assert shown <= gains | COSTS


def test_the_report_shows_plots_and_their_figures_and_runs_nothing(finished, scenario, tmp_path):
    run = RunFolder.open(finished.root)
    run.root = tmp_path
    text = write_report(run, scenario, finished.rows, {}).read_text()
    seen = Checked(text).seen
    assert seen.count("figure") == seen.count("figcaption") == 2
    assert "script" not in seen
    assert "Agents compared: throughput" in text
    assert "no reference figures for this scenario" in text
    assert re.search(r'<th scope="row">pibt</th><td>1</td>', text)
    assert len(set(re.findall(r'\bid="([^"]*)"', text))) == len(re.findall(r'\bid="([^"]*)"', text))
    assert text == write_report(run, scenario, finished.rows, {}).read_text()


def test_without_matplotlib_the_report_says_so_and_keeps_the_tables(finished, scenario, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    text = comparison_section(scenario, finished.rows, "test")
    assert "ludarium[stats]" in text
    assert "<svg" not in text
    assert "Probability of improvement" in text


def test_one_agent_is_not_compared_and_unequal_episodes_are_named(finished, scenario):
    alone = [row for row in finished.rows if row["agent"] == "pibt"]
    assert comparison_section(scenario, alone, "test") == ""
    assert "Not compared: agent &#x27;random&#x27; has no episode" in comparison_section(
        scenario, [*alone, *[row for row in finished.rows if row["agent"] == "random"][1:]], "test"
    )


def test_names_of_agents_are_text(finished, scenario):
    evil = "<script>alert(1)</script>"
    rows = [{**row, "agent": evil if row["agent"] == "pibt" else row["agent"]} for row in finished.rows]
    assert "<script" not in comparison_section(scenario, rows, "test")


@pytest.fixture
def tried(finished, scenario):
    """Rows of three trials: pibt succeeds in all of the first seed's and one of each other's, random never."""
    rows = []
    for row in finished.rows:
        for trial in range(3):
            won = row["agent"] == "pibt" and (trial == 0 or row["seed"] == 0)
            rows.append({**row, "trial": trial, "metrics": {"success": int(won), "steps": 3 + trial}})
    return dataclasses.replace(scenario, trials=3, metrics=("success", "steps")), rows


def test_tables_show_pass_hat_k_where_there_are_trials(tried):
    scenario, rows = tried
    lines = results(scenario, rows)
    line = next(line for line in lines if (line.agent, line.case) == ("pibt", "all cases"))
    assert line.episodes == 24
    assert [p.every.value for p in line.passes] == pytest.approx([0.5, 0.25, 0.25])
    assert [p.some.value for p in line.passes] == pytest.approx([0.5, 0.25 + 0.75 * 2 / 3, 1.0])
    assert line.metrics["success"].mean == pytest.approx(line.passes[0].every.value)
    assert line.metrics["steps"] == (24, 4.0, 4.0, 4.0, 4.0)  # over seeds, whose trials have equal means
    data = line.as_dict()["passes"][1]
    assert data["k"] == 2
    assert data["pass^k"]["value"] == pytest.approx(0.25)
    text = passes_section(lines)
    Checked(text)
    assert [head for head in ("pass^1", "pass^2", "pass^3", "pass@2", "pass@3") if head not in text] == []
    assert '<th scope="row">pibt</th><td>all cases</td><td>0.500' in text
    columns = [column.header for column in terminal_table("t", lines).columns]
    assert columns[-3:] == ["pass^1", "pass^2", "pass^3"]


def test_one_trial_or_no_success_gives_no_passes(finished, scenario, tried):
    assert passes_section(results(scenario, finished.rows)) == ""
    assert all(line.passes == () for line in results(dataclasses.replace(scenario, trials=2), finished.rows))
