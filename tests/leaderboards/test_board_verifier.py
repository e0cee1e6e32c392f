"""Background verification: every job ends in one verdict, whatever becomes of workers; their failures are no verdicts."""

import hashlib
import json
import threading

import pytest
from board_kit import VERDICT, stopped

from ludarium.errors import RunError, StoreError, TrackError
from ludarium.leaderboards import child
from ludarium.leaderboards.board.verifier import Verifier, track_of
from ludarium.leaderboards.judge import judge
from ludarium.leaderboards.submission import Submission
from ludarium.leaderboards.verdict import Verdict, rejected


def put(store, path, name="Ada"):
    """Submit a file as the server does; returns its digest."""
    submission = Submission.open(path)
    account = store.accounts.find(name) or store.accounts.create(name)
    said = submission.manifest
    manifest = json.loads(said.encode())
    track = {"track": said.track["name"], "version": said.track["version"]}
    return store.submissions.add(submission.data, manifest, account=account.id, kind=said.kind, **track).digest


def accepting(submission, track, **options):
    """A judge who believes everything."""
    row = {"episode": 0, "case": "two", "seed": 0, "trial": 0, "status": "ok", "score": 0.5, "steps": 1, "digest": "aa"}
    guard = {"network": "none", "user": "nobody"}
    return Verdict(True, "replayed", (row,), (), 0.5, 0.1, (), 2, submission.hash, track.reference, guard)


def failing(error):
    def judging(submission, track, **options):
        raise error

    return judging


def worked(store, track, judging, **options):
    """What one verifier says until nothing waits, and how many verdicts it recorded."""
    lines = []
    verifier = Verifier(store, [track], judging=judging, say=lines.append, **options)
    done = verifier.run(threading.Event(), until_empty=True)
    assert store.workers.count(1000) == 0  # it said that it goes
    return done, lines


def test_a_second_look_that_finds_the_same_confirms(board, tiny_track, packed):
    digest = put(board, packed["pibt"])
    for _ in range(2):
        assert worked(board, tiny_track, accepting)[0] == 1
        board.queue.recheck(digest)
    assert [link.kind for link in board.log.links(subject=digest)] == ["submitted", "verdict", "confirmed"]


@pytest.mark.parametrize(
    ("error", "public"),
    [(RunError("in /secret/place"), "the judging process failed before it looked at the submission"),
     (TrackError("in /secret/place"), "the board has not, or not any more, the track that this is for"),
     (OSError("no more processes in /secret/place"), "the verifier failed (OSError)"),
     (ZeroDivisionError("/secret/place"), "the verifier failed (ZeroDivisionError)")],
)  # fmt: skip
def test_failures_that_are_not_the_submissions_are_tried_again_and_then_wait_for_the_operator(
    tmp_path, tiny_track, packed, error, public
):
    with stopped(tmp_path / "board.db", tmp_path) as store:
        digest = put(store, packed["pibt"])
        for attempt in (1, 2):
            done, lines = worked(store, tiny_track, failing(error), max_tries=2)
            assert done == 0
            assert f"try {attempt}" in lines[0]
            assert "/secret/place" in lines[0]  # in the worker's own log
            assert store.queue.take("early") is None
            store.pass_time(1000)
        assert worked(store, tiny_track, accepting, max_tries=2) == (0, [])
        assert store.queue.stuck() == [(digest, public)]
        store.queue.recheck(digest)
        assert worked(store, tiny_track, accepting)[0] == 1
        assert store.submissions.get(digest).verdict["ok"]


def test_the_pause_grows_and_another_worker_may_succeed(ticking, tiny_track, packed):
    put(ticking, packed["pibt"])
    for pause in (30, 60):
        worked(ticking, tiny_track, failing(RunError("x")))
        ticking.pass_time(pause - 1)
        assert worked(ticking, tiny_track, accepting)[0] == 0
        ticking.pass_time(1.1)
    assert worked(ticking, tiny_track, accepting)[0] == 1


def test_a_worker_that_is_stopped_gives_its_job_back_at_once_without_a_try(ticking, tiny_track, packed):
    digest = put(ticking, packed["pibt"])
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            worked(ticking, tiny_track, failing(KeyboardInterrupt()), max_tries=1)
        assert ticking.submissions.get(digest).state == "waiting"
        assert ticking.workers.count(1000) == 0
        ticking.pass_time(0.001)
    assert worked(ticking, tiny_track, accepting, max_tries=1)[0] == 1


def test_a_killed_workers_job_is_taken_over_and_its_late_verdict_changes_nothing(ticking, tiny_track, packed):
    digest = put(ticking, packed["pibt"])
    dead = ticking.queue.take("dead", 60)
    assert worked(ticking, tiny_track, accepting)[0] == 0
    ticking.pass_time(61)
    assert worked(ticking, tiny_track, accepting)[0] == 1
    late = accepting(Submission.open(packed["pibt"]), tiny_track).as_dict()
    assert not ticking.queue.finish(dead, late)
    assert ticking.submissions.get(digest).disagreements == 0


def test_a_judging_process_that_was_killed_is_asked_once_more(board, tiny_track, packed):
    digest = put(board, packed["pibt"])
    asked = []

    def killed_once(submission, track, **options):
        asked.append(submission.hash)
        if len(asked) == 1:
            return rejected("was killed", submission.where, submission.hash, track.reference, tier="replayed")
        return accepting(submission, track)

    assert worked(board, tiny_track, killed_once)[0] == 1
    assert len(asked) == 2
    assert board.submissions.get(digest).verdict["ok"]
    digest, calls = put(board, packed["random"]), len(asked)

    def always(submission, track, **options):
        asked.append(submission.hash)
        return rejected("takes too much", submission.where, submission.hash, track.reference, tier="replayed")

    assert worked(board, tiny_track, always)[0] == 1
    assert len(asked) == calls + 2
    assert not board.submissions.get(digest).verdict["ok"]


def test_a_verdict_that_differs_is_kept_beside_the_first(board, tiny_track, packed):
    digest = put(board, packed["pibt"])
    board.queue.finish(board.queue.take("odd"), VERDICT)
    board.queue.recheck(digest)
    done, lines = worked(board, tiny_track, accepting)
    assert done == 0
    assert "another verdict" in lines[0]
    assert (board.submissions.get(digest).disagreements, board.queue.counts()["done"]) == (1, 1)


def test_a_file_that_is_gone_and_a_board_that_is_away_are_no_verdicts(ticking, tiny_track, packed, monkeypatch):
    digest = put(ticking, packed["pibt"])
    place = ticking.blobs.path(digest)
    data = place.read_bytes()
    place.write_bytes(data[:-1] + b"x")
    done, lines = worked(ticking, tiny_track, accepting)
    assert (done, "damaged" in lines[0]) == (0, True)
    place.write_bytes(data)
    ticking.pass_time(31)
    stop, takes = threading.Event(), []

    def away(*arguments):
        takes.append(arguments)
        if len(takes) > 2:
            stop.set()
        raise StoreError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(ticking.queue, "take", away)
        assert Verifier(ticking, [tiny_track], idle_s=0.001).run(stop) == 0
    assert len(takes) == 3
    with monkeypatch.context() as patch:
        patch.setattr(ticking.queue, "finish", away)
        done, lines = worked(ticking, tiny_track, accepting)
        assert (done, "cannot record" in lines[0]) == (0, True)
    ticking.pass_time(61)
    assert worked(ticking, tiny_track, accepting)[0] == 1
    assert hashlib.sha256(data).hexdigest() == digest


def test_a_track_that_the_board_has_no_more_is_no_verdict(board, tiny_track, packed):
    digest = put(board, packed["pibt"])
    entry = board.submissions.get(digest)
    assert track_of(board, {"tiny-track": tiny_track}, entry) is tiny_track
    with pytest.raises(TrackError, match="no track 'tiny-track' of version 3"):
        track_of(board, {}, entry)
    done, lines = worked(board, tiny_track, accepting, name="w" * 150)
    assert done == 1
    assert lines == [f"{digest}: accepted in {board.submissions.get(digest).measured['wall_s']} s"]


def test_guarded_processes_are_told_no_address_of_a_database(tiny_track, packed, monkeypatch):
    told = {}

    class Started(Exception):
        pass

    def start(*arguments, env, **options):
        told.update(env)
        raise Started

    monkeypatch.setenv("LUDARIUM_BOARD_STORE", "postgresql://board:hush@db/board")
    monkeypatch.setenv("LUDARIUM_SERVE_TOKEN", "hush hush hush hush")
    monkeypatch.setenv("LUDARIUM_LAWS", "ci")
    monkeypatch.setattr(child.subprocess, "Popen", start)
    with pytest.raises(Started):
        judge(Submission.open(packed["pibt"]), tiny_track)
    assert told["LUDARIUM_LAWS"] == "ci"
    assert "hush" not in json.dumps(told)
