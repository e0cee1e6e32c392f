from __future__ import annotations

import html
import json
import re
import zlib
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from movies import movie, wander

from ludarium.envs.core.errors import ConfigError
from ludarium.envs.core.render import notebook_html, page_html, render, write_page
from ludarium.envs.core.render.browser import decode, encode
from ludarium.envs.core.render.forms import plain_text, rgb
from ludarium.envs.core.render.svg import blocks_of
from ludarium.envs.core.scene import Circle, Exchange, Label, Line, Movie, Polygon, Rect, Scene, Sprites, Tiles
from ludarium.envs.core.theme import LIGHT, THEMES, contrast

HOSTILE = "</script><script>alert(1)</script> \"quoted\" 'single' & <b> 🤖 \x00\x1b[31m \ud800 {{movie}} ]]>"
SVG = "{http://www.w3.org/2000/svg}"


def every_shape(text: str = "here") -> Scene:
    """Return a scene with one shape of every kind, all of whose words are `text`."""
    return Scene(
        8,
        6,
        background=(Tiles(np.eye(6, 8, dtype=np.uint8), ("floor", "wall"), title=text),),
        shapes=(
            Rect(0, 4, 2, 2, "zone", id=text, text=text, title=text),
            Circle(3, 5, 0.5, "accent.2", id="c", text="7", title=text),
            Line(((0.5, 0.5), (4.5, 0.5), (4.5, 3.5)), title=text),
            Polygon(((5, 1), (7, 1), (6, 3)), "accent.3", title=text),
            Label(4, 5.5, text),
            Sprites("robot", np.array([1.5, 6.5, np.nan]), np.array([2.5, 4.5, 1.5]), title=text),
        ),
        caption=text,
        values={text: 1.5},
    )


# Scenes


def test_wrong_sprites_and_sizes_are_refused_when_made() -> None:
    with pytest.raises(ConfigError, match="did you mean 'circle'"):
        Sprites("robot", np.zeros(2), np.zeros(2), form="circel")
    with pytest.raises(ConfigError, match="columns of 2 and 3 rows"):
        Sprites("robot", np.zeros(2), np.zeros(3))
    with pytest.raises(ConfigError, match="0 x 5"):
        Scene(0, 5)


def test_sprites_stand_in_the_middle_of_their_cells() -> None:
    sprites = Sprites.at_cells("robot", [0, 5, 11], 4, shown=np.array([True, True, False]))
    assert sprites.x[:2].tolist() == [0.5, 1.5]
    assert sprites.y.tolist() == [0.5, 1.5, 2.5]
    assert np.isnan(sprites.x[2])


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_what_matters_stands_out_from_the_floor_and_text_from_what_it_is_on(theme) -> None:
    floor = theme.paint("floor").fill
    quiet = {"background", "floor", "grid", "zone", "zone.pickup", "zone.delivery", "goal.done", "wall"}
    for style, paint in theme.styles.items():
        assert contrast(paint.text, paint.fill) >= 4.0, style
        if style not in quiet:
            assert contrast(paint.fill, floor) >= 3.0, style
    assert contrast(theme.paint("robot").fill, theme.paint("robot").text) >= 4.5


def test_styles_fall_back_along_their_dots() -> None:
    assert LIGHT.paint("robot.never.heard.of") == LIGHT.paint("robot")
    assert LIGHT.paint("nonsense") == LIGHT.paint("accent.1")
    assert LIGHT.paint("#123456").fill == "#123456"


# SVG


def test_svg_is_well_formed_and_says_what_it_shows() -> None:
    root = ElementTree.fromstring(render(every_shape(), "svg"))
    assert root.tag == SVG + "svg"
    assert root.find(SVG + "title").text == "here"
    assert root.find(SVG + "desc").text == "here 1.5"
    assert root.get("role") == "img"
    assert root.get("aria-label") == "here"
    tips = [title.text for title in root.iter(SVG + "title")]
    assert "here 0" in tips
    assert "here 2" not in tips, "a hidden sprite was drawn"
    assert len(list(root.iter(SVG + "circle"))) == 3


def test_svg_escapes_hostile_words_in_every_place() -> None:
    root = ElementTree.fromstring(render(every_shape(HOSTILE), "svg"))
    assert not list(root.iter(SVG + "script")) + list(root.iter(SVG + "b"))
    assert "🤖" in root.find(SVG + "title").text
    assert "</script>" in root.find(SVG + "title").text


@pytest.mark.parametrize("seed", range(20))
def test_blocks_cover_exactly_the_tiles_of_their_style(seed: int) -> None:
    chance = np.random.default_rng(seed)
    mask = chance.random((chance.integers(1, 12), chance.integers(1, 12))) < chance.random()
    covered = np.zeros(mask.shape, int)
    for top, left, high, wide in blocks_of(mask):
        covered[top : top + high, left : left + wide] += 1
    assert np.array_equal(covered, mask.astype(int))


# Pixels


def test_pixels_have_the_colours_of_what_is_there() -> None:
    pixels = render(every_shape(), "rgb_array", size=320)
    assert pixels.shape == (240, 320, 3)
    assert pixels.dtype == np.uint8

    def at(x: float, y: float) -> list[int]:
        return pixels[int(y * 40), int(x * 40)].tolist()

    def colour(style: str) -> list[int]:
        return rgb(LIGHT.paint(style).fill).tolist()

    assert at(1.1, 1.1) == colour("wall")
    assert at(7.5, 0.5) == colour("floor")
    assert at(0.1, 5.9) == colour("zone")
    assert at(3.0, 0.5) == colour("path")
    assert at(6.0, 1.6) == colour("accent.3")
    assert at(5.1, 2.8) == colour("floor"), "beside the polygon, inside its box"
    assert at(1.5 + 0.35, 2.5) == colour("robot")
    assert at(1.5 + 0.32, 2.5 + 0.32) == colour("floor"), "outside the disc, inside its box"
    assert at(3.0, 4.6) == colour("accent.2")


def test_pixels_show_numbers_and_hollow_forms_are_hollow() -> None:
    goal = Sprites("goal", np.array([0.5]), np.array([0.5]), form="ring", number=np.array([-1]), radius=0.45)
    scene = Scene(1, 1, shapes=(goal,))
    ring = render(scene, "rgb_array", size=101)
    tint = ring[50, 50].astype(int)
    assert ring[50, 7].tolist() == rgb(LIGHT.paint("robot").fill).tolist()
    assert np.abs(tint - rgb(LIGHT.paint("background").fill)).max() < 60
    seven = Sprites("robot", np.array([0.5]), np.array([0.5]), number=np.array([7]))
    numbered = render(Scene(1, 1, shapes=(seven,)), "rgb_array", size=101)
    ink = (numbered[30:70, 30:70] == rgb(LIGHT.paint("robot").text)).all(2)
    rows = np.flatnonzero(ink.any(1))
    assert ink[rows[0]].sum() > ink[rows[-1]].sum(), "a seven has its bar at the top"


@pytest.mark.parametrize("size", [1, 7, 64, 300])
def test_pixels_of_any_size_and_shapes_beyond_the_edge(size: int) -> None:
    outside = Sprites("robot", np.array([-3.0, 0.0, 40.0]), np.array([0.0, 30.0, 2.0]))
    shapes = (outside, Circle(0, 0, 5), Rect(-9, -9, 1, 1, text="x"), Label(99, 99, "far"), Line(()))
    pixels = render(Scene(40, 30, shapes=shapes), "rgb_array", size=size)
    assert max(pixels.shape[:2]) <= size
    assert pixels.shape[0] >= 1


def test_a_thinned_world_keeps_its_shape_in_pixels() -> None:
    pixels = render(Scene(1000, 500, background=(Tiles(np.ones((500, 1000), np.uint8)),)), "rgb_array", size=100)
    assert pixels.shape == (50, 100, 3)
    assert (pixels == rgb(LIGHT.paint("wall").fill)).all()


# Terminals

PICTURE = """\
███ ·  0
 · ◇0  ·
Step 3"""


def small() -> Scene:
    grid = np.array([[1, 0, 0], [0, 0, 0]], np.uint8)
    goal = Sprites.at_cells("goal", [4], 3, form="diamond", styles=("goal",), of="robot")
    return Scene(3, 2, (Tiles(grid),), (goal, Sprites.at_cells("robot", [2], 3)), "Step 3")


def test_terminal_text_tells_everything_apart_without_colour() -> None:
    assert render(small(), "ansi", columns=20, color=False) == PICTURE
    narrow = render(small(), "ansi", columns=3, color=False)
    assert narrow == "█·0\n·◇·\nStep 3"


def test_terminal_text_respects_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in render(small(), "ansi", columns=20)
    monkeypatch.setenv("NO_COLOR", "1")
    assert render(small(), "ansi", columns=20) == PICTURE


def test_terminal_text_lets_no_escape_sequence_through_and_fits_the_width() -> None:
    text = render(every_shape("a\x1b[2Jb"), "ansi", columns=17, color=False)
    assert "\x1b" not in text
    wide = render(Scene(300, 20, (Tiles(np.zeros((20, 300), np.uint8)),)), "ansi", columns=80, color=False)
    assert max(map(len, wide.split("\n"))) <= 80


def test_modes_and_themes_that_do_not_exist_are_named() -> None:
    with pytest.raises(ConfigError, match="did you mean 'svg'"):
        render(small(), "svgg")
    with pytest.raises(ConfigError, match="did you mean 'dark'"):
        render(small(), "svg", theme="drak")


def test_json_of_a_scene_is_plain() -> None:
    written = json.dumps(render(every_shape(HOSTILE), "json"), allow_nan=False)
    assert json.loads(written)["shapes"][-1]["x"] == [1.5, 6.5, None]


# Movies


def changing(steps: int) -> list[Scene]:
    """Return scenes in which sprites hide, change style and number, shapes come and go, and tiles change."""
    chance = np.random.default_rng(1)
    scenes = []
    for t in range(steps):
        x, y = chance.random(5) * 9, chance.random(5) * 7
        x[chance.random(5) < 0.3] = np.nan
        number = np.array([3, 4, 5, 6, 100 + t // 4])
        kinds = chance.integers(0, 2, 5)
        robots = Sprites("robot", x, y, styles=("robot", "robot.idle"), which=kinds, number=number)
        tiles = Tiles(chance.integers(0, 3, (4, 3)).astype(np.uint8), ("", "wall", "zone"), x=2, size=0.5)
        more = (Rect(t % 3, 1, 1, 1, id="cart", text="🤖"), tiles) if t % 2 else ()
        late = (Sprites("item", np.arange(2.0), np.arange(2.0), form="square"),) if t > 3 else ()
        scenes.append(Scene(9, 7, (Label(1, 1, "fixed"),), (robots, *more, *late), f"step {t}", {"a": t / 3}))
    return scenes


def assert_same(one: Scene, two: Scene) -> None:
    places = [np.nan_to_num(np.array([s.x, s.y]), nan=-1) for s in one.shapes if isinstance(s, Sprites)]
    again = [np.nan_to_num(np.array([s.x, s.y]), nan=-1) for s in two.shapes if isinstance(s, Sprites)]
    for a, b, sprites in zip(places, again, [s for s in one.shapes if isinstance(s, Sprites)], strict=True):
        seen = np.isfinite(sprites.x)
        assert np.abs(a[:, seen] - b[:, seen]).max(initial=0) <= 1 / 256
        assert np.array_equal(a[0] == -1, b[0] == -1)
    assert render(one, "ansi", columns=200) == render(two, "ansi", columns=200)
    assert one.caption == two.caption
    assert {k: pytest.approx(v, rel=1e-5) for k, v in one.values.items()} == two.values


def test_a_movie_reads_back_as_it_was() -> None:
    scenes = changing(12)
    recording = decode(encode(Movie("m", iter(scenes))))
    assert len(recording) == 12
    for t, scene in enumerate(scenes):
        assert_same(scene, recording.scene(t))


def test_a_grid_world_reads_back_exactly() -> None:
    recording = decode(encode(Movie("m", wander(20, 30, 50))))
    for t, scene in enumerate(wander(20, 30, 50)):
        assert render(scene, "svg") == render(recording.scene(t), "svg")


def test_a_movie_keeps_no_array_that_a_world_goes_on_writing_to() -> None:
    x, kinds, cells = np.zeros(2), np.zeros(2, np.int32), np.zeros((1, 2), np.uint8)

    def scenes():
        for t in range(3):
            x[:], kinds[:], cells[:] = t, t % 2, t % 2
            robots = Sprites("robot", x, x, styles=("robot", "robot.idle"), which=kinds, number=kinds)
            yield Scene(3, 3, shapes=(Tiles(cells), robots))

    recording = decode(encode(Movie("m", scenes())))
    for t in range(3):
        tiles, robots = recording.scene(t).shapes
        assert robots.x.tolist() == [t, t]
        assert robots.kinds.tolist() == robots.numbers.tolist() == [t % 2] * 2
        assert tiles.cells.tolist() == [[t % 2] * 2]


def test_a_movie_is_a_pure_function_of_its_scenes() -> None:
    assert encode(movie(16, 20, 30)) == encode(movie(16, 20, 30))


def test_words_are_kept_once_each_and_marks_one_a_scene() -> None:
    said = [
        Exchange(0, "cook_0", "A stove.", "light it"),
        Exchange(1, "cook_0", "A stove.", HOSTILE),
        Exchange(9, "x", ""),
    ]
    header = decode(encode(Movie("m", [Scene(1, 1)] * 3, words=said, marks=[7, 2**32 - 1, 0]))).header
    texts, rows = header["words"]["texts"], header["words"]["rows"]
    assert sorted(texts) == sorted({"cook_0", "A stove.", "light it", plain_text(HOSTILE), "x", ""})
    assert [(step, *(texts[i] for i in row)) for step, *row in rows] == [
        (0, "cook_0", "A stove.", "light it"), (1, "cook_0", "A stove.", plain_text(HOSTILE)), (2, "x", "", ""),
    ]  # fmt: skip
    assert header["marks"] == [7, 2**32 - 1, 0]
    with pytest.raises(ConfigError, match="1 marks for 3 scenes"):
        encode(Movie("m", [Scene(1, 1)] * 3, marks=[7]))


def test_movies_that_cannot_be_shown_say_why() -> None:
    with pytest.raises(ConfigError, match="no scenes"):
        encode(Movie("empty", []))
    two = [Scene(4, 4, shapes=(Sprites("robot", np.zeros(n), np.zeros(n)),)) for n in (2, 3)]
    with pytest.raises(ConfigError, match="are 3 at step 1 and were 2 before"):
        encode(Movie("growing", two))
    with pytest.raises(ConfigError, match="'reward' has 1 values for 2 scenes"):
        encode(Movie("short", [Scene(1, 1)] * 2, series={"reward": [0.0]}))
    blob = zlib.decompress(encode(Movie("m", [Scene(1, 1)])))
    other = zlib.compress(blob.replace(b'"version":1', b'"version":9'))
    with pytest.raises(ConfigError, match="version 9"):
        decode(other)


def test_values_that_are_not_finite_leave_a_gap() -> None:
    scenes = [Scene(1, 1, values={"a": float("nan")}), Scene(1, 1, values={"a": 2.0, "b": 1.0})]
    assert decode(encode(Movie("m", scenes))).header["series"] == {"a": [None, 2.0], "b": [None, 1.0]}


# The page


class Reader(HTMLParser):
    """Collects tags, the text outside scripts, and the content of scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self.open = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open = tag

    def handle_endtag(self, tag: str) -> None:
        self.open = ""

    def handle_data(self, data: str) -> None:
        (self.scripts if self.open == "script" else self.words).append(data)


def test_the_page_is_small_and_whole() -> None:
    page = page_html(movie(32, 128, 512))
    assert len(page.encode()) <= 3 * 2**20
    reader = Reader(page)
    assert "{{" not in "".join(reader.words)
    for tag, attributes in reader.tags:
        assert "src" not in attributes, f"<{tag}> loads something"
        assert not (attributes.get("href") or "data:").startswith(("http", "//")), tag
    assert "throughput" in " ".join(reader.words)
    assert "mapf-lifelong-v0" in " ".join(reader.words)


def test_hostile_words_stay_words_in_the_page() -> None:
    scenes = [every_shape(HOSTILE)] * 2
    bad = Movie(HOSTILE, scenes, {HOSTILE: HOSTILE}, {HOSTILE: HOSTILE}, {HOSTILE: [0.0, 1.0]}, HOSTILE)
    reader = Reader(page_html(bad))
    harmless = Reader(page_html(Movie("t", [every_shape()] * 2, {"a": "b"}, {"a": "b"}, {"a": [0.0, 1.0]}, "s")))
    assert [tag for tag, _ in reader.tags] == [tag for tag, _ in harmless.tags]
    assert len(reader.scripts) == 2
    assert any("alert(1)" in words and "🤖" in words for words in reader.words)
    assert "alert(1)" not in reader.scripts[1]


def test_the_policy_of_the_page_admits_only_its_own_script() -> None:
    page = page_html(movie(8, 3, 4))
    policy = next(a["content"] for tag, a in Reader(page).tags if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert policy.count("sha256-") == 2


def test_a_notebook_gets_the_page_in_an_isolated_frame() -> None:
    frame = notebook_html(movie(8, 3, 4), height=300)
    (tag, attributes), *rest = Reader(frame).tags
    assert (tag, rest) == ("iframe", [])
    assert attributes["sandbox"] == "allow-scripts"
    assert attributes["srcdoc"] == page_html(movie(8, 3, 4))
    assert html.unescape(re.search(r'title="([^"]*)"', frame)[1]) == "3 robots wander"


def test_the_page_is_written_where_it_was_asked_for(tmp_path) -> None:
    path = write_page(tmp_path / "replay.html", movie(8, 3, 4))
    assert path.read_text(encoding="utf-8") == page_html(movie(8, 3, 4))


def test_a_scene_with_words_is_shown_by_them_in_a_terminal() -> None:
    scene = Scene(4, 2, (Rect(0, 0, 1, 1, "wall"),), caption="Step 1", words="a box\x1b[2J\nnothing else")
    assert render(scene, "ansi", columns=20) == "a box\ufffd[2J\nnothing else\nStep 1"
