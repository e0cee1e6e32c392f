"""A sealed round from its opening to the recheck by anybody, and what is refused on the way."""

import dataclasses
import json

import pytest

from ludarium.envs.core.errors import SubmissionError
from ludarium.leaderboards import keys
from ludarium.leaderboards.judge import judge
from ludarium.leaderboards.rounds import FIRST_SEED, Round, SealedRound, Ticket, commitment, recheck, sealed_seeds
from ludarium.leaderboards.runner import run
from ludarium.leaderboards.submission import Submission, pack
from ludarium.scenarios.loader import load

SALT = b"0123456789abcdef"
MINE, OTHER = keys.new_key(), keys.new_key()


@pytest.fixture
def board(tmp_path, tiny_track):
    return SealedRound.create(tmp_path / "round", tiny_track, "spring", episodes=2)


def played(ticket, track, folder, key=MINE, agent="pibt"):
    """The entrant plays what the ticket says and packs it."""
    scenario = ticket.scenario(track, folder)
    finished = run(str(scenario), [agent], folder / f"run-{agent}", jobs=0)
    sealed = ticket.apply(track)
    return Submission.open(pack(finished.root, sealed, name="me", key=key, to=folder, sealed=ticket.named))


def test_a_round_from_opening_to_recheck(board, tiny_track, tmp_path):
    secret = (tmp_path / "round" / "secret").read_text().strip()
    public = (tmp_path / "round" / "round.json").read_text()
    assert secret not in public
    assert (tmp_path / "round" / "secret").stat().st_mode & 0o077 == 0

    commit = commitment(SALT, b"the archive of my agent")
    ticket = board.commit(commit, keys.public_key(MINE), tiny_track)
    ticket.save(tmp_path / "ticket.json")
    assert Ticket.load(tmp_path / "ticket.json") == ticket
    assert board.commit(commit, keys.public_key(MINE), tiny_track) == ticket
    second = board.commit(commitment(SALT, b"another agent"), keys.public_key(OTHER), tiny_track)
    assert not {seed for own in ticket.seeds.values() for seed in own} & {
        s for own in second.seeds.values() for s in own
    }
    assert all(seed >= FIRST_SEED for own in ticket.seeds.values() for seed in own)

    submission = played(ticket, tiny_track, tmp_path / "entrant")
    track = SealedRound.open(tmp_path / "round").attempt(submission, tiny_track)
    verdict = judge(submission, track)
    assert verdict.ok, verdict.problems
    assert verdict.tier == "sealed"
    assert len(verdict.rows) == 4
    assert board.attempt(submission, tiny_track).units() == track.units()  # the same file again is no second attempt

    assert recheck(board.round, board.entries(), [ticket], tiny_track) == ["the secret is not revealed yet"]
    assert board.reveal() == secret == board.reveal()
    opened = Round(**json.loads(public))
    assert recheck(opened, board.entries(), [ticket, second], tiny_track) == []
    assert judge(submission, ticket.apply(tiny_track)).digest == verdict.digest
    with pytest.raises(SubmissionError, match="is over"):
        board.commit(commitment(SALT, b"late"), "00" * 32, tiny_track)


def test_one_attempt_for_each_key_and_each_commitment(board, tiny_track, tmp_path):
    commit = commitment(SALT, b"mine")
    ticket = board.commit(commit, keys.public_key(MINE), tiny_track)
    for other, key in ((commitment(SALT, b"better luck"), MINE), (commit, OTHER)):
        with pytest.raises(SubmissionError, match="one attempt"):
            board.commit(other, keys.public_key(key), tiny_track)
    first = played(ticket, tiny_track, tmp_path / "a")
    second = played(ticket, tiny_track, tmp_path / "b", agent="shortest")
    board.attempt(first, tiny_track)
    with pytest.raises(SubmissionError, match="one attempt, and it was taken"):
        board.attempt(second, tiny_track)


def test_what_is_not_of_the_ticket_is_refused(board, tiny_track, tmp_path, packed):
    ticket = board.commit(commitment(SALT, b"mine"), keys.public_key(MINE), tiny_track)
    with pytest.raises(SubmissionError, match="nobody committed"):
        board.attempt(Submission.open(packed["pibt"]), tiny_track)
    stolen = played(ticket, tiny_track, tmp_path / "thief", key=OTHER)
    with pytest.raises(SubmissionError, match="nobody committed"):
        board.attempt(stolen, tiny_track)
    with pytest.raises(SubmissionError, match="another key"):
        ticket.check(stolen)
    theirs = dataclasses.replace(ticket, seeds={name: [seed + 1 for seed in own] for name, own in ticket.seeds.items()})
    chosen = played(theirs, tiny_track, tmp_path / "chooser")
    verdict = judge(chosen, board.attempt(chosen, tiny_track))
    assert not verdict.ok
    assert "seed is" in verdict.problems[0].what
    with pytest.raises(SubmissionError, match="the ticket of round 'spring' is for track"):
        ticket.apply(dataclasses.replace(tiny_track, version=4))
    (tmp_path / "no.json").write_text('{"round": 1}')
    with pytest.raises(SubmissionError, match="no ticket"):
        Ticket.load(tmp_path / "no.json")
    with pytest.raises(SubmissionError, match="a salt of 2 bytes"):
        commitment(b"ab", b"x")


def test_a_board_that_cheats_is_found_out(board, tiny_track):
    ticket = board.commit(commitment(SALT, b"mine"), keys.public_key(MINE), tiny_track)
    board.reveal()
    entries = board.entries()
    lucky = dataclasses.replace(ticket, seeds={name: [seed + 1 for seed in own] for name, own in ticket.seeds.items()})
    assert "other seeds" in recheck(board.round, entries, [lucky], tiny_track)[0]
    other = [{**e, "secret": "11" * 32} if e["kind"] == "reveal" else e for e in entries]
    assert "not the one whose hash was published" in recheck(board.round, other, [], tiny_track)[0]
    assert "a commitment stands twice" in recheck(board.round, [entries[0], *entries], [], tiny_track)
    unknown = dataclasses.replace(ticket, commit="22" * 32)
    assert "is not in the log" in recheck(board.round, entries, [unknown], tiny_track)[0]


def test_seeds_follow_from_secret_round_commitment_case_and_number(tiny_track):
    a = sealed_seeds(b"s" * 32, "spring", "00", tiny_track, 50)
    assert a == sealed_seeds(b"s" * 32, "spring", "00", tiny_track, 50)
    assert [own[:10] for own in a.values()] == list(sealed_seeds(b"s" * 32, "spring", "00", tiny_track, 10).values())
    others = [sealed_seeds(*given, tiny_track, 50) for given in ((b"t" * 32, "spring", "00"), (b"s" * 32, "fall", "00"),
                                                                (b"s" * 32, "spring", "01"))]  # fmt: skip
    everything = [seed for found in (a, *others) for own in found.values() for seed in own]
    assert len(set(everything)) == len(everything)
    assert all(2**52 <= seed < 2**53 for seed in everything)


def test_a_sealed_scenario_is_a_scenario_file_like_any(board, tiny_track, tmp_path):
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
