"""Parameters of the tax economy with its contract of units, checked when they are made."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

from ludarium.envs.core.config import Config, between, one_of, true_or_false, within
from ludarium.envs.core.errors import ConfigError, PopulationError, UnitMismatchError
from ludarium.envs.econ.ballots import MAX_CANDIDATES, RULES, count_ballots
from ludarium.envs.econ.brackets import BRACKETS, CENTS, POINTS, basis_points, check_edges, check_rate_step
from ludarium.envs.econ.tax.kinds import DRAWN, GB2, KINDS, check_incomes

__all__ = ["GROUP_ABOVE", "HIDES", "PLATFORMS", "SWF", "UTILITIES", "TaxConfig"]

GROUP_ABOVE = 10_000
"""Above so many workers one grouped seat plays them all."""
MAX_WORKERS = 10**7
MAX_HOUR_PARTS = 1000
UTILITIES = ("quasilinear", "crra", "log")
SWF = ("inverse", "uniform", "rank", "rawls", "crra", "equality_productivity", "legacy")
HIDES = 5
"""Choices of what to hide: 0, 25, 50, 75 or 100 % of what is assessed."""
PLATFORMS = 21
"""Flat rates that a candidate can stand for: 0, 5, ..., 100 %."""
_WEEKS = {"week": 1, "year": 52}
_PARAMS = {
    "gb2": (), "pareto": (16_000.0, 2.0), "lognormal": (50_000.0, 0.8), "uniform": (2_579.2, 330_928.0), "array": (),
}  # fmt: skip
_LEGACY = {"utility": "quasilinear", "k": 0.0005, "d": 3.5, "hours_max": 100, "swf": "legacy", "wages": "income"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class TaxConfig(Config):
    """Parameters of `econ-tax-v0`.

    Money is declared in units of `income_per`, kept in cents; rates are fractions here and basis points in the world.
    """

    max_steps: int = 645
    """Five years of 128 days, each with one step in which the rates are set."""
    steps_per_year: int = 128
    n_workers: int = 20
    grouped: str = "auto"
    """One seat for all workers: `yes`, `no` (10,000 workers at most), or `auto`: above 10,000."""

    population: str = "gb2"
    drawn: str = "quantile"
    """`quantile`: the same workers for every seed; `stratified`: one drawn from each; `sampled`: all drawn."""
    params: tuple[float, ...] = ()
    """pareto: least, index; lognormal: median, sigma; uniform: low, high; gb2: mu, sigma, nu, tau. Empty: defaults."""
    incomes: tuple[float, ...] = ()
    """The numbers of an `array` population, one a worker."""
    wages: str = "income"
    """What the population's numbers are: the `income` of forty hours, or what one `hour` pays."""
    hours_per: str = "week"
    income_per: str = "year"
    hours_max: int = 100
    hour_parts: int = 1
    """Choices within an hour."""

    utility: str = "quasilinear"
    k: float | str = "median_40h"
    """Weight of disutility k * hours ** d, or `median_40h`: the median worker works forty hours untaxed."""
    d: float = 3.5
    eta: float = 1.5
    """Relative risk aversion of `crra` utilities, and of the `crra` welfare function."""
    personas: bool = False
    """Workers have occupation, sex, age and taste; the taste scales k."""
    tastes: tuple[float, ...] = (0.8, 1.0, 1.25)

    brackets: str | tuple[float, ...] = "us2024"
    rate_mode: str = "absolute"
    """`absolute`: the planner names rates; `delta`: he moves them by -20, -10, 0, 10 or 20 points, within 0 and 100 %."""
    rate_step: float = 0.05
    """Distance of the rates that can be named."""
    start_rates: tuple[float, ...] = ()
    """Rates before the first year; empty: 0, or 50 % under `delta`."""
    settle: str = "step"
    """When taxes are due and shared out: every `step`, or once a `year` on its mean income."""
    swf: str = "inverse"
    planner_reward: str = "level"
    """Welfare at each settlement, or its `change`."""

    voting: str = "none"
    candidates: int = 3
    candidacy: bool = True
    """Workers choose whether to stand, and for which flat rate; else candidates are drawn, and stand for nothing."""
    score_levels: int = 6

    shifting: bool = False
    """Workers may put off what is above a bracket's edge to the next year."""
    misreporting: bool = False
    """Workers may hide quarters of their income; returns are audited by chance."""
    audit: float = 0.1
    """The chance that a return is audited, each step."""
    penalty: float = 1.0
    """The fine on tax that an audit finds missing, in parts of that tax."""
    collusion: bool = False
    """Workers may pool what they declare within their ring, the next `ring` of them by number."""
    ring: int = 4

    legacy: bool = False
    """The seed project's constants and its inverse-income welfare, for comparison only."""
    strict: bool = False
    """Raise `UncoveredBracketError` where the start-up check would only warn."""

    _choices: ClassVar[dict[str, tuple[str, ...]]] = {
        "grouped": ("auto", "yes", "no"), "population": KINDS, "drawn": DRAWN, "wages": ("income", "hour"),
        "hours_per": tuple(_WEEKS), "income_per": tuple(_WEEKS), "utility": UTILITIES, "swf": SWF,
        "rate_mode": ("absolute", "delta"), "settle": ("step", "year"), "planner_reward": ("level", "change"),
        "voting": ("none", *RULES),
    }  # fmt: skip
    examples: ClassVar[dict[str, tuple[Any, ...]]] = {
        "max_steps": (1, 7, 40), "steps_per_year": (1, 2, 3, 5), "n_workers": (1, 2, 3, 7), "grouped": ("no", "yes"),
        "population": ("gb2", "pareto", "lognormal", "uniform"), "params": ((),), "incomes": ((),), "k": ("median_40h", 0.02),
        "d": (2.0, 3.5), "eta": (0.5, 2.0), "hours_max": (10, 60, 100), "hour_parts": (1, 4), "tastes": ((1.0,), (0.8, 1.25)),
        "brackets": ("flat", "three", "us2018", "us2024", (0, 5_000, 40_000)), "rate_step": (0.05, 0.1), "start_rates": ((),),
        "candidates": (2, 3, 4), "score_levels": (2, 3), "audit": (0.0, 0.5), "penalty": (0.0, 1.5),
        "ring": (2, 3), "legacy": (False,), "strict": (False,),
    }  # fmt: skip

    def __post_init__(self) -> None:
        if self.legacy is True:
            for name, value in _LEGACY.items():
                object.__setattr__(self, name, value)
        super().__post_init__()

    def validate(self) -> None:
        """Check every field by itself, then those that must fit together."""
        for name, low, high in (
            ("steps_per_year", 1, 10**6), ("hours_max", 1, 168 if self.hours_per == "week" else 8784),
            ("hour_parts", 1, MAX_HOUR_PARTS), ("candidates", 2, MAX_CANDIDATES), ("score_levels", 2, 11), ("ring", 2, 10**6),
        ):  # fmt: skip
            between(name, getattr(self, name), low, high)
        if self.hours_max * self.hour_parts > 65_535:
            raise ConfigError(
                f"{self.hours_max} hours in {self.hour_parts} parts each; expected at most 65,535 choices"
            )
        within("d", self.d, 1.1, 20.0)
        within("eta", self.eta, 0.0, 20.0)
        if self.eta == 1.0:
            raise ConfigError("eta = 1; that is utility = 'log'")
        if self.k != "median_40h":
            within("k", self.k, 1e-12, 1e12)
        within("audit", self.audit, 0.0, 1.0)
        within("penalty", self.penalty, 0.0, 100.0)
        for name in ("personas", "candidacy", "legacy", "strict", "shifting", "misreporting", "collusion"):
            true_or_false(name, getattr(self, name))
        if not isinstance(self.tastes, tuple) or not 1 <= len(self.tastes) <= 8:
            raise ConfigError(f"tastes = {self.tastes!r}; expected one to eight numbers")
        for taste in self.tastes:
            within("a taste", taste, 0.01, 100.0)
        self._validate_population()
        self._validate_units()
        self._validate_rates()
        if self.settle == "year" and self.utility != "quasilinear":
            raise ConfigError(
                f"settle = 'year' with utility = {self.utility!r}; yearly taxes need quasi-linear utilities"
            )
        if self.settle == "year" and self.gaming:
            raise ConfigError(
                f"settle = 'year' with {self.gaming}; games are played on the tax of a step: use settle = 'step'"
            )
        if self.swf in ("crra", "equality_productivity") and self.utility != "quasilinear":
            raise ConfigError(
                f"swf = {self.swf!r} counts money; it needs utility = 'quasilinear', not {self.utility!r}"
            )
        if self.legacy and self.rate_mode == "absolute" and self.voting != "none":
            raise ConfigError("legacy = True has no votes on rates that are named; use rate_mode = 'delta'")

    def _validate_population(self) -> None:
        if not isinstance(self.n_workers, int) or isinstance(self.n_workers, bool) or self.n_workers < 1:
            raise PopulationError(f"n_workers = {self.n_workers!r}; expected an integer of at least 1")
        if self.n_workers > MAX_WORKERS:
            raise PopulationError(f"n_workers = {self.n_workers}; expected at most {MAX_WORKERS}")
        if self.grouped == "no" and self.n_workers > GROUP_ABOVE:
            raise PopulationError(f"{self.n_workers} seats; above {GROUP_ABOVE} use grouped = 'auto' or 'yes'")
        if (self.population == "array") != bool(self.incomes):
            raise PopulationError("incomes go with population = 'array', and are needed there")
        if self.incomes:
            check_incomes(self.incomes)
            if len(self.incomes) != self.n_workers:
                raise PopulationError(f"{len(self.incomes)} incomes for n_workers = {self.n_workers}; set n_workers")
        expected = 4 if self.population == "gb2" else len(_PARAMS[self.population])
        if self.params and len(self.params) != expected:
            raise PopulationError(f"{len(self.params)} params for a {self.population} population; expected {expected}")
        for number in self.params:
            if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number < math.inf:
                raise PopulationError(f"params hold {number!r}; expected numbers above 0")
        if self.population == "uniform" and self.params and not self.params[0] < self.params[1]:
            raise PopulationError(f"params = {self.params}; expected the lower end of the range, then the higher one")

    def _validate_units(self) -> None:
        if _WEEKS[self.income_per] < _WEEKS[self.hours_per]:
            raise UnitMismatchError(
                f"hours_per = {self.hours_per!r} with income_per = {self.income_per!r}: incomes of a shorter time than the "
                f"hours that earn them; use income_per = {self.hours_per!r}"
            )
        if self.hours_max < self.standard_hours / 40.0:
            raise UnitMismatchError(
                f"hours_max = {self.hours_max} a {self.hours_per}: less than one hour a week; hours are declared per "
                f"{self.hours_per}, forty of a week are {self.standard_hours:g}"
            )
        if isinstance(self.brackets, str) and self.brackets != "flat" and self.income_per != "year":
            raise UnitMismatchError(
                f"brackets = {self.brackets!r} are incomes a year, but income_per = {self.income_per!r}; use "
                "income_per = 'year', or give the edges as numbers"
            )

    def _validate_rates(self) -> None:
        if isinstance(self.brackets, str):
            one_of("brackets", self.brackets, tuple(BRACKETS))
        else:
            check_edges(self.brackets)
        check_rate_step(self.rate_step)
        if self.start_rates and len(self.start_rates) != len(self.edges):
            raise ConfigError(f"{len(self.start_rates)} start_rates for {len(self.edges)} brackets; expected as many")
        for j, rate in enumerate(self.start_rates):
            basis_points(rate, f"start_rates[{j}]")

    # --- what follows from the fields ------------------------------------------------------------------------------
    @property
    def edges(self) -> tuple[float, ...]:
        """The lower edges of the brackets, in units of money."""
        return tuple(map(float, BRACKETS[self.brackets] if isinstance(self.brackets, str) else self.brackets))

    @property
    def is_grouped(self) -> bool:
        """Whether one seat plays all workers."""
        return self.grouped == "yes" or (self.grouped == "auto" and self.n_workers > GROUP_ABOVE)

    @property
    def choices(self) -> int:
        """Choices of hours: 0 to `hours_max` in parts."""
        return self.hours_max * self.hour_parts + 1

    @property
    def gaming(self) -> str:
        """The switches that are open, in words; "" if none is."""
        return " and ".join(name for name in ("shifting", "misreporting", "collusion") if getattr(self, name))

    @property
    def ways(self) -> tuple[int, int, int]:
        """Choices beside hours: what to put off (by bracket), what to hide (by quarters), whether to pool."""
        return len(self.edges) if self.shifting else 1, HIDES if self.misreporting else 1, 2 if self.collusion else 1

    @property
    def levels(self) -> int:
        """Choices of the planner for each bracket."""
        return 5 if self.rate_mode == "delta" else POINTS // basis_points(self.rate_step) + 1

    @property
    def rule(self) -> int:
        """The number of the voting rule, -1 without votes."""
        return RULES.index(self.voting) if self.voting != "none" else -1

    @property
    def ballots(self) -> int:
        """Ballots of a voter, the abstention included; 0 without votes."""
        return int(count_ballots(self.rule, self.candidates, self.score_levels)) if self.rule >= 0 else 0

    @property
    def actions(self) -> int:
        """Actions of a worker: hours, with the games that are open; with votes, ballots and platforms by the same numbers."""
        return max(
            self.choices * math.prod(self.ways), self.ballots, 1 + PLATFORMS if self.rule >= 0 and self.candidacy else 0
        )

    @property
    def taste_scale(self) -> tuple[float, ...]:
        """What k is multiplied by, for each taste there is."""
        return self.tastes if self.personas else (1.0,)

    @property
    def distribution(self) -> tuple[int, float, float, float, float]:
        """Number of the kind, its two parameters, and nu and tau (1 where it is no GB2)."""
        kind = KINDS.index(self.population)
        if self.population == "gb2":
            mu, sigma, nu, tau = self.params or GB2
            return kind, float(mu), 1.0 / sigma, float(nu), float(tau)
        a, b = (self.params or _PARAMS[self.population]) if self.population != "array" else (1.0, 1.0)
        return kind, float(a), float(b), 1.0, 1.0

    @property
    def cents(self) -> float:
        """Cents of wage (a period's income for each hour) in one unit of the population's numbers."""
        if self.wages == "income":
            return CENTS / self.standard_hours
        return CENTS * _WEEKS[self.income_per] / float(_WEEKS[self.hours_per])

    @property
    def standard_hours(self) -> float:
        """Forty hours a week, in the unit of hours."""
        return 40.0 * _WEEKS[self.hours_per]
