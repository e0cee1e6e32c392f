"""An outside agent over WebSocket, in OpenEnv's messages: `python socket_client.py ws://127.0.0.1:8000/ws [SEED]`."""

import json
import sys

from websockets.sync.client import connect


def play(address, seed=3):
    """One episode; what is told at its end."""
    with connect(address) as socket:

        def ask(kind, **data):
            socket.send(json.dumps({"type": kind, "data": data}))
            answer = json.loads(socket.recv())
            if answer["type"] == "error":
                raise SystemExit(f"{answer['data']['code']}: {answer['data']['message']}")
            return answer["data"]

        now, n = ask("reset", seed=seed), 0
        while not now["done"]:
            n += 1
            commands = now["observation"]["commands"]
            now = ask("step", command=commands[(7 * n + 3) % len(commands)])
        return now["metadata"]


if __name__ == "__main__":
    print(json.dumps(play(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3)))
