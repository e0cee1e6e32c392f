"""Backups: whole, checked, the same from every database, and good for every database."""

import json
import threading

import pytest
from board_kit import history, judged, submit

from ludarium.errors import StoreError
from ludarium.leaderboards.store import Store


@pytest.fixture(params=["sqlite", "postgres"])
def target(request, tmp_path):
    """Where a backup goes back to: an empty database of each kind, and a folder."""
    if request.param == "sqlite":
        return str(tmp_path / "restored.db"), tmp_path / "restored"
    return request.getfixturevalue("postgres").new_database(), tmp_path / "restored"


@pytest.fixture
def saved(tmp_path):
    """A backup of an SQLite board to which everything happened."""
    with Store(tmp_path / "saved.db") as store:
        history(store)
        return store.backup(tmp_path / "backup")


def test_a_board_comes_back_whole_on_every_kind_of_database(board, target, tmp_path):
    history(board)
    _, token = board.accounts.issue(1, ["submit"])
    lease = board.queue.take("worker", seconds=1000)
    with Store.restore(board.backup(tmp_path / "backup"), *target) as restored:
        assert restored.submissions.all() == board.submissions.all()
        assert restored.accounts.all() == board.accounts.all()
        assert restored.rounds.all("quick") == board.rounds.all("quick")
        assert restored.log.links() == board.log.links()
        assert restored.check_chain(board.log.head()) == board.log.head()
        assert list(restored.blobs) == list(board.blobs)
        assert restored.accounts.allow(token, "submit").account_id == 1
        for entry in board.submissions.all():
            assert restored.submissions.episodes(entry.digest) == board.submissions.episodes(entry.digest)
            assert restored.submissions.disagreements(entry.digest) == board.submissions.disagreements(entry.digest)
        assert restored.queue.finish(lease, {"ok": True})  # work goes on where it was
        assert judged(restored).id == len(board.submissions.all()) + 1  # and so do the numbers
        restored.check_chain()


def test_a_backup_of_a_backup_is_the_same(saved, target, tmp_path):
    with Store.restore(saved, *target) as restored:
        again = restored.backup(tmp_path / "again")
    names = sorted(str(path.relative_to(saved)) for path in saved.rglob("*") if path.is_file())
    assert sorted(str(path.relative_to(again)) for path in again.rglob("*") if path.is_file()) == names
    assert all((again / name).read_bytes() == (saved / name).read_bytes() for name in names)


def test_a_board_at_work_is_copied_at_one_moment(board, target, tmp_path):
    stop, begun = threading.Event(), threading.Event()

    def work():
        while not stop.is_set():
            judged(board)
            begun.set()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert begun.wait(60)
        backup = board.backup(tmp_path / "backup")
    finally:
        stop.set()
        thread.join()
    with Store.restore(backup, *target) as restored:
        number, hashed = restored.check_chain()
        board.check_chain((number, hashed))  # what was copied is a beginning of what the board went on to


def test_only_its_owner_reads_a_backup(saved):
    assert saved.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("part", ["tables/log.jsonl", "tables/accounts.jsonl", "backup.json", "blob"])
@pytest.mark.parametrize("harm", ["change", "cut", "remove"])
def test_a_damaged_backup_is_refused_before_anything_is_made(saved, part, harm, tmp_path):
    path = next((saved / "blobs").glob("*/*")) if part == "blob" else saved / part
    data = path.read_bytes()
    if harm == "remove":
        path.unlink()
    else:
        path.write_bytes(data[: len(data) // 2] + (b"" if harm == "cut" else b"#" + data[len(data) // 2 + 1 :]))
    with pytest.raises(StoreError):
        Store.restore(saved, tmp_path / "new.db")
    with Store(tmp_path / "new.db") as store:
        assert store.submissions.all() == []


def test_a_forged_backup_is_refused_by_its_chain(saved, target):
    """Somebody who changes a score, and the checksums too, still meets the chain."""
    import hashlib

    path = saved / "tables" / "verdicts.jsonl"
    path.write_bytes(path.read_bytes().replace(b"0.75", b"0.95"))
    listed = json.loads((saved / "backup.json").read_text())
    listed["tables"]["verdicts"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (saved / "backup.json").write_text(json.dumps(listed))
    with pytest.raises(StoreError, match="log, link"):
        Store.restore(saved, *target)


def test_nothing_is_written_over(board, saved, board_url, tmp_path):
    with pytest.raises(StoreError, match="already"):
        board.backup(saved)
    with pytest.raises(StoreError, match="not empty"):
        Store.restore(saved, board_url, tmp_path / "blobs")
    assert board.submissions.all() == []


def test_a_backup_that_fails_leaves_no_half(board, tmp_path):
    entry = submit(board)
    board.blobs.path(entry.digest).write_bytes(b"damaged")
    with pytest.raises(StoreError, match="damaged"):
        board.backup(tmp_path / "backup")
    board.blobs.remove(entry.digest)
    with pytest.raises(StoreError, match="not there"):
        board.backup(tmp_path / "backup")
    assert [path.name for path in tmp_path.iterdir() if "backup" in path.name] == []


@pytest.mark.parametrize("content", ["{}", "[]", "nonsense", '{"format":2}', '{"format":1,"tables":[],"blobs":3}'])
def test_what_is_no_backup_is_refused(tmp_path, content):
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "backup.json").write_text(content)
    with pytest.raises(StoreError):
        Store.restore(tmp_path / "odd", tmp_path / "new.db")
