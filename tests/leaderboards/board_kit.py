"""Short forms for tests of boards."""

import contextlib
import itertools

import pytest

from ludarium.errors import VerdictConflictError
from ludarium.leaderboards.store import Store

VERDICT = {
    "ok": True,
    "tier": "replayed",
    "score": 0.25,
    "problems": [],
    "cpu_s": 1.5,
    "rows": [
        {"case": "two", "seed": 2**63 - 1, "digest": "aa", "score": 0.5},
        {"case": "four", "seed": 0, "digest": None},
    ],
}
_COUNT = itertools.count()


def submit(store, account=None, content=None, **options):
    """Add a submission; the account is made if none is given."""
    number = next(_COUNT)
    account = store.accounts.create(f"entrant {number}").id if account is None else account
    content = f"submission {number}".encode() if content is None else content
    manifest = {"name": f"Ada's agent {number}", "authors": ["Ada Lovelace"], "class": "planner", "public_key": "ab"}
    return store.submissions.add(content, manifest, account=account, track="quick", version=1, **options)


def judged(store, verdict=VERDICT, **options):
    """Add a submission and record its verdict."""
    entry = submit(store, **options)
    while (lease := store.queue.take("worker")).digest != entry.digest:
        store.queue.finish(lease, VERDICT)
    store.queue.finish(lease, verdict)
    return store.submissions.get(entry.digest)


def history(store):
    """Everything that can happen to a board, once or more; returns the digests in order, of which the last has no verdict."""
    ada, bob, eve = (store.accounts.create(name) for name in ("Ada", "Боб", "Eve"))
    first = judged(store, account=ada.id).digest
    store.queue.recheck(first)
    store.queue.finish(store.queue.take("second"), VERDICT)
    second = judged(store, account=bob.id, verdict={**VERDICT, "score": 0.75}).digest
    store.queue.recheck(second)
    with pytest.raises(VerdictConflictError):
        store.queue.finish(store.queue.take("odd"), VERDICT)
    terms = {"version": 1, "hash": "ab", "episodes": 2}
    round_ = store.rounds.open("quick", "2026-11", terms=terms)
    for account in (ada, bob):
        store.rounds.enter(round_.id, account.id, f"{account.id:064x}", f"{account.id + 7:064x}")
    third = submit(store, ada.id, tier="sealed", round_id=round_.id).digest
    store.rounds.rotate("quick", "2026-12", terms=terms)
    hosted = store.hosting.open(ada.id, "quick", terms, {"name": "Ada's"}, "here", seconds=60, most=1)
    store.hosting.end(hosted.id, "here", {"why": "finished", "played": 2, "submission": None, "measured": {}})
    store.submissions.retract(second, "trained on the test seeds")
    fourth = judged(store, account=eve.id, verdict={"ok": False, "problems": ["episode 3, step 7: reward"]}).digest
    store.submissions.erase_account(eve.id)
    return [first, second, third, fourth, submit(store, bob.id).digest]


@contextlib.contextmanager
def stopped(url, folder):
    """A board whose clock stands still until a test moves it."""
    time = [1_000_000]
    with Store(url, folder / "blobs", clock=lambda: time[0]) as store:
        store.pass_time = lambda seconds: time.__setitem__(0, time[0] + int(seconds * 1_000_000))
        yield store
