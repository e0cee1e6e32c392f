"""A real PostgreSQL for the time of a test run: in a folder of its own, on a Unix socket only, not as root."""

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg


class Server:
    """A running server; each test gets a schema of its own, which is made and dropped faster than a database."""

    def __init__(self, folder):
        self.folder, self.made = folder, 0

    def url(self, name):
        return f"postgresql://owner@/{name}?host={self.folder}"

    def _run(self, statement):
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def new_database(self):
        """The URL of what looks like a new empty database."""
        self.made += 1
        name = f"board{self.made}"
        self._run(f"CREATE SCHEMA {name}")
        return f"{self.url('postgres')}&options=-csearch_path%3D{name}"


def _other_user():
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    owner = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def _end_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT)  # PR_SET_PDEATHSIG: a test run that is killed leaves no server


@contextlib.contextmanager
def start(initdb, fsync=False):
    """Start a server with the programs beside `initdb`; it and all its data are gone afterwards."""
    other = _other_user()
    folder = Path(tempfile.mkdtemp(prefix="ludarium-postgres-"))
    if other:
        os.chown(folder, other["user"], other["group"])
    folder.chmod(0o755)  # the socket lies in it
    quiet = {"cwd": folder, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, **other}
    server = None
    try:
        made = [initdb, "-D", "data", "-U", "owner", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(made, check=True, **quiet)
        log = (folder / "log").open("w")
        program = Path(initdb).resolve().parent / "postgres"
        settings = ["listen_addresses=", f"unix_socket_directories={folder}", "max_connections=200"]
        settings.append(f"fsync={'on' if fsync else 'off'}")
        server = subprocess.Popen(
            [program, "-D", "data", *(part for setting in settings for part in ("-c", setting))],
            stderr=log,
            preexec_fn=_end_with_parent,
            **quiet,
        )
        found = Server(folder)
        _wait(found, server)
        yield found
    finally:
        if server is not None:
            server.send_signal(signal.SIGQUIT)
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(found, server):
    for _ in range(1200):
        try:
            psycopg.connect(found.url("postgres")).close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None:
                break
            time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start:\n{(found.folder / 'log').read_text()}")
