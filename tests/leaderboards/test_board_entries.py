"""What pages are made from: submissions in a store and in a folder, told alike."""

import json
import shutil

import pytest

from ludarium.errors import RunError, VerdictConflictError
from ludarium.leaderboards import keys
from ludarium.leaderboards.board import drawn
from ludarium.leaderboards.board.cache import VerdictCache
from ludarium.leaderboards.board.entries import StoreSource
from ludarium.leaderboards.board.folders import FolderSource
from ludarium.leaderboards.examine import examine
from ludarium.leaderboards.rounds import FIRST_SEED, commitment
from ludarium.leaderboards.runner import run
from ludarium.leaderboards.store import Store
from ludarium.leaderboards.submission import Submission, pack
from ludarium.leaderboards.verdict import rejected


@pytest.fixture(scope="module")
def verdicts(packed, tiny_track):
    """Verdicts of both submissions: file -> verdict."""
    return {path: examine(Submission.open(path), tiny_track) for path in packed.values()}


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "board.db") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path, packed):
    """Both submissions, one of them in a sub-folder, and the folder of verdicts."""
    for agent, path in packed.items():
        target = tmp_path / "submissions" / agent / path.name
        target.parent.mkdir(parents=True)
        shutil.copy(path, target)
    return tmp_path / "submissions"


def add(store, path, track, verdict=None):
    """Submit a file as whoever made it; with its verdict if one is given."""
    submission = Submission.open(path)
    name = submission.manifest.name
    account = store.accounts.find(name) or store.accounts.create(name)
    manifest = {**submission.manifest.__dict__, "class": submission.manifest.kind}
    entry = store.submissions.add(
        path.read_bytes(), manifest, account=account.id, track=track.name, version=track.version
    )
    if verdict is not None:
        store.queue.finish(store.queue.take("worker"), verdict.as_dict())
    return entry.digest


def test_a_store_and_a_folder_tell_the_same(store, folder, packed, tiny_track, verdicts, tmp_path):
    for path in packed.values():
        add(store, path, tiny_track, verdicts[path])
    ours = StoreSource(store, [tiny_track])
    theirs = FolderSource(folder, [tiny_track], cache=tmp_path / "cache", judge=examine)
    listed = ours.entries(tiny_track.name)
    assert [e.name for e in listed] == ["random", "pibt"]
    assert {e.digest: (e.name, e.key, e.scores, e.plays, e.places, e.steps, e.reported) for e in listed} == {
        e.digest: (e.name, e.key, e.scores, e.plays, e.places, e.steps, e.reported)
        for e in theirs.entries("tiny-track")
    }
    for entry in listed:
        whole = ours.get(entry.digest)
        assert whole.verdict.digest == theirs.get(entry.digest).verdict.digest
        assert list(whole.scores) == [row["score"] for row in whole.verdict.rows]
        assert entry.verdict.rows == ()
        assert sum(entry.scores) / len(entry.scores) == entry.verdict.score
        assert list(entry.places) == tiny_track.units()
        assert ours.submission(entry.digest).data == theirs.submission(entry.digest).data
        assert [link.kind for link in ours.history(entry.digest)] == ["submitted", "verdict"]
    assert ours.tracks() == theirs.tracks() == [tiny_track]
    assert (
        ours.get("0" * 64) is ours.submission("0" * 64) is theirs.get("0" * 64) is theirs.submission("0" * 64) is None
    )


def test_the_head_changes_with_all_that_is_shown(store, packed, tiny_track, verdicts):
    source, heads = StoreSource(store, [tiny_track]), []
    path = packed["pibt"]

    def changed():
        heads.append(source.head())
        assert source.head() == heads[-1]
        return len(set(heads)) == len(heads)

    assert changed()
    digest = add(store, path, tiny_track)
    assert changed()
    assert source.entries("tiny-track")[0].state == "waiting"
    lease = store.queue.take("worker")
    assert changed()
    store.queue.release(lease, "the disk is full", 1e-6)
    assert source.head() == heads[1]  # as it was before
    store.queue.finish(store.queue.take("worker"), verdicts[path].as_dict())
    assert changed()
    store.submissions.retract(digest, "a mistake")
    assert changed()
    assert (source.get(digest).retracted, source.get(digest).ranked) == ("a mistake", False)
    store.submissions.erase(digest)
    assert changed()
    erased = source.get(digest)
    assert (erased.erased, erased.name, erased.key, erased.authors) == (True, "", "", ())
    assert erased.verdict.score == verdicts[path].score
    assert StoreSource(store, []).head() != source.head()


def test_what_is_no_submission_is_told(folder, packed, tiny_track, tmp_path):
    (folder / "a.ludarium.zip").write_bytes(b"no zip file")
    (folder / "b.ludarium.zip").symlink_to(packed["pibt"])
    shutil.copy(packed["pibt"], folder / "c.ludarium.zip")
    (folder / "notes.txt").write_text("nothing to judge")
    source = FolderSource(folder, [tiny_track], cache=tmp_path / "cache", judge=examine)
    told = dict(source.refused)
    assert set(told) == {"a.ludarium.zip", "b.ludarium.zip", f"pibt/{packed['pibt'].name}"}
    assert "link" in told["b.ludarium.zip"]
    assert "same bytes as c.ludarium.zip" in told[f"pibt/{packed['pibt'].name}"]
    assert len(source.entries("tiny-track")) == 2
    with pytest.raises(RunError, match="no folder"):
        FolderSource(folder / "notes.txt")


def test_a_track_that_the_board_does_not_have(folder, tmp_path):
    source = FolderSource(folder, [], cache=tmp_path / "cache", judge=examine)
    (entry, _) = source.entries("tiny-track")
    assert not entry.accepted
    assert "does not have" in entry.verdict.problems[0].what


def test_a_verdict_is_found_once(folder, packed, tiny_track, tmp_path):
    asked = []

    def judge(submission, track):
        asked.append(submission.hash)
        return examine(submission, track)

    def look(tracks=None):
        return FolderSource(folder, tracks or [tiny_track], cache=tmp_path / "cache", jobs=2, judge=judge)

    first = look()
    assert sorted(asked) == sorted(e.digest for e in first.entries("tiny-track"))
    (folder / "moved").mkdir()
    (folder / "random" / packed["random"].name).rename(folder / "moved" / "x.ludarium.zip")
    again = look()
    assert len(asked) == 2
    assert again.head() != first.head()  # another order
    kept = sorted((tmp_path / "cache").iterdir())
    assert len(kept) == 2
    for spoilt in (b"", b"[]", kept[1].read_bytes(), kept[0].read_bytes().replace(b'"score": ', b'"score": 1', 1)):
        kept[0].write_bytes(spoilt)
        assert {e.digest: e.scores for e in look().entries("tiny-track")} == {
            e.digest: e.scores for e in first.entries("tiny-track")
        }
    assert len(asked) == 6


def test_a_verdict_is_believed_for_the_same_sources_alone(packed, tiny_track, verdicts, tmp_path, monkeypatch):
    cache, path = VerdictCache(tmp_path / "cache"), packed["pibt"]
    digest = verdicts[path].submission
    cache.put(digest, tiny_track, verdicts[path])
    assert cache.get(digest, tiny_track) == verdicts[path]
    monkeypatch.setattr("ludarium.leaderboards.board.cache.code_hash", lambda: "other sources")
    assert cache.get(digest, tiny_track) is None


# --- sealed rounds -----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def spring(tmp_path_factory, tiny_track):
    """A sealed round that is over: its record, and a submission that was its one attempt."""
    folder, key = tmp_path_factory.mktemp("spring"), keys.new_key()
    with Store(folder / "board.db") as board:
        board.accounts.create("Ada")
        drawn.open_round(board, tiny_track, "spring", episodes=1)
        commit = commitment(b"0123456789abcdef", b"my archive")
        ticket = drawn.enter(board, tiny_track, "spring", 1, commit, keys.public_key(key))
        finished = run(str(ticket.scenario(tiny_track, folder)), ["pibt"], folder / "run", jobs=0)
        track = ticket.apply(tiny_track)
        path = pack(finished.root, track, name="me", key=key, to=folder, sealed=ticket.named)
        other = pack(finished.root, track, name="again", key=key, to=folder, sealed=ticket.named)
        submission = Submission.open(path)
        board.submissions.add(
            submission.data, json.loads(submission.manifest.encode()), account=1, track=track.name, version=track.version,
            tier="sealed", round_id=drawn.admit(board, submission, tiny_track, 1),
        )  # fmt: skip
        board.rounds.close(tiny_track.name)
        record = drawn.record(board, tiny_track, board.rounds.find(tiny_track.name, "spring"))
    return json.dumps(record), path, other


@pytest.fixture
def sealed(spring, tmp_path, tiny_track):
    """Read a folder with the round's attempt and another file of its entrant; `change` spoils the record."""
    (tmp_path / "to").mkdir()
    for path in spring[1:]:
        shutil.copy(path, tmp_path / "to")

    def read(change=lambda record: record):
        (tmp_path / "rounds").mkdir(exist_ok=True)
        (tmp_path / "rounds" / "spring.json").write_text(change(spring[0]))
        rounds = tmp_path / "rounds"
        found = FolderSource(tmp_path / "to", [tiny_track], cache=tmp_path / "cache", rounds=rounds, judge=examine)
        return {entry.name: entry for entry in found.entries(tiny_track.name)}

    return read


def test_a_sealed_submission_is_judged_on_the_seeds_of_its_record(sealed):
    listed = sealed()
    assert (listed["me"].accepted, listed["me"].tier, listed["me"].round, len(listed["me"].scores)) == (
        True,
        "sealed",
        "spring",
        2,
    )
    assert all(seed >= FIRST_SEED for _, seed, _ in listed["me"].places)
    assert "is not the submission that the log" in listed["again"].verdict.problems[0].what  # a round has one attempt


def test_without_its_record_a_sealed_submission_is_rejected(spring, tmp_path, tiny_track):
    (tmp_path / "to").mkdir()
    shutil.copy(spring[1], tmp_path / "to")
    (entry,) = FolderSource(tmp_path / "to", [tiny_track], cache=tmp_path / "c", judge=examine).entries(tiny_track.name)
    assert "there is no record" in entry.verdict.problems[0].what


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text[:-1], "no record of a round"),
        (lambda text: "[]", "expected a JSON object"),
        (lambda text: json.dumps({**json.loads(text), "track": "other"}), "does not have"),
        (lambda text: json.dumps({**json.loads(text), "secret": "00" * 32}), "does not hold"),
        (lambda text: json.dumps({**json.loads(text), "secret": None}), "not revealed yet"),
        (lambda text: json.dumps({**json.loads(text), "entries": 7}), "spring.json"),
    ],
)  # fmt: skip
def test_a_record_that_does_not_hold_is_refused(sealed, change, reason):
    with pytest.raises(RunError, match=reason):
        sealed(change)


def test_other_verdicts_are_told(store, packed, tiny_track, verdicts):
    path = packed["pibt"]
    digest = add(store, path, tiny_track, verdicts[path])
    store.queue.recheck(digest)
    other = rejected("the replay differs", "episodes/0000.trace", digest, tiny_track.reference)
    with pytest.raises(VerdictConflictError):
        store.queue.finish(store.queue.take("odd"), other.as_dict())
    source = StoreSource(store, [tiny_track])
    assert source.get(digest).disagreements == 1
    (told,) = source.others(digest)
    assert (told.ok, told.score, told.problem) == (False, None, "episodes/0000.trace: the replay differs")
