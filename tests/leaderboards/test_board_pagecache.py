"""Pages that are kept: made once a change, shown while a newer is being made, known again by their tag."""

import asyncio
import gzip
import threading
from types import SimpleNamespace

import pytest
from web_kit import web

from ludarium.errors import StoreError
from ludarium.leaderboards.board import pagecache
from ludarium.leaderboards.board.context import every
from ludarium.leaderboards.board.metrics import Metrics
from ludarium.leaderboards.board.pagecache import PageCache
from ludarium.leaderboards.board.settings import Settings
from ludarium.leaderboards.store import Store


class Source:
    """A board that changes when a test says so."""

    def __init__(self):
        self.state, self.fails = "a", False

    def head(self):
        if self.fails:
            raise StoreError("the database is away")
        return self.state


class Pages:
    """Pages that tell the state; each waits at the gate, and none is made by two threads at once."""

    def __init__(self, source):
        self.source, self.gate, self.made, self.alone = source, threading.Event(), [], threading.Lock()
        self.gate.set()

    def render(self, path):
        assert self.alone.acquire(blocking=False)
        try:
            self.made.append(path)
            assert self.gate.wait(60)
            if path.startswith("no"):
                raise LookupError(path)
            if path == "broken":
                raise ZeroDivisionError
            return SimpleNamespace(
                body=f"{path} in {self.source.state} ".encode() * 100, type="text/html; charset=utf-8"
            )
        finally:
            self.alone.release()


def cached(scenario, **settings):
    """Run a test in an event loop on a cache of such pages."""

    async def main(folder):
        with Store(folder / "board.db") as store:
            source = Source()
            pages = Pages(source)
            options = Settings(tracks=(), **{"fresh_s": 0.0, "patience_s": 0.01, **settings})
            cache = PageCache(source, options, Metrics(store), make=lambda given: pages)
            try:
                await asyncio.wait_for(scenario(cache, source, pages), 60)
            finally:
                pages.gate.set()
                cache.close()

    return main


async def told(cache, path, state):
    """Wait until a page tells this state."""
    while (await cache.get(path)).body.split()[2] != state.encode():
        await asyncio.sleep(0.001)


def test_a_page_is_made_once_for_all_who_ask_and_again_after_a_change(tmp_path):
    async def scenario(cache, source, pages):
        found = await asyncio.gather(*(cache.get("x") for _ in range(50)))
        assert len(pages.made) == 1
        assert {page.body[:6] for page in found} == {b"x in a"}
        assert await cache.get("none") is None
        source.state = "b"
        await told(cache, "x", "b")
        assert pages.made.count("x") >= 2
        tags = {(await cache.get("x")).etag}
        source.state = "a"
        await told(cache, "x", "a")
        assert (await cache.get("x")).etag == found[0].etag
        assert found[0].etag not in tags

    asyncio.run(cached(scenario)(tmp_path))


def test_readers_of_a_page_that_is_made_anew_see_the_last_one(tmp_path):
    async def scenario(cache, source, pages):
        await cache.get("x")
        pages.gate.clear()
        source.state = "b"
        await cache.look()
        for _ in range(20):
            assert (await cache.get("x")).body.startswith(b"x in a")
        while len(pages.made) < 2:
            await asyncio.sleep(0.001)
        assert pages.made == ["x", "x"]
        pages.gate.set()
        await told(cache, "x", "b")

    asyncio.run(cached(scenario)(tmp_path))


def test_what_was_asked_for_is_made_anew_before_it_is_asked_for_again(tmp_path):
    async def scenario(cache, source, pages):
        for path in "xyz":
            await cache.get(path)
        source.state = "b"
        while len(pages.made) < 6:
            await cache.look()
            await asyncio.sleep(0.001)
        assert sorted(pages.made[3:]) == ["x", "y", "z"]

    asyncio.run(cached(scenario)(tmp_path))


def test_what_nobody_asks_for_is_not_made_ahead_and_not_shown_old(tmp_path, monkeypatch):
    monkeypatch.setattr(pagecache, "_LATELY", 0.0)
    monkeypatch.setattr(pagecache, "_LONG_PATIENCE", 60.0)

    async def scenario(cache, source, pages):
        await cache.get("x")
        source.state = "b"
        await cache.look()
        await asyncio.sleep(0)
        assert pages.made == ["x"]
        assert (await cache.get("x")).body.startswith(b"x in b")

    asyncio.run(cached(scenario)(tmp_path))


def test_what_fails_is_told_to_who_asks_and_to_the_operator_and_spoils_nothing(tmp_path, capsys):
    async def scenario(cache, source, pages):
        await cache.get("x")
        with pytest.raises(ZeroDivisionError):
            await cache.get("broken")
        source.fails = True
        assert (await cache.get("x")).body.startswith(b"x in a")
        source.fails, source.state = False, "b"
        await told(cache, "x", "b")
        pages.render = lambda path: 1 / 0
        source.state = "c"
        await cache.look()
        assert (await cache.get("x")).body.startswith(b"x in b")  # better than nothing
        while "ZeroDivisionError" not in capsys.readouterr().err:
            await asyncio.sleep(0.001)

    asyncio.run(cached(scenario)(tmp_path))


def test_a_chore_that_fails_is_told_and_done_again(capsys):
    failures = [OSError("no space left"), StoreError("away"), None]

    async def main():
        done = asyncio.Event()

        async def chore():
            error = failures.pop(0)
            if error is None:
                done.set()
                await asyncio.sleep(3600)
            raise error

        task = asyncio.create_task(every(0, chore))
        await done.wait()
        task.cancel()

    asyncio.run(main())
    said = capsys.readouterr().err
    assert "no space left" in said
    assert "away" not in said


def test_pages_that_nobody_asks_for_make_room(tmp_path):
    async def scenario(cache, source, pages):
        for number in range(100):
            await cache.get(f"page{number}")
        assert cache._bytes <= 20_000
        assert cache.has("page99")
        assert not cache.has("page0")
        assert cache._bytes == sum(page.size for page in cache._found.values())

    asyncio.run(cached(scenario, page_bytes=20_000)(tmp_path))


# --- over HTTP ---------------------------------------------------------------------------------------------------------
def test_pages_have_tags_and_are_not_sent_twice(tmp_path, tiny_track, packed):
    with Store(tmp_path / "board.db") as store, web(store, tiny_track) as client:
        for path in ("/", "/tracks/tiny-track/", "/static/board.css", "/about/"):
            first = client.get(path, headers={"Accept-Encoding": "identity"})
            assert first.status_code == 200
            assert first.headers["cache-control"] == "no-cache"
            tag = first.headers["etag"]
            for known in (tag, f'"x", {tag}', f"W/{tag}", "*"):
                again = client.get(path, headers={"Accept-Encoding": "identity", "If-None-Match": known})
                assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
            packed_page = client.get(path, headers={"Accept-Encoding": "gzip"})
            assert packed_page.headers["content-encoding"] == "gzip"
            assert packed_page.headers["etag"] != tag
            assert packed_page.text == first.text
            assert client.get(path, headers={"If-None-Match": '"x"'}).status_code == 200
        assert client.get("/tracks/tiny-track", follow_redirects=False).headers["location"] == "tiny-track/"
        assert client.get("/tracks/tiny-track").text == client.get("/tracks/tiny-track/").text
        digest = client.submit(packed["pibt"].read_bytes()).json()["digest"]
        assert digest in client.get(f"/submissions/{digest}/").text
        client.until(lambda: digest in client.get("/tracks/tiny-track/").text)
        assert client.get("/api/v1/tracks/tiny-track/standings").json()["submissions"] == 1
        assert client.get("/api/v1/tracks/tiny-track/standings", params={"class": "llm"}).status_code == 404
        assert client.get("/api/v1/tracks/tiny-track/standings", params={"class": "x"}).status_code == 422


def test_names_of_strangers_are_text_on_every_page(tmp_path, tiny_track, packed):
    import dataclasses

    from ludarium.leaderboards import keys
    from ludarium.leaderboards.submission import Submission, seal

    found, key = Submission.open(packed["pibt"]), keys.new_key()
    hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> '; DROP TABLE log; --"
    manifest = dataclasses.replace(
        found.manifest, public_key=keys.public_key(key), name=hostile, agent=hostile, authors=(hostile,)
    )
    data = seal(manifest, {name: found.read(name) for name in found.episodes.values()}, key)
    with Store(tmp_path / "board.db") as store, web(store, tiny_track) as client:
        digest = client.submit(data, client.token(hostile[:60])).json()["digest"]
        paths = client.board.pages._pages.paths() if client.get("/").status_code == 200 else []
        pages = [
            path for path in paths if not path.startswith("static/") and not path.endswith((".js", ".css", ".json"))
        ]
        assert len(pages) >= 5
        shown = 0
        for path in pages:
            text = client.get(f"/{path}").text
            assert "<script>alert" not in text
            assert "<img src=x" not in text
            shown += "&lt;script&gt;alert" in text
        assert shown >= 2
        assert client.get(f"/api/v1/submissions/{digest}").headers["content-type"] == "application/json"
        assert store.check_chain()[0] == 1


def test_a_body_that_is_compressed_is_the_same():
    from ludarium.leaderboards.board.pagecache import ready

    page = ready(b"words " * 1000, "text/html", "head")
    assert gzip.decompress(page.packed) == page.body
    assert ready(b"words", "text/html", "head").packed is None
    assert ready(bytes(range(256)) * 100, "image/png", "head").packed is None
