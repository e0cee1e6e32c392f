"""A board that serves in a thread of the test's process, and what its clients need."""

import contextlib
import threading
import time

from ludarium.leaderboards.board.client import BoardClient
from ludarium.leaderboards.board.server import Address, server
from ludarium.leaderboards.board.settings import Settings
from ludarium.leaderboards.board.verifier import Verifier
from ludarium.leaderboards.examine import examine
from ludarium.leaderboards.serve.connections import bind
from ludarium.leaderboards.store import Store


class Live:
    """A served board: its store, address, and a token for each of two accounts."""

    def __init__(self, store, address):
        self.store, self.address = store, address
        self.accounts = [store.accounts.create(name).id for name in ("Ada", "Bob")]
        self.tokens = [store.accounts.issue(account, ["submit"])[1] for account in self.accounts]

    def client(self, account=0):
        """A client of an account; None: of nobody."""
        return BoardClient(self.address, None if account is None else self.tokens[account])

    def verify(self, tracks):
        """Judge all that waits, as a worker does, but in this process."""
        judging = lambda submission, track, **options: examine(submission, track)._replace(guard={"network": "none"})  # noqa: E731
        Verifier(self.store, tracks, judging=judging).run(threading.Event(), until_empty=True)


@contextlib.contextmanager
def served(folder, tracks, **settings):
    """Serve a new board until the block ends."""
    with Store(folder / "board.db") as store, bind("127.0.0.1", 0) as bound:
        made = server(store, Settings(tracks=tuple(tracks), **settings), Address())
        thread = threading.Thread(target=made.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            while not made.started:
                assert thread.is_alive(), "the server did not start"
                time.sleep(0.01)
            yield Live(store, f"http://127.0.0.1:{bound.getsockname()[1]}")
        finally:
            made.should_exit = True
            thread.join()
