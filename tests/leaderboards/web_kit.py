"""A board's server for tests: an application on a store, and short forms of what clients do."""

import contextlib
import time

from starlette.testclient import TestClient

from ludarium.leaderboards.board.app import create_app
from ludarium.leaderboards.board.settings import Settings


class Client(TestClient):
    """A client with the store beside it."""

    def __init__(self, store, settings, **options):
        super().__init__(create_app(store, settings), base_url="http://board.test", **options)
        self.store = store
        self.board = self.app.state.board

    def token(self, name="Ada", scopes=("submit",)):
        """The headers of an account, which is made if it is not there."""
        account = self.store.accounts.find(name) or self.store.accounts.create(name)
        return {"Authorization": f"Bearer {self.store.accounts.issue(account.id, scopes)[1]}"}

    def submit(self, content, headers=None):
        """Upload a file."""
        return self.post("/api/v1/submissions", content=content, headers=self.token() if headers is None else headers)

    def until(self, holds, seconds=120):
        """Wait for what must happen."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, "it never happened"
            time.sleep(0.01)


@contextlib.contextmanager
def web(store, track, raising=True, **settings):
    """A client of a running application."""
    with Client(store, Settings(tracks=(track,), **settings), raise_server_exceptions=raising) as client:
        yield client


def refused(answer, status, error):
    """Whether an answer is a typed refusal that tells no path; returns it."""
    assert answer.status_code == status, answer.text
    said = answer.json()
    assert set(said) == {"error", "what", "expected", "do"}
    assert said["error"] == error, said
    assert not any(part in answer.text for part in ("/tmp", "/work", "/home", "sqlite", "Traceback", ".py"))
    return said
