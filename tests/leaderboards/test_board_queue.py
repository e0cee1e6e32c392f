"""The queue: leases, what happens when they run out, and one verdict for each submission, whoever works."""

import multiprocessing
import threading

import pytest
from board_kit import VERDICT, judged, submit
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from hypothesis.strategies import booleans, integers

from ludarium.errors import LeaseLostError, StoreError, VerdictConflictError
from ludarium.leaderboards.store import Store

OTHER = {**VERDICT, "score": 0.5}


def test_jobs_are_taken_in_order_and_once(board):
    digests = [submit(board).digest for _ in range(3)]
    assert [board.queue.take(worker).digest for worker in "abc"] == digests
    assert board.queue.take("d") is None
    assert board.queue.counts() | {"oldest": 0} == {"waiting": 0, "leased": 3, "done": 0, "stuck": 0, "oldest": 0}


def test_a_dead_workers_job_is_taken_over(ticking):
    submit(ticking)
    dead = ticking.queue.take("dead", seconds=60)
    ticking.pass_time(59)
    assert ticking.queue.take("other") is None
    ticking.pass_time(1)
    taken = ticking.queue.take("other")
    assert (taken.digest, taken.tries) == (dead.digest, 2)
    for late in (lambda: ticking.queue.heartbeat(dead), lambda: ticking.queue.finish(dead, VERDICT),
                 lambda: ticking.queue.release(dead, "late")):  # fmt: skip
        with pytest.raises(LeaseLostError):
            late()
    assert ticking.queue.finish(taken, VERDICT)
    assert ticking.submissions.get(dead.digest).state == "done"


def test_heartbeats_hold_a_job_and_a_late_one_will_do_if_nobody_came(ticking):
    submit(ticking)
    lease = ticking.queue.take("slow", seconds=60)
    for _ in range(5):
        ticking.pass_time(50)
        lease = ticking.queue.heartbeat(lease, 60)
    ticking.pass_time(1000)
    lease = ticking.queue.heartbeat(lease, 60)
    assert ticking.queue.take("other") is None
    assert ticking.queue.finish(lease, VERDICT)


def test_a_finished_job_answers_the_same_again(board):
    submit(board)
    lease = board.queue.take("worker")
    assert board.queue.finish(lease, VERDICT)
    again = {**VERDICT, "cpu_s": 99.0, "guard": {"user": 5}}
    assert not board.queue.finish(lease, again)  # an answer was lost on the way, and it asks again
    assert [link.kind for link in board.log.links()] == ["submitted", "verdict"]
    assert board.submissions.get(lease.digest).measured == {"cpu_s": 1.5}


def test_a_second_look_confirms(board):
    digest = judged(board).digest
    board.queue.recheck(digest)
    lease = board.queue.take("second")
    assert not board.queue.finish(lease, {**VERDICT, "flags": [{"kind": "stale"}]})  # of a newer version that judges
    assert [link.kind for link in board.log.links()] == ["submitted", "verdict", "confirmed"]
    board.check_chain()


def test_another_verdict_is_kept_and_shown_and_replaces_nothing(board):
    entry = judged(board)
    board.queue.recheck(entry.digest)
    lease = board.queue.take("odd one")
    for _ in range(2):
        with pytest.raises(VerdictConflictError, match="odd one"):
            board.queue.finish(lease, OTHER)
    found = board.submissions.get(entry.digest)
    assert (found.verdict, found.disagreements, found.state) == (entry.verdict, 1, "done")
    assert board.submissions.episodes(entry.digest) == VERDICT["rows"]
    (shown,) = board.submissions.disagreements(entry.digest)
    assert (shown["worker"], shown["verdict"]["verdict"]["score"]) == ("odd one", 0.5)
    board.check_chain()


def test_a_row_that_differs_is_another_verdict(board):
    entry = judged(board)
    board.queue.recheck(entry.digest)
    rows = [VERDICT["rows"][0], {**VERDICT["rows"][1], "score": 1e-9}]
    with pytest.raises(VerdictConflictError):
        board.queue.finish(board.queue.take("second"), {**VERDICT, "rows": rows})


def test_a_zombie_with_another_verdict_is_shown_too(ticking):
    submit(ticking)
    zombie = ticking.queue.take("zombie", seconds=1)
    ticking.pass_time(2)
    ticking.queue.finish(ticking.queue.take("taker"), VERDICT)
    assert not ticking.queue.finish(zombie, VERDICT)
    with pytest.raises(VerdictConflictError):
        ticking.queue.finish(zombie, OTHER)
    assert ticking.submissions.get(zombie.digest).disagreements == 1
    ticking.check_chain()


def test_what_kills_its_workers_gets_stuck_until_somebody_looks(ticking):
    digest = submit(ticking).digest
    for _ in range(5):
        assert ticking.queue.take("victim", seconds=1).digest == digest
        ticking.pass_time(1)
    other = submit(ticking).digest
    assert ticking.queue.take("victim").digest == other
    assert ticking.queue.stuck() == [(digest, "its lease ran out 5 times")]
    ticking.queue.recheck(digest)
    assert ticking.queue.take("victim").tries == 1


def test_a_job_given_back_waits_a_while(ticking):
    submit(ticking)
    ticking.queue.release(ticking.queue.take("worker"), "out of memory\n\x00" + "x" * 10_000, pause=30)
    assert ticking.queue.take("worker") is None
    ticking.pass_time(30)
    assert ticking.queue.take("worker").tries == 2


def test_a_lease_that_was_never_given_is_refused(board):
    entry = submit(board)
    lease = board.queue.take("worker")
    for made_up in ({"secret": "0" * 32}, {"job_id": 99}, {"submission_id": 99}):
        fake = type(lease)(**{**lease.__dict__, **made_up})
        with pytest.raises(StoreError):
            board.queue.finish(fake, VERDICT)
    assert board.submissions.get(entry.digest).verdict is None
    assert "secret" not in repr(lease)


@pytest.mark.parametrize("wrong", [None, [], {}, {"ok": 1}, {"ok": True, "rows": [1]}, {"ok": True, "rows": "x"},
                                   {"ok": True, "score": float("nan")}, {"ok": True, "rows": [{"a": {1, 2}}]}])  # fmt: skip
def test_what_is_no_verdict_is_refused(board, wrong):
    submit(board)
    lease = board.queue.take("worker")
    with pytest.raises(StoreError):
        board.queue.finish(lease, wrong)
    assert board.queue.finish(lease, VERDICT)


def test_an_erased_submission_is_verified_no_more(board):
    entry = submit(board)
    lease = board.queue.take("worker")
    board.submissions.erase(entry.digest)
    with pytest.raises(LeaseLostError):
        board.queue.finish(lease, VERDICT)
    assert board.queue.take("worker") is None
    board.check_chain()


def test_holding_beats_while_the_work_goes_on(board):
    import time

    submit(board)
    lease = board.queue.take("worker", seconds=1)
    with board.queue.hold(lease, seconds=1) as lost:
        time.sleep(2.5)
        assert board.queue.take("other") is None
        assert not lost.is_set()
    assert board.queue.finish(lease, VERDICT)


def test_holding_tells_when_the_job_is_gone(board):
    entry = submit(board)
    lease = board.queue.take("worker", seconds=1)
    with board.queue.hold(lease, seconds=1) as lost:
        board.submissions.erase(entry.digest)
        assert lost.wait(30)


def _work(url, blobs, name, found):
    with Store(url, blobs) as store:
        while (lease := store.queue.take(name)) is not None:
            assert store.queue.finish(lease, {**VERDICT, "of": lease.digest})
            found.append(lease.digest)


def test_threads_share_a_store_and_take_each_job_once(board):
    account = board.accounts.create("Ada").id
    digests = [None] * 24

    def enter(part):
        for number in range(part, 24, 4):
            digests[number] = submit(board, account, b"%d" % number).digest

    def work(found):
        while (lease := board.queue.take("thread")) is not None:
            assert board.queue.finish(lease, VERDICT)
            found.append(lease.digest)

    threads = [threading.Thread(target=enter, args=(part,)) for part in range(4)]
    _run(threads)
    done = []
    _run([threading.Thread(target=work, args=(done,)) for _ in range(4)])
    assert sorted(done) == sorted(digests)
    assert board.check_chain()[0] == 48


def test_processes_share_a_database_and_take_each_job_once(board, board_url, tmp_path):
    account = board.accounts.create("Ada").id
    digests = [submit(board, account, b"%d" % number).digest for number in range(12)]
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        done = manager.list()
        workers = [context.Process(target=_work, args=(board_url, tmp_path / "blobs", f"w{n}", done)) for n in range(2)]
        _run(workers)
        assert [worker.exitcode for worker in workers] == [0, 0]
        assert sorted(done) == sorted(digests)
    assert board.check_chain()[0] == 24


def _run(parts):
    for part in parts:
        part.start()
    for part in parts:
        part.join()


class QueueMachine(RuleBasedStateMachine):
    """Any order of what workers may do, beside a model that is a handful of dictionaries."""

    folder = None

    @initialize()
    def begin(self):
        self.time = 0
        type(self).made += 1
        self.store = Store(self.folder / f"{self.made}.db", self.folder / "blobs", clock=lambda: self.time)
        self.account = self.store.accounts.create("Ada").id
        self.order, self.verdicts, self.leases, self.until = [], {}, [], {}

    @rule()
    def enter(self):
        self.order.append(submit(self.store, self.account, b"%d" % len(self.order)).digest)

    @rule(seconds=integers(1, 5))
    def take(self, seconds):
        free = [d for d in self.order if d not in self.verdicts and self.until.get(d, 0) <= self.time]
        lease = self.store.queue.take("w", seconds, max_tries=1000)
        assert (lease and lease.digest) == (free[0] if free else None)
        if lease:
            self.leases.append(lease)
            self.until[lease.digest] = self.time + seconds * 1_000_000

    @rule(seconds=integers(0, 4))
    def wait(self, seconds):
        self.time += seconds * 1_000_000

    def _holds(self, lease):
        mine = [other for other in self.leases if other.digest == lease.digest]
        return mine[-1] is lease and lease.digest not in self.verdicts

    @rule(which=integers(0, 9))
    def beat(self, which):
        if self.leases:
            lease = self.leases[which % len(self.leases)]
            if self._holds(lease):
                self.until[lease.digest] = self.store.queue.heartbeat(lease, 3).until
            else:
                with pytest.raises(LeaseLostError):
                    self.store.queue.heartbeat(lease, 3)

    @rule(which=integers(0, 9), same=booleans())
    def finish(self, which, same):
        if self.leases:
            lease, verdict = self.leases[which % len(self.leases)], VERDICT if same else OTHER
            old = self.verdicts.get(lease.digest)
            if old is None and not self._holds(lease):
                with pytest.raises(LeaseLostError):
                    self.store.queue.finish(lease, verdict)
            elif old is None:
                assert self.store.queue.finish(lease, verdict)
                self.verdicts[lease.digest] = verdict
            elif old == verdict:
                assert not self.store.queue.finish(lease, verdict)
            else:
                with pytest.raises(VerdictConflictError):
                    self.store.queue.finish(lease, verdict)

    @invariant()
    def first_verdicts_stay(self):
        if hasattr(self, "store"):
            found = {e.digest: e.verdict["score"] for e in self.store.submissions.all() if e.verdict}
            assert found == {digest: verdict["score"] for digest, verdict in self.verdicts.items()}

    def teardown(self):
        if hasattr(self, "store"):
            self.store.check_chain()
            self.store.close()


def test_any_order_of_workers_keeps_the_first_verdict(tmp_path):
    QueueMachine.folder, QueueMachine.made = tmp_path, 0
    few = settings(max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(QueueMachine, settings=few)


def test_a_job_given_back_by_a_worker_that_stops_is_no_try(board):
    submit(board)
    for _ in range(3):
        lease = board.queue.take("worker", max_tries=1)
        assert lease.tries == 1
        board.queue.release(lease, "the worker was stopped", 1e-6, counted=False)
    assert board.queue.counts()["stuck"] == 0


def test_workers_are_counted_while_they_are_heard_of(board_url, tmp_path):
    now = [10**15]
    with Store(board_url, tmp_path / "blobs", clock=lambda: now[0]) as store:
        store.workers.seen("one")
        now[0] += 60_000_000
        store.workers.seen("two")
        store.workers.seen("two")
        assert (store.workers.count(59), store.workers.count(61)) == (1, 2)
        store.workers.gone("two")
        assert store.workers.count(61) == 1
        now[0] += 2 * 86_400_000_000
        store.workers.seen("three")
        assert store.workers.count(10**6) == 1
        store.check_ready()
