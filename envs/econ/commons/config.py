"""Parameters of the commons, checked when they are made."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from ludarium.envs.core.config import Config, at_least, one_of, within
from ludarium.envs.core.errors import ConfigError
from ludarium.envs.econ.ballots import RULES, count_ballots
from ludarium.envs.econ.commons.growth import GROWTH, POINTS, growth_table, sustainable_table

__all__ = ["CANDIDATES", "REVEALS", "SCENARIOS", "UNIT", "CommonsConfig"]

SCENARIOS = ("fishery", "pasture", "pollution", "irrigation")
REVEALS = ("all", "own", "aggregate")
UNIT = 100
"""Minor units of money that a unit of the resource brings."""
CANDIDATES = 4
"""Rules that stand in a vote: as before, none, the sustainable share, what was named most often."""
SCORE_LEVELS = 3
MAX_SEATS, MAX_CAP, MAX_ROUNDS, MAX_MONEY = 64, 4096, 4096, 10**6


@dataclasses.dataclass(frozen=True, kw_only=True)
class CommonsConfig(Config):
    """Parameters of `econ-commons-v0`. The resource is in whole units, money in hundredths of what a unit brings."""

    max_steps: int = 256
    """Steps at most; an episode ends after `rounds` rounds before that, if they fit."""
    rounds: int = 12
    num_harvesters: int = 5
    scenario: str = "fishery"
    """What the resource is called; irrigation has `inflow`, the others `doubling`, where `growth` is None."""
    cap: int = 100
    """The most that there can be, and the most that one can want."""
    threshold: int = 5
    """Less than this after a harvest: all is lost."""
    growth: str | None = None
    growth_rate: float = 1.0
    exponent: float = 0.5
    """Of power growth, in hundredths."""
    start: str = "full"
    """The first stock: `full`, or `drawn` from the threshold to the cap."""
    shock: float = 0.0
    """The chance that a round's stock is hit, after it has grown."""
    shock_size: float = 0.5
    """The share of the stock that is lost then."""
    lottery: bool = False
    """More wanted than there is: units are drawn one by one among all that were wanted, instead of shares by proportion."""
    reveal: str = "all"
    """Whose harvests are told: `all` of them, one's `own`, or also the sum (`aggregate`)."""

    hint: bool = True
    """Whether seats are told how much can be taken so that it comes back."""

    pledges: bool = False
    """A phase before the harvest in which all say how much they will take at most."""
    utterances: int = 10
    """Turns to speak after a harvest; 0: nobody talks."""
    words: int = 0
    """Bytes of free text (UTF-8) in a turn; 0: only the grammar limit=n, promise=n, accuse=j."""
    talk_cost: int = 0
    """Money for a turn in which something is said."""
    voting: str = "none"
    """How all vote on a quota after the discussion, or `none`."""
    punishment: bool = False
    """A phase in which each may punish another."""
    punish_cost: int = 100
    punish_fine: int = 300

    governor: bool = False
    """A seat that sets quota, fee, fine and audits before each round."""
    quota: int | None = None
    """What one may take in a round, at first; None: as much as he can."""
    fee: int = 0
    """Money for each unit taken."""
    fine: int = 0
    """Money for each unit above the quota, for those who are audited."""
    audit: float = 1.0
    """The chance of an audit."""
    rebate: bool = False
    """The treasury is shared out at the end of each round."""
    newcomer: int = 0
    """The round before which the last harvester does not take part."""

    examples: ClassVar[dict[str, tuple[Any, ...]]] = {
        "max_steps": (5, 40), "rounds": (1, 3, 12), "num_harvesters": (1, 2, 3, 5), "cap": (1, 10, 100), "threshold": (1, 2, 5),
        "growth": (None, *GROWTH), "growth_rate": (0.3, 1.0, 2.0), "exponent": (0.5, 0.75), "shock": (0.0, 0.3),
        "shock_size": (0.25, 1.0), "utterances": (0, 0, 3, 10), "words": (0, 0, 8), "talk_cost": (0, 0, 50),
        "voting": ("none", "none", *RULES), "punish_cost": (0, 100), "punish_fine": (0, 300), "quota": (None, 0, 2, 10),
        "fee": (0, 30), "fine": (0, 150), "audit": (0.0, 0.5, 1.0), "newcomer": (0, 0, 2),
    }  # fmt: skip
    _choices: ClassVar[dict[str, tuple[str, ...]]] = {
        "scenario": SCENARIOS, "start": ("full", "drawn"), "reveal": REVEALS, "voting": ("none", *RULES),
    }  # fmt: skip

    def validate(self) -> None:
        """Check each number, then what they make together."""
        for name, low, high in (
            ("rounds", 1, MAX_ROUNDS), ("num_harvesters", 1, MAX_SEATS), ("cap", 1, MAX_CAP), ("threshold", 1, self.cap),
            ("utterances", 0, 4096), ("words", 0, 512), ("talk_cost", 0, MAX_MONEY), ("punish_cost", 0, MAX_MONEY),
            ("punish_fine", 0, MAX_MONEY), ("fee", 0, UNIT), ("fine", 0, MAX_MONEY), ("newcomer", 0, self.rounds),
        ):  # fmt: skip
            value = getattr(self, name)
            at_least(name, value, low)
            within(name, value, low, high)
        if self.growth is not None:
            one_of("growth", self.growth, GROWTH)
        within("growth_rate", self.growth_rate, 0.0, 100.0)
        within("exponent", self.exponent, 0.01, 0.99)
        for name in ("shock", "shock_size", "audit"):
            within(name, getattr(self, name), 0.0, 1.0)
        if self.quota is not None:
            at_least("quota", self.quota, 0)
            within("quota", self.quota, 0, self.cap)
        if self.newcomer and self.num_harvesters == 1:
            raise ConfigError(f"newcomer = {self.newcomer}; somebody has to be there before: num_harvesters is 1")
        if self.words and not self.utterances:
            raise ConfigError(f"words = {self.words} without a turn to speak; set utterances, or words = 0")

    # --- what follows from the fields ------------------------------------------------------------------------------
    @property
    def growth_kind(self) -> str:
        """The growth in force."""
        return self.growth or ("inflow" if self.scenario == "irrigation" else "doubling")

    @property
    def grow(self) -> tuple[int, ...]:
        """The next stock for each stock that is left."""
        rate, exponent = round(self.growth_rate * POINTS), round(self.exponent * 100)
        return growth_table(self.growth_kind, self.cap, rate, exponent)

    @property
    def sustainable(self) -> tuple[int, ...]:
        """The most that may be taken of each stock so that it comes back."""
        return sustainable_table(self.grow, self.threshold)

    @property
    def rule(self) -> int:
        """The number of the voting rule, -1 without votes."""
        return RULES.index(self.voting) if self.voting != "none" else -1

    @property
    def ballots(self) -> int:
        """Ballots of a voter, the abstention included; 0 without votes."""
        return count_ballots(self.rule, CANDIDATES, SCORE_LEVELS) if self.rule >= 0 else 0

    @property
    def actions(self) -> int:
        """Choices of a harvester in the phase that has most of them."""
        found = [self.cap + 1 + self.pledges, self.ballots]
        if self.utterances:
            found.append(1 + 2 * (self.cap + 1) + self.num_harvesters)
        if self.punishment:
            found.append(1 + self.num_harvesters)
        return max(found)

    @property
    def governed(self) -> bool:
        """Whether a quota, fee or fine can ever be in force."""
        return self.governor or self.rule >= 0 or self.quota is not None or self.fee > 0
