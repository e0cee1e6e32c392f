"""The static site: the same bytes each time, never over what is not its own, and complete without any server."""

import hashlib
import json
import shutil

import browsing
import pytest
from board_made import HOSTILE, MadeSource, listed, waiting

from ludarium.errors import RunError
from ludarium.leaderboards import keys
from ludarium.leaderboards.board.folders import FolderSource
from ludarium.leaderboards.board.pages import Pages
from ludarium.leaderboards.board.site import MARKER, build
from ludarium.leaderboards.examine import examine
from ludarium.leaderboards.submission import Submission, pack
from ludarium.leaderboards.track import load_track


def content(folder):
    """All files of a folder: path -> SHA-256."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def tracks(finished, tiny_track):
    """A folder of tracks with a track of the finished run, and submissions of both agents to it."""
    folder = finished.root.parent / "site-tracks"
    folder.mkdir()
    text = tiny_track.path.read_text()
    (folder / "own.toml").write_text(
        text.replace('"tiny.toml"', '"../tiny.toml"').replace('"tiny-track"', '"own-track"')
    )
    track, key = load_track(folder / "own.toml"), keys.new_key()
    packed = [
        pack(finished.root, track, name=f"{a} <1>", agent=a, key=key, to=folder / "to") for a in ("pibt", "random")
    ]
    return folder, track, packed


@pytest.fixture
def submissions(tmp_path, tracks):
    folder = tmp_path / "submissions"
    folder.mkdir()
    for name, path in zip("ab", tracks[2], strict=True):
        shutil.copy(path, folder / f"{name}.ludarium.zip")
    return folder


@pytest.fixture
def look(submissions, tracks, tmp_path):
    """Read the submissions, as a new process would."""

    def read(folder=submissions, cache="cache", jobs=1):
        return FolderSource(folder, [tracks[1]], cache=tmp_path / cache, judge=examine, jobs=jobs)

    return read


def test_the_same_submissions_give_the_same_bytes(look, submissions, tmp_path):
    built = build(look(), tmp_path / "site")
    first = content(tmp_path / "site")
    assert built.written == built.files == len(first) - 1
    again = build(look(), tmp_path / "site")
    assert (again.written, again.removed, content(tmp_path / "site")) == (0, 0, first)
    build(look(submissions.rename(tmp_path / "moved"), "other-cache", 2), tmp_path / "other")
    assert content(tmp_path / "other") == first


def test_a_site_has_the_files_that_it_ranks(look, tmp_path):
    source = look()
    build(source, tmp_path / "site")
    digests = [entry.digest for entry in source.entries("own-track")]
    for digest in digests:
        assert Submission.open(tmp_path / f"site/files/{digest}.ludarium.zip").hash == digest
        page = (tmp_path / f"site/submissions/{digest}/index.html").read_text()
        assert f'href="../../files/{digest}.ludarium.zip"' in page
        assert "&lt;1&gt;" in page
        assert "ludarium verify" in page
    board = json.loads((tmp_path / "site/tracks/own-track/board.json").read_text())
    assert {row["submission"] for row in board["tables"][0]["rows"]} == set(digests)
    assert [row["name"] for row in board["tables"][0]["rows"]] == ["pibt <1>", "random <1>"]


def test_what_is_gone_is_removed_and_what_is_foreign_stays(look, submissions, tmp_path):
    site = tmp_path / "site"
    build(look(), site)
    digest = Submission.open(submissions / "a.ludarium.zip").hash
    (site / "CNAME").write_text("board.example.org")
    (submissions / "a.ludarium.zip").unlink()
    assert build(look(), site).removed >= 4
    assert not (site / "submissions" / digest).exists()
    assert not (site / f"files/{digest}.ludarium.zip").exists()
    assert (site / "CNAME").read_text() == "board.example.org"


def test_a_build_that_was_cut_off_leaves_nothing_behind(look, submissions, tmp_path, monkeypatch):
    site, real, count = tmp_path / "site", Pages.render, []

    def render(self, path):
        count.append(path)
        if len(count) == 12:
            raise KeyboardInterrupt
        return real(self, path)

    monkeypatch.setattr(Pages, "render", render)
    with pytest.raises(KeyboardInterrupt):
        build(look(), site)
    monkeypatch.undo()
    (submissions / "a.ludarium.zip").unlink()
    build(look(), site)
    build(look(), tmp_path / "fresh")
    assert content(site) == content(tmp_path / "fresh")


def test_folders_that_are_not_of_a_site_are_left_alone(look, submissions, tmp_path):
    foreign = tmp_path / "thesis"
    foreign.mkdir()
    (foreign / "index.html").write_text("mine")
    with pytest.raises(RunError, match="not of a site"):
        build(look(), foreign)
    assert [path.name for path in foreign.iterdir()] == ["index.html"]
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="no folder"):
        build(look(), tmp_path / "file")
    for inside in (submissions, submissions / "site", tmp_path):
        with pytest.raises(RunError, match="must not lie in each other"):
            build(look(), inside)
    broken = tmp_path / "broken"
    broken.mkdir()
    for marker in ("{", "[]", '{"files": []}'):
        (broken / MARKER).write_text(marker)
        with pytest.raises(RunError, match="cannot be read"):
            build(look(), broken)


def test_a_marker_names_no_files_outside(look, tmp_path):
    site, kept = tmp_path / "site", tmp_path / "kept.txt"
    kept.write_text("mine")
    build(look(), site)
    marker = json.loads((site / MARKER).read_text())
    marker["files"] |= {"../kept.txt": "", str(kept): "", "a/../../kept.txt": ""}
    (site / MARKER).write_text(json.dumps(marker))
    build(look(), site)
    assert kept.read_text() == "mine"


def test_the_command_verifies_and_writes(command, submissions, tracks, tmp_path):
    (submissions / "b.ludarium.zip").write_bytes((submissions / "b.ludarium.zip").read_bytes()[:-9])
    order = (
        "leaderboard",
        "build",
        submissions,
        "--to",
        tmp_path / "site",
        "--tracks",
        tracks[0],
        "--cache",
        tmp_path / "cache",
    )
    code, out, err = command(*order, "--jobs", "2")
    assert (code, err) == (0, "")
    assert "refused: b.ludarium.zip" in out
    assert "1 submission (0 rejected, 1 files refused)" in out
    board = json.loads((tmp_path / "site/tracks/own-track/board.json").read_text())
    (row,) = board["tables"][0]["rows"]
    assert row["mean"]["value"] == examine(Submission.open(submissions / "a.ludarium.zip"), tracks[1]).score
    assert "b.ludarium.zip" in (tmp_path / "site/index.html").read_text()
    record = (tmp_path / f"site/submissions/{row['submission']}/index.html").read_text()
    assert record.count(">Watch</a>") == 2  # the first episode of each case
    for number in (0, 4):
        assert f"replays/own-track/index.html?a={row['submission']}&amp;episode={number}" in record
        assert (tmp_path / f"site/movies/{row['submission']}/{number:04d}.js").stat().st_size > 100
    code, out, err = command(
        "leaderboard", "build", submissions, "--to", submissions, "--tracks", tracks[0], "--cache", tmp_path / "cache"
    )
    assert (code, out) == (2, "")
    assert "must not lie in each other" in err


# --- in a browser ------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def walked(tmp_path_factory, tiny_track):
    """A site with hostile names on the disk, and its paths."""
    reported = {"wall_s": [2.0] * 8, "micro_dollars": [1500.0] * 8}
    entries = [
        listed(
            tiny_track,
            name,
            [(n + k) % 5 for k in range(8)],
            key=str(n),
            kind=("planner", "llm")[n % 2],
            reported=reported,
        )
        for n, name in enumerate(HOSTILE)
    ]
    entries += [listed(tiny_track, "false", [4] * 8, problems=["the replay differs"]), waiting(tiny_track, "queue")]
    root, pages = tmp_path_factory.mktemp("walked"), Pages(MadeSource([tiny_track], entries), index="index.html")
    for path in pages.paths():
        target = root / (path + "index.html" if path.endswith("/") or not path else path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(pages.render(path).body)
    return root, pages.paths()


@pytest.fixture(scope="module")
def browser():
    with browsing.chromium() as found:
        yield found


@pytest.fixture
def visit(browser, walked):
    """Open a page of the site; at the end nothing may have complained, and nothing else may have been asked for."""
    complaints, contexts = [], []

    def opened(path="index.html", width=1280, **options):
        contexts.append(browser.new_context(viewport={"width": width, "height": 800}, **options))
        tab = contexts[-1].new_page()
        tab.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("dialog", lambda dialog: complaints.append(dialog.message))
        tab.on("request", lambda r: complaints.append(r.url) if not r.url.startswith("file:") else None)
        tab.goto((walked[0] / path).as_uri())
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def kinds_of_pages(paths):
    """One page of each kind."""
    first = {}
    for path in paths:
        if path.endswith("/") or not path:
            first.setdefault((path.partition("/")[0], path.count("/")), f"{path}index.html")
    return list(first.values())


def test_a_reader_walks_from_the_front_to_a_record(visit, tiny_track):
    tab = visit()
    tab.get_by_role("link", name=tiny_track.title, exact=True).click()
    assert tab.locator("h1").inner_text() == tiny_track.title
    table = tab.locator("table.ranking").first
    names, ranks = "tbody tr > .who bdi:first-child", "tbody td:first-child"
    before = table.locator(names).all_inner_texts()
    table.get_by_role("button", name="Agent").press("Enter")
    assert table.locator("th[aria-sort=ascending]").inner_text().startswith("Agent")
    assert table.locator(names).all_inner_texts() != before
    table.get_by_role("button", name="Rank").press("Enter")
    values = table.locator(ranks).evaluate_all("cells => cells.map((cell) => Number(cell.dataset.value))")
    assert values == sorted(values)
    tab.get_by_role("link", name="language model").click()
    assert tab.locator("table.ranking tbody tr").count() == len(HOSTILE) // 2
    tab.locator("table.ranking tbody a").first.click()
    assert "All submissions" in tab.inner_text("main")
    tab.locator("main table a[href*=submissions]").first.click()
    assert "Verified." in tab.inner_text("main")


def test_colours_can_be_chosen_and_are_kept(visit):
    tab = visit(color_scheme="light")
    ground = "() => getComputedStyle(document.body).backgroundColor"
    light = tab.evaluate(ground)
    button = tab.locator("#theme")
    button.click()
    button.click()
    assert button.inner_text() == "Colours: dark"
    dark = tab.evaluate(ground)
    assert dark != light
    tab.reload()
    assert tab.evaluate(ground) == dark
    assert visit(color_scheme="dark").evaluate(ground) == dark
    tab.locator("#theme").click()
    assert tab.evaluate(ground) == light


def test_pages_work_without_scripts_and_by_keyboard(visit, tiny_track):
    tab = visit(f"tracks/{tiny_track.name}/index.html", java_script_enabled=False)
    assert tab.locator("table.ranking tbody tr").count() == len(HOSTILE)
    assert not tab.locator("#theme").is_visible()
    tab.get_by_role("link", name="planner").click()
    assert tab.locator("table.ranking tbody tr").count() == (len(HOSTILE) + 1) // 2
    tab.keyboard.press("Tab")
    assert tab.locator(":focus").inner_text() == "Skip to the content"
    assert tab.locator(":focus").is_visible()
    tab.keyboard.press("Enter")
    assert tab.url.endswith("#main")


def test_a_board_fits_a_sheet_of_paper(visit, tiny_track):
    tab = visit(f"tracks/{tiny_track.name}/index.html", 794, color_scheme="dark")
    tab.emulate_media(media="print")
    assert tab.evaluate("() => document.documentElement.scrollWidth") <= 794
    assert tab.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not tab.locator("#theme").is_visible()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_axe_finds_nothing_serious_on_the_board(visit, walked, scheme, width):
    from axe import axe_source, serious

    source, tab = axe_source(), visit(width=width, color_scheme=scheme)
    for path in kinds_of_pages(walked[1]):
        tab.goto((walked[0] / path).as_uri())
        assert tab.evaluate("() => document.documentElement.scrollWidth") <= width, path
        tab.evaluate(source)
        found = tab.evaluate("() => axe.run({ preload: false }).then((result) => result.violations)")
        assert serious(found) == [], path
