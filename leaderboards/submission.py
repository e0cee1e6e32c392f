"""Submissions: a run, packed into one file, with who made it. Data only: nothing in it is ever resolved, run or unpickled.

A zip file of one strict form (`archive.py`): `manifest.json`, `episodes/NNNN.trace` and, if the entrant shows them,
`transcripts/NNNN.jsonl`, numbered as the track's episodes are; `SHA256SUMS` over all these; `signature`, ed25519 over
`SHA256SUMS` by the manifest's key. What the episodes are (world, config, seeds) says the track, never the submission.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from ludarium.agents.registry import BUILT_IN
from ludarium.envs.core.errors import LudariumError, RunError, SubmissionError, did_you_mean
from ludarium.envs.core.files import write_whole
from ludarium.envs.core.trace import Trace, encode
from ludarium.leaderboards import archive, keys
from ludarium.leaderboards.archive import Limits
from ludarium.leaderboards.episode import Unit
from ludarium.leaderboards.folder import TIMING, RunFolder, folder_names
from ludarium.leaderboards.manifest import MAX_MANIFEST, REPORTED, Manifest
from ludarium.leaderboards.track import Track

__all__ = ["SUFFIX", "Submission", "find_track", "pack", "seal"]

SUFFIX = ".ludarium.zip"
MANIFEST, SUMS, SIGNATURE = "manifest.json", "SHA256SUMS", "signature"
NAMES = re.compile(
    r"manifest\.json|SHA256SUMS|signature|episodes/[0-9]{4,6}\.trace|transcripts/[0-9]{4,6}\.jsonl", re.A
)
_PLAYED_BY = ("kernels", "ludarium")
"""What a trace says of the sources that made it."""
_SUM = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9./]+)\n", re.A)
_MOST = {MANIFEST: MAX_MANIFEST, SUMS: 4 << 20, SIGNATURE: 1024}
LIMITS = Limits()


class Submission:
    """A submission that was opened: its form, its manifest and its signature hold; its episodes are not yet looked at."""

    def __init__(self, data: bytes, where: str = "submission", limits: Limits = LIMITS) -> None:
        self.data, self.where = data, where
        self._members = archive.read_members(data, NAMES, limits, where)
        for name in (MANIFEST, SUMS, SIGNATURE):
            if name not in self._members:
                raise SubmissionError(f"{where}: {name} is missing")
        for name, most in _MOST.items():  # before any of it is decompressed
            if self._members[name].size > most:
                raise SubmissionError(f"{where}: {name}: {self._members[name].size} bytes; expected at most {most}")
        listed = archive.read_member(data, self._members[SUMS], where)
        self.sums = self._sums(listed)
        self.manifest = Manifest.decode(self.read(MANIFEST), f"{where}: {MANIFEST}")
        signature = archive.read_member(data, self._members[SIGNATURE], where)
        if not keys.is_signed(self.manifest.public_key, signature, listed):
            raise SubmissionError(f"{where}: the signature is not that of {SUMS} under the manifest's public key")

    @classmethod
    def open(cls, path: str | os.PathLike[str], limits: Limits = LIMITS) -> Self:
        """Read a file; `SubmissionError` says what is wrong with it."""
        file = Path(path)
        try:
            if file.stat().st_size > limits.packed:
                raise SubmissionError(f"{file}: {file.stat().st_size} bytes; expected at most {limits.packed}")
            return cls(file.read_bytes(), str(file), limits)
        except OSError as error:
            raise SubmissionError(f"{file}: cannot read: {error.strerror or error}") from error

    def _sums(self, listed: bytes) -> dict[str, str]:
        """The checksums by name: of all members but the two that prove the others, sorted, none twice."""
        text = listed.decode("ascii", "replace")
        found = {name: digest for digest, name in _SUM.findall(text)}
        if "".join(f"{found[name]}  {name}\n" for name in sorted(found)) != text:
            raise SubmissionError(f"{self.where}: {SUMS} is no sorted list of checksums and names")
        others = set(self._members) - {SUMS, SIGNATURE}
        if set(found) != others:
            odd = sorted(set(found) ^ others)[0]
            raise SubmissionError(f"{self.where}: {odd} is {'not ' if odd in found else ''}in the file, "
                                  f"but {'' if odd in found else 'not '}in {SUMS}")  # fmt: skip
        return found

    def read(self, name: str) -> bytes:
        """A member whose checksum holds; `SubmissionError` otherwise."""
        content = archive.read_member(self.data, self._members[name], self.where)
        if hashlib.sha256(content).hexdigest() != self.sums[name]:
            raise SubmissionError(f"{self.where}: {name}: its checksum is not that of {SUMS}")
        return content

    def _numbered(self, folder: str) -> dict[int, str]:
        found: dict[int, str] = {}
        for name in sorted(self.sums):
            if name.startswith(folder):
                number = int(Path(name).stem)
                if name != _place(folder, number):
                    raise SubmissionError(f"{self.where}: {name}; expected {_place(folder, number)}")
                found[number] = name
        return found

    @functools.cached_property
    def episodes(self) -> dict[int, str]:
        """The members that hold traces, by the number of their episode."""
        return self._numbered("episodes/")

    @functools.cached_property
    def transcripts(self) -> dict[int, str]:
        """The members that hold transcripts, by the number of their episode."""
        return self._numbered("transcripts/")

    @functools.cached_property
    def hash(self) -> str:
        """SHA-256 (64 hex digits) of the whole file: what a board knows it by."""
        return hashlib.sha256(self.data).hexdigest()


def _place(folder: str, number: int) -> str:
    return f"{folder}{number:04d}.{'trace' if folder == 'episodes/' else 'jsonl'}"


def seal(manifest: Manifest, members: Mapping[str, bytes], key: Any) -> bytes:
    """The bytes of a submission file: manifest and members, their checksums, and the signature of these."""
    content = {MANIFEST: manifest.encode(), **{name: members[name] for name in sorted(members)}}
    listed = "".join(f"{hashlib.sha256(content[name]).hexdigest()}  {name}\n" for name in sorted(content)).encode()
    return archive.pack_members({**content, SUMS: listed, SIGNATURE: keys.sign(key, listed)})


def find_track(run: RunFolder) -> str:
    """The name of the track that a run was played for, by the hash of its scenario; `SubmissionError` if none or several."""
    from ludarium.leaderboards.track import load_track, track_names

    wanted = run.manifest["scenario"].get("hash")
    found = [name for name in track_names() if load_track(name).scenario_hash == wanted]
    if len(found) != 1:
        which = f"it fits {', '.join(found)}" if found else "no track of the suite has its scenario"
        raise SubmissionError(f"{run.root}: which track? {which}; name one")
    return found[0]


def pack(
    run: str | os.PathLike[str],
    track: Track,
    *,
    name: str,
    kind: str = "planner",
    agent: str | None = None,
    authors: tuple[str, ...] = (),
    links: Mapping[str, str] | None = None,
    key: Any = None,
    to: str | os.PathLike[str] = ".",
    partial: bool = False,
    transcripts: bool = True,
    bare: bool = False,
    sealed: Mapping[str, str] | None = None,
) -> Path:
    """Pack the episodes of one agent of a run folder; return the file, which is `to` or lies in the folder `to`.

    `key` is a private key (`keys.load_key`; None: the user's own). With `partial`, episodes may be missing, and count as
    worst. `sealed` names the `round` and the `commit` of a sealed round. A `bare` submission holds no clocks and no hashes of
    kernels, so that equal plays give equal bytes whatever played them. `SubmissionError` if the run is not of the track.
    """
    folder = RunFolder.open(run)
    label = _agent(folder, agent)
    members, told = _members(folder, track, label, partial, transcripts, bare)
    owner = keys.load_key() if key is None else key
    manifest = Manifest(
        track.reference, label, name, kind, keys.public_key(owner), str(folder.manifest.get("ludarium", "")) or _suite(),
        {} if bare else _kernels(folder, label), tuple(authors), dict(links or {}),
        "sealed" if sealed else "replayed", dict(sealed or {}), {} if bare else told,
    )  # fmt: skip
    if kind not in track.classes:
        raise SubmissionError(f"class {kind!r} may not enter {track.name!r}{did_you_mean(kind, track.classes)}")
    data = seal(manifest, members, owner)
    Submission(data, "the new submission")  # what nobody could open is not written
    return _write(
        data, Path(to), f"{track.name}-{folder_names([name])[name] or 'entry'}-{hashlib.sha256(data).hexdigest()[:8]}"
    )


def _suite() -> str:
    return importlib.metadata.version("ludarium")


def _kernels(run: RunFolder, agent: str) -> dict[str, str]:
    """The kernels of a run without those of the suite's other agents."""
    own = BUILT_IN.get(agent.partition("?")[0], ("",))[0].partition(":")[0]
    found = dict(run.manifest.get("kernels", {}))
    return {name: made for name, made in found.items() if name == own or not name.startswith("ludarium.agents.")}


def _agent(run: RunFolder, agent: str | None) -> str:
    agents = run.manifest["agents"]
    if agent is None and len(agents) == 1:
        return str(agents[0])
    if agent not in agents:
        raise SubmissionError(
            f"{run.root}: which agent? {'' if agent is None else repr(agent)}{did_you_mean(agent or '', agents)}"
        )
    return str(agent)


def _members(
    run: RunFolder, track: Track, agent: str, partial: bool, transcripts: bool, bare: bool
) -> tuple[dict[str, bytes], dict[str, list[float | None]]]:
    """The traces and transcripts of a run by their names in a submission, and what the run's clocks say."""
    if run.manifest["scenario"].get("hash") != track.world.hash:
        raise SubmissionError(
            f"{run.root}: the run is of scenario {run.manifest['scenario'].get('name')!r} with another hash than that of "
            f"track {track.name!r} ({track.world.hash}); play the track's scenario"
        )
    folder = folder_names(run.manifest["agents"])[agent]
    there = {(row["case"], row["seed"], row["trial"]) for row in run.rows() if row["agent"] == agent}
    members: dict[str, bytes] = {}
    for number, place in enumerate(track.units()):
        unit = Unit(agent, folder, *place)
        if place not in there:
            if not partial:
                raise SubmissionError(f"{run.root}: the episode {place} of track {track.name!r} is missing; play it, or "
                                      "leave it out on purpose (--partial): it counts as the worst score")  # fmt: skip
            continue
        try:
            trace = Trace.load(run.root / unit.trace)
            if bare:
                trace.header = {name: value for name, value in trace.header.items() if name not in _PLAYED_BY}
            members[_place("episodes/", number)] = encode(trace)
        except LudariumError as error:
            raise SubmissionError(f"cannot pack: {error}") from error
        told = run.root / unit.transcript
        if transcripts and told.exists():
            members[_place("transcripts/", number)] = told.read_bytes()
    return members, _reported(run, track, agent)


def _reported(run: RunFolder, track: Track, agent: str) -> dict[str, list[float | None]]:
    """Seconds, calls, tokens and money of each episode, as the run's own clocks have them."""
    found: dict[Any, dict[str, float]] = {}
    try:
        lines = (run.root / TIMING).read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    for line in lines:
        try:
            timing = json.loads(line)
        except ValueError:  # the last line of a run that was killed
            continue
        if timing.get("agent") == agent:
            used = timing.get("usage", {})
            tokens = {"tokens": used["prompt"] + used["completion"]} if "prompt" in used else {}
            figures = {**used, **tokens, "wall_s": round(timing.get("wall_s", 0.0), 3)}
            found[timing["case"], timing["seed"], timing["trial"]] = {n: figures[n] for n in REPORTED if n in figures}
    told = {name for figures in found.values() for name in figures}
    return {name: [found.get(unit, {}).get(name) for unit in track.units()] for name in REPORTED if name in told}


def _write(data: bytes, to: Path, stem: str) -> Path:
    path = to if to.name.endswith(".zip") else to / f"{stem}{SUFFIX}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, data)
    except OSError as error:
        raise RunError(f"{path}: cannot write the submission: {error.strerror or error}") from error
    return path
