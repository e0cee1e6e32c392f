"""The replay page of a track in a real browser: two agents on one episode, at the same step, on a desk and on a phone."""

import base64
import mimetypes
import re
from urllib.parse import parse_qs, urlsplit

import browsing
import pytest
from axe import axe_source, serious
from board_live import served
from replay_kit import Home

from ludarium.envs.core.render.browser import decode
from ludarium.leaderboards import child, keys
from ludarium.leaderboards.board.folders import FolderSource
from ludarium.leaderboards.board.replays import Movies, Replays, movie_path
from ludarium.leaderboards.board.site import build
from ludarium.leaderboards.examine import examine
from ludarium.leaderboards.runner import run
from ludarium.leaderboards.submission import pack
from ludarium.leaderboards.track import load_track
from ludarium.scenarios.loader import load

DESK, PHONE = (1280, 900), (360, 740)
CSP = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
HOUSE = """
name = "house"
version = 1
environment = "text-household-v0"
metrics = ["success"]
[splits]
val = { base = 100, count = 1 }
test = { base = 0, count = 1 }
[[cases]]
name = "pick"
config = { task = "pick", max_steps = 12 }
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A text track, and the submissions of two agents to it."""
    folder = tmp_path_factory.mktemp("house")
    (folder / "house.toml").write_text(HOUSE)
    (folder / "track.toml").write_text(
        'name = "house-track"\nversion = 1\ntitle = "House"\nscenario = "house.toml"\nsplit = "test"\nmetric = "success"\n'
        f'scenario_hash = "{load(folder / "house.toml").hash}"\nhigher_is_better = true\nworst = 0.0\n'
    )
    track, agents = load_track(folder / "track.toml"), ["household-expert", "random"]
    done = run(str(folder / "house.toml"), agents, folder / "run", jobs=0)
    key = keys.new_key()
    return track, [pack(done.root, track, name=a, agent=a, key=key, to=folder / "packed") for a in agents]


@pytest.fixture(scope="module")
def site(tmp_path_factory, packed, tiny_track, house):
    """The static site of both tracks; `movies[track]` are the recordings by agent and episode."""
    folder = tmp_path_factory.mktemp("board")
    (folder / "given").mkdir()
    for path in (*packed.values(), *house[1]):
        (folder / "given" / path.name).write_bytes(path.read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(child, "ask", Home().ask)
        source = FolderSource(folder / "given", [tiny_track, house[0]], cache=folder / "verdicts", judge=examine)
        part = Replays(source, index="index.html", movies=Movies(folder / "reels"))
        build(source, folder / "site", parts=(part,))
    return Site(folder / "site", source)


class Site:
    def __init__(self, root, source):
        self.root = root
        self.digests = {e.name + e.track: e.digest for t in source.tracks() for e in source.entries(t.name)}

    def digest(self, agent, track="tiny-track"):
        return self.digests[agent + track]

    def recording(self, agent, number, track="tiny-track"):
        script = (self.root / movie_path(self.digest(agent, track), number)).read_text()
        return decode(base64.b64decode(re.search(r'"([A-Za-z0-9+/=]+)"\);', script)[1]))

    def address(self, a="pibt", b="random", episode=4, track="tiny-track", end=""):
        both = f"a={self.digest(a, track)}" + (f"&b={self.digest(b, track)}" if b else "")
        return f"replays/{track}/index.html?{both}&episode={episode}{end}"


@pytest.fixture(scope="module")
def chromium():
    with browsing.chromium() as found:
        yield found


@pytest.fixture
def visit(chromium, site):
    """Open a page from the disk, or with `served` over HTTP under the server's policy; nothing may go wrong or outside."""
    complaints, contexts = [], []

    def served_by(route):
        path = urlsplit(route.request.url).path.lstrip("/")
        file = site.root / path / ("index.html" if path.endswith("/") else "")
        if not file.is_file():
            route.fulfill(status=404, json={"error": "no_movie", "what": "episode 5 is not shown here"})
            return
        kind = mimetypes.guess_type(file.name)[0] or "text/html"
        route.fulfill(body=file.read_bytes(), content_type=kind, headers={"Content-Security-Policy": CSP})

    def complain(text, allowed):
        if not any(part in text for part in allowed):
            complaints.append(text)

    def opened(address, size=DESK, served=False, allowed=(), **options):
        context = chromium.new_context(viewport=dict(zip(("width", "height"), size, strict=True)), **options)
        contexts.append(context)
        tab = context.new_page()
        root = "http://board.test/" if served else f"{site.root.as_uri()}/"
        if served:
            context.route("**", served_by)
        tab.on("console", lambda m: complain(m.text, allowed) if m.type == "error" else None)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("request", lambda r: complaints.append(r.url) if not r.url.startswith(root) else None)
        tab.goto(root + address)
        ready(tab)
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def ready(tab):
    tab.wait_for_selector("html[data-ready]")
    settled(tab)


def settled(tab):
    tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def press(tab, *keys):
    for key in keys:
        tab.keyboard.press(key)
    settled(tab)
    return shown(tab)


def part(tab, side, name):
    return tab.locator(f'[data-side="{side}"] [data-part="{name}"]')


def shown(tab):
    """The step that both sides show, which must be that of the controls."""
    steps = {int(re.match(r"Step (\d+) of", part(tab, side, "caption").inner_text())[1]) for side in "ab"}
    steps.add(int(tab.inner_text("#step b")))
    assert len(steps) == 1, steps
    return steps.pop()


def drawn(tab):
    settled(tab)
    return [part(tab, side, "canvas").evaluate("c => c.toDataURL()") for side in "ab"]


@pytest.mark.parametrize(("size", "served"), [(DESK, False), (PHONE, True)])
def test_two_agents_are_scrubbed_together_and_a_shared_link_brings_it_back(visit, site, size, served):
    tab = visit(site.address(end="#t=10"), size, served)
    assert [part(tab, side, "name").inner_text() for side in "ab"] == ["pibt", "random"]
    assert shown(tab) == 10
    tab.fill("#scrub", "33")
    settled(tab)
    assert shown(tab) == 33
    a, b = (site.recording(agent, 4) for agent in ("pibt", "random"))
    line = tab.locator("#curves .curve").first
    assert line.locator("p span").first.inner_text() == "score so far (throughput)"
    for k, (letter, recording) in enumerate((("A", a), ("B", b))):
        value = recording.header["series"]["score so far (throughput)"][33]
        assert line.locator(f".now.line-{k}").inner_text() == f"{letter} {value:.4g}"
    pictures = drawn(tab)
    assert pictures[0] != pictures[1]
    tab.click("#share")
    link = tab.url
    assert parse_qs(urlsplit(link).query) == {
        "a": [site.digest("pibt")],
        "b": [site.digest("random")],
        "episode": ["4"],
    }
    assert urlsplit(link).fragment == "t=33"
    again = visit(link.split("/", 3)[3] if served else link.removeprefix(f"{site.root.as_uri()}/"), size, served)
    assert shown(again) == 33
    assert drawn(again) == pictures
    assert again.evaluate("() => document.documentElement.scrollWidth") <= size[0]
    boxes = [again.locator(f'[data-side="{side}"]').bounding_box() for side in "ab"]
    stacked = boxes[1]["y"] >= boxes[0]["y"] + boxes[0]["height"]
    assert stacked == (size == PHONE)
    again.screenshot(path=site.root.parent / f"compare-{size[0]}.png")


def test_everything_is_done_by_keys(visit, site):
    a, b = (site.recording(agent, 4).header["marks"] for agent in ("pibt", "random"))
    first = next(t for t in range(81) if a[t] != b[t])
    tab = visit(site.address())
    assert press(tab, "ArrowRight", "ArrowRight", "ArrowLeft") == 1
    assert press(tab, "Shift+ArrowRight") == 11
    assert press(tab, "End") == 80
    assert press(tab, "x") == first
    assert tab.inner_text("#differ") == f"First difference: step {first}"
    assert tab.url.endswith(f"#t={first}")
    assert press(tab, "Home") == 0
    tab.keyboard.press("Space")
    assert tab.get_attribute("#play", "aria-label") == "Pause"
    tab.wait_for_function("() => Number(document.querySelector('#step b').textContent) >= 2")
    tab.keyboard.press("Space")
    assert tab.get_attribute("#play", "aria-label") == "Play"
    shown(tab)
    whole = drawn(tab)
    press(tab, "f")
    tab.keyboard.type("1")
    press(tab, "Enter")
    assert all(part(tab, side, "followed").inner_text().startswith("Robot 1 at ") for side in "ab")
    assert "robot=1" in tab.url
    press(tab, "Escape")
    assert drawn(tab) == whole
    press(tab, "+", "+")
    assert all(near != far for near, far in zip(drawn(tab), whole, strict=True))
    press(tab, "0", "?")
    assert tab.is_visible("#keys")
    press(tab, "Escape")
    assert drawn(tab) == whole
    before = tab.evaluate("() => document.documentElement.dataset.theme ?? ''")
    press(tab, "d")
    assert tab.evaluate("() => document.documentElement.dataset.theme ?? ''") != before


def test_every_control_is_reached_by_tab_and_shows_its_focus(visit, site):
    tab, reached = visit(site.address()), set()
    for _ in range(40):
        tab.keyboard.press("Tab")
        name, outline = tab.evaluate(
            "() => [document.activeElement.id, getComputedStyle(document.activeElement).outlineStyle]"
        )
        if name and name != "main":
            reached.add(name)
            assert outline != "none", name
    wanted = "agent-a agent-b episode back play forward scrub speed differ share help number"
    assert reached >= set(wanted.split())


def test_agents_and_episodes_are_chosen(visit, site):
    tab = visit("replays/tiny-track/index.html", served=True)
    assert part(tab, "a", "name").inner_text() == "pibt"  # the best two, and an episode that both have
    assert parse_qs(urlsplit(tab.url).query)["b"] == [site.digest("random")]
    assert tab.locator("#episode option:not([disabled])").evaluate_all("all => all.map((o) => o.value)") == ["0", "4"]
    tab.select_option("#agent-b", "")
    tab.select_option("#episode", "4")
    tab.click("#choose button")
    tab.wait_for_url("**episode=4*")
    ready(tab)
    assert "b=" not in tab.url
    assert not tab.is_visible('[data-side="b"]')
    assert not tab.is_visible("#differ")
    assert tab.inner_text("#state").startswith("Episode 4: four, seed ")
    assert part(tab, "a", "caption").inner_text() == "Step 0 of 80"
    assert tab.locator("#results tbody tr").count() > 3


def test_one_agent_beside_itself_never_differs(visit, site):
    tab = visit(site.address(b="pibt"))
    assert tab.inner_text("#differ") == "No difference"
    assert tab.is_disabled("#differ")
    tab.fill("#scrub", "40")
    pictures = drawn(tab)
    assert pictures[0] == pictures[1]


def test_what_cannot_be_shown_says_so_and_the_other_side_plays(visit, site):
    tab = visit(site.address(episode=5), allowed=("ERR_FILE_NOT_FOUND",))
    assert "There is no movie of this episode here" in part(tab, "a", "trouble").inner_text()
    assert tab.inner_text("#state") == "This episode cannot be shown."
    tab = visit(site.address(episode=5), served=True, allowed=("404", "MIME"))
    assert part(tab, "a", "trouble").inner_text() == "episode 5 is not shown here"
    odd = (
        f"replays/tiny-track/index.html?a={site.digest('pibt')}&b=<img src=x onerror=alert(1)>&episode=4#t=1e9&robot=-4"
    )
    tab = visit(odd)
    assert part(tab, "b", "trouble").inner_text() == "No verified submission of this track has this digest."
    assert tab.inner_text("#step b") == "80"


def test_transcripts_step_side_by_side_and_a_side_that_is_over_waits(visit, site):
    tab = visit(site.address("household-expert", "random", 0, "house-track"))
    words = {}
    for side, agent in (("a", "household-expert"), ("b", "random")):
        header = site.recording(agent, 0, "house-track").header
        texts = header["words"]["texts"]
        words[side] = {step: (texts[told], texts[did]) for step, _, told, did in header["words"]["rows"]}
    last = {side: max(own) for side, own in words.items()}
    assert last["a"] < last["b"] == 12
    for now in range(13):
        for side in "ab":
            told, did = words[side][min(now, last[side])]
            assert part(tab, side, "told").locator(".read").inner_text().split() == told.split()
            assert part(tab, side, "deeds").locator("[aria-current=step] .did").inner_text() == (did or "(the end)")
        assert part(tab, "a", "caption").inner_text().endswith("(it is over)") == (now > last["a"])
        tab.keyboard.press("ArrowRight")
        settled(tab)
    assert tab.locator("#results tbody tr", has_text="score").first.locator("td").all_inner_texts() == ["1", "0"]


def test_on_a_server_runs_are_sent_verified_found_and_watched(chromium, packed, tiny_track, tmp_path, monkeypatch):
    """Submitted by the API, judged, found from the front page, compared, and watched alone from the record."""
    monkeypatch.setattr(child, "ask", Home().ask)
    complaints = []
    with served(tmp_path, [tiny_track]) as board:
        for account, path in enumerate(packed.values()):
            board.client(account).submit(path)
        board.verify([tiny_track])
        tab = chromium.new_page()
        tab.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("response", lambda r: complaints.append(f"{r.status} {r.url}") if r.status >= 400 else None)
        tab.goto(f"{board.address}/")
        tab.get_by_role("link", name="Tiny", exact=True).first.click()
        tab.get_by_role("link", name="Watch the first two side by side").click()
        ready(tab)
        assert [part(tab, side, "name").inner_text() for side in "ab"] == ["pibt", "random"]
        tab.fill("#scrub", "50")
        settled(tab)
        assert shown(tab) == 50
        tab.select_option("#episode", "7")  # here every episode can be asked for
        tab.click("#choose button")
        tab.wait_for_url("**episode=7*")
        ready(tab)
        assert press(tab, "End") == 80
        part(tab, "b", "name").click()
        tab.get_by_role("link", name="Watch episode 5").click()
        ready(tab)
        assert tab.inner_text("#state").startswith("Episode 5: four, seed ")
        assert part(tab, "a", "name").inner_text() == "random"
        assert not tab.is_visible('[data-side="b"]')
        tab.close()
    assert complaints == []


@pytest.mark.parametrize(
    ("size", "scheme", "names", "end"),
    [
        (PHONE, "dark", ("pibt", "random", 4), "#t=9&robot=1"),
        (DESK, "light", ("household-expert", "random", 0, "house-track"), "#t=3"),
    ],
)
def test_axe_finds_nothing_serious_on_replay_pages(visit, site, size, scheme, names, end):
    tab = visit(site.address(*names) + end, size, served=True, color_scheme=scheme)
    tab.evaluate(axe_source())
    found = tab.evaluate("() => axe.run().then((result) => result.violations)")
    tab.keyboard.press("?")
    assert serious(found + tab.evaluate("() => axe.run('#keys').then((result) => result.violations)")) == []
