"""A board's accounts, submissions and rounds: the same on every database."""

import errno
import hashlib
import io
import os

import pytest
from board_kit import VERDICT, history, judged, submit

from ludarium.errors import AccessError, StoreError
from ludarium.leaderboards.store import Store
from ludarium.leaderboards.store.blobs import Blobs

NAMES = [
    "Robert'); DROP TABLE submissions;--",
    '" OR ""="',
    "<script>alert(1)</script>",
    "%s %(x)s :name ?",
    "\\'; SELECT pg_sleep(9); --",
    "名無しさん 🤖🏽‍🔬",
    "ไม่มีชื่อ",
    "e\u0301ric",
    "x" * 200,
    "𝔊𝔬𝔱𝔥𝔦𝔠",
    "אלמוני",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_comes_back_as_it_was_and_does_nothing(board, name):
    import unicodedata

    account = board.accounts.create(name, contact=name)
    assert board.accounts.get(account.id).name == unicodedata.normalize("NFC", name)
    assert board.accounts.find(name) == account
    manifest = {"name": name, "authors": [name, "\x00 \ud800"], name: {"deep": [None, 1, 0.1, 2**70]}}
    entry = board.submissions.add(b"x", manifest, account=account.id, track=name, version=1)
    assert entry.manifest == manifest
    assert [found.digest for found in board.submissions.all(track=name)] == [entry.digest]
    board.submissions.retract(entry.digest, name)
    board.check_chain()


@pytest.mark.parametrize("name", ["", " \t", "a\x00b", "a\nb", "\ud800", "x" * 201, "\u200b", None, 7])
def test_names_that_nobody_can_read_are_refused_alike(board, name):
    with pytest.raises(StoreError):
        board.accounts.create(name)
    assert board.accounts.all() == []


@pytest.mark.parametrize("twin", ["ada", "ＡＤＡ", " Ada ", "A\u200bda", "Ada"])
def test_names_that_look_alike_are_one_name(board, twin):
    board.accounts.create("Ada")
    with pytest.raises(StoreError, match="taken"):
        board.accounts.create(twin)


def test_a_token_allows_its_scopes_until_it_is_revoked(board_url, tmp_path):
    time = [1_000_000]
    with Store(board_url, tmp_path / "blobs", clock=lambda: time[0]) as board:
        ada = board.accounts.create("Ada")
        number, token = board.accounts.issue(ada.id, ["submit"])
        assert board.accounts.allow(token, "submit").account_id == ada.id
        with pytest.raises(AccessError, match="not for 'admin'"):
            board.accounts.allow(token, "admin")
        board.accounts.revoke(number)
        with pytest.raises(AccessError, match="revoked"):
            board.accounts.allow(token, "submit")
        _, short = board.accounts.issue(ada.id, ["admin"], seconds=10)
        board.accounts.allow(short, "submit")
        time[0] += 10_000_000
        with pytest.raises(AccessError):
            board.accounts.allow(short, "submit")
        for wrong in ("", token[:-1], token + "x", "x" * 10**6, "\ud800", "' OR 1=1 --"):
            with pytest.raises(AccessError):
                board.accounts.allow(wrong, "submit")
        for scopes in ([], ["sumbit"], ["admin", "x"]):
            with pytest.raises(StoreError):
                board.accounts.issue(ada.id, scopes)
        assert [found["scopes"] for found in board.accounts.tokens(ada.id)] == [["submit"], ["admin"]]


def test_tokens_themselves_are_nowhere_in_the_database(tmp_path):
    with Store(tmp_path / "board.db") as board:
        _, token = board.accounts.issue(board.accounts.create("Ada").id, ["submit"])
    assert all(token.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_submission_is_there_with_its_bytes(board, tmp_path):
    ada = board.accounts.create("Ada")
    file = tmp_path / "file"
    file.write_bytes(os.urandom(3_000_000))
    with file.open("rb") as opened:
        entry = submit(board, ada.id, opened)
    assert board.blobs.get(entry.digest) == file.read_bytes()
    assert (entry.size, entry.state, entry.verdict, entry.account) == (3_000_000, "waiting", None, "Ada")
    with pytest.raises(StoreError, match="no submission"):
        board.submissions.get("0" * 64)


def test_the_same_bytes_are_one_submission(board):
    entry = submit(board, content=b"same")
    again = submit(board, entry.account_id, b"same")
    assert again == entry
    with pytest.raises(StoreError, match="another account"):
        submit(board, content=b"same")
    assert board.queue.counts()["waiting"] == 1
    assert board.log.head()[0] == 1


def test_a_refused_submission_leaves_nothing(board):
    ada = board.accounts.create("Ada")
    for options in ({"track": "\x00"}, {"round_id": 7}, {"account": 99}, {"account": 10**30}, {"version": 10**30}):
        whole = {"account": ada.id, "track": "quick", "version": 1, **options}
        with pytest.raises(StoreError):
            board.submissions.add(b"x", {}, **whole)
    with pytest.raises(StoreError, match="NaN"):
        board.submissions.add(b"x", {"score": float("nan")}, account=ada.id, track="quick", version=1)
    with pytest.raises(StoreError, match="put them again"):
        board.submissions.add("1" * 64, {}, account=ada.id, track="quick", version=1)
    with pytest.raises(StoreError, match="hexadecimal"):
        board.submissions.add("../../etc/passwd", {}, account=ada.id, track="quick", version=1)
    assert (board.submissions.all(), board.log.head()[0], board.queue.counts()["waiting"]) == ([], 0, 0)
    assert board.sweep(-1) == 1  # the bytes `x`
    assert list(board.blobs) == []


def test_sweeping_keeps_what_is_submitted_or_young(board):
    entry = submit(board)
    young = board.blobs.put(b"on its way in")
    (board.blobs.root / "killed.part").write_bytes(b"half")
    assert board.sweep() == 0
    assert sorted(board.blobs) == sorted([entry.digest, young])
    assert board.sweep(-1) == 2
    assert list(board.blobs) == [entry.digest]


def test_twins_are_found_among_submissions(board):
    first, second = judged(board), judged(board)
    assert board.submissions.twins(second.digest) == [(0, first.digest, 0)]
    assert board.submissions.episodes(first.digest) == VERDICT["rows"]


def test_a_retracted_submission_stays_with_its_reason(board):
    entry = judged(board)
    board.submissions.retract(entry.digest, "played on the wrong map")
    found = board.submissions.get(entry.digest)
    assert (found.reason, found.verdict) == ("played on the wrong map", entry.verdict)
    assert found.retracted_at is not None
    for wrong in ("again", ""):
        with pytest.raises(StoreError):
            board.submissions.retract(entry.digest, wrong)
    board.check_chain()


def test_erasure_forgets_the_person_and_keeps_the_record(board):
    entry = judged(board)
    _, token = board.accounts.issue(entry.account_id, ["submit"])
    head = board.log.head()
    board.submissions.erase_account(entry.account_id)
    found = board.submissions.get(entry.digest)
    assert found.manifest == {"class": "planner"}
    assert (found.account, found.verdict) == (None, entry.verdict)
    assert board.accounts.get(entry.account_id).name is None
    assert list(board.blobs) == []
    with pytest.raises(AccessError):
        board.accounts.allow(token, "submit")
    with pytest.raises(StoreError, match="erased"):
        board.queue.recheck(entry.digest)
    with pytest.raises(StoreError, match="erased"):
        submit(board, entry.account_id)
    board.check_chain(head)
    board.submissions.erase_account(entry.account_id)
    board.check_chain(head)


def test_erased_names_are_on_no_page_of_an_sqlite_file(tmp_path):
    with Store(tmp_path / "board.db") as board:
        account = board.accounts.create("Zebulon Quixworth", contact="zeb@example.org")
        manifest = {"authors": ["Zebulon Quixworth"], "links": {"site": "https://zeb.example.org"}}
        board.submissions.add(b"by Zebulon", manifest, account=account.id, track="t", version=1)
        board.submissions.erase_account(account.id)
        left = [path for path in tmp_path.rglob("*") if path.is_file() and b"zeb" in path.read_bytes().lower()]
        assert left == []


def test_an_erasure_that_was_cut_off_is_finished_by_sweeping(board, monkeypatch):
    entry = submit(board)
    monkeypatch.setattr(Blobs, "remove", lambda *_: None)
    board.submissions.erase(entry.digest)
    monkeypatch.undo()
    assert list(board.blobs) == [entry.digest]
    assert board.sweep() == 1
    assert list(board.blobs) == []


def test_a_round_binds_its_secret_first_and_takes_one_attempt(board):
    ada, bob = board.accounts.create("Ada"), board.accounts.create("Bob")
    first = board.rounds.open("quick", "one")
    assert first.secret is None
    with pytest.raises(StoreError, match="open round"):
        board.rounds.open("quick", "two")
    board.rounds.enter(first.id, ada.id, "ab" * 32)
    with pytest.raises(StoreError, match="one attempt"):
        board.rounds.enter(first.id, ada.id, "cd" * 32)
    with pytest.raises(StoreError, match="did not enter"):
        submit(board, bob.id, tier="sealed", round_id=first.id)
    submit(board, ada.id, tier="sealed", round_id=first.id)
    with pytest.raises(StoreError, match="one attempt"):
        submit(board, ada.id, tier="sealed", round_id=first.id)
    secret = board.rounds.secret(first.id)
    closed, second = board.rounds.rotate("quick", "two")
    assert (closed.id, closed.secret, closed.secret_digest) == (first.id, secret, first.secret_digest)
    assert hashlib.sha256(bytes.fromhex(secret)).hexdigest() == first.secret_digest
    assert second.secret_digest != first.secret_digest
    with pytest.raises(StoreError, match="over"):
        board.rounds.enter(first.id, bob.id, "ab")
    with pytest.raises(StoreError, match="before"):
        board.rounds.rotate("quick", "one")
    assert [found.name for found in board.rounds.all("quick") if found.closed_at is None] == ["two"]
    assert [found.account_id for found in board.rounds.attempts(first.id)] == [ada.id]
    board.check_chain()


def test_a_round_with_a_time_takes_nothing_after_it(board_url, tmp_path):
    time = [1_000_000]
    with Store(board_url, tmp_path / "blobs", clock=lambda: time[0]) as board:
        ada = board.accounts.create("Ada")
        found = board.rounds.open("quick", "one", seconds=60)
        board.rounds.enter(found.id, ada.id, "ab")
        time[0] += 60_000_000
        with pytest.raises(StoreError, match="over"):
            submit(board, ada.id, tier="sealed", round_id=found.id)


def test_a_limit_holds_while_bytes_come_in(board):
    with pytest.raises(StoreError, match="more than 10"):
        board.blobs.put(io.BytesIO(bytes(11)), limit=10)
    with board.blobs.writer(10) as writer:
        writer.write(bytes(10))
        assert board.blobs.size(writer.finish()) == 10
    assert [path.name for path in board.blobs.root.glob("*.part")] == []


def test_changed_bytes_are_noticed_and_the_right_ones_mend_them(board):
    entry = submit(board, content=b"right")
    board.blobs.path(entry.digest).write_bytes(b"wrong")
    with pytest.raises(StoreError, match="damaged"):
        board.blobs.get(entry.digest)
    assert board.check_blobs() == [entry.digest]
    submit(board, entry.account_id, b"right")
    assert board.check_blobs() == []


def test_bytes_are_synced_before_the_row_is_committed(board, monkeypatch):
    done = []
    fsync, lock = os.fsync, board.submissions._database.write
    monkeypatch.setattr(os, "fsync", lambda fd: (done.append("sync"), fsync(fd))[1])
    monkeypatch.setattr(board.submissions._database, "write", lambda: (done.append("commit"), lock())[1])
    account = 1
    with pytest.raises(StoreError):
        submit(board, account)
    assert done == ["sync", "sync", "sync", "commit"]  # the file, its folder, the folder of folders


def test_a_full_disk_refuses_the_file_and_nothing_else(board, monkeypatch):
    entry = submit(board)

    def full(fd):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        submit(board, entry.account_id)
    monkeypatch.undo()
    assert [path.name for path in board.blobs.root.rglob("*.part")] == []
    assert submit(board, entry.account_id).id == entry.id + 1
    board.check_chain()


def test_all_that_can_happen_holds_together(board):
    digests = history(board)
    assert [found.digest for found in board.submissions.all()] == digests
    assert board.submissions.get(digests[1]).disagreements == 1
    assert {link.kind for link in board.log.links()} == {
        "submitted", "verdict", "confirmed", "disagreement", "retracted", "erased", "round-opened", "round-closed", "committed",
        "hosted-opened", "hosted-ended",
    }  # fmt: skip
    assert [link.kind for link in board.log.links(subject=digests[0])] == ["submitted", "verdict", "confirmed"]
    assert board.check_chain() == board.log.head()


def test_a_hosted_attempt_is_one_process_and_ends_once(board_url, tmp_path):
    time, terms = [1_000_000], {"version": 1, "hash": "ab", "episodes": 2}
    outcome = {"why": "finished", "played": 0, "submission": None, "measured": {}}
    with Store(board_url, tmp_path / "blobs", clock=lambda: time[0]) as board:
        ada = board.accounts.create("Ada")

        def opened(owner="one", most=2, account=ada.id):
            return board.hosting.open(account, "quick", terms, {"name": "x"}, owner, seconds=60, most=most)

        first = opened()
        assert (first.secret, first.count, first.ended_at) == (None, 1, None)
        assert opened("two").count == 2
        with pytest.raises(StoreError, match="2 open hosted attempts"):
            opened()
        assert board.hosting.alive([first.id, 2], "one", seconds=60) == {first.id}
        time[0] += 50_000_000
        assert board.hosting.alive([first.id], "one", seconds=60) == {first.id}
        time[0] += 20_000_000
        assert board.hosting.take_over("three", seconds=60) == [2]
        assert board.hosting.alive([2], "two", seconds=60) == set()
        assert not board.hosting.end(2, "two", outcome)
        assert board.hosting.end(2, "three", outcome)
        assert not board.hosting.end(2, "three", {**outcome, "played": 1})
        ended = board.hosting.get(2)
        assert (ended.outcome, ended.secret) == (outcome, board.hosting.private(2)[0])
        assert hashlib.sha256(bytes.fromhex(ended.secret)).hexdigest() == ended.secret_digest
        assert board.hosting.private(2)[1] is None
        assert [(each.id, each.ended_at is None) for each in board.hosting.all(track="quick")] == [
            (1, True),
            (2, False),
        ]
        assert board.hosting.all(account=99) == []
        with pytest.raises(StoreError, match="no hosted attempt"):
            board.hosting.get(99)
        board.submissions.erase_account(ada.id)
        assert board.hosting.private(1)[1] is None
        with pytest.raises(StoreError, match="erased"):
            opened()
        board.check_chain()
