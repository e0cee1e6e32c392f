"""LLM Economist's experiment: a planner searches over tax years in its context, workers answer with exact best responses.

    python econ_tax_search.py [PICTURE.svg [AGENT]]

AGENT names the planner: `llm:MODEL?scaffold=react&history=40`, `bracket_rule`, ... Without one, `climb` plays the model, so that
this runs offline: a function of the messages that a model would get, with its past schedules and what they brought.
"""

import re
import sys

import matplotlib
import numpy as np

import ludarium  # noqa: F401  (registers the ids)
from ludarium.agents.crew import Crew
from ludarium.agents.llm.agent import LLMAgent
from ludarium.agents.llm.gateway import Gateway
from ludarium.agents.llm.scripted import Scripted
from ludarium.agents.registry import make_agent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.econ.tax.measures import economy_of, optimum_of

YEARS = 40


def climb(request):
    """The model: of all schedules in its context, change the best one a little."""
    told = "\n".join(str(message["content"]) for message in request.messages if message["role"] == "user")
    years = re.findall(r"Rates: (.*)\.\nYou are the planner\.\nWelfare .*: ([-\d,]+\.\d\d)", told)
    tried = [(float(w.replace(",", "")), [float(r) / 100 for r in re.findall(r"([\d.]+) % from", s)]) for s, w in years]
    step = np.random.default_rng(len(tried)).integers(-2, 3, 7) * 0.05 if tried else np.zeros(7)
    rates = np.clip(np.array(max(tried)[1] if tried else [0.5] * 7) + step, 0, 1).round(2).tolist()
    return f'<action>{{"name": "set_rates", "arguments": {{"rates": {rates}}}}}</action>'


def main(picture="econ_tax_search.svg", agent=""):
    """Play the years, print the gap, draw welfare against the oracle; returns welfare by year, that untaxed, and the best."""
    world = make_simulator(
        "econ-tax-v0", n_workers=100, grouped="yes", hour_parts=10, steps_per_year=1, max_steps=2 * YEARS
    )
    episode = Batch(world, 1, "econ-tax-v0")
    episode.seed(np.ones(1, bool), [0])
    episode.reset(np.ones(1, bool))
    planner = (
        make_agent(agent)
        if agent
        else LLMAgent("climb", "direct", history=YEARS, window_tokens=None, gateway=Gateway(Scripted(climb)))
    )
    crew = Crew(episode, [(planner, ("planner_0",)), (make_agent("best_response"), ("workers_0",))])
    crew.start(0)
    untaxed, best, _ = optimum_of(economy_of(world, episode.state, 0))
    welfare = []
    while not episode.over[0]:
        crew.act()
        episode.step()
        if len(welfare) < episode.state.settled[0]:
            welfare.append(episode.state.welfare[0] / 100)
    print(
        f"best year {max(welfare):,.0f}, optimum {best:,.0f}: gap {1 - (max(welfare) - untaxed) / (best - untaxed):.1%}"
    )
    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.plot(range(1, YEARS + 1), welfare, label=agent or "a model that climbs in its context")
    pyplot.axhline(best, ls="--", c="C2", label="oracle: best schedule against exact best responses")
    pyplot.axhline(untaxed, ls=":", c="C3", label="no taxes")
    pyplot.gca().set(xlabel="tax year", ylabel="social welfare a head", title="A planner searches over tax years")
    pyplot.legend()
    pyplot.savefig(picture, metadata={"Date": None} if picture.endswith(".svg") else None)
    return welfare, untaxed, best


if __name__ == "__main__":
    main(*sys.argv[1:])
