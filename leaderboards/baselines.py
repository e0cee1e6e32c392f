"""Who enters which track for the suite itself: all built-in agents, each where it can play; and why one stays away.

The options of an agent are its budgets, in nodes, expansions or iterations, never in seconds: what it does follows from
the task and the seed, on any machine. `llm:` agents are not here: without a model there is nothing honest to enter.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ludarium.envs.core.errors import TrackError, did_you_mean
from ludarium.leaderboards.track import Track

__all__ = ["BELOW_CHANCE", "RANDOM", "WORLDS", "Field", "agents_of", "field_of", "label_of", "why_not"]

RANDOM = "random"
"""The agent whose mean is 0 on the normalised scale."""
_LIFELONG = "plans one goal a robot; robots of this world get a new one at each"
_MANY = "searches for an optimum; with so many robots its budget ends, and PIBT would play in its name"
_WORKERS = dict.fromkeys(
    ("best_response", "logit", "habit", "satisficer", "gamer", "pretender"),
    "is a worker, who sits in a seat of the world's own",
)
_BUILDER = "gathers, trades and builds in the seats of workers, who belong to the task"
_USER = "is the user, who sits in a seat of the task's own"

_GRAB = "takes all at once as chance does, where no law forbids it"


@dataclass(frozen=True)
class Field:
    """Who enters the tracks of one world."""

    agents: tuple[str, ...]
    """Strings that name agents, with their budgets."""
    reference: str
    """The agent whose mean is 1 on the normalised scale."""
    unbeaten: tuple[str, ...] = ()
    """Agents that know all and play perfectly: none has a better score."""
    absent: dict[str, str] = field(default_factory=dict)
    """Agents of this world's kind that stay away, and why."""
    passes: dict[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    """Agents that stay away from some tracks of the world only: the names of these tracks, and why."""

    @property
    def near(self) -> tuple[str, ...]:
        """The names, without options, of all agents of this world's kind."""
        return (*map(label_of, self.agents), *self.absent)


WORLDS: dict[str, Field] = {
    "econ-market-v0": Field(("random", "zi-u", "zi-c", "zip", "gd", "quoter?half_spread=8"), "gd"),
    "econ-auction-v0": Field(
        ("random", "truthful-bidder", "shading-bidder", "equilibrium-bidder"),
        "equilibrium-bidder",
        absent={"thirsty-bidder": "bids for water, which the board does not sell: no equilibrium of it is known"},
    ),
    "econ-bargain-v0": Field(
        ("random", "equilibrium-negotiator", "conceding-negotiator", "fair-negotiator", "nash-negotiator"),
        "nash-negotiator",
        ("nash-negotiator",),
    ),
    "econ-commons-v0": Field(
        ("random", "commons-sustainable", "commons-grim", "commons-optimal"),
        "commons-optimal",
        ("commons-optimal",),
        {
            "commons-greedy": _GRAB,
            "commons-lawful": _GRAB,
            "commons-breaker": _GRAB,
            "commons-tit-for-tat": "among its own kind it plays as commons-grim does",
            "commons-governor": "sits in a governor's seat, and the board has none",
        },
    ),
    "econ-gtb-v0": Field(
        ("random", "gtb-saez", "gtb-free", "gtb-us"),
        "gtb-us",
        absent={"gtb-worker": _BUILDER},
    ),
    "econ-exchange-v0": Field(
        ("random", "truthful-trader"),
        "truthful-trader",
        absent={
            "gas-trader": "stakes money by the fall of a coin; on the board goods are traded",
            "hoarder": "never trades with its like: its score would be 0 by definition",
        },
    ),
    "econ-oligopoly-v0": Field(
        ("random", "nash-firm", "reply-firm", "q-firm", "cartel-firm"),
        "cartel-firm",
        absent={"grim-firm": "plays as cartel-firm does where all firms are its own"},
    ),
    "econ-publicgoods-v0": Field(
        ("random", "free-rider", "conditional-cooperator", "strong-reciprocator", "full-giver"),
        "full-giver",
        ("full-giver",),
    ),
    "econ-tax-v0": Field(
        ("random", "us2024", "elected", "flat_opt", "cem", "saez_online", "bracket_rule"),
        "bracket_rule",
        absent=_WORKERS,
    ),
    "mapf-lifelong-v0": Field(
        ("random", "shortest", "follower", "pibt", "prioritized", "rhcr", "lns"),
        "lns",
        absent={"lacam": _LIFELONG, "cbs": _LIFELONG},
    ),
    "mapf-v0": Field(
        (
            "random",
            "shortest",
            "follower",
            "pibt",
            "prioritized",
            "rhcr",
            "lns",
            "lacam",
            "cbs?max_nodes=2000&max_expansions=5000000",
        ),
        "lacam",
        passes={"cbs": (("mapf-oneshot-city", "mapf-oneshot-warehouse"), _MANY)},
    ),
    "text-coin-v0": Field(("random", "coin-oracle"), "coin-oracle", ("coin-oracle",)),
    "text-cooking-v0": Field(("random", "cooking-oracle"), "cooking-oracle", ("cooking-oracle",)),
    "text-desk-v0": Field(
        ("random", "desk-idle", "desk-never-asking", "desk-blind", "desk-expert", "desk-oracle"),
        "desk-oracle",
        ("desk-oracle",),
        {"desk-user": _USER},
    ),
    "text-household-v0": Field(
        ("random", "household-expert", "household-oracle"), "household-oracle", ("household-oracle",)
    ),
    "text-textworld-v0": Field(("random", "household-expert"), "household-expert"),
}
"""By the id of the world."""
_STUBBORN = (
    "never gives way: in a corridor two such robots block each other for good, where chance gets past in the end"
)
_LOW = "has low rates; the board's welfare weighs by need, and rates drawn at random, 50 % on average, come nearer to its optimum"
_RIVAL = "competes, as the theory says that it should; prices drawn at random lie above those of competition, and so earn more"
_SELFISH = "gives nothing, the equilibrium, of which the dilemma is made; chance gives half of what there is"
_ALL = "trades until all is traded, whatever it is worth; of messages at random most are in vain"
BELOW_CHANCE = {
    "econ-market": {"zi-u": _ALL},
    "econ-oligopoly": {"nash-firm": _RIVAL, "reply-firm": _RIVAL},
    "econ-publicgoods": {"free-rider": _SELFISH},
    "econ-tax": {"us2024": _LOW},
    "mapf-lifelong-puzzles": {"shortest": _STUBBORN, "follower": _STUBBORN},
}
"""Track -> agents that do worse there than chance, and why that is so."""


def label_of(agent: str) -> str:
    """The name of an agent without its options."""
    return agent.partition("?")[0]


def field_of(track: Track) -> Field:
    """Who enters a track; `TrackError` for a track of a world that nobody is named for."""
    world = track.world.environment
    if world not in WORLDS:
        raise TrackError(f"track {track.name!r}: no agents are named for {world!r}{did_you_mean(world, WORLDS)}")
    return WORLDS[world]


def agents_of(track: Track, only: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The agents that enter a track, or those of them whose names (with or without options) are in `only`."""
    entered = (name for name in field_of(track).agents if not why_not(label_of(name), track))
    return tuple(name for name in entered if not only or name in only or label_of(name) in only)


def why_not(agent: str, track: Track) -> str:
    """Why a built-in agent does not enter a track; "" if it does."""
    entered = field_of(track)
    tracks, reason = entered.passes.get(agent, ((), ""))
    if track.name in tracks:
        return reason
    if agent in map(label_of, entered.agents):
        return ""
    others = [name for name, other in WORLDS.items() if agent in other.near]
    return entered.absent.get(agent) or f"plays {' and '.join(others) or 'nothing'} only"
