"""Verification of a submission: every episode is played again in the track's own world, and every figure computed here.

This runs in whatever process calls it; `judge.judge` calls it in a guarded one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.compile import kernel_hash
from ludarium.envs.core.entropy import decompress
from ludarium.envs.core.errors import LudariumError, SubmissionError
from ludarium.envs.core.registry import config_class, make_simulator, world
from ludarium.envs.core.replay import Replay, Replayer
from ludarium.envs.core.trace import Trace, decode, encode
from ludarium.leaderboards import keys
from ludarium.leaderboards.episode import begin, bounds_of
from ludarium.leaderboards.folder import canonical
from ludarium.leaderboards.manifest import DRAWN, Manifest, plain_json
from ludarium.leaderboards.submission import Submission, seal
from ludarium.leaderboards.track import Place, Track
from ludarium.leaderboards.verdict import Flag, Verdict
from ludarium.leaderboards.verify import Problem
from ludarium.scenarios.loader import SPLITS

__all__ = ["Examiner", "examine"]

_TOGETHER = 64
"""Episodes that are in memory at once."""
MAX_TRACE = 64 << 20
"""Bytes that one trace may become."""
MAX_LINE = 4 << 20
_LEAST_SECONDS = {"human": 0.1, "llm": 0.005}
"""Seconds that a decision takes at least by class; a planner's or a policy's are those of the world itself."""
_WORLD_SECONDS = 1e-8
"""Seconds that the world itself takes for one seat in one step, at the very least."""
_LOST = ("crash", "nonsense", "start", "died", "late", "fallback", "budget", "endpoint")
_RESULT = {"metrics", "over", "steps"}
_HEADER = {
    "agent",
    "config",
    "id",
    "instance",
    "instance_hash",
    "kernels",
    "ludarium",
    "roles",
    "scenario",
    "seed",
    "slot",
}


def examine(submission: Submission, track: Track) -> Verdict:
    """Play every episode of a submission again; see `Verdict`."""
    return Examiner(track).examine(submission)


class Examiner:
    """Verifies submissions to one track; worlds that were made once are kept."""

    def __init__(self, track: Track) -> None:
        self.track = track
        self.units = track.units()
        self._replayer = Replayer()
        self._bounds: dict[tuple[str, int], dict[str, float]] = {}
        self._batches: dict[str, Batch] = {}
        self._headers: dict[str, dict[str, Any]] = {}
        self.problems: list[Problem] = []
        self.flags: list[Flag] = []

    def rehearse(self) -> None:
        """Make and compile all that examining takes, by a submission of our own: an episode of each case, cut after one step."""
        first: dict[str, int] = {}
        for number, (case, _, _) in enumerate(self.units):
            first.setdefault(case, number)
        data = self.rehearsal(first.values())
        for found in (data, data[:-1], data[:100] + b"x" + data[101:]):
            with contextlib.suppress(SubmissionError):
                self.examine(Submission(found))

    def rehearsal(self, numbers: Iterable[int]) -> bytes:
        """A submission of our own of these episodes, each cut after one step."""
        members = {}
        for number in numbers:
            members[f"episodes/{number:04d}.trace"] = encode(self._begun(number), coded=False)
            members[f"transcripts/{number:04d}.jsonl"] = b'{"say": "\xc3\xa4"}\n'
        key = keys.new_key()
        manifest = Manifest(self.track.reference, "rehearsal", "rehearsal", self.track.classes[0], keys.public_key(key))
        if self.track.sealed:
            manifest = dataclasses.replace(manifest, tier="sealed", sealed={"round": "rehearsal", "commit": "00"})
        return seal(dataclasses.replace(manifest, suite="0"), members, key)

    def _begun(self, number: int) -> Trace:
        """A trace of an episode, cut after one step, with all compiled that decoding and bounds take."""
        place = self.units[number]
        header = self._header(place)
        trace = begin(self.track.world, self.track.world.case(place[0]), place[1], self._batches[place[0]]).trace()
        trace.header |= header
        steps = [np.zeros((1, *a.shape[1:]), a.dtype) for a in trace.actions if isinstance(a, np.ndarray)]
        if len(steps) == len(trace.actions):
            trace.actions = steps
        self.bounds(place)
        decompress(bytes([0, 128, 128, 0, 0, 0, 0]), 2, np.zeros((1, 1), np.uint8))
        return trace

    def examine(self, submission: Submission) -> Verdict:
        """The verdict on one submission."""
        began = time.process_time()
        self.problems, self.flags = [], []
        rows: dict[int, dict[str, Any]] = {}
        self.agent_steps = 0
        try:
            self._manifest(submission)
            if not self.problems:
                self._transcripts(submission)
                for number, row in self._episodes(submission):
                    rows[number] = row
        except SubmissionError as error:
            self.problems.append(Problem(submission.where, str(error).removeprefix(f"{submission.where}: ")))
        ordered: list[dict[str, Any]] = []
        if not self.problems:
            ordered = [rows.get(n) or self._missing(n) for n in range(len(self.units))]
            self._flag_rows(submission, ordered)
        score = sum(row["score"] for row in ordered) / len(ordered) if ordered else None
        return Verdict(
            not self.problems, submission.manifest.tier, tuple(ordered), tuple(self.problems), score,
            time.process_time() - began, tuple(self.flags), self.agent_steps, submission.hash, self.track.reference, {},
        )  # fmt: skip

    # --- the manifest ----------------------------------------------------------------------------------------------
    def _problem(self, where: str, what: str) -> None:
        self.problems.append(Problem(where, what))

    def _manifest(self, submission: Submission) -> None:
        said, track = submission.manifest, self.track
        where = "manifest.json"
        if said.track["name"] != track.name:
            self._problem(where, f"is for track {said.track['name']!r}, not {track.name!r}")
        elif said.track["version"] != track.version:
            self._problem(
                where, f"stale: is for version {said.track['version']} of the track, which is at {track.version}"
            )
        elif said.track != track.reference:
            self._problem(where, f"the track's hash is {track.hash}, not {said.track['hash']}")
        if said.kind not in track.classes:
            self._problem(where, f"class {said.kind!r} may not enter; expected {', '.join(track.classes)}")
        drawn = said.tier in DRAWN
        if said.tier not in track.tiers or drawn != bool(track.sealed):
            own = ", ".join(t for t in track.tiers if (t in DRAWN) == bool(track.sealed))
            self._problem(where, f"tier {said.tier!r}; these episodes are for {own}")
        beyond = [n for n in (*submission.episodes, *submission.transcripts) if n >= len(self.units)]
        if beyond:
            self._problem(where, f"there is an episode {min(beyond)}; the track has {len(self.units)}")
        if not submission.episodes:
            self._problem(where, "there is no episode")
        for key, values in said.reported.items():
            if len(values) != len(self.units):
                self._problem(
                    where, f"reported.{key} has {len(values)} numbers; the track has {len(self.units)} episodes"
                )
            self._budget(key, values)
        self._flag_versions(submission)

    def _budget(self, key: str, values: list[float | None]) -> None:
        limit = self.track.budgets.get(key)
        for number, value in enumerate(values):
            if limit is not None and value is not None and value > limit:
                self._problem(
                    "manifest.json", f"episode {number}: {key} = {value} by its own report; the budget is {limit}"
                )
                return

    def _flag_versions(self, submission: Submission) -> None:
        from ludarium import __version__ as now

        if submission.manifest.suite != now:
            self.flags.append(Flag("version", f"played with ludarium {submission.manifest.suite}; this is {now}"))
        own = type(make_simulator(self.track.world.environment, **self.track.world.cases[0].config)).__module__
        played = submission.manifest.kernels.get(own)
        if played != kernel_hash(own):
            what = "names no kernels" if played is None else "was played by other kernels"
            self.flags.append(Flag("kernels", f"{what} of {own}; the replay tells whether it matters"))

    def _transcripts(self, submission: Submission) -> None:
        for number, name in submission.transcripts.items():
            if number not in submission.episodes:
                self._problem(name, "belongs to no episode that is there")
            for n, line in enumerate(submission.read(name).split(b"\n"), 1):
                if line:
                    plain_json(line, f"{name}:{n}", MAX_LINE)

    # --- episodes --------------------------------------------------------------------------------------------------
    def _episodes(self, submission: Submission) -> Iterator[tuple[int, dict[str, Any]]]:
        numbers = sorted(submission.episodes)
        for first in range(0, len(numbers), _TOGETHER):
            traces: dict[int, Trace] = {}
            for number in numbers[first : first + _TOGETHER]:
                trace = self.trace(submission, number)
                if trace is not None:
                    traces[number] = trace
            found = self._replayer.replay_all(list(traces.values()))
            for (number, trace), replay in zip(traces.items(), found, strict=True):
                row = self._row(submission.episodes[number], number, trace, replay)
                if row is not None:
                    yield number, row

    def trace(self, submission: Submission, number: int) -> Trace | None:
        """A trace whose header is that of the track's episode, with the world that the track says; None with a problem."""
        name = submission.episodes[number]
        data = submission.read(name)
        try:
            trace = decode(data, name, MAX_TRACE)
        except LudariumError as error:
            self._problem(name, str(error).removeprefix(f"{name}: "))
            return None
        wanted = self._header(self.units[number])
        wrong = self._other(trace.header, wanted, number)
        odd = sorted(set(trace.result) - _RESULT) if isinstance(trace.result, dict) else ["no object"]
        if odd:
            wrong = f"the result has an unknown key {odd[0]!r:.80}"
        if wrong:
            self._problem(name, wrong)
            return None
        trace.header = {**wanted, "instance_hash": trace.header["instance_hash"]}
        return trace

    def _header(self, place: Place) -> dict[str, Any]:
        """The header of an episode's trace, without what the instance adds."""
        case_name, seed, trial = place
        scenario = self.track.world
        if case_name not in self._headers:
            case = scenario.case(case_name)
            config = config_class(scenario.environment).of(
                **{**dict(world(scenario.environment).defaults), **case.config}
            )
            if case_name not in self._batches:
                simulator = make_simulator(scenario.environment, **case.config).without_observations()
                self._batches[case_name] = Batch(simulator, 1, scenario.environment, unseen=True)
            self._headers[case_name] = {
                "id": scenario.environment, "config": config.as_dict(), "slot": None, "instance": case.instance,
                "roles": self._batches[case_name].recorded_roles(),
            }  # fmt: skip
        named = {"name": scenario.name, "version": scenario.version, "hash": scenario.hash}
        return {**self._headers[case_name], "seed": seed, "scenario": {**named, "case": case_name, "trial": trial}}

    def _other(self, header: dict[str, Any], wanted: dict[str, Any], number: int) -> str:
        """Why a header is not that of the episode, if it is not."""
        odd = sorted(set(header) - _HEADER)
        if odd:
            return f"the header has an unknown key {odd[0]!r:.80}"
        if not isinstance(header.get("instance_hash"), str):
            return "the header has no instance_hash"
        if header.get("seed") != wanted["seed"]:
            return self._wrong_seed(header["seed"], number)
        for name, value in wanted.items():
            given = header.get(name)
            if given != value and canonical(given) != canonical(value):
                return f"is of another episode: {name} is {canonical(given):.200}, not {canonical(value):.200}"
        return ""

    def _wrong_seed(self, seed: Any, number: int) -> str:
        """Name the split that a wrong seed is of."""
        case, wanted, _ = self.units[number]
        splits = self.track.world.case(case).splits
        other = next((split for split in SPLITS if split != self.track.split and seed in splits.get(split, ())), None)
        split = f", of the wrong split {other!r}" if other else ""
        return f"is of another episode: seed is {seed!r:.40}{split}, not {wanted}"

    def _row(self, name: str, number: int, trace: Trace, replay: Replay | LudariumError) -> dict[str, Any] | None:
        if not isinstance(replay, Replay):
            self._problem(name, f"does not replay: {replay}")
            return None
        self.agent_steps += replay.steps * sum(role["count"] for role in trace.header["roles"])
        if replay.divergence is not None:
            self._problem(name, f"the replay differs at {replay.divergence}")
            return None
        if not replay.result["over"]:
            self._problem(name, f"the episode is not over after {replay.steps} steps")
            return None
        if replay.steps > self.track.budgets.get("steps", replay.steps):
            self._problem(name, f"{replay.steps} steps; the budget is {self.track.budgets['steps']}")
            return None
        metrics = dict(replay.result["metrics"])
        place = self.units[number]
        bounds = self.bounds(place)
        row = self._named(number) | {"status": "ok", "score": self.track.score(metrics, bounds), "steps": replay.steps}
        return row | {
            "digest": replay.digest, "metrics": metrics, "bounds": bounds, "actions": _fingerprint(trace), "lost": _lost(trace),
        }  # fmt: skip

    def _named(self, number: int) -> dict[str, Any]:
        return {"episode": number, **dict(zip(("case", "seed", "trial"), self.units[number], strict=True))}

    def _missing(self, number: int) -> dict[str, Any]:
        return self._named(number) | {"status": "missing", "score": self.track.worst}

    def bounds(self, place: Place) -> dict[str, float]:
        """The bounds of an episode's instance, where the track's metric needs them."""
        if not self.track.needs_bounds:
            return {}
        case, seed, _ = place
        if (case, seed) not in self._bounds:
            batch = begin(self.track.world, self.track.world.case(case), seed, self._batches[case])
            self._bounds[case, seed] = bounds_of(batch)
        return self._bounds[case, seed]

    # --- flags -----------------------------------------------------------------------------------------------------
    def _flag_rows(self, submission: Submission, rows: list[dict[str, Any]]) -> None:
        missing = [row["episode"] for row in rows if row["status"] == "missing"]
        if missing:
            self.flags.append(Flag("missing", f"{len(missing)} of {len(rows)} episodes are missing and count as worst"))
        lost = sum(sum(row.get("lost", {}).values()) for row in rows)
        if lost:
            self.flags.append(Flag("lost", f"{lost} turns were lost to faults of the agent, as its traces say"))
        self._flag_duplicates(rows)
        self._flag_latency(submission, rows)

    def _flag_duplicates(self, rows: list[dict[str, Any]]) -> None:
        first: dict[Any, int] = {}
        for row in rows:
            if row["status"] == "ok" and row["steps"]:
                key = row["case"], row["seed"], row["actions"]
                if key in first:
                    what = f"episodes {first[key]} and {row['episode']}, trials of one seed, are the same play"
                    self.flags.append(Flag("duplicate", what))
                    return
                first[key] = row["episode"]

    def _flag_latency(self, submission: Submission, rows: list[dict[str, Any]]) -> None:
        said = submission.manifest
        told = said.reported.get("wall_s", [])
        if said.kind == "llm" and not told:
            self.flags.append(Flag("latency", "a language model that reports no time"))
        for row, seconds in zip(rows, told, strict=False):
            if row["status"] == "missing":
                continue
            least = max(row["steps"] * _LEAST_SECONDS.get(said.kind, 0.0), row["steps"] * _WORLD_SECONDS)
            if seconds is not None and seconds < least:
                what = f"episode {row['episode']}: {row['steps']} steps in {seconds} s by its own report"
                self.flags.append(Flag("latency", f"{what}, which is impossible for the class {said.kind!r}"))
                return


def _fingerprint(trace: Trace) -> str:
    """BLAKE2b (32 hex digits) of what all seats did."""
    h = hashlib.blake2b(digest_size=16)
    for actions in trace.actions:
        h.update(actions.tobytes() if isinstance(actions, np.ndarray) else canonical(actions).encode())
    return h.hexdigest()


def _lost(trace: Trace) -> dict[str, int]:
    """Turns that the trace's events say were lost, by kind. Nobody can check it."""
    everyone = sum(role["count"] for role in trace.header["roles"])
    noted: Counter[str] = Counter()
    for event in trace.events:
        if isinstance(event, dict) and event.get("status") == "default" and event.get("kind") in _LOST:
            seats = event.get("seats")
            noted[event["kind"]] += min(len(seats), everyone) if isinstance(seats, list) else everyone
    return dict(sorted(noted.items()))
