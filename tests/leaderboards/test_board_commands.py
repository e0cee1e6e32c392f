"""The commands of a board's operator: each of them run, with good and with wrong input, on each kind of database."""

import inspect
import json
import re
import shlex
import socket

import pytest
from board_kit import VERDICT, history, judged, submit
from typer.testing import CliRunner

from ludarium.errors import LudariumError, StoreError
from ludarium.leaderboards import cli
from ludarium.leaderboards.cli import app
from ludarium.leaderboards.cli.leaderboard import COMMANDS
from ludarium.leaderboards.store import Store

EXAMPLE = re.compile(r"^ {4,}(ludarium .*)$", re.M)


def raw(*arguments):
    return CliRunner().invoke(app, ["leaderboard", *map(str, arguments)], env={"COLUMNS": "200"})


@pytest.fixture
def board_command(board_url, tmp_path):
    """Call a command on an empty board; returns its JSON."""
    place = ["--store", board_url, "--blobs", tmp_path / "blobs"]

    def call(*arguments, code=0, words=False):
        result = raw(*arguments, *place, *(() if words else ("--json",)))
        if isinstance(result.exception, LudariumError):
            raise result.exception
        assert result.exit_code == code, (result.output, result.exception)
        return result.stdout if words else json.loads(result.stdout)

    call.place = place
    return call


@pytest.fixture
def store(board_url, tmp_path):
    with Store(board_url, tmp_path / "blobs") as found:
        yield found


def leaves(table=COMMANDS, path=()):
    """All commands with their functions; those of others' modules that cannot be imported yet are not there."""
    for name, place in table.items():
        command, commands = cli._imported(place) if isinstance(place, str) else (place, None)
        yield (*path, name), command
        if commands is not None:
            yield from leaves(commands, (*path, name))


def test_every_command_has_help_with_an_example():
    found = dict(leaves())
    assert {("serve",), ("worker",), ("account", "create"), ("token", "revoke"), ("round", "rotate")} <= set(found)
    for path, command in found.items():
        result = raw(*path, "--help")
        assert result.exit_code == 0
        examples = EXAMPLE.findall(inspect.getdoc(command).replace("\n    ", "\n        "))
        assert examples, path
        for example in examples:
            assert shlex.split(example)[: 2 + len(path)] == ["ludarium", "leaderboard", *path]
    assert raw("nix").exit_code == 2
    assert raw("account", "nix").exit_code == 2
    assert raw("account").exit_code == 2


def test_accounts_and_tokens(board_command, store):
    ada = board_command("account", "create", "Ada", "--contact", "ada@example.org")
    assert (ada["id"], ada["name"]) == (1, "Ada")
    assert "account 2: Eve" in board_command("account", "create", "Eve", words=True)
    with pytest.raises(StoreError, match="taken"):
        board_command("account", "create", "ADA")
    assert [each["name"] for each in board_command("account", "list")] == ["Ada", "Eve"]
    assert "ada@example.org" in board_command("account", "list", words=True)
    made = board_command("token", "create", "Ada", "--scope", "submit", "--scope", "verify", "--days", "1")
    assert store.accounts.allow(made["token"], "verify").account_id == 1
    told = board_command("token", "create", "1", words=True)
    assert store.accounts.allow(told.split()[0], "submit").scopes == ("submit",)
    listed = board_command("token", "list", "Ada")
    assert [each["id"] for each in listed] == [1, 2]
    assert made["token"] not in json.dumps(listed)
    assert board_command("token", "revoke", "1") == {"revoked": 1}
    assert "revoked" in board_command("token", "list", "Ada", words=True)
    with pytest.raises(StoreError, match="revoked or expired"):
        store.accounts.allow(made["token"], "submit")
    for wrong, reason in (
        (("token", "create", "Bob"), "no account 'Bob'"), (("token", "create", "99"), "no account 99"),
        (("token", "create", "Ada", "--scope", "submitt"), "did you mean"), (("token", "revoke", "99"), "no token 99"),
        (("token", "create", "Ada", "--days", "0"), "more than 0"), (("account", "create", "\u200b"), "letters"),
    ):  # fmt: skip
        with pytest.raises(StoreError, match=reason):
            board_command(*wrong)
    assert raw("token", "revoke", "x", *board_command.place).exit_code == 2
    with pytest.raises(LudariumError, match="--yes"):
        board_command("account", "erase", "Ada")
    assert board_command("account", "erase", "Ada", "--yes") == {"erased": 1}
    assert "(erased)" in board_command("account", "list", words=True)


def test_submissions_are_retracted_erased_and_rechecked(board_command, store):
    digest = judged(store).digest
    with pytest.raises(LudariumError, match="--yes"):
        board_command("retract", digest, "--reason", "trained on the test seeds")
    board_command("retract", digest, "--reason", "trained on the test seeds", "--yes")
    assert store.submissions.get(digest).reason == "trained on the test seeds"
    with pytest.raises(StoreError, match="already"):
        board_command("retract", digest, "--reason", "again", "--yes")
    assert raw("retract", digest, "--yes", *board_command.place).exit_code == 2  # no reason
    assert board_command("recheck", digest) == {"digest": digest, "state": "waiting"}
    lease = store.queue.take("worker", max_tries=1)
    store.queue.release(lease, "the disk is full", 1e-6)
    assert store.queue.take("worker", max_tries=1) is None
    assert board_command("stuck") == [{"digest": digest, "error": "the disk is full"}]
    assert digest in board_command("stuck", words=True)
    board_command("recheck", digest)
    assert board_command("stuck", words=True) == "nothing is stuck\n"
    with pytest.raises(LudariumError, match="--yes"):
        board_command("erase", digest)
    assert board_command("erase", digest, "--yes") == {"erased": digest}
    assert store.blobs.size(digest) is None
    for command in (("retract", "00", "--reason", "x", "--yes"), ("erase", "00", "--yes"), ("recheck", "00")):
        with pytest.raises(StoreError, match="no submission '00'"):
            board_command(*command)
    with pytest.raises(StoreError, match="erased"):
        board_command("recheck", digest)


def test_rounds_are_opened_rotated_and_closed(board_command, store, tiny_track):
    tracks = ("--tracks", tiny_track.path.parent)
    opened = board_command("round", "open", "tiny-track", "first", "--days", "30", *tracks)[0]
    assert (opened["name"], opened["secret"]) == ("first", None)
    for wrong, reason in (
        (("open", "tiny-track", "second", *tracks), "has an open round"), (("open", "tiny-trak", "x", *tracks), "did you mean"),
        (("open", "tiny-track", "x", "--days", "0", *tracks), "more than 0"), (("close", "nix", "--yes"), "no open round"),
        (("close", "tiny-track"), "--yes"), (("rotate", "tiny-track", "second", *tracks), "--yes"),
    ):  # fmt: skip
        with pytest.raises(LudariumError, match=reason):
            board_command("round", *wrong)
    closed, second = board_command("round", "rotate", "tiny-track", "second", "--yes", *tracks)
    assert (closed["secret_digest"], second["name"]) == (opened["secret_digest"], "second")
    assert len(closed["secret"]) == 64
    assert "secret" in board_command("round", "close", "tiny-track", "--yes", words=True)
    assert [(row["name"], row["entered"]) for row in board_command("round", "list", "tiny-track")] == [
        ("first", 0), ("second", 0)
    ]  # fmt: skip
    store.check_chain()


def test_the_state_the_chain_and_backups(board_command, store, board_url, tmp_path):
    history(store)
    number, head = store.check_chain()
    store.workers.seen("one")
    told = board_command("status")
    assert told["head"] == {"number": number, "hash": head}
    assert (told["queue"]["done"], told["queue"]["waiting"], told["workers"]) == (4, 1, 1)
    assert head in board_command("status", words=True)
    assert board_command("audit", "--files", "--anchor", f"{number}:{head}")["ok"]
    assert board_command("audit", words=True) == f"the log holds: {number} links, head {head}\n"
    assert not board_command("audit", "--anchor", f"{number + 1}:{head}", code=1)["ok"]
    assert "published" in board_command("audit", "--anchor", f"2:{head}", code=1)["problem"]
    for wrong in ("x", "x:y", f"{10**20}:{head}"):
        with pytest.raises(LudariumError, match="NUMBER:HASH"):
            board_command("audit", "--anchor", wrong)
    made = board_command("backup", tmp_path / "copy")
    assert made == {"backup": str(tmp_path / "copy")}
    with pytest.raises(StoreError, match="there already"):
        board_command("backup", tmp_path / "copy")
    again = ("--store", tmp_path / "again.db", "--json")
    assert json.loads(raw("restore", tmp_path / "copy", *again).stdout) == {"number": number, "hash": head}
    assert "not empty" in str(raw("restore", tmp_path / "copy", *again).exception)
    assert isinstance(raw("restore", tmp_path / "nix", "--store", tmp_path / "third.db").exception, StoreError)
    assert json.loads(raw("status", *again).stdout)["head"] == told["head"]
    assert raw("upgrade", "--store", board_url).exit_code == 0
    digest = submit(store, content=b"whole").digest
    store.blobs.path(digest).write_bytes(b"other")
    assert board_command("audit", "--files", code=1)["files"] == [digest]
    assert "missing or damaged" in board_command("audit", "--files", code=1, words=True)


def test_a_worker_ends_when_nothing_waits(board_command, store, tiny_track):
    here = ("--until-empty", "--nice", 0)  # the command runs in the tests' own process
    assert board_command("worker", *here, "--tracks", tiny_track.path.parent) == {"verdicts": 0}
    with pytest.raises(LudariumError, match="no track in this folder"):
        board_command("worker", *here, "--tracks", store.blobs.root)


def test_a_mistyped_store_is_not_made(tmp_path):
    for command in ("status", "stuck", "audit", "worker"):
        result = raw(command, "--store", tmp_path / "nix.db")
        assert isinstance(result.exception, StoreError)
        assert "no such file" in str(result.exception)
    assert not (tmp_path / "nix.db").exists()
    assert "expected postgresql" in str(raw("status", "--store", "mysql://root:hush@host/x").exception)
    assert "hush" not in str(raw("status", "--store", "mysql://root:hush@host/x").exception)


def test_a_verdict_shows_in_the_state(board_command, store):
    submit(store)
    assert board_command("status")["queue"]["waiting"] == 1
    store.queue.finish(store.queue.take("worker"), VERDICT)
    assert board_command("status")["queue"]["done"] == 1


def test_a_port_that_is_taken_is_told_before_anything_starts(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = raw("serve", "--store", tmp_path / "board.db", "--port", taken.getsockname()[1])
    assert isinstance(result.exception, LudariumError)
    assert "cannot listen at 127.0.0.1" in str(result.exception)
