"""A sealed round from its opening to the recheck by anybody, and what is refused on the way."""

import copy
import dataclasses
import json

import pytest

from ludarium.envs.core.errors import RefusedError, SubmissionError
from ludarium.leaderboards import keys
from ludarium.leaderboards.board import drawn
from ludarium.leaderboards.examine import examine
from ludarium.leaderboards.rounds import FIRST_SEED, Ticket, commitment, recheck, sealed_seeds, tickets
from ludarium.leaderboards.runner import run
from ludarium.leaderboards.store import Store
from ludarium.leaderboards.submission import Submission, pack
from ludarium.scenarios.loader import load

SALT = b"0123456789abcdef"
MINE, OTHER = keys.new_key(), keys.new_key()
COMMIT = commitment(SALT, b"the archive of my agent")


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "board.db") as found:
        found.accounts.create("Ada")
        found.accounts.create("Bob")
        yield found


def played(ticket, track, folder, key=MINE, agent="pibt"):
    """The entrant plays what the ticket says and packs it."""
    scenario = ticket.scenario(track, folder)
    finished = run(str(scenario), [agent], folder / f"run-{agent}", jobs=0)
    sealed = ticket.apply(track)
    return Submission.open(pack(finished.root, sealed, name="me", key=key, to=folder, sealed=ticket.named))


def taken(store, submission, track, account=1):
    """The board takes an upload."""
    return store.submissions.add(
        submission.data, json.loads(submission.manifest.encode()), account=account, track=track.name, version=track.version,
        tier="sealed", round_id=drawn.admit(store, submission, track, account),
    )  # fmt: skip


def closed(store, track, episodes=2):
    """A round with two entrants that is over: its record, and their tickets."""
    opened = drawn.open_round(store, track, "spring", episodes=episodes)
    own = [
        drawn.enter(store, track, "spring", account, commitment(SALT, bytes([account])), keys.public_key(key))
        for account, key in ((1, MINE), (2, OTHER))
    ]
    store.rounds.close(track.name)
    return drawn.record(store, track, store.rounds.get(opened.id)), own


def test_a_round_from_opening_to_recheck(store, tiny_track, tmp_path):
    opened = drawn.open_round(store, tiny_track, "spring", episodes=2)
    ticket = drawn.enter(store, tiny_track, "spring", 1, COMMIT, keys.public_key(MINE))
    ticket.save(tmp_path / "ticket.json")
    assert Ticket.load(tmp_path / "ticket.json") == ticket
    assert drawn.enter(store, tiny_track, "spring", 1, COMMIT, keys.public_key(MINE)) == ticket
    second = drawn.enter(store, tiny_track, "spring", 2, commitment(SALT, b"another"), keys.public_key(OTHER))
    mine, theirs = ({seed for own in each.seeds.values() for seed in own} for each in (ticket, second))
    assert not mine & theirs
    assert all(FIRST_SEED <= seed < 2**53 for seed in mine | theirs)

    submission = played(ticket, tiny_track, tmp_path / "entrant")
    entry = taken(store, submission, tiny_track)
    track = drawn.track_of(store, entry, tiny_track)
    verdict = examine(submission, track)
    assert verdict.ok, verdict.problems
    assert (verdict.tier, len(verdict.rows)) == ("sealed", 4)
    assert taken(store, submission, tiny_track).id == entry.id  # the same file again is no second attempt
    with pytest.raises(RefusedError, match="one attempt"):
        taken(store, played(ticket, tiny_track, tmp_path / "again", agent="shortest"), tiny_track)
    store.queue.finish(store.queue.take("worker"), verdict.as_dict())

    public = drawn.record(store, tiny_track, store.rounds.get(opened.id))
    secret = store.rounds.secret(opened.id)
    assert secret not in json.dumps(public)
    assert not any(str(seed) in json.dumps(public) for seed in mine | theirs)
    assert recheck(public, tiny_track) == ["the secret is not revealed yet"]
    store.rounds.close(tiny_track.name)
    public = json.loads(json.dumps(drawn.record(store, tiny_track, store.rounds.get(opened.id))))
    assert recheck(public, tiny_track, [ticket, second]) == []
    assert tickets(public, tiny_track) == [ticket, second]
    assert [row["submission"] and row["submission"]["verdict"]["digest"] for row in public["entries"]] == [
        verdict.digest, None,
    ]  # fmt: skip
    assert examine(submission, ticket.apply(tiny_track)).digest == verdict.digest
    with pytest.raises(RefusedError, match="is over"):
        drawn.enter(store, tiny_track, "spring", 2, commitment(SALT, b"late"), "00" * 32)
    store.check_chain()


def test_one_attempt_for_each_account_key_and_commitment(store, tiny_track):
    drawn.open_round(store, tiny_track, "spring")
    drawn.enter(store, tiny_track, "spring", 1, COMMIT, keys.public_key(MINE))
    luck = commitment(SALT, b"better luck")
    for account, commit, key in ((1, luck, MINE), (1, COMMIT, OTHER), (2, COMMIT, OTHER), (2, luck, MINE)):
        with pytest.raises(RefusedError, match="one attempt"):
            drawn.enter(store, tiny_track, "spring", account, commit, keys.public_key(key))
    drawn.enter(store, tiny_track, "spring", 2, luck, keys.public_key(OTHER))


def test_what_is_not_of_the_ticket_is_refused(store, tiny_track, tmp_path, packed):
    drawn.open_round(store, tiny_track, "spring", episodes=1)
    ticket = drawn.enter(store, tiny_track, "spring", 1, COMMIT, keys.public_key(MINE))
    assert (
        drawn.admit(store, Submission.open(packed["pibt"]), tiny_track, 1) is None
    )  # on public seeds: no round at all
    own = played(ticket, tiny_track, tmp_path / "own")
    with pytest.raises(RefusedError, match="did not commit"):
        taken(store, own, tiny_track, account=2)
    stolen = played(ticket, tiny_track, tmp_path / "thief", key=OTHER)
    with pytest.raises(RefusedError, match="another key"):
        taken(store, stolen, tiny_track)
    with pytest.raises(SubmissionError, match="another key"):
        ticket.check(stolen)
    with pytest.raises(SubmissionError, match="not for the ticket"):
        dataclasses.replace(ticket, tier="hosted").check(own)
    chosen = dataclasses.replace(ticket, seeds={name: [seed + 1 for seed in own] for name, own in ticket.seeds.items()})
    entry = taken(store, played(chosen, tiny_track, tmp_path / "chooser"), tiny_track)
    verdict = examine(Submission(store.blobs.get(entry.digest)), drawn.track_of(store, entry, tiny_track))
    assert not verdict.ok
    assert "seed is" in verdict.problems[0].what
    with pytest.raises(SubmissionError, match="the ticket of round 'spring' is for track"):
        ticket.apply(dataclasses.replace(tiny_track, version=4))
    (tmp_path / "no.json").write_text('{"round": 1}')
    with pytest.raises(SubmissionError, match="no ticket"):
        Ticket.load(tmp_path / "no.json")
    with pytest.raises(SubmissionError, match="a salt of 2 bytes"):
        commitment(b"ab", b"x")


def test_rounds_that_make_no_sense_are_not_opened_or_entered(store, tiny_track):
    for name in ("", "a b", "../x", "hosted-3", "x" * 101):
        with pytest.raises(RefusedError, match="expected letters"):
            drawn.open_round(store, tiny_track, name)
    with pytest.raises(RefusedError, match="episodes = 0"):
        drawn.open_round(store, tiny_track, "spring", episodes=0)
    with pytest.raises(RefusedError, match="no sealed tier"):
        drawn.open_round(store, dataclasses.replace(tiny_track, tiers=("replayed",)), "spring")
    drawn.open_round(store, tiny_track, "spring")
    for commit, key, wrong in (("zz", "00" * 32, "commitment"), (COMMIT, "AB" * 32, "public_key")):
        with pytest.raises(RefusedError, match=wrong):
            drawn.enter(store, tiny_track, "spring", 1, commit, key)
    with pytest.raises(RefusedError, match="no round 'fall'"):
        drawn.enter(store, tiny_track, "fall", 1, COMMIT, "00" * 32)
    newer = dataclasses.replace(tiny_track, version=4)
    with pytest.raises(RefusedError, match="is of version 3"):
        drawn.enter(store, newer, "spring", 1, COMMIT, "00" * 32)
    closed, opened = drawn.rotate_round(store, tiny_track, "fall", episodes=3)
    assert (closed.name, opened.name, opened.terms["episodes"]) == ("spring", "fall", 3)


def lie(path, value):
    """A change of a record."""

    def change(record):
        at = record
        for name in path[:-1]:
            at = at[name]
        at[path[-1]] = value
        return record

    return change


def late(record):
    """The second commitment after the round's end."""
    links = record["links"]
    links[2]["number"], links[3]["number"] = links[3]["number"], links[2]["number"]
    return record


def twice(record):
    """One commitment under two accounts."""
    record["entries"].append({**record["entries"][0], "id": 9, "account_id": 9})
    return record


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lie(["secret"], "11" * 32), "not the one whose hash was published"),
        (lie(["secret_digest"], "11" * 32), "not the one whose hash was published"),
        (lie(["entries", 0, "seeds", "two"], [FIRST_SEED, FIRST_SEED + 1]), "other seeds than its secret gives"),
        (lie(["entries", 0, "commitment"], "22" * 32), "something else about attempt"),
        (lie(["entries", 1, "account_id"], 1), "an account stands twice"),
        (lie(["entries", 1, "key_digest"], "33" * 32), "something else about attempt"),
        (lie(["closes_at"], 7), "something else about round"),
        (lie(["terms", "episodes"], 1), "other seeds than its secret gives"),
        (lie(["terms", "hash"], "44" * 16), "the round is of track"),
        (lie(["links", 1, "digest"], "55" * 32), "not what its hash is of"),
        (lie(["links"], []), "no link 'round-opened'"),
        (lie(["entries"], []), "leaves out attempt/1"),
        (late, "out of time"),
        (twice, "a commitment stands twice"),
    ],
)
def test_a_board_that_cheats_is_found_out(change, found, tiny_record, tiny_track):
    wrong = recheck(change(copy.deepcopy(tiny_record[0])), tiny_track)
    assert any(found in each for each in wrong), wrong


@pytest.fixture(scope="module")
def tiny_record(tmp_path_factory, tiny_track):
    """The record of a closed round and its tickets, not to be changed."""
    with Store(tmp_path_factory.mktemp("record") / "board.db") as store:
        store.accounts.create("Ada")
        store.accounts.create("Bob")
        return closed(store, tiny_track)


def test_tickets_in_hand_are_compared_with_the_record(tiny_record, tiny_track):
    record, own = tiny_record
    assert recheck(record, tiny_track, own) == []
    lucky = dataclasses.replace(
        own[0], seeds={name: [seed + 1 for seed in seeds] for name, seeds in own[0].seeds.items()}
    )
    assert "other seeds" in recheck(record, tiny_track, [lucky])[0]
    for unknown in (dataclasses.replace(own[0], commit="22" * 32), dataclasses.replace(own[0], public_key="22" * 32)):
        assert "is not in the log" in recheck(record, tiny_track, [unknown])[0]


@pytest.mark.parametrize("spoiled", [{}, {"secret": 3}, {"secret": "zz"}, [3], None, {"secret": "00", "terms": []}])
def test_what_is_no_record_is_refused(spoiled, tiny_record, tiny_track):
    for data in (spoiled, {**tiny_record[0], **(spoiled if isinstance(spoiled, dict) else {"entries": spoiled})}):
        if data != tiny_record[0]:
            with pytest.raises(SubmissionError, match="no record"):
                recheck(data, tiny_track)


def test_erasing_an_account_leaves_a_round_that_can_be_rechecked(store, tiny_track):
    record, own = closed(store, tiny_track)
    assert record["entries"][0]["public_key"] == keys.public_key(MINE)
    store.submissions.erase_account(1)
    found = drawn.record(store, tiny_track, store.rounds.get(record["id"]))
    assert found["entries"][0]["public_key"] is None
    assert keys.public_key(MINE) not in json.dumps(found)
    assert recheck(found, tiny_track, own) == []
    store.check_chain()


def test_seeds_follow_from_secret_round_commitment_case_and_number(tiny_track):
    a = sealed_seeds(b"s" * 32, "spring", "00", tiny_track, 50)
    assert a == sealed_seeds(b"s" * 32, "spring", "00", tiny_track, 50)
    assert [own[:10] for own in a.values()] == list(sealed_seeds(b"s" * 32, "spring", "00", tiny_track, 10).values())
    others = [sealed_seeds(*given, tiny_track, 50) for given in ((b"t" * 32, "spring", "00"), (b"s" * 32, "fall", "00"),
                                                                (b"s" * 32, "spring", "01"))]  # fmt: skip
    everything = [seed for found in (a, *others) for own in found.values() for seed in own]
    assert len(set(everything)) == len(everything)
    assert all(2**52 <= seed < 2**53 for seed in everything)


def test_a_sealed_scenario_is_a_scenario_file_like_any(tmp_path):
    from ludarium.leaderboards.track import load_track, track_names

    for name in ("mapf-lifelong-quick", "text-desk-retail", "text-household-unseen"):
        assert name in track_names()
        track = load_track(name)
        seeds = sealed_seeds(b"s" * 32, "r", "00", track, 2)
        path = Ticket("r", track.reference, "00", "", {n: list(own) for n, own in seeds.items()}).scenario(
            track, tmp_path / name
        )
        found = load(path)
        assert found.hash == track.with_seeds(seeds).world.hash
        assert found.cases == track.with_seeds(seeds).world.cases
        assert (found.environment, found.information, found.metrics) == (
            track.world.environment, track.world.information, track.world.metrics,
        )  # fmt: skip
