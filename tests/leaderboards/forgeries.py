"""Forged submissions of every kind, and what each of them deserves: shared by the tests and by benchmarks/forgery.py."""

import copy
import json
import random

import numpy as np

from ludarium.envs.core.errors import LudariumError
from ludarium.envs.core.trace import Trace, decode, encode
from ludarium.leaderboards import keys
from ludarium.leaderboards.archive import pack_members
from ludarium.leaderboards.episode import begin
from ludarium.leaderboards.examine import Examiner
from ludarium.leaderboards.submission import MANIFEST, SIGNATURE, SUMS, Manifest, Submission, seal

VALUES = (None, True, 0, -1, 1, 7, 2**63, 2**70, 1.5, "", "x", "9" * 400, "<script>alert(1)</script>", "'; DROP TABLE agents; --",
          "../../etc/passwd", "cmd:touch owned", [], [1], {}, {"a": 1}, "\u202e", "\x00")  # fmt: skip


def members_of(data):
    """The members of an honest submission, without what proves them."""
    submission = Submission(data)
    return {name: submission.read(name) for name in submission.sums if name != MANIFEST}, submission.manifest


class Truth:
    """What the episodes of a track deserve, by playing their actions step by step, with nothing of the judge's."""

    def __init__(self, track):
        self.track, self.units = track, track.units()
        self._known = {}

    def score(self, number, trace):
        """The score of a trace's actions in the track's own world; None if they do not make one whole episode."""
        key = number, trace.actions[0].tobytes(), trace.actions[0].shape
        if key not in self._known:
            self._known[key] = self._play(number, trace)
        return self._known[key]

    def _play(self, number, trace):
        case, seed, _ = self.units[number]
        batch = begin(self.track.world, self.track.world.case(case), seed)
        for step in trace.actions[0]:
            if batch.over[0]:
                return None
            batch.put(0, step.astype(np.int64), 0)
            batch.step()
        return float(batch.result()["metrics"][self.track.metric]) if batch.over[0] else None

    def holds(self, data, verdict):
        """Whether an accepted forgery has exactly the score of what is in it."""
        submission = Submission(data)
        scores = []
        for number in range(len(self.units)):
            if number in submission.episodes:
                trace = decode(submission.read(submission.episodes[number]))
                scores.append(self.score(number, trace))
            else:
                scores.append(self.track.worst)
        rows = [row["score"] for row in verdict.rows]
        return None not in scores and rows == scores and verdict.score == sum(scores) / len(scores)


class Forger:
    """Makes forgeries from two honest submissions to one track; the same seed makes the same ones."""

    def __init__(self, honest, other, seed=0):
        self.honest, self.other = honest, other
        self.members, self.manifest = members_of(honest)
        self.others, _ = members_of(other)
        self.random = random.Random(seed)
        self.key = keys.new_key()
        self.names = sorted(name for name in self.members if name.startswith("episodes/"))
        self.kinds = [getattr(self, name) for name in dir(Forger) if name.startswith("forge_")]

    def make(self, n):
        """The n-th forgery: its kind and its bytes."""
        kind = self.kinds[n % len(self.kinds)]
        return kind.__name__.removeprefix("forge_"), kind(n // len(self.kinds))

    def signed(self, members, manifest=None):
        """Under the forger's own key, so that checksums and signature hold."""
        made = manifest or self.manifest
        content = {**made.__dict__, "public_key": keys.public_key(self.key)}
        return seal(Manifest(**content), members, self.key)

    def with_trace(self, change):
        """One trace changed, everything sealed and signed anew."""
        name = self.random.choice(self.names)
        trace = decode(self.members[name])
        trace = change(trace, name) or trace
        return self.signed({**self.members, name: encode(trace)})

    # --- without a new signature ---
    def forge_byte(self, n):
        """Every region in turn: the place runs over the file as n grows."""
        data = bytearray(self.honest)
        place = (n * 7919) % len(data)
        data[place] ^= self.random.randrange(1, 256)
        return bytes(data)

    def forge_cut(self, n):
        return self.honest[: self.random.randrange(len(self.honest))]

    def forge_shuffle(self, n):
        a, b, c = sorted(self.random.randrange(len(self.honest)) for _ in range(3))
        data = self.honest
        return self.random.choice([data[:a] + data[b:c] + data[a:b] + data[c:], data[:b] + data[a:], data + data[a:b],
                                   data[a:b] + data, data[:a] + data[b:], data[:b] + self.other[b:]])  # fmt: skip

    def forge_unsigned_member(self, n):
        """Another trace under the old checksums, or the old signature over new ones."""
        submission = Submission(self.honest)
        members = {**self.members, self.random.choice(self.names): self.others[self.random.choice(self.names)]}
        fresh = Submission(self.signed(members))
        content = {MANIFEST: submission.read(MANIFEST), **members}
        sums = fresh if self.random.random() < 0.5 else submission
        listed = "".join(f"{sums.sums[name]}  {name}\n" for name in sorted(sums.sums)).encode()
        signature = self.random.randbytes(64) if n % 2 else keys.sign(self.key, listed)
        return pack_members({**content, SUMS: listed, SIGNATURE: signature})

    # --- signed anew: only the replay can tell ---
    def forge_member(self, n):
        members = dict(self.members)
        a, b = self.random.sample(self.names, 2)
        what = n % 5
        if what == 0:
            members[a], members[b] = members[b], members[a]
        elif what == 1:
            del members[a]
        elif what == 2:
            members[a] = members[b]
        elif what == 3:
            members[a] = self.others[a]
        else:
            members[f"episodes/{self.random.randrange(100_000):04d}.trace"] = members[a]
        return self.signed(members)

    def forge_trace_bytes(self, n):
        name = self.random.choice(self.names)
        data = bytearray(self.members[name])
        for _ in range(self.random.randrange(1, 4)):
            data[self.random.randrange(len(data))] = self.random.randrange(256)
        return self.signed({**self.members, name: bytes(data)})

    def forge_header(self, n):
        def change(trace, name):
            keys_ = [*sorted(trace.header), "score", "format"]
            trace.header[keys_[n % len(keys_)]] = self.random.choice(VALUES)

        return self._or_bytes(change)

    def forge_seed(self, n):
        def change(trace, name):
            others = [seed for seed in (0, 1, 2, 3, 100, 101, 2**62, 2**63 - 1) if seed != trace.header["seed"]]
            trace.header["seed"] = self.random.choice(others)

        return self.with_trace(change)

    def forge_actions(self, n):
        def change(trace, name):
            for _ in range(self.random.randrange(1, 5)):
                step, seat = self.random.randrange(trace.steps), self.random.randrange(trace.actions[0].shape[1])
                trace.actions[0][step, seat] = self.random.choice([0, 1, 2, 3, 4, 5, 200])

        return self.with_trace(change)

    def forge_order(self, n):
        def change(trace, name):
            a, b = sorted(self.random.sample(range(trace.steps), 2))
            actions = trace.actions[0]
            if n % 2:
                actions[[a, b]] = actions[[b, a]]
            else:
                trace.actions[0] = np.ascontiguousarray(actions[:, ::-1])

        return self.with_trace(change)

    def forge_length(self, n):
        """Cut or prolonged, with the end said to be wherever it is now."""

        def change(trace, name):
            last = self.random.randrange(trace.steps)
            if n % 3 == 2:
                trace.actions[0] = np.concatenate([trace.actions[0], trace.actions[0][: last + 1]])
            else:
                trace.actions[0] = trace.actions[0][:last]
                trace.digests = [mark for mark in trace.digests if mark[0] < last] + [(last, trace.digests[-1][1])]
            trace.result = {**trace.result, "steps": trace.steps}
            if n % 3 == 1:
                trace.result["over"] = bool(n % 2)

        return self.with_trace(change)

    def forge_splice(self, n):
        """The first part of one run, then that of another."""

        def change(trace, name):
            second = decode(self.others[name])
            at = self.random.randrange(trace.steps)
            trace.actions[0] = np.concatenate([trace.actions[0][:at], second.actions[0][at:]])
            if n % 2:
                trace.digests = [m for m in trace.digests if m[0] <= at] + [m for m in second.digests if m[0] > at]
                trace.result = second.result

        return self.with_trace(change)

    def forge_digest(self, n):
        def change(trace, name):
            what = n % 4
            if what == 0:
                place = self.random.randrange(len(trace.digests))
                step, digest = trace.digests[place]
                trace.digests[place] = (step, digest ^ (1 << self.random.randrange(64)))
            elif what == 1:
                trace.digests = trace.digests[:-1]
            elif what == 2:
                trace.digests = []
            else:
                trace.digests = [(step + 1, digest) for step, digest in trace.digests]

        return self.with_trace(change)

    def forge_result(self, n):
        def change(trace, name):
            metrics = trace.result["metrics"]
            place = self.random.choice(sorted(metrics))
            value = self.random.choice([*VALUES, metrics[place] + 1, float("inf"), float("nan")])
            fakes = (
                {"metrics": {**metrics, place: value}},
                {"steps": trace.steps + 1},
                {"metrics": value},
                {"score": 9},
            )
            trace.result = {**trace.result, **self.random.choice(fakes)} if n % 9 else {}

        return self._or_bytes(change)

    def forge_events(self, n):
        """Nothing that is scored: these are accepted."""

        def change(trace, name):
            trace.events = [self.random.choice([*VALUES[:18], {"status": "default", "kind": "crash", "seats": "all"},
                                                {"status": "default", "kind": "late", "seats": 7}])]  # fmt: skip

        return self.with_trace(change)

    def forge_whole_replay(self, n):
        """Other actions, honestly played: digests and result fit. Scored as they deserve."""

        def change(trace, name):
            again = copy.deepcopy(trace)
            again.actions[0] = np.random.default_rng(n).integers(0, 5, trace.actions[0].shape).astype(np.uint8)
            return self._honest(again)

        return self.with_trace(change)

    def _honest(self, trace):
        """The trace of the same episode with these actions."""
        from ludarium.envs.core.batch import Batch
        from ludarium.envs.core.registry import make_simulator

        batch = Batch(make_simulator(trace.id, **trace.header["config"]), 1, trace.id)
        batch.seed(np.ones(1, bool), [trace.header["seed"]])
        batch.reset(np.ones(1, bool))
        for step in trace.actions[0]:
            batch.put(0, step.astype(np.int64), 0)
            batch.step()
        made = batch.trace()
        return Trace({**trace.header}, made.actions, made.digests, [], made.result)

    def forge_manifest(self, n):
        """Each key in turn has some other value; checksums and signature are right."""
        content = json.loads(self.manifest.encode())
        places = [*sorted(content), "score", "seeds", "track.name", "track.version", "track.hash"]
        place = places[n % len(places)]
        inside, _, key = place.rpartition(".")
        target = content[inside] if inside else content
        content["public_key"] = keys.public_key(self.key)
        target[key] = self.random.choice(VALUES)
        return self.resealed(json.dumps(content).encode())

    def forge_manifest_bytes(self, n):
        data = bytearray(self.manifest.encode())
        data[self.random.randrange(len(data))] = self.random.randrange(256)
        return self.resealed(bytes(data))

    def resealed(self, manifest):
        """Any bytes as the manifest, with fitting checksums and signature."""
        import hashlib

        content = {MANIFEST: manifest, **self.members}
        listed = "".join(f"{hashlib.sha256(content[n]).hexdigest()}  {n}\n" for n in sorted(content)).encode()
        return pack_members({**content, SUMS: listed, SIGNATURE: keys.sign(self.key, listed)})

    def _or_bytes(self, change):
        """Values that no trace can hold leave the bytes as they were but for a cut."""
        try:
            return self.with_trace(change)
        except (LudariumError, TypeError, KeyError, ValueError, AttributeError, OverflowError):
            return self.honest[:-1]


def judge_forgery(examiner: Examiner, data: bytes):
    """The verdict, or the error that refuses the file before it is one."""
    try:
        return examiner.examine(Submission(data))
    except LudariumError as error:
        return error
