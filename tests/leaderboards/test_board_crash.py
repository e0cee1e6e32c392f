"""Boards whose processes are killed, and whose disks fill: nothing acknowledged is lost, nothing is judged in two ways."""

import contextlib
import hashlib
import multiprocessing
import os
import random
import resource
import signal
import subprocess
import time

import pytest
from board_kit import VERDICT, submit

from ludarium.errors import LeaseLostError, StoreError
from ludarium.leaderboards.store import Store

FORK = multiprocessing.get_context("fork")


def _acknowledge(pipe, digest):
    os.write(pipe, digest.encode() + b"\n")  # one write is whole or not at all


def _writer(url, blobs, account, pipe, part):
    store = Store(url, blobs)
    for number in range(10_000):
        _acknowledge(pipe, submit(store, account, b"%d of %d" % (number, part) * 500).digest)


def _worker(url, blobs, pipe):
    store = Store(url, blobs)
    while True:
        lease = store.queue.take(f"worker {os.getpid()}", seconds=0.3, max_tries=10_000)
        if lease is None:
            time.sleep(0.02)
            continue
        data = store.blobs.get(lease.digest)
        with contextlib.suppress(LeaseLostError):
            store.queue.finish(lease, {**VERDICT, "of": hashlib.sha256(data).hexdigest()})
            _acknowledge(pipe, lease.digest)


def _start(target, *arguments):
    process = FORK.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


def _kill(process):
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def _wait_for(path, lines):
    while path.read_bytes().count(b"\n") < lines:
        time.sleep(0.01)


@pytest.fixture
def told(tmp_path):
    """A file in which processes say what they were told is done."""
    path = tmp_path / "told"
    pipe = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    yield pipe, path
    os.close(pipe)


def test_what_was_acknowledged_survives_killed_writers(board, board_url, tmp_path, told):
    pipe, path = told
    account, chance = board.accounts.create("Ada").id, random.Random(6)
    for part in range(8):
        before = path.read_bytes().count(b"\n")
        writer = _start(_writer, board_url, tmp_path / "blobs", account, pipe, part)
        _wait_for(path, before + 1)
        time.sleep(chance.uniform(0, 0.15))
        _kill(writer)
    acknowledged = path.read_text().split()
    assert len(acknowledged) >= 8
    there = [entry.digest for entry in board.submissions.all(limit=10**6)]
    assert set(acknowledged) <= set(there)
    assert len(there) - len(acknowledged) <= 8  # committed, and killed before it could say so
    assert board.check_blobs() == []
    assert board.check_chain()[0] == len(there) == board.queue.counts()["waiting"]


def test_killed_workers_lose_no_job_and_judge_none_twice(board, board_url, tmp_path, told):
    pipe, path = told
    account, chance = board.accounts.create("Ada").id, random.Random(7)
    digests = [submit(board, account, b"%d" % number).digest for number in range(30)]
    workers = [_start(_worker, board_url, tmp_path / "blobs", pipe) for _ in range(3)]
    for _ in range(12):
        time.sleep(chance.uniform(0.02, 0.2))
        _kill(workers.pop(0))
        workers.append(_start(_worker, board_url, tmp_path / "blobs", pipe))
    while board.queue.counts()["done"] < len(digests):
        time.sleep(0.05)
    for worker in workers:
        _kill(worker)
    for digest in digests:
        entry = board.submissions.get(digest)
        assert (entry.verdict["of"], entry.disagreements) == (digest, 0)
        assert [link.kind for link in board.log.links(subject=digest)] == ["submitted", "verdict"]
    assert set(path.read_text().split()) <= set(digests)
    assert board.check_chain()[0] == 2 * len(digests)


def test_a_postgres_connection_that_dies_is_replaced(postgres, tmp_path):
    import psycopg

    with Store(postgres.new_database(), tmp_path / "blobs") as store:
        entry = submit(store)
        with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        assert submit(store, entry.account_id).id == entry.id + 1
        store.check_chain()


def _fill_up(store, account):
    """Submit until the disk is full; return what was acknowledged."""
    acknowledged = []
    for number in range(100_000):
        try:
            acknowledged.append(submit(store, account, b"%d" % number).digest)
        except StoreError:
            return acknowledged
    raise AssertionError("the disk was never full")


def _whole_after(store, account, acknowledged):
    there = {entry.digest for entry in store.submissions.all(limit=10**6)}
    assert there == set(acknowledged)
    assert store.check_blobs() == []
    assert submit(store, account, b"there is room again").id > 0
    assert store.check_chain()[0] == len(there) + 1


def _with_a_limit(path):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = Store(path)
    account = store.accounts.create("Ada").id
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, hard))
    acknowledged = _fill_up(store, account)
    assert acknowledged
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    _whole_after(store, account, acknowledged)


def test_a_database_that_may_not_grow_refuses_and_recovers(tmp_path):
    child = _start(_with_a_limit, tmp_path / "board.db")
    child.join()
    assert child.exitcode == 0


def test_a_full_disk_refuses_and_recovers(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("needs the right to mount a tmpfs")
    try:
        with Store(small / "board.db") as store:
            account = store.accounts.create("Ada").id
            acknowledged = _fill_up(store, account)
            assert acknowledged
            subprocess.run(["mount", "-o", "remount,size=8m", small], check=True)
            _whole_after(store, account, acknowledged)
    finally:
        subprocess.run(["umount", "-l", small], check=True)
