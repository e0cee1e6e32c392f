"""The server's API as clients meet it: uploads, tokens, rates, errors that tell nothing, and a log that anybody can check."""

import dataclasses
import hashlib
import json
import re

import jsonschema
import pytest
from board_kit import VERDICT, history
from starlette.websockets import WebSocketDisconnect
from web_kit import refused, web

from ludarium.errors import StoreError
from ludarium.leaderboards import keys
from ludarium.leaderboards.archive import Limits
from ludarium.leaderboards.board.answers import Answers
from ludarium.leaderboards.board.limits import Buckets, Rate, address_key
from ludarium.leaderboards.board.models import SubmissionsBody
from ludarium.leaderboards.store import Store
from ludarium.leaderboards.submission import Submission, seal


@pytest.fixture
def client(board, tiny_track):
    """A server on each kind of database."""
    with web(board, tiny_track) as found:
        yield found


@pytest.fixture
def store(tmp_path):
    """An SQLite store."""
    with Store(tmp_path / "board.db") as found:
        yield found


@pytest.fixture(scope="module")
def files(packed):
    """The bytes of both submissions."""
    return {agent: path.read_bytes() for agent, path in packed.items()}


def changed(data, **changes):
    """A submission with another manifest, signed anew."""
    found, key = Submission(data), keys.new_key()
    manifest = dataclasses.replace(found.manifest, public_key=keys.public_key(key), **changes)
    return seal(manifest, {name: found.read(name) for name in found.episodes.values()}, key)


# --- uploads -----------------------------------------------------------------------------------------------------------
def test_an_upload_is_kept_queued_shown_and_known_again(client, files, tiny_track):
    data, ada = files["pibt"], client.token()
    digest = hashlib.sha256(data).hexdigest()
    answer = client.submit(data, ada)
    assert answer.status_code == 201
    told = answer.json()
    assert answer.headers["location"] == told["status"] == f"/api/v1/submissions/{digest}"
    assert (told["digest"], told["state"], told["track"]) == (digest, "waiting", "tiny-track")
    assert client.store.blobs.get(digest) == data
    again = client.submit(data, ada)
    assert (again.status_code, again.json()) == (200, told)
    assert client.store.queue.counts()["waiting"] == client.store.log.head()[0] == 1
    refused(client.submit(data, client.token("Bob")), 409, "refused")
    shown = client.get(told["status"]).json()
    assert (shown["class"], shown["account"], shown["verdict"]) == ("planner", "Ada", None)
    assert shown["manifest"]["track"] == tiny_track.reference
    assert client.get(f"{told['status']}/file").content == data
    client.store.queue.finish(client.store.queue.take("worker"), VERDICT)
    shown = client.get(told["status"]).json()
    assert (shown["state"], shown["verdict"]["score"], shown["measured"]["cpu_s"]) == ("done", 0.25, 1.5)
    rows = client.get(f"{told['status']}/episodes", params={"limit": 1}).json()
    assert (rows["items"], rows["total"], rows["next"]) == (VERDICT["rows"][:1], 2, 1)
    assert client.get(f"{told['status']}/episodes", params={"after": 1}).json()["items"] == VERDICT["rows"][1:]
    assert [link["kind"] for link in client.get(f"{told['status']}/log").json()] == ["submitted", "verdict"]
    client.store.submissions.erase(digest)
    refused(client.get(f"{told['status']}/file"), 410, "erased")
    assert "name" not in client.get(told["status"]).json()["manifest"]
    refused(client.submit(data, ada), 409, "refused")


def test_submissions_come_in_pages_and_by_filters(store, tiny_track):
    history(store)
    with web(store, tiny_track) as client:
        first = client.get("/api/v1/submissions", params={"limit": 2}).json()
        second = client.get("/api/v1/submissions", params={"limit": 500, "after": first["next"]}).json()
        whole = client.get("/api/v1/submissions").json()
        assert first["items"] + second["items"] == whole["items"]
        assert (second["next"], len(whole["items"])) == (None, 5)

        def count(**filters):
            return len(client.get("/api/v1/submissions", params=filters).json()["items"])

        assert (count(account="Ada"), count(account="nobody"), count(track="quick")) == (2, 0, 5)
        assert (count(track="other"), count(version=1), count(version=2)) == (0, 5, 0)
        for wrong in ({"limit": 0}, {"limit": 501}, {"after": -1}, {"after": 2**63}, {"version": "x"}, {"track": "\0"}):
            refused(client.get("/api/v1/submissions", params=wrong), 422, "invalid")


def test_a_list_that_is_kept_is_never_older_than_the_board(client, files):
    """After whatever happens to a submission, the list says at once what the submission's own address says."""
    ada, listed = client.token(), "/api/v1/submissions"
    assert client.get(listed).json()["items"] == []
    digest = client.submit(files["pibt"], ada).json()["digest"]
    happens = {
        "waiting": lambda: None,
        "leased": lambda: happens.setdefault("lease", client.store.queue.take("worker")),
        "done": lambda: client.store.queue.finish(happens["lease"], VERDICT),
        "retracted": lambda: client.store.submissions.retract(digest, "it was somebody else's"),
        "erased": lambda: client.store.submissions.erase(digest),
        "nobody's": lambda: client.store.submissions.erase_account(client.store.accounts.find("Ada").id),
    }
    seen = set()
    for name in list(happens):
        happens[name]()
        answer = client.get(listed)
        one = client.get(f"{listed}/{digest}").json()
        one["manifest"].pop("reported", None)
        assert answer.json()["items"] == [one], name
        same = client.get(listed, headers={"If-None-Match": answer.headers["etag"]})
        assert (same.status_code, same.content) == (304, b"")
        seen.add(answer.headers["etag"])
    assert len(seen) == 6
    assert one["account"] is None
    assert "name" not in one["manifest"]


def test_answers_are_forgotten_before_they_fill_the_memory():
    heads, made = ["a"], []

    def make(size):
        made.append(size)
        return SubmissionsBody(items=[], next=10**size)

    answers = Answers(lambda: heads[0], most=100)  # each answer has 29 bytes and more
    for size in (5, 6, 5, 7, 5, 8, 5):
        assert json.loads(answers.get(size, lambda size=size: make(size)).body)["next"] == 10**size
    assert made == [5, 6, 7, 8]
    answers.get(6, lambda: make(6))
    assert made == [5, 6, 7, 8, 6]
    heads[0] = "b"
    answers.get(5, lambda: make(5))
    assert made == [5, 6, 7, 8, 6, 5]


def stored(store):
    """All files of a store, and what uploads may have left."""
    return [path.name for path in store.blobs.root.rglob("*") if path.is_file()]


def in_pieces(data, count=7):
    size = len(data) // count + 1
    yield from (data[n : n + size] for n in range(0, len(data), size))


def test_a_stream_over_the_limit_is_cut_and_leaves_nothing(store, tiny_track, files):
    data = files["pibt"]
    with web(store, tiny_track, limits=Limits(packed=len(data) - 1)) as client:
        for content in (data, in_pieces(data)):
            said = refused(client.submit(content), 413, "too_large")
            assert said["expected"] == f"at most {len(data) - 1} bytes"
        lying = {**client.token(), "Content-Length": "5"}  # what is counted is what comes
        assert client.submit(in_pieces(data), lying).status_code == 413
        assert stored(store) == []
        assert store.log.head()[0] == 0
    with web(store, tiny_track, limits=Limits(packed=len(data))) as client:
        assert client.submit(in_pieces(data)).status_code == 201
        assert stored(store) == [hashlib.sha256(data).hexdigest()]


def test_what_is_no_submission_to_this_board_is_refused_with_its_reason(store, tiny_track, files):
    data = files["pibt"]
    other = {"name": "tiny-trak", "version": 3, "hash": "00"}
    cases = [
        (b"", "no_submission", "no zip file"),
        (b"PK\5\6" + bytes(18), "no_submission", "missing"),
        (data[:-1], "no_submission", "no zip file"),
        (data[:200] + bytes([data[200] ^ 1]) + data[201:], "no_submission", ""),
        (changed(data, track=other), "no_such_track", "tiny-track"),
        (changed(data, track={**tiny_track.reference, "version": 2}), "other_track", "version 2"),
        (changed(data, track={**tiny_track.reference, "hash": "00"}), "other_track", "another state"),
        (changed(data, tier="hosted", sealed={"round": "hosted-1", "commit": "00"}), "tier_not_allowed", "hosted"),
    ]
    with web(store, tiny_track) as client:
        ada = client.token()
        for content, error, reason in cases:
            said = refused(client.submit(content, ada), 422, error)
            assert reason in said["what"], said
        sealed = changed(data, tier="sealed", sealed={"round": "nix", "commit": "00"})
        assert "no round 'nix'" in refused(client.submit(sealed, ada), 409, "refused")["what"]
    planners = dataclasses.replace(tiny_track, classes=("llm",))
    with web(store, planners) as client:
        said = refused(client.submit(data), 422, "class_not_allowed")
        assert said["expected"] == "llm"
    assert stored(store) == []
    assert store.queue.counts()["waiting"] == 0


# --- tokens and rates --------------------------------------------------------------------------------------------------
def test_only_a_good_token_submits(store, tiny_track, files):
    with web(store, tiny_track) as client:
        ada = store.accounts.create("Ada").id
        revoked, other = store.accounts.issue(ada, ["submit"]), store.accounts.issue(ada, ["verify"])[1]
        store.accounts.revoke(revoked[0])
        for given, error in (
            (None, "no_token"), ("", "no_token"), ("Basic QTpi", "no_token"), ("Bearer", "no_token"),
            ("Bearer nix", "bad_token"), (f"Bearer {revoked[1]}", "bad_token"), ("Bearer " + "x" * 9000, "bad_token"),
            ("Bearer ' OR 1=1 --", "bad_token"),
        ):  # fmt: skip
            answer = client.submit(files["pibt"], {} if given is None else {"Authorization": given})
            refused(answer, 401, error)
            assert answer.headers["www-authenticate"].startswith("Bearer")
        refused(client.submit(files["pibt"], {"Authorization": f"Bearer {other}"}), 403, "wrong_scope")
        assert revoked[1] not in client.submit(b"", {"Authorization": f"Bearer {revoked[1]}"}).text
        assert client.submit(files["pibt"], client.token("Eve", ["admin"])).status_code == 201
    assert store.log.head()[0] == 1


def test_accounts_and_addresses_have_rates(store, tiny_track, files):
    now = [100.0]
    rates = {"uploads": Rate(2), "knocks": Rate(6), "reads": Rate(3, burst=1)}
    with web(store, tiny_track, clock=lambda: now[0], **rates) as client:
        ada, bob = client.token("Ada"), client.token("Bob")
        assert [client.submit(files["pibt"], ada).status_code for _ in range(2)] == [201, 200]
        third = client.submit(files["pibt"], ada)
        assert "this account" in refused(third, 429, "too_many")["what"]
        assert third.headers["retry-after"] == "30"
        assert client.submit(files["random"], bob).status_code == 201
        for _ in range(2):
            refused(client.submit(b"", {"Authorization": "Bearer nix"}), 401, "bad_token")
        assert "this address" in refused(client.submit(b"", bob), 429, "too_many")["what"]
        now[0] += 30
        assert client.submit(files["pibt"], ada).status_code == 200
        assert client.get("/api/v1/log").status_code == 200
        assert refused(client.get("/api/v1/log"), 429, "too_many")["do"] == "wait 20 seconds"
        assert client.get("/healthz").status_code == 200


def test_a_bucket_fills_at_its_rate_and_forgets_whom_it_heard_of_longest_ago():
    now = [0.0]
    buckets = Buckets(Rate(60, 60, burst=5), lambda: now[0], most=3)
    assert [buckets.take("a") for _ in range(7)] == [0] * 5 + [1, 1]
    now[0] += 2.5
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 1]
    now[0] -= 50  # a clock that goes back gives nothing
    assert buckets.take("a") == 1
    for key in "bcd":
        assert buckets.take(key) == 0
    assert len(buckets) == 3
    assert buckets.take("a", 5) == 0  # forgotten, so full again
    assert address_key("2001:db8:1:2:3::1") == address_key("2001:db8:1:2:ffff::9") != address_key("2001:db8:1:3::1")
    assert address_key("::ffff:10.0.0.1") == address_key("10.0.0.1") != address_key("10.0.0.2")


# --- errors ------------------------------------------------------------------------------------------------------------
PATHS = ["/..%2f..%2f..%2fetc%2fpasswd", "/static/..%2f..%2fboard.py", "/static/%2e%2e/%2e%2e/pages.py", "/%00",
         "/tracks/..%2f..%2f", "/submissions/..%2f..%2fboard.db/", "/movies/..%2f..%2fx/0000.js", "/%ff%fe", "/a\\b",
         "/static//etc/passwd", "/agents/<script>", "/api/v1/submissions/..%2f..%2fboard.db", "/api/v2/", "/api",
         "/movies/" + "0" * 64 + "/0000.js", "/compare/../x", "/" + "a" * 4000]  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=range(len(PATHS)))
def test_no_path_leads_out_of_the_board(shared, path):
    answer = shared.get(path)
    assert answer.status_code in (308, 404, 422), answer.text
    assert "root:" not in answer.text
    assert "import" not in answer.text


@pytest.fixture(scope="module")
def shared(tmp_path_factory, tiny_track):
    """A server that tests only read from."""
    folder = tmp_path_factory.mktemp("shared")
    with Store(folder / "board.db") as store:
        history(store)
        mine = {"track": "tiny-track", "version": 3, "account": store.accounts.create("Mine").id}
        store.submissions.add(b"mine", {"name": "mine", "class": "llm"}, kind="llm", **mine)
        with web(store, tiny_track) as client:
            yield client


def test_a_store_that_fails_is_told_without_its_address(store, tiny_track, files, monkeypatch):
    def away(*arguments, **options):
        raise StoreError(f"{store.database.where}: disk I/O error")

    with web(store, tiny_track, raising=False) as client:
        ada = client.token()
        with monkeypatch.context() as patch:
            patch.setattr(client.store.submissions, "add", away)
            refused(client.submit(files["pibt"], ada), 503, "unavailable")
            patch.setattr(client.store.log, "head", away)
            assert refused(client.get("/api/v1/log"), 503, "unavailable")
            patch.setattr(client.store, "check_ready", away)
            assert (client.get("/readyz").status_code, client.get("/readyz").json()["database"]) == (503, False)
            patch.setattr(client.store.log, "head", lambda: 1 / 0)
            refused(client.get("/api/v1/log/head"), 500, "internal")
        assert client.submit(files["pibt"], ada).status_code == 201


def test_unknown_methods_and_large_bodies_are_refused(shared):
    refused(shared.put("/api/v1/submissions"), 405, "method_not_allowed")
    refused(shared.post("/api/v1/tracks", content=b"x" * (2 << 20)), 413, "too_large")
    refused(shared.get("/api/v1/nix"), 404, "not_found")
    refused(shared.get("/api/v1/tracks/nix"), 404, "no_such_track")
    refused(shared.get("/api/v1/submissions/" + "0" * 64), 404, "no_such_submission")
    assert shared.get("/no/such/page").status_code == 404


def test_who_calls_the_board_by_another_name_is_turned_away(store, tiny_track):
    with web(store, tiny_track, hosts=("board.test",)) as client:
        assert client.get("/healthz", headers={"Host": "Board.Test:8080"}).status_code == 200
        refused(client.get("/healthz", headers={"Host": "evil.example"}), 421, "wrong_host")
        for wrong in ("a b", "board.test/x", "board.test:x", "ex@mple", ""):
            refused(client.get("/healthz", headers={"Host": wrong}), 400, "bad_host")
        for host, code in (("evil.example", 1008), ("board.test", 1000)):
            with pytest.raises(WebSocketDisconnect) as closed, client.websocket_connect("/nix", headers={"Host": host}):
                pass
            assert closed.value.code == code
        twice = [("Host", "board.test"), ("Authorization", "a"), ("Authorization", "b")]
        refused(client.get("/healthz", headers=twice), 400, "bad_request")


# --- what all answers have ---------------------------------------------------------------------------------------------
def test_every_answer_is_guarded_and_only_reading_the_api_is_open_to_other_sites(shared):
    for path in ("/", "/api/", "/api/v1/log", "/nix", "/healthz", "/api/v1/nix"):
        answer = shared.get(path)
        assert answer.headers["content-security-policy"].startswith("default-src 'self';")
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers.get("access-control-allow-origin") == ("*" if path.startswith("/api/") else None)
        head = shared.head(path)
        assert (head.status_code, head.content) == (answer.status_code, b"")
        assert head.headers["content-length"] == answer.headers["content-length"]
        assert "server" not in answer.headers
    post = shared.post("/api/v1/submissions", content=b"")
    assert "access-control-allow-origin" not in post.headers
    asked = shared.options("/api/v1/submissions", headers={"Origin": "https://evil.example"})
    assert "access-control-allow-methods" not in asked.headers


def test_health_and_figures(store, tiny_track, files):
    from prometheus_client.parser import text_string_to_metric_families as parsed

    with web(store, tiny_track, expects_workers=True) as client:
        assert client.get("/healthz").json() == {"status": "alive"}
        assert client.get("/readyz").status_code == 503
        store.workers.seen("one")
        assert client.get("/readyz").json() == {"ready": True, "database": True, "workers": 1}
        client.submit(files["pibt"])
        client.submit(b"nix")
        client.get("/api/v1/submissions/" + "0" * 64)
        store.queue.finish(store.queue.take("worker"), {**VERDICT, "wall_s": 2.5})
        text = client.get("/metrics").text
    found = {(s.name, *sorted(s.labels.items())): s.value for family in parsed(text) for s in family.samples}
    route = ("route", "/api/v1/submissions/{digest}")
    assert found["ludarium_requests_total", ("method", "GET"), route, ("status", "404")] == 1
    assert found["ludarium_request_seconds_count", route] == 1
    assert found["ludarium_uploads_total", ("outcome", "new")] == 1
    assert found["ludarium_uploads_total", ("outcome", "no_submission")] == 1
    assert found["ludarium_upload_bytes_total",] == len(files["pibt"]) + 3
    assert found["ludarium_queue_jobs", ("state", "done")] == found["ludarium_workers",] == 1
    assert found["ludarium_verification_seconds_sum",] == 2.5
    assert found["ludarium_log_links",] == 2
    assert "Ada" not in text


# --- the log -----------------------------------------------------------------------------------------------------------
def test_anybody_can_check_the_chain_over_the_api(shared):
    links, after, head = [], 0, None
    while after is not None:
        page = shared.get("/api/v1/log", params={"after": after, "limit": 4}).json()
        links, after, head = links + page["items"], page["next"], page["head"]
    previous = "0" * 64
    for number, link in enumerate(links, 1):
        content = [link[name] for name in ("number", "at", "kind", "subject", "digest", "previous")]
        assert (link["number"], link["previous"]) == (number, previous)
        previous = hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()
        assert link["hash"] == previous
    assert head == {"number": len(links), "hash": previous} == shared.get("/api/v1/log/head").json()
    assert (len(links), previous) == shared.store.check_chain()


def test_rounds_show_what_they_are_bound_by_and_their_secrets_once_they_are_over(store, tiny_track):
    store.rounds.open("tiny-track", "first")
    with web(store, tiny_track) as client:
        one = client.get("/api/v1/tracks/tiny-track/rounds").json()[0]
        assert one["secret"] is None
        store.rounds.rotate("tiny-track", "second")
        first, second = client.get("/api/v1/tracks/tiny-track/rounds").json()
    assert hashlib.sha256(bytes.fromhex(first["secret"])).hexdigest() == one["secret_digest"]
    assert (second["name"], second["secret"], second["attempts"]) == ("second", None, [])


# --- its description ---------------------------------------------------------------------------------------------------
def test_the_description_holds(shared):
    """Every reference leads somewhere, every answer is of the form that is described, and /api/ lists all addresses."""
    described = shared.get("/api/openapi.json").json()
    text = json.dumps(described)
    for reference in re.findall(r'"#/([^"]+)"', text):
        found = described
        for part in reference.split("/"):
            found = found[part]
    assert described["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    listing = shared.get("/api/").text
    digest = shared.get("/api/v1/submissions").json()["items"][-1]["digest"]
    looked = 0
    for path, methods in described["paths"].items():
        assert path in listing
        for method, about in methods.items():
            assert about["description"] or about["summary"]
            assert any(status in about["responses"] for status in ("200", "201"))
            assert "422" in about["responses"]
            schema = about["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema")
            place = path.replace("{digest}", digest).replace("{name}", "tiny-track")
            if method != "get" or schema is None or "{" in place:
                continue
            answer = shared.get(place)
            assert answer.status_code == 200, (place, answer.text)
            whole = {**schema, "components": described["components"]}
            jsonschema.Draft202012Validator(whole).validate(answer.json())
            looked += 1
    assert looked >= 10
    assert "http" not in re.sub(r"<code>.*?</code>", "", listing)  # nothing is loaded from elsewhere


def test_lists_leave_out_what_is_long_and_films_do_not_keep_a_server(store, tiny_track, files):
    with web(store, tiny_track) as client:
        digest = client.submit(files["pibt"]).json()["digest"]
        assert "reported" in client.get(f"/api/v1/submissions/{digest}").json()["manifest"]
        assert "reported" not in client.get("/api/v1/submissions").json()["items"][0]["manifest"]
        refused(client.get(f"/movies/{digest}/0000.js"), 404, "no_movie")
        client.board._filming = 10**6
        refused(client.get(f"/movies/{digest}/0000.js"), 503, "busy")


def test_clients_behind_a_trusted_proxy_are_counted_by_their_own_addresses(store, tiny_track):
    from starlette.testclient import TestClient

    from ludarium.leaderboards.board.server import Address, server
    from ludarium.leaderboards.board.settings import Settings

    settings = Settings(tracks=(tiny_track,), reads=Rate(1), clock=lambda: 0.0)
    made = server(store, settings, Address(proxies=("10.0.0.1",)))
    made.config.load()

    def asked(peer, said):
        client = TestClient(made.config.loaded_app, client=(peer, 1))
        return client.get("/api/v1/log", headers={"X-Forwarded-For": said}).status_code

    assert [asked("10.0.0.1", said) for said in ("1.1.1.1", "1.1.1.2", "1.1.1.1")] == [200, 200, 429]
    assert [asked("10.0.0.9", said) for said in ("1.1.1.3", "1.1.1.4")] == [200, 429]  # nobody believes that one
