"""The reference boards: who enters, the same bytes twice, what would be odd, and the committed files themselves."""

import dataclasses
import hashlib
import re
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
from requirements import required

from ludarium.agents.registry import BUILT_IN, make_agent
from ludarium.envs.core.registry import WORLDS as REGISTERED
from ludarium.envs.core.registry import available
from ludarium.errors import TrackError
from ludarium.leaderboards import baselines, keys, normalise, reference
from ludarium.leaderboards.cli.board import reference as cli
from ludarium.leaderboards.examine import Examiner
from ludarium.leaderboards.runner import run
from ludarium.leaderboards.submission import SUFFIX, Submission
from ludarium.leaderboards.track import load_track, track_names

ROOT = Path(__file__).parents[2]
BOARDS = ROOT / "leaderboards" / "boards" / "reference"
TRACKS = [load_track(name) for name in track_names()]
AGENTS = ("random", "pibt")


@pytest.fixture(scope="module")
def played(tiny_track, tmp_path_factory):
    """A run of two agents on the tiny track, as the command makes it."""
    return reference.play(tiny_track, AGENTS, tmp_path_factory.mktemp("work"))


# --- who enters --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("track", TRACKS, ids=lambda track: track.name)
def test_every_built_in_agent_enters_a_track_or_there_is_a_reason(track):
    entered = baselines.agents_of(track)
    for agent in BUILT_IN:
        assert (agent in map(baselines.label_of, entered)) == (baselines.why_not(agent, track) == ""), agent
        assert "nothing" not in baselines.why_not(agent, track)
    field = baselines.field_of(track)
    assert {baselines.RANDOM, field.reference, *field.unbeaten} <= set(entered)
    assert len(set(map(baselines.label_of, entered))) == len(entered)


def test_the_agents_and_the_tracks_that_the_table_names_are_there():
    for field in baselines.WORLDS.values():
        assert set(field.absent) <= set(BUILT_IN)
        assert {name for names, _ in field.passes.values() for name in names} <= set(track_names())
        for agent in field.agents:
            assert make_agent(agent, allow_code=False)
            assert not re.search(r"_s=|seconds|time", agent), "budgets are counted, not timed"
    assert set(baselines.WORLDS) == {track.world.environment for track in TRACKS} <= set(REGISTERED)


def test_a_world_without_a_field_is_named(tiny_track, monkeypatch):
    monkeypatch.setattr(baselines, "WORLDS", {"mapf-v0": baselines.WORLDS["mapf-v0"]})
    with pytest.raises(TrackError, match=r"no agents are named for 'mapf-lifelong-v0'.*did you mean 'mapf-v0'"):
        baselines.field_of(tiny_track)


# --- the command -------------------------------------------------------------------------------------------------------
def test_the_same_bytes_twice_and_a_run_goes_on(tiny_track, played, tmp_path, monkeypatch):
    first = reference.write(played, tiny_track, tmp_path / "a")
    calls = []
    monkeypatch.setattr(reference, "run", lambda *given, **options: calls.append(run(*given, **options)))
    assert reference.play(tiny_track, AGENTS, played.parent) == played
    assert calls[0].played == 0
    alone = reference.play(tiny_track, AGENTS[1:], tmp_path)
    assert (alone.name, calls[1].played) != (played.name, 0)
    second = reference.write(alone, tiny_track, tmp_path / "b")
    assert [path.name for path in first] == [f"{agent}{SUFFIX}" for agent in AGENTS]
    assert second[0].read_bytes() == first[1].read_bytes()
    assert reference.write_page(played, tiny_track, tmp_path).read_bytes().count(b"| `pibt` |") == 1


def test_what_is_written_is_verified_and_scores_as_it_says(tiny_track, played, tmp_path):
    examiner, found = Examiner(tiny_track), {line.agent: line for line in reference.standings(played, tiny_track)}
    for path in reference.write(played, tiny_track, tmp_path):
        submission = Submission.open(path)
        verdict = examiner.examine(submission)
        assert verdict.ok
        assert [flag.kind for flag in verdict.flags] == ["kernels"]
        assert verdict.score == pytest.approx(found[submission.manifest.agent].score, rel=1e-12)
        rows = reference.figures(path, tiny_track)
        assert [row["metrics"] for row in rows] == [row["metrics"] for row in verdict.rows]
    assert [line.agent for line in found.values()] == ["pibt", "random"]
    assert [line.rank.rank for line in found.values()] == [1, 2]


def test_a_site_tells_what_cannot_be_verified_where_it_is_built(tiny_track, packed, tmp_path, monkeypatch):
    from ludarium.leaderboards.board import folders

    monkeypatch.setattr(folders, "available", lambda name: False)
    source = folders.FolderSource(packed["pibt"].parent, [tiny_track], cache=tmp_path)
    assert source.entries(tiny_track.name) == []
    assert [refused.reason.startswith("this needs the package") for refused in source.refused] == [True, True]


def test_the_key_is_the_one_that_everybody_can_make():
    made = hashlib.sha256(reference.SECRET.encode()).digest()
    assert reference.reference_key().private_bytes_raw() == made


def test_an_agent_below_chance_and_a_beaten_oracle_are_odd(tiny_track, played, monkeypatch):
    assert reference.odd(played, tiny_track) == []
    assert all(set(known) <= set(BUILT_IN) for known in baselines.BELOW_CHANCE.values())
    upside_down = dataclasses.replace(tiny_track, higher_is_better=False, worst=9.0)
    assert reference.odd(played, upside_down)[0].startswith("tiny-track: pibt (")
    field = dataclasses.replace(baselines.WORLDS["mapf-lifelong-v0"], reference="pibt", unbeaten=("random",))
    monkeypatch.setitem(baselines.WORLDS, "mapf-lifelong-v0", field)
    assert "tiny-track: pibt beats random in case two, seed 0" in reference.odd(played, tiny_track)
    assert "tiny-track: the reference agent pibt is no better than chance" in reference.odd(played, upside_down)


def test_references_hold_the_score_of_the_track(tiny_track, played, tmp_path, monkeypatch):
    field = dataclasses.replace(baselines.WORLDS["mapf-lifelong-v0"], reference="pibt")
    monkeypatch.setitem(baselines.WORLDS, "mapf-lifelong-v0", field)
    found = normalise.load(reference.write_references(played, tiny_track, tmp_path))
    assert found.of("two", tiny_track.name) == found.of("two", "throughput")
    assert (found.random_agent, found.reference_agent) == AGENTS
    assert found.scale_of(tiny_track.name, "throughput") == tiny_track.name
    assert found.scale_of("another", "throughput") == "throughput"


def test_names_are_taken_by_commas_and_wrong_ones_refused():
    from ludarium.errors import AgentError

    tracks, _ = cli._tracks(("text-coin", "mapf-oneshot-city"))
    assert cli._entered(tracks, cli._listed(["cbs,coin-oracle"])) == [(tracks[0], ("coin-oracle",))]
    with pytest.raises(AgentError, match="did you mean 'coin-oracle'"):
        cli._entered(tracks, ("coin-orakel",))


# --- the committed boards ----------------------------------------------------------------------------------------------
def committed():
    if not BOARDS.is_dir():
        pytest.skip("the boards are in the repository, not in what is installed")
    return sorted(path.relative_to(BOARDS) for path in BOARDS.rglob(f"*{SUFFIX}"))


def tenth(paths):
    """A tenth of the files, another one for every commit."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    head = done.stdout.strip()
    ordered = sorted(paths, key=lambda path: hashlib.sha256(f"{head} {path}".encode()).digest())
    return ordered[: -(-len(paths) // 10)]


def test_the_committed_boards_are_whole_and_small():
    found = committed()
    wanted = {
        Path(track.name) / f"{baselines.label_of(agent)}{SUFFIX}"
        for track in TRACKS
        for agent in baselines.agents_of(track)
    }
    assert set(found) == wanted
    assert sum(path.stat().st_size for path in BOARDS.rglob("*") if path.is_file()) <= 5_000_000
    public = keys.public_key(reference.reference_key())
    for track in TRACKS:
        page = (BOARDS / track.name / "README.md").read_text()
        for agent in baselines.agents_of(track):
            submission = Submission.open(BOARDS / track.name / f"{baselines.label_of(agent)}{SUFFIX}")
            said = submission.manifest
            assert (said.track, said.agent, said.public_key) == (track.reference, agent, public)
            assert len(submission.episodes) == len(track.units())
            assert f"| `{agent}` |" in page


def test_a_rotating_tenth_of_the_committed_boards_is_verified():
    by_track = defaultdict(list)
    for path in tenth(committed()):
        by_track[path.parent.name].append(path)
    for name, paths in by_track.items():
        track = load_track(name)
        if not available(track.world.environment):
            assert not required("textworld")
            continue
        examiner, page = Examiner(track), (BOARDS / name / "README.md").read_text()
        for path in paths:
            submission = Submission.open(BOARDS / path)
            verdict = examiner.examine(submission)
            assert verdict.ok, (str(path), verdict.problems)
            assert {flag.kind for flag in verdict.flags} <= {"version", "kernels", "duplicate"}
            assert f"| `{submission.manifest.agent}` | {verdict.score:.4g} |" in page
            assert_scale(track, submission.manifest.agent, verdict.rows)


def assert_scale(track, agent, rows):
    """The references of a scenario are the means of these very episodes."""
    found = normalise.references_for(track.world, track.split)
    for name, case in [(name, case) for name in ("random", "reference") for case in found.cases]:
        if getattr(found, f"{name}_agent") == agent:
            own = [row["score"] for row in rows if row["case"] == case]
            assert getattr(found.of(case, track.name), name) == pytest.approx(sum(own) / len(own), rel=1e-9)


def test_every_track_has_a_scale():
    for track in TRACKS:
        found = normalise.references_for(track.world, track.split)
        assert found.reference_agent == baselines.field_of(track).reference
        assert found.scale_of(track.name, track.metric) == track.name
