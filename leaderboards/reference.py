"""The reference boards: the suite's own agents on its own tracks, played, packed and signed, the same bytes everywhere.

The key is public: it is made from a sentence that stands in this file. Its signature says who packed a file as little as
no signature would; whoever verifies the files believes the replay alone.
"""

from __future__ import annotations

import hashlib
import json
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.files import write_whole
from ludarium.envs.core.trace import decode
from ludarium.leaderboards import keys, normalise
from ludarium.leaderboards.baselines import BELOW_CHANCE, RANDOM, field_of, label_of, why_not
from ludarium.leaderboards.episode import begin, bounds_of
from ludarium.leaderboards.folder import TIMING, RunFolder, canonical, folder_names
from ludarium.leaderboards.normalise import Reference, References
from ludarium.leaderboards.runner import Progress, make_manifest, run
from ludarium.leaderboards.stats import RankRange, Scores, rank_ranges
from ludarium.leaderboards.submission import SUFFIX, Submission, pack
from ludarium.leaderboards.track import Track

__all__ = [
    "AUTHORS", "SECRET", "Standing", "figures", "odd", "play", "reference_key", "references_of", "standings", "write",
    "write_page", "write_references",
]  # fmt: skip

_SAME = 1e-9
SECRET = "the reference boards of ludarium are signed by a key that everybody can make"
AUTHORS = ("The Ludarium authors",)


class Standing(NamedTuple):
    """One agent on one track."""

    track: str
    agent: str
    """With its options."""
    score: float
    """The mean over the track's episodes, as the board has it."""
    rank: RankRange
    episodes: int
    cpu_s: float
    """Of playing: the world and the agent."""


def reference_key() -> Any:
    """The private key of the reference boards, which is no secret."""
    from cryptography.hazmat.primitives.asymmetric import ed25519

    keys.public_key(keys.new_key())  # the extra that is missing is named there
    return ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(SECRET.encode()).digest())


def play(
    track: Track,
    agents: tuple[str, ...],
    work: str | PathLike[str],
    jobs: int = 0,
    progress: Progress = lambda done, total, row: None,
) -> Path:
    """Play agents on a track's episodes into a run folder under `work`; what is on disk of the same run is not played again.

    The folder is named for all that must repeat, so that other sources or agents begin another. See `runner.run`.
    """
    manifest = make_manifest(track.world, agents, track.split, track.episodes)
    stamp = hashlib.blake2b(canonical(manifest).encode(), digest_size=4).hexdigest()
    out = Path(work) / f"{track.name}-{stamp}"
    run(track.world, agents, out, split=track.split, episodes=track.episodes, jobs=jobs, resume=True, progress=progress)
    return out


def write(run_folder: Path, track: Track, to: str | PathLike[str]) -> list[Path]:
    """Pack each agent of a run as `TO/TRACK/AGENT.ludarium.zip`; equal plays give equal bytes."""
    key, found = reference_key(), []
    for agent in RunFolder.open(run_folder).manifest["agents"]:
        label = label_of(agent)
        target = Path(to) / track.name / f"{folder_names([label])[label]}{SUFFIX}"
        found.append(pack(run_folder, track, name=label, agent=agent, authors=AUTHORS, key=key, to=target, bare=True))
    return found


def standings(run_folder: Path, track: Track) -> list[Standing]:
    """The agents of a run, the best first."""
    rows = RunFolder.open(run_folder).rows()
    scores = Scores.of(rows, lambda row: _score(track, row))
    ranks = rank_ranges(scores.values, scores.cases, higher_is_better=track.higher_is_better)
    cpu, found = _cpu(run_folder), []
    for agent, rank in zip(scores.agents, ranks, strict=True):
        own = [_score(track, row) for row in rows if row["agent"] == agent]
        found.append(Standing(track.name, agent, sum(own) / len(own), rank, len(own), cpu.get(agent, 0.0)))
    return sorted(found, key=lambda each: (each.rank.rank, each.agent))


def _score(track: Track, row: dict[str, Any]) -> float:
    return track.score(row["metrics"], row["bounds"] if track.needs_bounds else {})


def _cpu(run_folder: Path) -> dict[str, float]:
    """CPU-seconds of playing by agent, as the run's clocks have them."""
    spent: dict[str, float] = {}
    for line in (run_folder / TIMING).read_text(encoding="utf-8").splitlines():
        timing = json.loads(line)
        if "cpu_s" in timing:
            spent[timing["agent"]] = spent.get(timing["agent"], 0.0) + timing["cpu_s"]
    return spent


def odd(run_folder: Path, track: Track) -> list[str]:
    """What cannot be true of a track that measures something: chance that is not the worst, perfect play that is beaten."""
    rows, entered = RunFolder.open(run_folder).rows(), field_of(track)
    sign = 1.0 if track.higher_is_better else -1.0
    scores = Scores.of(rows, lambda row: sign * _score(track, row))
    means, found = dict(zip(scores.agents, scores.values.mean(1), strict=True)), []
    for agent in scores.agents:
        known = label_of(agent) in BELOW_CHANCE.get(track.name, {})
        if RANDOM in means and not known and means[agent] < means[RANDOM]:
            found.append(
                f"{track.name}: {agent} ({means[agent] * sign:g}) is worse than chance ({means[RANDOM] * sign:g})"
            )
        if RANDOM in means and agent == entered.reference and means[agent] <= means[RANDOM]:
            found.append(f"{track.name}: the reference agent {agent} is no better than chance")
    for perfect in set(entered.unbeaten) & set(scores.agents):
        for agent in scores.agents:
            better = scores.agent(agent) > scores.agent(perfect) + _SAME
            for case, seed in [(scores.cases[n], scores.seeds[n]) for n in better.nonzero()[0]]:
                found.append(f"{track.name}: {agent} beats {perfect} in case {case}, seed {seed}")
    return found


def figures(path: Path, track: Track, bounds: bool = False) -> list[dict[str, Any]]:
    """The rows of a submission as its own traces tell them, unverified: `case`, `seed`, `trial`, `steps`, `metrics`, `bounds`.

    Whoever wants to know whether they are true verifies the file. Without `bounds` these are empty unless the track's metric
    needs them.
    """
    submission, found = Submission.open(path), []
    batches: dict[str, Batch] = {}
    for number, (case, seed, trial) in enumerate(track.units()):
        trace = decode(submission.read(submission.episodes[number]), str(path))
        row = {"case": case, "seed": seed, "trial": trial, "steps": trace.steps, "metrics": trace.result["metrics"]}
        known: dict[str, float] = {}
        if bounds or track.needs_bounds:
            batches[case] = begin(track.world, track.world.case(case), seed, batches.get(case))
            known = bounds_of(batches[case])
        found.append({**row, "agent": submission.manifest.agent, "bounds": known})
    return found


def write_page(run_folder: Path, track: Track, to: str | PathLike[str]) -> Path:
    """Write `TO/TRACK/README.md`: the standings of a run, with who stayed away or fell below chance, and why."""
    found = standings(run_folder, track)
    better = "more" if track.higher_is_better else "less"
    lines = [
        f"# {track.title}",
        "",
        f"Track `{track.name}`, version {track.version}: `{track.metric}` ({better} is better), {found[0].episodes} episodes "
        f"of the scenario `{track.world.name}`. Made by `ludarium leaderboard reference`.",
        "",
        "| rank | agent | score |",
        "| --- | --- | --- |",
        *(f"| {line.rank} | `{line.agent}` | {line.score:.4g} |" for line in found),
    ]
    entered = {label_of(line.agent) for line in found}
    away = {name: why_not(name, track) for name in field_of(track).near if name not in entered}
    notes = {**BELOW_CHANCE.get(track.name, {}), **away}
    lines += ["", *(f"`{name}` {reason}.\n" for name, reason in notes.items() if reason)]
    path = Path(to) / track.name / "README.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, ("\n".join(lines).rstrip("\n") + "\n").encode())
    return path


def references_of(run_folder: Path, track: Track) -> References:
    """What the random and the reference agent of a track reach in a run of it: each metric, and the track's score by its name."""
    best = field_of(track).reference
    found, rows = normalise.of_run(run_folder, RANDOM, best), RunFolder.open(run_folder).rows()
    for case, metrics in found.cases.items():
        means = []
        for agent in (RANDOM, best):
            own = [_score(track, row) for row in rows if (row["agent"], row["case"]) == (agent, case)]
            means.append(sum(own) / len(own))
        metrics[track.name] = Reference(*means)
    return found


def write_references(run_folder: Path, track: Track, to: str | PathLike[str]) -> Path:
    """Write `references_of` a run as `TO/SCENARIO-SPLIT.toml`, where `normalise.references_for` looks for it."""
    found = references_of(run_folder, track)
    return normalise.save(found, Path(to) / f"{found.scenario}-{found.split}.toml")
