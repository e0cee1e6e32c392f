"""One string names any agent: `pibt`, `lns?window=12`, `my_package.module:Class`, `cmd:...`, `http://...`, `llm:...`."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import re
from typing import Any
from urllib.parse import parse_qsl

from ludarium.agents.contract import Agent
from ludarium.envs.core.errors import AgentError, did_you_mean

__all__ = ["BUILT_IN", "in_sandbox", "known_agents", "make_agent", "register_agent"]

BUILT_IN: dict[str, tuple[str, str]] = {
    "random": ("ludarium.agents.uniform:RandomAgent", "uniform over the legal actions"),
    "shortest": ("ludarium.agents.mapf.shortest:ShortestPath", "each robot along its own shortest path"),
    "prioritized": (
        "ludarium.agents.mapf.prioritized:Prioritized",
        "prioritised planning, space-time reservations",
    ),
    "pibt": ("ludarium.agents.mapf.pibt:PIBT", "priority inheritance with backtracking"),
    "lacam": ("ludarium.agents.mapf.lacam:LaCAM", "LaCAM*, anytime configuration search"),
    "cbs": ("ludarium.agents.mapf.cbs:CBS", "conflict-based search, optimal"),
    "rhcr": ("ludarium.agents.mapf.rhcr:RHCR", "rolling-horizon collision resolution (PBS over SIPP)"),
    "lns": ("ludarium.agents.mapf.lns:LNS", "windowed PIBT and large neighbourhood search"),
    "follower": ("ludarium.agents.mapf.follower:Follower", "congestion-aware local planner"),
    "best_response": ("ludarium.agents.econ.tax_workers:BestResponse", "works the hours of highest utility"),
    "logit": ("ludarium.agents.econ.tax_workers:Logit", "hours by logit response"),
    "habit": ("ludarium.agents.econ.tax_workers:Habit", "moves part of the way to the best hours"),
    "satisficer": ("ludarium.agents.econ.tax_workers:Satisficer", "keeps hours that are good enough"),
    "gamer": ("ludarium.agents.econ.tax_gamer:Gamer", "hides, puts off and pools where the tax allows it"),
    "pretender": ("ludarium.agents.econ.tax_exploit:Pretender", "earns as if it were less able, to deceive a planner"),
    "us2024": ("ludarium.agents.econ.tax_planners:US2024", "the US federal schedule of 2024"),
    "flat_opt": ("ludarium.agents.econ.tax_planners:FlatOpt", "the optimal flat rate, closed form"),
    "bracket_rule": ("ludarium.agents.econ.tax_planners:BracketRule", "the optimal rate of each bracket, iterated"),
    "saez_online": ("ludarium.agents.econ.tax_planners:SaezOnline", "the bracket rule with a learned elasticity"),
    "cem": ("ludarium.agents.econ.tax_planners:CEM", "cross-entropy search over years"),
    "elected": ("ludarium.agents.econ.tax_planners:Elected", "acts for the worker who won the vote"),
    "household-oracle": ("ludarium.agents.text.household.oracle:HouseholdOracle", "shortest plans, knowing all"),
    "household-expert": ("ludarium.agents.text.household.expert:HouseholdExpert", "scripted, reads the text alone"),
    "desk-user": ("ludarium.agents.text.desk.user:DeskUser", "the scripted user of the tool desk"),
    "desk-oracle": ("ludarium.agents.text.desk.staff:Oracle", "serves by the gold plan and the policy"),
    "desk-expert": ("ludarium.agents.text.desk.expert:DeskExpert", "scripted, reads the conversation alone"),
    "desk-blind": ("ludarium.agents.text.desk.staff:Blind", "serves without a policy: all wishes are granted"),
    "desk-never-asking": ("ludarium.agents.text.desk.staff:NeverAsking", "serves without asking the user anything"),
    "desk-idle": ("ludarium.agents.text.desk.staff:Idle", "does nothing at the desk"),
    "coin-oracle": ("ludarium.agents.text.coin:CoinOracle", "a shortest plan to the coin"),
    "cooking-oracle": ("ludarium.agents.text.cooking:CookingOracle", "a shortest plan to the meal"),
    "gtb-worker": ("ludarium.agents.econ.gtb_workers:GatherTradeBuild", "gathers, trades and builds what pays"),
    "gtb-free": ("ludarium.agents.econ.gtb_planners:FreeMarket", "no taxes on builders"),
    "gtb-us": ("ludarium.agents.econ.gtb_planners:US2018", "the US federal schedule of 2018, a coin for a thousand"),
    "gtb-saez": ("ludarium.agents.econ.gtb_planners:SaezBuilders", "the bracket rule on builders' incomes, learning"),
    "zi-u": ("ludarium.agents.econ.market_traders:ZIU", "zero intelligence: random prices"),
    "zi-c": (
        "ludarium.agents.econ.market_traders:ZIC",
        "zero intelligence with a budget: random prices without a loss",
    ),
    "zip": ("ludarium.agents.econ.market_traders:ZIP", "a profit margin that follows trades and shouts"),
    "gd": ("ludarium.agents.econ.market_traders:GD", "the price of most expected profit, by beliefs"),
    "nash-firm": ("ludarium.agents.econ.firms:NashFirm", "competes: the static equilibrium of an oligopoly"),
    "cartel-firm": ("ludarium.agents.econ.firms:CartelFirm", "what earns all firms together the most"),
    "grim-firm": ("ludarium.agents.econ.firms:GrimFirm", "the cartel until somebody undercuts it, then competition"),
    "reply-firm": ("ludarium.agents.econ.firms:ReplyFirm", "the best reply to the others' last choices"),
    "q-firm": ("ludarium.agents.econ.firms:QFirm", "learns by Q-learning with one step of memory"),
    "free-rider": ("ludarium.agents.econ.members:FreeRider", "gives to a pot what its own purse is best served by"),
    "full-giver": ("ludarium.agents.econ.members:FullGiver", "gives to a pot what all together are best served by"),
    "conditional-cooperator": ("ludarium.agents.econ.members:ConditionalCooperator", "gives as much as the others do"),
    "strong-reciprocator": (
        "ludarium.agents.econ.members:StrongReciprocator",
        "gives as others do, and punishes who gives least",
    ),
    "equilibrium-bidder": (
        "ludarium.agents.econ.bidders:EquilibriumBidder",
        "the equilibrium bid of uniform private values",
    ),
    "truthful-bidder": ("ludarium.agents.econ.bidders:TruthfulBidder", "bids what the good is worth to it"),
    "shading-bidder": ("ludarium.agents.econ.bidders:ShadingBidder", "bids half of what the good is worth to it"),
    "thirsty-bidder": ("ludarium.agents.econ.bidders:ThirstyBidder", "bids for water the more, the more it thirsts"),
    "equilibrium-negotiator": (
        "ludarium.agents.econ.negotiators:EquilibriumNegotiator",
        "backward induction over all offers",
    ),
    "nash-negotiator": (
        "ludarium.agents.econ.negotiators:NashNegotiator",
        "the split of the largest product, knowing all",
    ),
    "fair-negotiator": ("ludarium.agents.econ.negotiators:FairNegotiator", "half of each thing"),
    "conceding-negotiator": (
        "ludarium.agents.econ.negotiators:ConcedingNegotiator",
        "holds out for less as offers run out",
    ),
    "gas-trader": ("ludarium.agents.econ.exchangers:GasTrader", "always stakes the same, as molecules exchange energy"),
    "hoarder": ("ludarium.agents.econ.exchangers:Hoarder", "stakes nothing, and trades with none of its kind"),
    "truthful-trader": ("ludarium.agents.econ.exchangers:TruthfulTrader", "names what a unit is worth to it"),
    "quoter": ("ludarium.agents.econ.market_traders:Quoter", "a market maker that leans against its inventory"),
    "commons-greedy": ("ludarium.agents.econ.commons_agents:Greedy", "wants all there is"),
    "commons-lawful": ("ludarium.agents.econ.commons_agents:Lawful", "wants all that the law allows"),
    "commons-sustainable": (
        "ludarium.agents.econ.commons_agents:Sustainable",
        "a fair part of what comes back, as promised",
    ),
    "commons-breaker": ("ludarium.agents.econ.commons_agents:Breaker", "promises a fair part and takes all"),
    "commons-grim": (
        "ludarium.agents.econ.commons_agents:Grim",
        "fair until somebody takes more, then greedy for ever",
    ),
    "commons-tit-for-tat": ("ludarium.agents.econ.commons_agents:TitForTat", "takes what the greediest other took"),
    "commons-optimal": ("ludarium.agents.econ.commons_agents:Optimal", "its part of the most that all can harvest"),
    "commons-governor": ("ludarium.agents.econ.commons_agents:Governor", "sets the quota that is best until the end"),
}
"""Name -> class and one line about it."""
_OPTIONS = re.compile(r"(\w+=[^&\s'\"]*)(&\w+=[^&\s'\"]*)*")


def register_agent(name: str, path: str, summary: str) -> None:
    """Make an agent known under a short name; `path` is `"module:Class"`."""
    BUILT_IN[name] = (path, summary)


def known_agents() -> dict[str, tuple[str, str]]:
    """All short names: built in, and from installed packages' entry points in the group `ludarium.agents`."""
    found = {e.name: (e.value, f"from {e.dist.name}" if e.dist else "") for e in _entry_points()}
    return {**found, **BUILT_IN}


def in_sandbox(name: str) -> str:
    """The same agent in a sandbox, if it is a program; `AgentError` for a server, which no sandbox of ours holds."""
    label, query = _split(name)
    if label.startswith(("http:", "https:")):
        raise AgentError(f"agent {name!r}: --sandbox holds programs (cmd:...); a server runs where it runs")
    if not label.startswith("cmd:") or "sandbox" in dict(parse_qsl(query)):
        return name
    return f"{label}?{query}&sandbox=true" if query else f"{label}?sandbox=true"


def _split(name: str) -> tuple[str, str]:
    """Label and options; a question mark of a command begins options only where nothing but options follows."""
    if name.startswith("cmd:"):
        label, _, query = name.rpartition("?")
        return (label, query) if label and _OPTIONS.fullmatch(query) else (name, "")
    label, _, query = name.partition("?")
    return label, query


def _entry_points() -> Any:
    return importlib.metadata.entry_points(group="ludarium.agents")


def make_agent(name: str, allow_code: bool = True) -> Agent:
    """Make the agent that a string names; without `allow_code` only short names are resolved."""
    label, query = _split(name)
    options = {key: _value(text) for key, text in parse_qsl(query, keep_blank_values=True)}
    if label in BUILT_IN:
        return _make(BUILT_IN[label][0], options, name)
    if not allow_code:
        raise AgentError(f"agent {name!r}: only built-in agents may be named here{did_you_mean(label, BUILT_IN)}")
    scheme = label.split(":", 1)[0]
    if scheme == "llm":
        return _make("ludarium.agents.llm.agent:LLMAgent", {"model": label.removeprefix("llm:"), **options}, name)
    if scheme == "cmd":
        command = label.removeprefix("cmd:")
        return _make("ludarium.agents.external.process:ProcessAgent", {**options, "command": command}, name)
    if scheme in ("http", "https"):
        return _make("ludarium.agents.external.web:WebAgent", {**options, "url": label}, name)
    known = known_agents()
    if label in known:
        return _make(known[label][0], options, name)
    if ":" in label:
        return _make(label, options, name)
    raise AgentError(f"unknown agent {name!r}{did_you_mean(label, known)}")


def _make(path: str, options: dict[str, Any], name: str) -> Agent:
    module, _, attribute = path.partition(":")
    try:
        kind = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise AgentError(f"agent {name!r}: cannot load {path!r}: {error}") from error
    if not callable(kind):
        raise AgentError(f"agent {name!r}: {path!r} is no class; expected one that offers start, act and finish")
    accepted = inspect.signature(kind).parameters
    open_ended = any(p.kind is p.VAR_KEYWORD for p in accepted.values())
    for key in options:
        if key not in accepted and not open_ended:
            raise AgentError(f"agent {name!r}: unknown option {key!r}{did_you_mean(key, accepted)}")
    agent = kind(**options)
    for method in ("start", "act", "finish"):
        if not callable(getattr(agent, method, None)):
            raise AgentError(f"agent {name!r}: {path!r} has no method {method!r}; expected start, act and finish")
    return agent


def _value(text: str) -> Any:
    """Numbers and booleans of an agent string's options; other text stays text."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
