"""The pages of a board, as a reader's browser takes them apart: links, names, figures, and what costs time."""

import dataclasses
import html.parser
import json
import re
import xml.etree.ElementTree as ElementTree
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from board_made import FLAG, HOSTILE, MadeSource, listed, waiting

from ludarium.leaderboards.board import standings as board_standings
from ludarium.leaderboards.board.html import figure, plain, relative, when
from ludarium.leaderboards.board.pages import Pages, agent_path, submission_path
from ludarium.leaderboards.board.standings import standings
from ludarium.leaderboards.stats import Interval

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Parsed(html.parser.HTMLParser):
    """A page as data: elements with attributes, visible text, and whether every element was closed."""

    def __init__(self, body):
        super().__init__(convert_charrefs=True)
        self.elements, self.text, self.open, self.wrong = [], [], [], []
        self.feed(body.decode("utf-8"))
        self.close()
        self.wrong += self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        self.text.append(data)

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())

    def links(self):
        for _, attributes in self.elements:
            yield from (attributes[name] for name in ("href", "src") if attributes.get(name))


@pytest.fixture(scope="module")
def source(tiny_track):
    """A board where all there can be is there."""
    reported = {"wall_s": [2.0] * 8, "micro_dollars": [1500.0] * 8, "tokens": [100.0] * 8}
    entries = [
        listed(tiny_track, name, [(n + k) % 5 for k in range(8)], key=str(n), kind=("planner", "llm", "human")[n % 3],
               reported={key: [v * (n + 1) for v in values] for key, values in reported.items()}, authors=(name[:100],),
               flags=(FLAG,) if n == 1 else (), disagreements=int(n == 2))
        for n, name in enumerate(HOSTILE)
    ]  # fmt: skip
    entries += [
        dataclasses.replace(
            listed(tiny_track, "taken back", [4] * 8), retracted="trained on <b>test</b> seeds \u202e!"
        ),
        listed(tiny_track, "false", [4] * 8, problems=["the replay differs at <step> 3"]),
        listed(tiny_track, "of a round", [3] * 8, tier="sealed", round="<i>spring</i>"),
        waiting(tiny_track, "in the queue"),
        dataclasses.replace(listed(tiny_track, "", [2] * 8, key="gone"), erased=True, key=""),
        dataclasses.replace(listed(tiny_track, "elsewhere", [2] * 8), track="no-such-track"),
    ]
    return MadeSource([tiny_track, dataclasses.replace(tiny_track, name="empty-track", title="Empty & new")], entries)


@pytest.fixture(scope="module")
def site(source):
    """All pages by path."""
    pages = Pages(source)
    return {path: pages.render(path) for path in pages.paths()}


@pytest.fixture(scope="module")
def parsed(site):
    return {path: Parsed(page.body) for path, page in site.items() if page.type.startswith("text/html")}


def test_every_page_is_whole(site, parsed):
    assert len(site) == len(set(site))
    for path, page in parsed.items():
        assert page.wrong == [], path
        tags = [tag for tag, _ in page.elements]
        assert (tags.count("h1"), tags.count("main"), tags.count("title")) == (1, 1, 1), path
        ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        assert len(ids) == len(set(ids)), path
        for tag, attributes in page.elements:
            if "aria-labelledby" in attributes:
                assert attributes["aria-labelledby"] in ids, (path, tag)


def test_all_links_lead_to_pages_of_the_site(site, parsed):
    """From any prefix: links are relative, and none leaves the board but those that entrants gave."""
    for prefix in ("https://x.example/", "https://x.example/a/b/"):
        for path, page in parsed.items():
            for link in page.links():
                assert not link.startswith("/"), (path, link)
                if link.startswith("#"):
                    continue
                found = urlsplit(urljoin(prefix + path, link))
                inside = f"{found.scheme}://{found.netloc}{found.path}"
                assert inside.startswith(prefix), (path, link)
                assert unquote(inside.removeprefix(prefix)) in site, (path, link)


def test_nothing_is_inline(parsed):
    """What the server's content policy forbids, and would not run anyway."""
    for path, page in parsed.items():
        for tag, attributes in page.elements:
            assert tag != "style", path
            assert "style" not in attributes, (path, tag)
            assert not [name for name in attributes if name.startswith("on")], (path, tag)
            if tag == "script":
                assert re.fullmatch(r"[./]*static/[a-z]+\.js", attributes["src"]), path


def test_hostile_names_are_shown_as_text(site, parsed):
    board = parsed["tracks/tiny-track/"]
    assert "<script>alert(1)</script>" in board.words
    assert "{{ 7 * 7 }}" in board.words
    assert "'; DROP TABLE agents; --" in board.words
    for path, page in parsed.items():
        assert [a for tag, a in page.elements if tag in ("img", "iframe", "object", "b", "form")] == [], path
        assert sum(tag == "script" for tag, _ in page.elements) == 2, path
        text = "".join(page.text) + "".join(
            str(value) for _, attributes in page.elements for value in attributes.values()
        )
        assert not [c for c in text if not c.isprintable() and c != "\n"], path
        assert "\u0301" * 4 not in text, path
        for link in page.links():
            assert not link.lower().startswith(("javascript", "data")), (path, link)
    assert b"49" not in b"".join(re.findall(rb"<bdi>[^<]*</bdi>", site["tracks/tiny-track/"].body))


def test_a_board_tells_what_it_must(parsed, tiny_track):
    words = parsed["tracks/tiny-track/"].words
    for told in ("goals reached a step", "higher is better", "missing episode counts as 0", "self-reported", "disagreement",
                 "retracted", "trained on <b>test</b> seeds", "the replay differs at <step> 3",
                 "waiting for verification", "Probability of improvement", "Performance profiles", "Tier sealed, round",
                 "14 submissions", "version", "$0.0015", "2 s"):  # fmt: skip
        assert told in words, told
    empty = parsed["tracks/empty-track/"].words
    assert "Nothing is ranked here yet" in empty
    assert 'ludarium submit runs/mine --track empty-track --name "Your agent" --to https://THIS-BOARD' in empty
    front = parsed[""].words
    assert "Empty & new" in front
    assert "be the first" in front
    assert "1 waiting" in front
    assert "last verified 2026-09-21" in front


def test_known_flaws_stand_on_the_board(tiny_track):
    track = dataclasses.replace(tiny_track, known_flaws=("seeds <1> leak",))
    words = Parsed(Pages(MadeSource([track], [])).render("tracks/tiny-track/").body).words
    assert "seeds <1> leak" in words


def test_filters_are_pages_of_their_own(site, parsed, source, tiny_track):
    assert "tracks/tiny-track/llm/" in site
    assert "tracks/tiny-track/llm/sealed/" not in site  # there would be nothing
    content = json.loads(site["tracks/tiny-track/llm/board.json"].body)
    assert {row["class"] for row in content["tables"][0]["rows"]} == {"llm"}
    ranking = standings(tiny_track, [e for e in source.entries("tiny-track") if e.kind == "llm"])
    assert [row["rank_range"] for row in content["tables"][0]["rows"]] == [
        [row.ranks.best, row.ranks.worst] for row in ranking.groups[0].rows
    ]
    now = [a for tag, a in parsed["tracks/tiny-track/llm/"].elements if tag == "a" and "aria-current" in a]
    assert len(now) == 2


def test_the_json_has_the_figures_of_the_page(site, parsed):
    content = json.loads(site["tracks/tiny-track/board.json"].body)
    page = parsed["tracks/tiny-track/"]
    words = page.words
    ranked = [row for table in content["tables"] for row in table["rows"]]
    assert len(ranked) == len(HOSTILE) + 1
    for row in ranked:
        assert f"{row['mean']['low']:.3g} to {row['mean']['high']:.3g}" in words
        assert row["mean"]["low"] <= row["mean"]["value"] <= row["mean"]["high"]
    assert {aside["status"] for aside in content["aside"]} == {"retracted", "rejected", "waiting", "erased"}
    assert content["submissions"] == len(ranked) + len(content["aside"])
    assert all(row["name"].isprintable() for row in ranked)


def test_a_submission_has_its_whole_record(source, site, parsed):
    by_name = {entry.name: entry for entry in source.entries("tiny-track")}
    good = by_name[HOSTILE[1]]
    words = parsed[submission_path(good.digest)].words
    for told in (good.digest, good.verdict.track["hash"], "Verified.", "played with ludarium <b>0</b>", "network: none",
                 "submitted", "what an episode took", "self-reported", good.key,
                 source.get(good.digest).verdict.digest):  # fmt: skip
        assert told in words, told
    record = json.loads(site[f"{submission_path(good.digest)}verdict.json"].body)
    assert record["verdict"]["digest"] == source.get(good.digest).verdict.digest
    assert len(record["verdict"]["rows"]) == 8
    assert "cpu_s" not in record["verdict"]  # another machine takes another time
    doubted = parsed[submission_path(by_name[HOSTILE[2]].digest)].words
    assert "rejected: episodes/0: <b>other</b>" in doubted
    assert "Retracted." in parsed[submission_path(by_name["taken back"].digest)].words
    assert "Rejected." in parsed[submission_path(by_name["false"].digest)].words
    assert "Waiting for verification." in parsed[submission_path(by_name["in the queue"].digest)].words
    assert "Erased." in parsed[submission_path(by_name[""].digest)].words
    elsewhere = source.entries("no-such-track")[0]
    assert "which this board does not have" in parsed[submission_path(elsewhere.digest)].words


def test_an_agent_has_all_its_results(source, parsed):
    entry = source.entries("tiny-track")[0]
    words = parsed[agent_path(entry)].words
    assert "tiny-track" in words
    assert entry.digest[:10] in words
    assert agent_path(dataclasses.replace(entry, name="")) == ""


def test_what_is_not_there_is_not_there(source):
    pages = Pages(source)
    nothing = (
        "tracks tracks/ tracks/tiny-track tracks/none/ tracks/tiny-track/llm/hosted/ tracks/tiny-track/other.json "
        "tracks/tiny-track/all/ agents/x/ agents/ submissions/ submissions/x/verdict.json static/ static/../pages.py "
        "static/none.css about nothing/"
    )
    for path in (*nothing.split(), f"submissions/{'0' * 64}/"):
        with pytest.raises(LookupError):
            pages.render(path)
    assert b"no such page" in pages.missing().body


def test_drawings_are_well_formed_and_in_their_frame(site):
    drawn = re.findall(rb"<svg.*?</svg>", site["tracks/tiny-track/"].body, re.S)
    plots = [svg for svg in drawn if b'class="plot"' in svg]
    assert len(plots) >= 3
    for svg in drawn:
        root = ElementTree.fromstring(svg)
        width, height = map(float, root.get("viewBox").split()[2:])
        for element in root.iter():
            for name, limit in (
                ("x", width),
                ("cx", width),
                ("x1", width),
                ("x2", width),
                ("y1", height),
                ("cy", height),
            ):
                if element.get(name):
                    assert -1 <= float(element.get(name)) <= limit + 1
            for pair in (element.get("points") or "").split():
                x, y = map(float, pair.split(","))
                assert -1 <= x <= width + 1
                assert -1 <= y <= height + 1


def test_figures_are_drawn_anew_only_when_the_ranking_changed(tiny_track, monkeypatch):
    drawn = []
    real = board_standings._group
    monkeypatch.setattr(board_standings, "_group", lambda *table: drawn.append(len(table[-1])) or real(*table))
    source = MadeSource([tiny_track], [listed(tiny_track, "a", [1] * 8)])
    pages = Pages(source)
    first = pages.render("tracks/tiny-track/").body
    assert pages.render("tracks/tiny-track/").body == first
    assert (drawn, source.asked) == ([1], 1)
    source.changed(waiting(tiny_track, "b"))
    assert b"waiting for verification" in pages.render("tracks/tiny-track/").body
    assert (drawn, source.asked) == ([1], 2)
    source.changed(listed(tiny_track, "a", [2] * 8, number=1))
    again = json.loads(pages.render("tracks/tiny-track/board.json").body)["tables"][0]["rows"]
    assert [(row["mean"]["value"], row["attempts"]) for row in again] == [(2.0, 2)]
    assert drawn == [1, 1]


def test_a_board_of_hundreds_shows_the_first_and_all(tiny_track):
    """How long a thousand take is measured by benchmarks/board.py."""
    entries = [listed(tiny_track, f"agent {n}", [n % 7] * 7 + [n % 3], key=str(n)) for n in range(300)]
    pages = Pages(MadeSource([tiny_track], entries))
    page = Parsed(pages.render("tracks/tiny-track/").body)
    assert "The first 100 of 300" in page.words
    assert "from 500 resamples instead of 5,000" in page.words
    assert sum(tag == "tr" for tag, _ in page.elements) < 250
    everything = Parsed(pages.render("tracks/tiny-track/all/").body).words
    assert all(entry.digest[:10] in everything for entry in entries)
    assert len(json.loads(pages.render("tracks/tiny-track/board.json").body)["tables"][0]["rows"]) == 300


@pytest.mark.parametrize(
    ("path", "to", "index", "link"),
    [
        ("", "static/board.css", "", "static/board.css"),
        ("", "", "", "./"),
        ("", "", "index.html", "./index.html"),
        ("tracks/a/", "", "", "../../"),
        ("tracks/a/", "tracks/a/llm/", "index.html", "llm/index.html"),
        (
            "tracks/a/llm/",
            "replays/a/?a=1&episode=2#t=3",
            "index.html",
            "../../../replays/a/index.html?a=1&episode=2#t=3",
        ),
        ("tracks/a/", "tracks/a/", "", "./"),
        ("submissions/d/", "files/d.zip", "x", "../../files/d.zip"),
    ],
)
def test_links_are_relative(path, to, index, link):
    assert relative(path, to, index) == link


def test_texts_and_figures():
    assert plain("a\u202eb\u200bc\x00\n\ud800") == "a\ufffdb\ufffdc\ufffd\n\ufffd"
    assert plain("e" + "\u0301" * 9) == "e" + "\u0301" * 3
    assert plain("naïve Ж 漢字 🙂") == "naïve Ж 漢字 🙂"
    assert figure(Interval(0.5, 0.25, 1234.5)) == "0.5 (0.25 to 1234)" or figure(
        Interval(0.5, 0.25, 1234.5)
    ).startswith("0.5 (0.25")
    assert when(0) == "1970-01-01 00:00 UTC"
    assert when(None) == "not recorded"
