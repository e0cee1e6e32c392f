"""Who stands where on a track: one table for each tier (and sealed round), since only equal episodes can be compared.

Of each agent the latest submission counts that was accepted: all its attempts are counted and shown. An agent is a label
of an account or, where there are no accounts, of a key. Every figure is made from scores that the board found itself.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
from collections import Counter
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ludarium.envs.core.errors import StatisticsError
from ludarium.leaderboards import stats
from ludarium.leaderboards.board.entries import Listed
from ludarium.leaderboards.normalise import normalised_scores, references_for
from ludarium.leaderboards.stats import RESAMPLES, Interval, Many, Pass, Profile, RankRange, Scores
from ludarium.leaderboards.store.values import look_alike
from ludarium.leaderboards.track import TIERS, Place, Track

__all__ = [
    "COMPARED",
    "DETAILED",
    "SHOWN_ASIDE",
    "Aside",
    "Group",
    "Standing",
    "Standings",
    "Told",
    "agent_id",
    "owner_of",
    "standings",
]

DETAILED = 100
"""Agents of a table, the first ones, whose interquartile mean and range of ranks are drawn."""
COMPARED = 8
"""Agents of a table, the first ones, that are compared pair by pair and as profiles."""
SHOWN_ASIDE = 200
"""Submissions without a rank that a page lists."""
_ASIDE_DRAWS = 1000
_DRAWS = 150_000
"""Resamples of all agents together, so that large boards are ranked while somebody waits."""
_THRESHOLDS = 51
_NOTHING = 1e-12
"""A normalised score that is rounding: the random agent itself is at 0."""
_MAKERS = 30
"""Submissions with one play: where more have it, the episode has an obvious one, and it says nothing of copying."""


class Told(NamedTuple):
    """What an entrant reports of the episodes, on average."""

    mean: float
    episodes: int
    """Of how many."""


@dataclass(frozen=True)
class Standing:
    """One agent in a table."""

    entry: Listed
    """The submission that counts."""
    rank: int
    ranks: RankRange | None
    """None beyond the first `DETAILED`."""
    mean: Interval
    iqm: Interval | None
    normalised: Interval | None
    """The mean of scores on the scale from a random to a reference agent."""
    attempts: int
    """Submissions of this agent to this table, rejected and retracted ones too."""
    entrant: int
    """Submissions of whoever entered it to this table, under whatever names."""
    missing: int
    """Episodes that are not there, and count as the worst."""
    told: dict[str, Told]
    """By the names of `manifest.REPORTED`."""
    copies: tuple[tuple[str, int], ...] = ()
    """Other entrants' submissions with the very same plays: digest and how many episodes; the most first."""
    passes: tuple[Pass, ...] = ()
    """pass^k and pass@k, where episodes have trials that succeed or fail."""


@dataclass(frozen=True)
class Group:
    """The agents of one tier or one sealed round, the best first."""

    tier: str
    round: str | None
    rows: tuple[Standing, ...]
    paired: bool
    """Whether all played the same seeds."""
    episodes: int
    resamples: int
    scale: str
    """Where the normalised scale comes from, or why there is none."""
    improvement: dict[tuple[str, str], Interval]
    """(digest, other's digest) -> the chance that an episode of the first is better, of the first `COMPARED`."""
    profiles: tuple[Profile, ...]
    """Of the first `COMPARED`; empty where scores have two values or one."""

    @property
    def compared(self) -> tuple[Standing, ...]:
        """The agents that are compared pair by pair."""
        return self.rows[:COMPARED]


class Aside(NamedTuple):
    """A submission that has no place in a ranking, and why."""

    entry: Listed
    status: str
    """waiting, verifying, stuck, rejected, retracted, erased, superseded or stale"""
    why: str
    mean: Interval | None = None
    """Of an accepted one among the newest `SHOWN_ASIDE`."""


@dataclass(frozen=True)
class Standings:
    """All submissions to a track."""

    track: Track
    groups: tuple[Group, ...]
    aside: tuple[Aside, ...]
    submissions: int

    @property
    def leader(self) -> Standing | None:
        """The first of the first table."""
        return self.groups[0].rows[0] if self.groups else None


def owner_of(entry: Listed) -> str:
    """Who entered: the account or, where there are none, the key; "" once erased."""
    return f"account {entry.account}" if entry.account else entry.key


def agent_id(entry: Listed) -> str:
    """16 hex digits of an agent: its owner and its label, look-alikes being the same; "" once erased."""
    return _agent_id(owner_of(entry), entry.name) if entry.name else ""


@functools.lru_cache(maxsize=1 << 16)
def _agent_id(owner: str, name: str) -> str:
    return hashlib.sha256(f"{owner}\n{look_alike(name)}".encode()).hexdigest()[:16]


class Table(NamedTuple):
    """The submissions of one tier or round that have a place, one of each agent, as yet in no order."""

    tier: str
    round: str | None
    entries: list[Listed]

    def leader(self, track: Track) -> tuple[Listed, Interval]:
        """The first of the table with its mean, without ranking the others."""
        sign = -1.0 if track.higher_is_better else 1.0
        best = min(self.entries, key=lambda entry: sign * float(_table([entry]).values.mean()))
        scores = _table([best])
        return best, Many(scores.values, scores.cases).means()[0]


def placed(track: Track, entries: Sequence[Listed]) -> tuple[list[Table], list[Aside]]:
    """Which submissions are ranked beside each other, the strongest tier and the latest round first; and all others."""
    tables: dict[tuple[str, str | None], list[Listed]] = {}
    aside: list[Aside] = []
    for entry in entries:
        status, why = _status(track, entry)
        if status:
            aside.append(Aside(entry, status, why))
        else:
            tables.setdefault((entry.tier, entry.round), []).append(entry)
    found = []
    for (tier, name), own in tables.items():
        latest = {agent_id(entry): entry for entry in own}
        kept, odd = _alike(list(latest.values()))
        aside += [Aside(e, "stale", "has other episodes than the rest of its table") for e in odd]
        aside += [
            Aside(e, "superseded", "a later one of the same agent counts") for e in own if latest[agent_id(e)] is not e
        ]
        found.append(Table(tier, name, kept))
    strength = {tier: place for place, tier in enumerate(TIERS)}
    found.reverse()
    found.sort(key=lambda table: -strength.get(table.tier, -1))
    places = {entry.digest: place for place, entry in enumerate(entries)}
    return found, sorted(aside, key=lambda a: -places[a.entry.digest])


def standings(track: Track, entries: Sequence[Listed], known: MutableMapping[Any, Group] | None = None) -> Standings:
    """The tables of a track from all its submissions, in the order in which they came.

    `known` remembers what was drawn for the same agents: a submission that waits changes none of it.
    """
    tables, aside = placed(track, entries)
    groups = []
    for table in tables:
        key = track.name, track.hash, table.tier, table.round, tuple(entry.digest for entry in table.entries)
        group = None if known is None else known.get(key)
        if group is None:
            group = _group(track, *table)
            if known is not None:
                known[key] = group
        groups.append(_counted(group, table, [e for e in entries if (e.tier, e.round) == (table.tier, table.round)]))
    return Standings(track, tuple(groups), tuple(_measured(aside)), len(entries))


def _measured(aside: list[Aside]) -> list[Aside]:
    """With the means of those that were accepted."""
    found = list(aside)
    alike: dict[tuple[str, ...], list[int]] = {}
    for place, one in enumerate(aside[:SHOWN_ASIDE]):
        if one.entry.accepted and one.entry.scores:
            alike.setdefault(tuple(case for case, _, _ in one.entry.places), []).append(place)
    for own in alike.values():
        tables = [_table([aside[place].entry]) for place in own]
        values = np.concatenate([table.values for table in tables])
        means = Many(values, tables[0].cases, resamples=_ASIDE_DRAWS).means()
        for place, mean in zip(own, means, strict=True):
            found[place] = aside[place]._replace(mean=mean)
    return found


def _counted(group: Group, table: Table, among: list[Listed]) -> Group:
    """The group with the entries as they are now, and how often their agents and entrants tried."""
    attempts = Counter(agent_id(entry) for entry in among)
    owners = Counter(owner_of(entry) for entry in among)
    now = {entry.digest: entry for entry in table.entries}
    rows = []
    for row in group.rows:
        entry = now[row.entry.digest]
        tried, all_tries = attempts[agent_id(entry)], owners[owner_of(entry)]
        rows.append(dataclasses.replace(row, entry=entry, attempts=tried, entrant=all_tries))
    return dataclasses.replace(group, rows=tuple(rows))


def _status(track: Track, entry: Listed) -> tuple[str, str]:
    """Why an entry has no place; "" if it has one."""
    verdict = entry.verdict
    if entry.retracted is not None:
        return "retracted", entry.retracted
    if entry.erased:
        return "erased", "its entrant had it erased, so that nobody can check it any more"
    if verdict is None:
        words = {"leased": "verifying", "stuck": "stuck"}
        return words.get(entry.state, "waiting"), entry.error
    if not verdict.ok:
        return "rejected", str(verdict.problems[0]) if verdict.problems else ""
    if entry.version != track.version or verdict.track.get("hash", track.hash) != track.hash:
        return "stale", f"is for version {entry.version} of the track, which is at {track.version}"
    return "", ""


def _alike(entries: list[Listed]) -> tuple[list[Listed], list[Listed]]:
    """Those with episodes of the same cases and trials as most, and the others."""
    shapes = [tuple((case, trial) for case, _, trial in entry.places) for entry in entries]
    usual = Counter(shapes).most_common(1)[0][0]
    kept = [entry for entry, shape in zip(entries, shapes, strict=True) if shape == usual]
    return kept, [entry for entry, shape in zip(entries, shapes, strict=True) if shape != usual]


def _table(entries: Sequence[Listed]) -> Scores:
    """The scores by episode, each the mean over its trials, in the order of the track."""
    units: dict[tuple[str, int], list[int]] = {}
    for place, (case, seed, _) in enumerate(entries[0].places):
        units.setdefault((case, seed), []).append(place)
    values = np.array([entry.scores for entry in entries])
    trials = list(units.values())
    if all(len(own) == 1 for own in trials):
        merged = values
    else:
        merged = np.stack([np.sort(values[:, own], axis=1).mean(1) for own in trials], axis=1)
    cases, seeds = zip(*units, strict=True)
    return Scores(tuple(entry.digest for entry in entries), cases, seeds, merged)


def _group(track: Track, tier: str, name: str | None, entries: list[Listed]) -> Group:
    scores = _table(entries)
    paired = all(entry.places == entries[0].places for entry in entries)
    resamples = max(400, min(RESAMPLES, _DRAWS // len(entries)))
    higher = track.higher_is_better
    many = Many(scores.values, scores.cases, paired=paired, higher_is_better=higher, resamples=resamples)
    means, scaled, scale = many.means(), *_scaled(track, scores, paired, resamples)
    order, copies = many.order(), _copies(entries)
    above, rows = 0, []
    for place, own in enumerate(order):
        entry, detailed = entries[own], place < DETAILED
        ranks = many.rank_range(own) if detailed else None
        value, before = means[own].value, means[order[place - 1]].value
        if place and abs(value - before) > 1e-12 * max(abs(value), abs(before)):
            above = place
        rows.append(Standing(
            entry, ranks.rank if ranks else above + 1, ranks, means[own], many.iqm(own) if detailed else None,
            scaled[own] if scaled else None, 0, 0, sum(not play for play in entry.plays), _told(entry),
            copies.get(entry.digest, ()), _passes(entry) if detailed else (),
        ))  # fmt: skip
    first = order[:COMPARED]
    return Group(
        tier, name, tuple(rows), paired, scores.values.shape[1], resamples, scale,
        _improvement(scores, first, paired, higher, resamples), _profiles(scores, first, higher, resamples),
    )  # fmt: skip


def _scaled(track: Track, scores: Scores, paired: bool, resamples: int) -> tuple[list[Interval], str]:
    """The normalised means, if there is a scale, and where it comes from or why there is none."""
    try:
        references = references_for(track.world, track.split)
        if references is None:
            return [], "Not normalised: the suite has no reference figures for this scenario and split."
        found = normalised_scores(scores, references, references.scale_of(track.name, track.metric))
    except StatisticsError as error:
        return [], f"Not normalised: {error}"
    many = Many(found.values, found.cases, paired=paired, resamples=resamples)
    means = [Interval(*(0.0 if abs(value) < _NOTHING else value for value in found)) for found in many.means()]
    return means, f"Normalised: {references.source}."


def _improvement(
    scores: Scores, first: list[int], paired: bool, higher: bool, resamples: int
) -> dict[tuple[str, str], Interval]:
    found = {}
    for place, a in enumerate(first):
        for b in first[place + 1 :]:
            chance = stats.probability_of_improvement(
                scores.values[a], scores.values[b], scores.cases, None if paired else scores.cases, paired=paired,
                higher_is_better=higher, resamples=resamples,
            )  # fmt: skip
            found[scores.agents[a], scores.agents[b]] = chance
            found[scores.agents[b], scores.agents[a]] = Interval(1 - chance.value, 1 - chance.high, 1 - chance.low)
    return found


def _profiles(scores: Scores, first: list[int], higher: bool, resamples: int) -> tuple[Profile, ...]:
    values = scores.values[first]
    if len(first) < 2 or len(np.unique(values)) <= 2:
        return ()
    grid = np.linspace(values.min(), values.max(), _THRESHOLDS)
    options: Any = {"higher_is_better": higher, "resamples": resamples}
    return tuple(stats.performance_profile(row, grid, scores.cases, **options) for row in values)


def _told(entry: Listed) -> dict[str, Told]:
    found = {}
    for name, values in entry.reported.items():
        said = [value for value in values if value is not None]
        if said:
            found[name] = Told(sum(said) / len(said), len(said))
    return found


def _passes(entry: Listed) -> tuple[Pass, ...]:
    """pass^k over the trials of each episode; empty where there is one trial, or scores are not 0 and 1."""
    trials = max((trial for _, _, trial in entry.places), default=0) + 1
    if trials == 1 or not set(entry.scores) <= {0.0, 1.0}:
        return ()
    counts: dict[tuple[str, int], list[int]] = {}
    for (case, seed, _), score in zip(entry.places, entry.scores, strict=True):
        counts.setdefault((case, seed), []).append(int(score))
    pairs = tuple((len(own), sum(own)) for own in counts.values())
    return _passes_of(pairs, tuple(case for case, _ in counts))


@functools.lru_cache(maxsize=512)
def _passes_of(counts: tuple[tuple[int, int], ...], strata: tuple[str, ...]) -> tuple[Pass, ...]:
    return tuple(stats.passes(counts, strata, resamples=1000))


def _copies(entries: Sequence[Listed]) -> dict[str, tuple[tuple[str, int], ...]]:
    """Who has the same plays as another entrant: digest -> the others, and in how many episodes."""
    makers: dict[str, list[tuple[Place, Listed]]] = {}
    for entry in entries:
        for place, play in zip(entry.places, entry.plays, strict=True):
            if play:
                makers.setdefault(play, []).append((place, entry))
    found: dict[str, Counter[str]] = {}
    for several in makers.values():
        if 1 < len(several) <= _MAKERS:
            for (place, a), (other, b) in itertools.permutations(several, 2):
                if place == other and owner_of(a) != owner_of(b):
                    found.setdefault(a.digest, Counter())[b.digest] += 1
    return {digest: tuple(counted.most_common()) for digest, counted in found.items()}
