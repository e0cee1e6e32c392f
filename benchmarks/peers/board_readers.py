"""Readers of a board, for Locust: keep-alive connections that ask for a page, think for a second, and ask for the next.

`BOARD_PATHS` names a file of addresses, one a line with a weight before it. Each reader remembers the ETags of what it saw, as a
browser does.
"""

import os
import random
import time
from pathlib import Path

from locust import FastHttpUser, constant, task

LINES = [line.split(" ", 1) for line in Path(os.environ["BOARD_PATHS"]).read_text().splitlines()]
WEIGHTS, PATHS = [int(weight) for weight, _ in LINES], [path for _, path in LINES]


class Reader(FastHttpUser):
    """A person with a browser, or a program without patience for more than one request a second."""

    wait_time = constant(1)

    def on_start(self):
        """Begin with an empty cache, at a moment of one's own: Locust lets a hundred go at the same instant, people do not."""
        self.tags = {}
        time.sleep(random.random())

    @task
    def read(self):
        """Ask for a page; what was seen before is asked for by its tag."""
        path = random.choices(PATHS, WEIGHTS)[0]
        headers = {"If-None-Match": self.tags[path]} if path in self.tags else {}
        name = "/" + path.split("/")[1]
        with self.client.get(path, headers=headers, name=name, catch_response=True) as answer:
            if answer.status_code == 304 and path in self.tags:
                answer.success()
            if answer.headers.get("ETag"):
                self.tags[path] = answer.headers["ETag"]
