"""Clients of a served board: submitting, waiting, verifying, and a sealed round played from end to end over HTTP."""

import http.server
import json
import os
import socket
import threading

import pytest
from board_live import served
from test_cli import call

from ludarium.envs.core.errors import AccessError, SubmissionError
from ludarium.leaderboards import keys
from ludarium.leaderboards.board import drawn
from ludarium.leaderboards.board.client import TOKEN, BoardClient, BoardError, load_token
from ludarium.leaderboards.board.recheck import board_address, check_round, fetch_submission, judge_there, round_address
from ludarium.leaderboards.rounds import Ticket
from ludarium.leaderboards.runner import run
from ludarium.leaderboards.submission import Submission, pack

KEY = keys.new_key()


@pytest.fixture(scope="module")
def live(tmp_path_factory, tiny_track):
    with served(tmp_path_factory.mktemp("live"), [tiny_track]) as found:
        yield found


@pytest.fixture
def judged_here(monkeypatch):
    """Judge in this process: what a guarded one does is tested elsewhere."""
    from ludarium.leaderboards.board import recheck
    from ludarium.leaderboards.examine import examine

    monkeypatch.setattr(recheck, "judge", lambda submission, track: examine(submission, track))


def test_a_file_is_sent_known_again_waited_for_and_verified(
    live, packed, tiny_track, tmp_path, judged_here, monkeypatch
):
    (tmp_path / "token").write_text(live.tokens[0] + "\n")
    sent = ("submit", packed["pibt"], "--to", live.address, "--token", tmp_path / "token")
    code, out = call(*sent)
    assert code == 0
    assert "received: waiting" in out
    assert live.tokens[0] not in out
    live.verify([tiny_track])
    monkeypatch.setenv(TOKEN, live.tokens[0])
    code, out = call("submit", packed["pibt"], "--to", live.address, "--wait", "--json")
    told = json.loads(out)
    assert (code, told["receipt"]["state"], told["submission"]["verdict"]["ok"]) == (0, "done", True)
    assert live.tokens[0] not in out
    digest, track = told["sha256"], str(tiny_track.path)
    for address in (f"/submissions/{digest}/", f"/api/v1/submissions/{digest}", f"/api/v1/submissions/{digest}/file"):
        code, out = call("verify", live.address + address, "--track", track)
        assert code == 0
        assert "the board says the same" in out


def test_a_board_that_says_something_else_is_found_out(live, packed, tiny_track, judged_here):
    file = packed["random"]
    live.client().submit(file)
    live.verify([tiny_track])
    digest = Submission.open(file).hash
    found = fetch_submission(live.address, digest)
    assert judge_there(live.address, found, tiny_track)["ok"]
    lied = {**found.recorded, "verdict": {**found.recorded["verdict"], "score": 0.99}}
    told = judge_there(live.address, found._replace(recorded=lied), tiny_track)
    assert not told["ok"]
    assert "the board says score = 0.99" in told["problems"][0]["what"]


def test_a_sealed_round_from_end_to_end(live, tiny_track, tmp_path, judged_here, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv(TOKEN, live.tokens[0])
    opened = drawn.open_round(live.store, tiny_track, "spring", episodes=1)
    path = f"/api/v1/tracks/{tiny_track.name}/rounds/spring"
    enter = (
        "enter",
        tiny_track.path,
        "spring",
        "--to",
        live.address,
        "--agent",
        "my endpoint",
        "--out",
        tmp_path / "spring",
    )
    code, out = call(*enter)
    assert code == 0, out
    ticket = Ticket.load(tmp_path / "spring" / "ticket.json")
    assert (tmp_path / "spring" / "salt").stat().st_mode & 0o077 == 0
    assert call(*enter)[0] == 0
    assert Ticket.load(tmp_path / "spring" / "ticket.json") == ticket
    other = {"commitment": "11" * 32, "public_key": "22" * 32}
    for body in (other, {**other, "public_key": ticket.public_key}, {**other, "commitment": ticket.commit}):
        with pytest.raises(BoardError, match="one attempt"):  # a second attempt of the account
            live.client().post(path, body)
    for body in ({**other, "public_key": ticket.public_key}, {**other, "commitment": ticket.commit}):
        with pytest.raises(BoardError, match="one attempt"):  # another account with this key, or this commitment
            live.client(1).post(path, body)
    for hostile in (
        {},
        [],
        {**other, "seeds": {}},
        {**other, "commitment": "x"},
        {"commitment": 3, "public_key": None},
    ):
        with pytest.raises(BoardError, match="422"):
            live.client(1).post(path, hostile)
    with pytest.raises(AccessError, match="needs a token"):
        live.client(None).post(path, other)
    assert ticket.seeds == _lucky(live, path, ticket)

    played = run(str(tmp_path / "spring" / "tiny-sealed.toml"), ["pibt"], tmp_path / "run", jobs=0)
    chosen = Ticket(
        **{**ticket.__dict__, "seeds": {case: [seed + 1 for seed in own] for case, own in ticket.seeds.items()}}
    )
    stolen = pack(
        played.root, ticket.apply(tiny_track), name="Me", key=KEY, to=tmp_path / "stolen", sealed=ticket.named
    )
    with pytest.raises(BoardError, match="another key"):
        live.client().submit(stolen)
    wrong = run(str(chosen.scenario(tiny_track, tmp_path / "chosen")), ["pibt"], tmp_path / "chosen-run", jobs=0)
    with pytest.raises(SubmissionError):  # who plays other seeds has nothing to pack for this ticket
        pack(wrong.root, ticket.apply(tiny_track), name="Me", to=tmp_path, sealed=ticket.named)
    send = (
        "submit",
        played.root,
        "--name",
        "Me",
        "--ticket",
        tmp_path / "spring" / "ticket.json",
        "--track",
        tiny_track.path,
    )
    with pytest.raises(BoardError, match="did not commit"):
        live.client(1).submit(_packed(send, tmp_path))
    code, out = call(*send, "--to", live.address, "--json")
    assert code == 0, out
    digest = json.loads(out)["sha256"]
    again = pack(played.root, ticket.apply(tiny_track), name="Me again", to=tmp_path / "again", sealed=ticket.named)
    with pytest.raises(BoardError, match="one attempt"):
        live.client().submit(again)
    live.verify([tiny_track])
    assert live.client(None).get(f"/api/v1/submissions/{digest}")["verdict"]["ok"]
    code, out = call("verify", f"{live.address}/submissions/{digest}/", "--track", tiny_track.path)
    assert (code, "verified (sealed)" in out) == (0, True)

    record = live.client(None).get(path)
    assert record["secret"] is None
    assert live.store.rounds.secret(opened.id) not in json.dumps(record)
    code, out = call("verify", "--round", f"{live.address}{path}", "--track", tiny_track.path)
    assert (code, "not revealed yet" in out) == (1, True)
    drawn.rotate_round(live.store, tiny_track, "summer")
    late = pack(played.root, ticket.apply(tiny_track), name="Late", to=tmp_path / "late", sealed=ticket.named)
    with pytest.raises(BoardError, match="is over"):
        live.client().submit(late)
    with pytest.raises(BoardError, match="is over"):
        live.client(1).post(path, other)
    code, out = call("verify", "--round", f"{live.address}{path}", "--track", tiny_track.path)
    assert code == 0, out
    assert "1 commitments, 1 submissions judged again" in out
    _recheck_from_a_file(live, path, digest, tiny_track, tmp_path)


def _packed(send, folder):
    code, out = call(*send, "--to", folder / "other", "--json")
    assert code == 0
    return type(folder)(json.loads(out)["file"])


def _lucky(live, path, ticket):
    """The same commitment again gives the same seeds: there is nothing to choose."""
    return live.client().post(path, {"commitment": ticket.commit, "public_key": ticket.public_key})["seeds"]


def _recheck_from_a_file(live, path, digest, track, folder):
    """Who has the record and the files needs no board; who changes either is found out."""
    record = live.client(None).get(path)
    (folder / "copy").mkdir()
    (folder / "copy" / "one.ludarium.zip").write_bytes(live.store.blobs.get(digest))
    file = folder / "copy" / "round.json"

    def found():
        file.write_text(json.dumps(record))
        return check_round(str(file), lambda name: track)

    assert found()["ok"], found()["problems"]
    record["entries"][0]["submission"]["verdict"]["score"] += 0.5
    assert "the board says score" in found()["problems"][0]
    record["entries"][0]["seeds"] = {
        case: [seed + 1 for seed in own] for case, own in record["entries"][0]["seeds"].items()
    }
    assert "other seeds" in found()["problems"][0]
    for spoiled in ("{", "[]", "3", '{"track": "x"}', "[" * 100_000):
        file.write_text(spoiled)
        with pytest.raises(SubmissionError, match="no record"):
            check_round(str(file), lambda name: track)


def test_run_hosted_and_verify_what_came_of_it(live, tiny_track, judged_here, monkeypatch):
    monkeypatch.setenv(TOKEN, live.tokens[1])
    code, out = call(
        "run", tiny_track.name, "--hosted", live.address, "--agent", "shortest", "--name", "Bob's", "--link",
        "code=https://example.org", "--json",
    )  # fmt: skip
    assert code == 0, out
    told = json.loads(out)
    assert (told["played"], told["total"], told["outcome"]["why"]) == (8, 8, "finished")
    assert live.tokens[1] not in out
    live.verify([tiny_track])
    digest = told["submission"]
    found = fetch_submission(live.address, digest)
    assert found.ticket.tier == found.submission.manifest.tier == "hosted"
    verdict = judge_there(live.address, found, tiny_track)
    assert verdict["ok"], verdict["problems"]
    forged = found._replace(ticket=Ticket(**{**found.ticket.__dict__, "round": "hosted-999999"}))
    assert "does not show the attempt" in judge_there(live.address, forged, tiny_track)["problems"][-1]["what"]
    with pytest.raises(BoardError, match="takes no uploads"):  # nobody but the board makes hosted ones
        live.client().submit(_saved(live, digest))
    code, out = call("verify", f"{live.address}/submissions/{digest}/", "--track", tiny_track.path)
    assert (code, "verified (hosted)" in out) == (0, True)


def _saved(live, digest):
    """The board's own file under another key and signature, as a forger would send it."""
    import dataclasses

    from ludarium.leaderboards.submission import seal

    path = live.store.blobs.root.parent / "forged.ludarium.zip"
    own = Submission(live.store.blobs.get(digest))
    members = {name: own.read(name) for name in own.episodes.values()}
    path.write_bytes(seal(dataclasses.replace(own.manifest, public_key=keys.public_key(KEY)), members, KEY))
    return path


# --- tokens and servers that are not what they seem --------------------------------------------------------------------
def test_a_token_goes_to_https_or_to_this_machine_alone(tmp_path, monkeypatch):
    with pytest.raises(AccessError, match="not sent over http"):
        BoardClient("http://board.example.org", "secret")
    for address in (
        "https://board.example.org/boards/one/",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "http://localhost",
    ):
        assert "secret" not in repr(BoardClient(address, "secret"))
    BoardClient("http://board.example.org", "secret", insecure=True)
    BoardClient("http://board.example.org")
    for address in ("ftp://x", "https://", "https://user:secret@x.org", "https://x.org/?token=secret", "https://x.org:99999",
                    "https://x.org/\u202e", "https://x .org", "x.org"):  # fmt: skip
        with pytest.raises(SubmissionError) as found:
            BoardClient(address, "secret")
        assert "user:" not in str(found.value)
    monkeypatch.delenv(TOKEN, raising=False)
    assert load_token(None) is None
    monkeypatch.setenv(TOKEN, "two words")
    with pytest.raises(AccessError, match="no token"):
        load_token(None)
    for content in ("", "line\nbreak", "\u00e4"):
        (tmp_path / "token").write_text(content, encoding="utf-8")
        with pytest.raises((AccessError, SubmissionError)) as found:
            load_token(tmp_path / "token")
        assert not content.strip() or content not in str(found.value)
    with pytest.raises(SubmissionError, match="cannot read"):
        load_token(tmp_path / "absent")


@pytest.fixture(scope="module")
def odd():
    """A server that answers whatever its `answers` say, and notes what it was sent."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            status, headers, body = self.server.answers[self.path]
            self.server.seen.append((self.path, dict(self.headers)))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.do_GET()

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.answers, server.seen = {}, []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_what_a_server_answers_is_data(odd, packed):
    client = BoardClient(f"http://127.0.0.1:{odd.server_port}", "ludarium_secret")
    odd.answers["/api/v1/submissions"] = (302, {"Location": "http://127.0.0.1:1/steal"}, b"")
    with pytest.raises(BoardError, match="not followed"):
        client.submit(packed["pibt"])
    escape = json.dumps({"error": "x", "what": "\x1b[2Jgone\nludarium: fine", "expected": "e" * 5000, "do": 3}).encode()
    odd.answers["/api/v1/submissions"] = (422, {}, escape)
    with pytest.raises(BoardError) as found:
        client.submit(packed["pibt"])
    assert str(found.value).isprintable()
    assert len(str(found.value)) < 1000
    assert "ludarium_secret" not in str(found.value)
    for body in (b"<html>", b"[]", b"{}", b'{"digest": 3, "status": "x"}', b"[" * 100_000):
        odd.answers["/api/v1/submissions"] = (201, {}, body)
        with pytest.raises(BoardError, match="is this a board"):
            client.submit(packed["pibt"])
    odd.answers["/big"] = (200, {}, b" " * 2000)
    with pytest.raises(BoardError, match="more than 1000 bytes"):
        client.data("/big", 1000)
    digest = "ab" * 32
    odd.answers[f"/api/v1/submissions/{digest}"] = (200, {}, b"{}")
    odd.answers[f"/api/v1/submissions/{digest}/file"] = (200, {}, packed["pibt"].read_bytes())
    with pytest.raises(SubmissionError, match="the file is another one"):
        fetch_submission(f"http://127.0.0.1:{odd.server_port}", digest)
    assert all("ludarium_secret" not in path for path, _ in odd.seen)
    assert not any("Authorization" in headers for path, headers in odd.seen if path.endswith("/file"))


def test_nobody_there_is_one_clear_line(monkeypatch):
    monkeypatch.setattr("ludarium.leaderboards.board.client.time.sleep", lambda seconds: None)
    with pytest.raises(BoardError, match="cannot be reached"):
        BoardClient("http://127.0.0.1:9").get("/api/v1/board")


def test_a_board_that_is_just_starting_is_waited_for():
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
    pauses, servers, told = [], [], []

    def pause(seconds):
        pauses.append(seconds)
        if len(pauses) == 3:
            servers.append(socket.create_server(("127.0.0.1", port)))

    client = BoardClient(f"http://127.0.0.1:{port}")
    with pytest.raises(BoardError, match="nobody listened there for 2 seconds"):
        client.reach(2, pause=pause, told=told.append)
    assert len(pauses) == 2
    assert told == [f"{client.address}: nobody listens there yet; waiting up to 2 seconds"]
    client.reach(10, pause=pause)
    client.close()
    servers[0].close()
    assert len(pauses) == 3


def test_addresses_of_boards_are_told_from_files():
    digest = "0f" * 32
    for address in (f"https://b.org/submissions/{digest}/", f"https://b.org/submissions/{digest}",
                    f"https://b.org/api/v1/submissions/{digest}/file"):  # fmt: skip
        assert board_address(address) == ("https://b.org", digest)
    assert board_address(f"http://b.org/one/submissions/{digest}/") == ("http://b.org/one", digest)
    for address in (f"https://b.org/{digest}", f"https://b.org/submissions/{digest[:-1]}/", "https://b.org/x.zip",
                    f"https://b.org/x?/submissions/{digest}/"):  # fmt: skip
        assert board_address(address) is None
    assert round_address("https://b.org/x/api/v1/tracks/t/rounds/r") == ("https://b.org/x", "/api/v1/tracks/t/rounds/r")
    assert round_address("https://b.org/tracks/t/") is None


def test_a_submission_to_a_board_needs_its_name_and_a_token(live, finished, tiny_track, monkeypatch):
    monkeypatch.delenv(TOKEN, raising=False)
    assert os.environ.get(TOKEN) is None
    given = ("submit", finished.root, "--agent", "pibt", "--track", tiny_track.path, "--to", live.address)
    with pytest.raises(SubmissionError, match="--name is missing"):
        call(*given)
