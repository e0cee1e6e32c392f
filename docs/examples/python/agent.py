"""An agent outside the suite, with Python's standard library alone: `cmd:python3 agent.py`, or `--http PORT` as a server.

It reads the words of a world, and takes a command at random, rather one that it has not taken here before.
"""

import json
import random
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

EPISODES = {}  # a server may be asked for many episodes at once; each message names its own


def choose(memory, turn):
    """Take the command that was taken least often where things look as they do now."""
    if not turn.get("commands"):  # a world whose actions cannot be listed, such as a desk
        return "Hello. What can I do for you?"
    taken = memory["taken"]
    here = turn["observation"]
    fewest = min(taken.get((here, command), 0) for command in turn["commands"])
    command = memory["random"].choice([c for c in turn["commands"] if taken.get((here, c), 0) == fewest])
    taken[here, command] = fewest + 1
    return command


def answer(message):
    """Return the answer to a message: its type, version, episode and step, and what belongs to the type."""
    reply = {key: message[key] for key in ("type", "version", "episode", "step")}
    if message["type"] == "hello":
        reply.update(view="text", name="least-taken")
    elif message["type"] == "start":
        EPISODES[message["episode"]] = {"random": random.Random(message["seed"]), "taken": {}}
    elif message["type"] == "act":
        memory = EPISODES[message["episode"]]
        reply["actions"] = {seat: choose(memory, turn) for seat, turn in message["turns"].items()}
    elif message["type"] == "finish":
        EPISODES.pop(message["episode"], None)
    return reply


class Handler(BaseHTTPRequestHandler):
    """The same messages over HTTP: each is the body of a POST, and its answer the body of the response."""

    protocol_version = "HTTP/1.1"  # the connection is kept
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self):
        """Answer a message."""
        body = json.dumps(answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        """Log nothing."""


if __name__ == "__main__":
    if "--http" in sys.argv:
        server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--http") + 1])), Handler)
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
