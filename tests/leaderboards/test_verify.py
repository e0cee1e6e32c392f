"""Verification finds whatever was changed in a run, and nothing in one that was not."""

import json
import shutil

import numpy as np
import pytest

from ludarium.envs.core.errors import RunError
from ludarium.envs.core.trace import Trace
from ludarium.leaderboards.folder import canonical, run_digest
from ludarium.leaderboards.verify import verify
from ludarium.scenarios.loader import file_hash

TRACE = "traces/pibt/four-2-0.trace"


@pytest.fixture
def copy(finished, tmp_path):
    """A copy of a finished run, to be spoiled."""
    return shutil.copytree(finished.root, tmp_path / "run")


def edit_rows(root, change, reseal=True):
    """Change rows; a careful forger brings the digest up to date."""
    path = root / "episodes.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows = change(rows) or rows
    path.write_text("".join(canonical(row) + "\n" for row in rows))
    if reseal:
        manifest = json.loads((root / "manifest.json").read_text())
        result = {"digest": run_digest(manifest, rows), "episodes": len(rows), "turns_lost": 0}
        (root / "result.json").write_text(json.dumps(result))


def row_of(rows, trace=TRACE):
    return next(row for row in rows if row["trace"] == trace)


def edit_trace(root, change):
    """Change a trace, seal it again, and bring the row's hash up to date."""
    trace = Trace.load(root / TRACE)
    change(trace)
    trace.save(root / TRACE)
    edit_rows(root, lambda rows: row_of(rows).update(trace_hash=file_hash(root / TRACE)))


def flip_action(trace):
    trace.actions[0][40, 1] = (trace.actions[0][40, 1] + 1) % 5


def drop_steps(trace):
    trace.actions[0] = trace.actions[0][:-1]
    trace.result["steps"] -= 1
    trace.digests[-1] = (trace.steps, trace.digests[-1][1])


def swap(root):
    other = root / "traces/pibt/four-3-0.trace"
    a, b = (root / TRACE).read_bytes(), other.read_bytes()
    (root / TRACE).write_bytes(b)
    other.write_bytes(a)

    def hashes(rows):
        row_of(rows).update(trace_hash=file_hash(root / TRACE))
        row_of(rows, "traces/pibt/four-3-0.trace").update(trace_hash=file_hash(other))

    edit_rows(root, hashes)


def other_version(root):
    data = (root / TRACE).read_bytes()
    assert data.count(b'"format":2') == 1
    (root / TRACE).write_bytes(data.replace(b'"format":2', b'"format":9'))


def metric(root):
    edit_rows(
        root, lambda rows: row_of(rows)["metrics"].update(throughput=row_of(rows)["metrics"]["throughput"] + 0.0125)
    )


def manifest(root, **changes):
    path = root / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


CORRUPTIONS = {
    "a metric": (metric, "the row says throughput ="),
    "a metric, digest as it was": (
        lambda root: edit_rows(root, lambda rows: row_of(rows)["metrics"].update(goals_reached=1), reseal=False),
        "the row says goals_reached = 1",
    ),
    "an invented metric": (
        lambda root: edit_rows(root, lambda rows: row_of(rows)["metrics"].update(brilliance=1)),
        "the row says brilliance = 1, the replay gives None",
    ),
    "an integer that became a float": (
        lambda root: edit_rows(root, lambda rows: row_of(rows)["metrics"].update(goals_reached=1e9)),
        "the row says goals_reached",
    ),
    "a bound": (lambda root: edit_rows(root, lambda rows: row_of(rows)["bounds"].update(throughput=0.1)), "bounds ="),
    "the length": (lambda root: edit_rows(root, lambda rows: row_of(rows).update(steps=79)), "steps = 79"),
    "the digest": (lambda root: edit_rows(root, lambda rows: row_of(rows).update(digest="0" * 16)), "digest ="),
    "the agent's seed": (
        lambda root: edit_rows(root, lambda rows: row_of(rows).update(agent_seed=1)),
        "agent_seed is 1",
    ),
    "turns lost": (
        lambda root: edit_rows(root, lambda rows: row_of(rows).update(turns_lost=3, faults={"crash": 3})),
        "crash = 3, the trace notes 0",
    ),
    "an action": (lambda root: edit_trace(root, flip_action), "the replay differs at step 64: digest"),
    "the end": (lambda root: edit_trace(root, drop_steps), "the replay differs at step 79: digest"),
    "a digest of the trace": (
        lambda root: edit_trace(root, lambda trace: trace.digests.__setitem__(1, (64, 5))),
        "the replay differs at step 64: digest",
    ),
    "the trace's own result": (
        lambda root: edit_trace(root, lambda trace: trace.result["metrics"].update(goals_reached=999)),
        "the replay differs at step 80: metrics.goals_reached",
    ),
    "the trace's config": (
        lambda root: edit_trace(root, lambda trace: trace.header["config"].update(density=0.0)),
        "is of another episode: config",
    ),
    "an instance of one's own": (
        lambda root: edit_trace(root, lambda trace: trace.header.update(instance={"map": ["...."]})),
        "is of another episode: instance",
    ),
    "actions of another type": (
        lambda root: edit_trace(root, lambda trace: trace.actions.__setitem__(0, trace.actions[0].astype(np.float64))),
        "the replay differs at|does not replay",
    ),
    "an action that is none": (
        lambda root: edit_trace(root, lambda trace: trace.header["roles"][0].update(base=0) or set_action(trace)),
        "does not replay: the trace cannot be played at step 9",
    ),
    "swapped traces": (swap, "is of another episode: seed"),
    "a missing trace": (lambda root: (root / TRACE).unlink(), "the trace is missing"),
    "a trace too many": (
        lambda root: shutil.copy(root / TRACE, root / "traces/pibt/four-9-0.trace"),
        "belongs to no episode",
    ),
    "a trace that was cut": (
        lambda root: (root / TRACE).write_bytes((root / TRACE).read_bytes()[:-40]),
        "cut at byte|damaged",
    ),
    "a byte of a trace": (
        lambda root: (root / TRACE).write_bytes((root / TRACE).read_bytes()[:-5] + b"zzzzz"),
        "seal does not hold",
    ),
    "a trace of another version": (other_version, "trace format 9; this version of ludarium reads formats up to 2"),
    "a missing row": (
        lambda root: edit_rows(root, lambda rows: [row for row in rows if row["trace"] != TRACE]),
        "no row for the episode",
    ),
    "a row twice": (lambda root: edit_rows(root, lambda rows: [*rows, row_of(rows)]), "stands 2 times"),
    "a row of no episode": (
        lambda root: edit_rows(root, lambda rows: row_of(rows).update(seed=77)),
        "is not of this run",
    ),
    "the manifest's agents": (lambda root: manifest(root, agents=["random", "lns"]), "is not of this run"),
    "the manifest's version": (lambda root: manifest(root, ludarium="9.9"), "digest is"),
    "the manifest's scenario": (
        lambda root: manifest(root, scenario={"name": "tiny", "version": 1, "hash": "f" * 32}),
        "scenario is",
    ),
    "the scenario": (
        lambda root: (root / "scenario/scenario.toml").write_text(
            (root / "scenario/scenario.toml").read_text().replace("density = 0.1", "density = 0.0")
        ),
        "scenario is|is of another episode",
    ),
    "the result": (
        lambda root: (root / "result.json").write_text('{"digest": "00", "episodes": 16}'),
        "digest is 00; manifest and rows give",
    ),
    "no result": (lambda root: (root / "result.json").unlink(), "is missing: the run is not finished"),
}


def set_action(trace):
    trace.actions[0][9, 0] = 7


def test_a_run_verifies_and_repeats_its_digest(finished):
    report = verify(finished.root)
    assert report.ok, report.problems
    assert (report.episodes, report.digest) == (16, finished.digest)
    assert report.agent_steps == 2 * 4 * 80 * (2 + 4)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_verification_finds_what_was_changed(copy, name):
    import re

    change, expected = CORRUPTIONS[name]
    change(copy)
    report = verify(copy)
    assert not report.ok
    assert any(re.search(expected, str(problem)) for problem in report.problems), report.problems
    assert len(verify(copy, first=True).problems) == 1


def test_what_is_no_run_is_an_error_that_says_so(tmp_path, copy):
    for root, match in ((tmp_path / "rum", "no such run folder; did you mean"), (tmp_path, "this is no run folder")):
        with pytest.raises(RunError, match=match):
            verify(root)
    manifest(copy, format=2)
    with pytest.raises(RunError, match="reads format 1"):
        verify(copy)
    (copy / "manifest.json").write_text("{")
    with pytest.raises(RunError, match="damaged"):
        verify(copy)


def test_a_cut_line_of_rows_is_named(copy):
    path = copy / "episodes.jsonl"
    path.write_text(path.read_text().replace('{"agent"', "{agent", 1))
    assert "episodes.jsonl:1: damaged" in str(verify(copy).problems[0])


def test_no_byte_of_a_trace_can_change_unseen(finished, tmp_path):
    data = bytearray((finished.root / TRACE).read_bytes())
    target = tmp_path / "changed.trace"
    for place in range(len(data)):
        data[place] ^= 0x41
        target.write_bytes(data)
        with pytest.raises(ValueError, match=str(target)):
            Trace.load(target)
        data[place] ^= 0x41
