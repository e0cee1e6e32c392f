"""A server in this process, on a free port of this machine, and clients for it."""

import contextlib
import json
import threading
import time
import urllib.error
import urllib.request

import ludarium  # noqa: F401  (registers the ids)
from ludarium.leaderboards.serve.sessions import Sessions
from ludarium.leaderboards.serve.world import Offer, Served

COIN = Offer("text-coin-v0")


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@contextlib.contextmanager
def serving(offer=COIN, *, most=64, idle_seconds=600.0, clock=time.monotonic, **where):
    """Serve an offer; gives the address, with the sessions as `address.sessions`."""
    from ludarium.leaderboards.serve.server import Listen, listen, server

    sessions = Sessions(Served(offer), most=most, idle_seconds=idle_seconds, clock=clock)
    place = Listen(port=0, **where)
    with listen(place) as bound:
        running = server(sessions, place)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        wait_until(lambda: running.started)
        address = Address("127.0.0.1", bound.getsockname()[1], sessions)
        try:
            yield address
        finally:
            running.should_exit = True
            thread.join(60)
            assert not thread.is_alive(), "the server does not stop"


class Address:
    """Where a server is, and plain requests to it."""

    def __init__(self, host, port, sessions=None):
        self.host, self.port, self.sessions = host, port, sessions
        self.url, self.ws = f"http://{host}:{port}", f"ws://{host}:{port}/ws"

    def ask(self, path, data=None, *, method=None, headers=(), raw=None):
        """Status and JSON (or text) of an answer."""
        body = raw if raw is not None else None if data is None else json.dumps(data).encode()
        kind = {"content-type": "application/json"} if body is not None else {}
        request = urllib.request.Request(self.url + path, body, {**kind, **dict(headers)}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    def call(self, tool, arguments=None, headers=()):
        """A tool by plain JSON-RPC."""
        message = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": tool, "arguments": arguments or {}},
        }
        return self.ask("/mcp", message, headers=headers)[1]

    def lives(self):
        """Whether the server still answers and plays."""
        status, told = self.ask("/health")
        return status == 200 and told == {"status": "healthy"}


def wait_until(true, seconds=60):
    """Wait for what must come."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)


def pick(told, n):
    """A command of a situation, in some order that is always the same."""
    commands = told["observation"]["commands"]
    return commands[(7 * n + 3) % len(commands)]
