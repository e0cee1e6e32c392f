"""The replay page in a real browser: it plays, obeys the keyboard, follows, and is accessible."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import browsing
import numpy as np
import pytest
from axe import axe_source, serious
from movies import movie, wander

from ludarium.envs.core.render import notebook_html, write_page
from ludarium.envs.core.scene import Circle, Exchange, Label, Line, Movie, Polygon, Rect, Saying, Scene, Tiles


@pytest.fixture(scope="module")
def browser() -> Iterator:
    with browsing.chromium() as found:
        yield found


@pytest.fixture(scope="module")
def page_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Return a maker of pages of 32, 128 or 1000 robots, each written once."""
    folder = tmp_path_factory.mktemp("pages")
    sizes = {32: (32, 64), 128: (32, 512), 1000: (64, 512)}

    def made(robots: int) -> Path:
        path = folder / f"{robots}.html"
        side, steps = sizes[robots]
        return path if path.exists() else write_page(path, movie(side, robots, steps))

    return made


@pytest.fixture
def visit(browser) -> Iterator[Callable]:
    """Return a function that opens a page; at the end of the test the console must be free of errors."""
    complaints: list[str] = []
    contexts = []

    def opened(path: Path, link: str = "", width: int = 1280, height: int = 800, **context):
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, **context))
        tab = contexts[-1].new_page()
        tab.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on(
            "request",
            lambda r: complaints.append(r.url) if not r.url.startswith(("file:", "data:")) else None,
        )
        tab.goto(path.as_uri() + link)
        tab.wait_for_selector("html[data-ready]")
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def step(tab) -> int:
    return int(tab.inner_text("#step b"))


def settled(tab) -> None:
    """Wait until what was asked for has been drawn."""
    tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def press(tab, *keys: str) -> int:
    """Press keys one after the other and return the step that is then shown."""
    for key in keys:
        tab.keyboard.press(key)
    settled(tab)
    return step(tab)


def canvas_bytes(tab) -> str:
    settled(tab)
    return tab.evaluate("() => document.getElementById('canvas').toDataURL()")


@pytest.mark.parametrize("robots", [128, 1000])
def test_it_plays_and_how_long_a_frame_takes(visit, page_of, robots: int, tmp_path: Path, record_property) -> None:
    tab = visit(page_of(robots))
    before = canvas_bytes(tab)
    tab.click("#play")
    assert tab.get_attribute("#play", "aria-label") == "Pause"
    frames = tab.evaluate(
        """() => new Promise((done) => {
            const times = [];
            const tick = (t) => times.push(t) < 60 ? requestAnimationFrame(tick) : done(times);
            requestAnimationFrame(tick);
        })"""
    )
    tab.wait_for_function("() => Number(document.querySelector('#step b').textContent) >= 3")
    tab.click("#play")
    assert tab.get_attribute("#play", "aria-label") == "Play"
    assert canvas_bytes(tab) != before
    between = np.diff(frames)
    report = f"{robots} robots: a frame every {np.median(between):.1f} ms (95 %: {np.quantile(between, 0.95):.1f})"
    record_property("frame", report)
    print(report)
    tab.screenshot(path=tmp_path / f"{robots}.png")
    assert (tmp_path / f"{robots}.png").stat().st_size > 10_000


def test_it_stops_at_the_end_and_starts_again(visit, page_of) -> None:
    tab = visit(page_of(32), "#t=62")
    tab.select_option("#speed", "64")
    tab.click("#play")
    tab.wait_for_selector("#play[aria-label=Play]")
    assert step(tab) == 64
    tab.click("#play")
    tab.wait_for_function("() => Number(document.querySelector('#step b').textContent) < 64")


def test_every_control_has_a_key(visit, page_of) -> None:
    tab = visit(page_of(128))
    assert press(tab, "ArrowRight", "ArrowRight", "ArrowLeft") == 1
    assert press(tab, "Shift+ArrowRight") == 11
    assert press(tab, "End") == 512
    assert press(tab, "Home") == 0
    tab.keyboard.press("Space")
    assert tab.get_attribute("#play", "aria-label") == "Pause"
    tab.keyboard.press("Space")
    assert tab.get_attribute("#play", "aria-label") == "Play"
    speed = int(tab.input_value("#speed"))
    press(tab, "]")
    assert int(tab.input_value("#speed")) == 2 * speed
    press(tab, "[", "[")
    assert int(tab.input_value("#speed")) == speed // 2
    whole = canvas_bytes(tab)
    press(tab, "+", "+")
    near = canvas_bytes(tab)
    press(tab, "Shift+D")
    assert len({whole, near, canvas_bytes(tab)}) == 3
    press(tab, "0")
    assert canvas_bytes(tab) == whole
    press(tab, "d")
    assert tab.get_attribute("html", "data-theme") == "dark"
    assert canvas_bytes(tab) != whole
    press(tab, "?")
    assert tab.is_visible("#keys")
    press(tab, "Escape")
    assert not tab.is_visible("#keys")


def test_keys_follow_a_robot_by_its_number(visit, page_of) -> None:
    tab = visit(page_of(128))
    press(tab, "f")
    tab.keyboard.type("17")
    press(tab, "Enter")
    assert tab.inner_text("#followed").startswith("Robot 17 at ")
    assert "goal at" in tab.inner_text("#followed")
    press(tab, "Escape")
    assert "Choose one" in tab.inner_text("#followed")
    press(tab, "n")
    assert tab.inner_text("#followed").startswith("Robot 0 ")
    press(tab, "p")
    assert tab.inner_text("#followed").startswith("Robot 127 ")
    press(tab, "f")
    tab.keyboard.type("999")
    press(tab, "Enter")
    assert tab.inner_text("#live") == "There is no number 999"


def test_everything_can_be_reached_with_tab_and_shows_its_focus(visit, page_of) -> None:
    tab = visit(page_of(32))
    reached = set()
    for _ in range(20):
        tab.keyboard.press("Tab")
        name, outline = tab.evaluate(
            "() => [document.activeElement.id, getComputedStyle(document.activeElement).outlineStyle]"
        )
        if name:
            reached.add(name)
            assert outline != "none", name
    wanted = "share theme help zoom-in zoom-out zoom-fit back play forward scrub speed number"
    assert reached >= set(wanted.split())


def test_scrubbing_shows_the_step_in_picture_words_and_link(visit, page_of) -> None:
    tab = visit(page_of(128))
    tab.fill("#scrub", "120")
    settled(tab)
    caption = list(wander(32, 128, 512))[120].caption
    assert step(tab) == 120
    assert tab.inner_text("#caption") == caption
    assert tab.inner_text("#live") == caption
    assert tab.url.endswith("#t=120")
    assert tab.get_attribute("#scrub", "aria-valuetext") == "Step 120 of 512"


def test_a_click_follows_the_robot_under_it_and_the_camera_goes_along(visit, page_of) -> None:
    tab = visit(page_of(1000))
    first = next(iter(wander(64, 1000, 0))).shapes[1]
    box = tab.locator("#canvas").bounding_box()
    unit = (box["height"] - 2 * min(20, 0.02 * box["width"] + 8)) / 64
    x = box["width"] / 2 + (first.x[41] - 32) * unit
    y = box["height"] / 2 + (first.y[41] - 32) * unit
    tab.click("#canvas", position={"x": float(x), "y": float(y)})
    settled(tab)
    assert tab.inner_text("#followed").startswith(f"Robot 41 at {first.x[41]:.0f}, ".replace(".5", ""))
    assert tab.get_attribute("#canvas", "class") == "over zoomed"
    assert "robot=41" in tab.url
    tab.click("#unfollow")
    assert "robot" not in tab.url


def test_a_shared_link_opens_at_its_step_and_robot(visit, page_of) -> None:
    tab = visit(page_of(128), "#t=120&robot=3")
    settled(tab)
    assert step(tab) == 120
    assert tab.inner_text("#followed").startswith("Robot 3 ")
    tab.evaluate("() => { location.hash = '#t=7&robot=9'; }")
    tab.wait_for_function("() => document.querySelector('#step b').textContent === '7'")
    assert tab.inner_text("#followed").startswith("Robot 9 ")


def test_a_link_with_nonsense_is_harmless(visit, page_of) -> None:
    tab = visit(page_of(32), "#t=1e9&robot=-4&<img src=x onerror=alert(1)>=2&t=abc")
    settled(tab)
    assert step(tab) == 64
    assert "Choose one" in tab.inner_text("#followed")


def test_the_picture_shows_what_is_there(visit, page_of) -> None:
    """Read pixels where the first scene says that robots and walls are."""
    tab = visit(page_of(32))
    settled(tab)
    scene = next(iter(wander(32, 32, 64)))
    grid = scene.background[0].cells
    box = tab.locator("#canvas").bounding_box()
    unit = (box["height"] - 2 * min(20, 0.02 * box["width"] + 8)) / 32

    def colour(x: float, y: float) -> str:
        at = [box["width"] / 2 + (x - 16) * unit, box["height"] / 2 + (y - 16) * unit]
        pixel = "document.getElementById('canvas').getContext('2d').getImageData(x, y, 1, 1).data"
        return "#{:02x}{:02x}{:02x}".format(*tab.evaluate(f"([x, y]) => [...{pixel}]", at)[:3])

    robots = scene.shapes[1]
    for i in range(0, 32, 5):
        assert colour(robots.x[i] - 0.34, robots.y[i]) == "#0072b2"
    row, column = np.argwhere(grid == 1)[7]
    assert colour(column + 0.5, row + 0.5) == "#727c8a"


def test_reduced_motion_steps_without_gliding(visit, page_of) -> None:
    tab = visit(page_of(32), reduced_motion="reduce")
    first = canvas_bytes(tab)
    tab.select_option("#speed", "1")
    tab.click("#play")
    tab.wait_for_timeout(300)
    assert step(tab) == 0
    assert canvas_bytes(tab) == first


def test_dark_is_the_default_of_those_who_prefer_it(visit, page_of) -> None:
    assert visit(page_of(32), color_scheme="dark").get_attribute("html", "data-theme") == "dark"
    assert visit(page_of(32), color_scheme="light").get_attribute("html", "data-theme") == "light"


@pytest.mark.parametrize(("width", "height"), [(360, 740), (768, 1024), (1280, 600), (2000, 1200)])
def test_nothing_sticks_out_on_any_screen(visit, page_of, width: int, height: int) -> None:
    tab = visit(page_of(128), "#robot=3", width, height)
    assert tab.evaluate("() => document.documentElement.scrollWidth") <= width
    for name in ("play", "scrub", "speed", "share"):
        box = tab.locator(f"#{name}").bounding_box()
        assert box["x"] >= 0, name
        assert box["x"] + box["width"] <= width, name


def test_other_shapes_move_by_their_names(visit, tmp_path: Path) -> None:
    tiles = Tiles(np.arange(16, dtype=np.uint8).reshape(4, 4) % 3, ("", "wall", "zone"))
    scenes = [
        Scene(
            8,
            6,
            (tiles,),
            (
                Rect(t, 4, 2, 1, "zone.pickup", id="cart", text="cart"),
                Circle(5, 1 + t, 0.5, "accent.2", id="ball", text="b"),
                Line(((0, 0), (4, t)), id="way"),
                Polygon(((5, 1), (7, 1), (6, 3))),
                Label(4, 5.5, f"step {t}", anchor="start"),
            ),
            f"Step {t}",
        )
        for t in range(4)
    ]
    tab = visit(write_page(tmp_path / "shapes.html", Movie("Shapes", scenes)))
    assert not tab.is_visible("#follow")
    seen = {canvas_bytes(tab)}
    for _ in range(3):
        press(tab, "ArrowRight")
        seen.add(canvas_bytes(tab))
    assert len(seen) == 4
    tab.screenshot(path=tmp_path / "shapes.png")


def test_hostile_words_run_nothing(visit, tmp_path: Path) -> None:
    bad = "</script><script>window.hit = 1</script><img src=x onerror='window.hit = 2'> 🤖 \"'"
    scenes = [Scene(4, 4, shapes=(Label(2, 2, bad, id=bad),), caption=bad, values={bad: t}) for t in range(3)]
    tab = visit(write_page(tmp_path / "bad.html", Movie(bad, scenes, {bad: bad}, {bad: bad})))
    press(tab, "ArrowRight", "s")
    assert tab.evaluate("() => window.hit") is None
    assert tab.inner_text("h1") == bad
    assert tab.inner_text("#caption") == bad


def test_a_single_scene_is_a_whole_movie(visit, tmp_path: Path) -> None:
    tab = visit(write_page(tmp_path / "one.html", Movie("One", [Scene(3, 3, caption="only", values={"a": 1.0})])))
    assert press(tab, "Space", "ArrowRight", "End", "n", "f", "+") == 0


def test_the_page_works_inside_a_notebook_frame(visit, tmp_path: Path) -> None:
    outer = tmp_path / "notebook.html"
    frame = notebook_html(movie(16, 10, 20), height=500)
    outer.write_text(f"<!doctype html><html data-ready><title>n</title><link rel=icon href='data:,'>{frame}</html>")
    tab = visit(outer)
    inner = tab.frame_locator("iframe")
    inner.locator("html[data-ready]").wait_for()
    inner.locator("#forward").click()
    inner.locator("#theme").click()
    assert inner.locator("#step b").inner_text() == "1"


def test_without_scripts_the_words_remain(browser, page_of) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(page_of(32).as_uri())
    assert "scripts are switched off" in tab.inner_text("aside")
    assert re.search(r"throughput\s+2\.562", tab.inner_text("#results"))
    context.close()


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with what a model said in forty steps, in three segments, once after a repair."""
    shown = movie(16, 4, 40)
    parts = ("find <the> soapbar", "clean it", "bring it")
    shown.talk = [
        Saying(
            t,
            "robot_0",
            f"Action: go {t}",
            "You are <b>here</b>",
            parts[t // 15],
            "repaired" if t == 8 else "ok",
            "9 tokens",
        )
        for t in range(0, 40, 2)
    ]
    shown.talk.insert(4, Saying(7, "robot_1", "", segment="clean it", status="fallback"))
    return write_page(tmp_path_factory.mktemp("talk") / "talk.html", shown)


def test_what_was_said_goes_along_with_the_steps(visit, talking) -> None:
    tab = visit(talking, "#t=16")
    settled(tab)
    now = tab.locator("#sayings li[aria-current=step]")
    assert now.count() == 1
    assert "Action: go 16" in now.inner_text()
    assert "clean it" in now.inner_text()
    assert "find <the> soapbar" in tab.locator("#sayings li").first.inner_text()  # words, never markup
    press(tab, "ArrowRight")
    assert tab.locator("#sayings li[aria-current=step]").count() == 0  # nothing was said at step 17
    tab.locator("#sayings li").nth(2).locator("button").click()
    settled(tab)
    assert step(tab) == 4
    assert tab.locator("#sayings .status").all_inner_texts() == ["fallback", "repaired"]
    edges = tab.locator("#segments i").evaluate_all(
        "all => all.map((i) => [i.title, i.style.getPropertyValue('--from')])"
    )
    assert edges == [["find <the> soapbar", "0%"], ["clean it", "40%"], ["bring it", "75%"]]


def test_where_nothing_was_said_there_is_no_panel(visit, page_of) -> None:
    tab = visit(page_of(32))
    assert tab.locator("#talk").is_hidden()
    assert tab.locator("#segments").is_hidden()


def test_words_are_read_beside_the_picture_step_by_step(visit, tmp_path: Path) -> None:
    bad = "<img src=x onerror='window.hit = 1'>"
    words = [
        Exchange(t, f"cook_{k}", f"{bad} seen {t} by {k}", f"stir {t}" if t < 3 else "")
        for t in range(4)
        for k in (0, 1)
    ]
    scenes = [Scene(4, 4, shapes=(Label(2, 2, str(t)),), caption=f"Step {t}") for t in range(4)]
    tab = visit(write_page(tmp_path / "words.html", Movie("Words", scenes, words=words)))
    press(tab, "ArrowRight", "ArrowRight")
    assert tab.locator(".told .read").all_inner_texts() == [f"{bad} seen 2 by 0", f"{bad} seen 2 by 1"]
    assert tab.locator(".told .did").all_inner_texts() == ["stir 2", "stir 2"]
    assert tab.locator(".deeds [aria-current=step] .did").all_inner_texts() == ["stir 2", "stir 2"]
    tab.locator(".deeds li").nth(2).locator("button").click()
    settled(tab)
    assert step(tab) == 1
    press(tab, "End")
    assert tab.locator(".deeds [aria-current=step] .did").all_inner_texts() == ["(the end)"] * 2
    assert tab.evaluate("() => window.hit") is None


def test_a_world_without_a_picture_is_words_alone(visit, tmp_path: Path) -> None:
    words = [Exchange(t, "player_0", f"Room {t}.", "go on") for t in range(3)]
    tab = visit(write_page(tmp_path / "plain.html", Movie("Plain", [Scene(1, 1, caption="here")] * 3, words=words)))
    assert not tab.is_visible("#view")
    press(tab, "ArrowRight", "+", "0")
    assert tab.inner_text(".told .read") == "Room 1."


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_serious(visit, page_of, scheme: str, width: int) -> None:
    source = axe_source()
    tab = visit(page_of(128), "#t=9&robot=3", width, color_scheme=scheme)
    tab.evaluate(source)
    found = tab.evaluate("() => axe.run().then((result) => result.violations)")
    press(tab, "?")
    found += tab.evaluate("() => axe.run('#keys').then((result) => result.violations)")
    assert serious(found) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_serious_in_what_was_said(visit, talking, scheme: str, width: int) -> None:
    tab = visit(talking, "#t=7", width, color_scheme=scheme)
    tab.evaluate(axe_source())
    assert serious(tab.evaluate("() => axe.run().then((result) => result.violations)")) == []


def test_axe_does_find_what_is_serious(visit, page_of) -> None:
    tab = visit(page_of(32))
    tab.evaluate(axe_source())
    tab.evaluate("() => document.getElementById('scrub').removeAttribute('aria-label')")
    assert [row[0] for row in serious(tab.evaluate("() => axe.run().then((r) => r.violations)"))] == ["label"]
