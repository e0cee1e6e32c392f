"""The pages of a board by their paths, for the server and for the static site.

`""` all tracks; `tracks/NAME/` a board, `tracks/NAME/all/` all its rows, `tracks/NAME/[CLASS/][TIER/]` what filters leave, each
with `board.json` beside it; `agents/ID/`; `submissions/DIGEST/` with `verdict.json`; `about/`; `static/FILE`. All links
are relative: the same pages work under any prefix.
"""

from __future__ import annotations

import importlib.resources
import json
import mimetypes
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

from ludarium.leaderboards.board import draw, words
from ludarium.leaderboards.board.entries import Listed, Source
from ludarium.leaderboards.board.html import Html, plain
from ludarium.leaderboards.board.standings import (
    COMPARED,
    DETAILED,
    SHOWN_ASIDE,
    Group,
    Standing,
    Standings,
    agent_id,
    owner_of,
    placed,
    standings,
)
from ludarium.leaderboards.board.tables import board_json, sheets, told_words
from ludarium.leaderboards.stats import Interval
from ludarium.leaderboards.submission import SUFFIX
from ludarium.leaderboards.track import CLASSES, TIERS, Track

__all__ = ["Page", "Pages", "Part", "agent_path", "submission_path", "track_path"]

HTML, JSON = "text/html; charset=utf-8", "application/json"
_KEPT = 256
"""Rankings that are remembered: of tracks and their filters."""
_ALL = "all"


class Page(NamedTuple):
    """What is at a path."""

    body: bytes
    type: str


class Part(Protocol):
    """Further pages, such as replays."""

    def paths(self) -> list[str]:
        """All of them."""

    def render(self, path: str) -> Page:
        """One of them; `LookupError` where there is none."""

    def link(self, digest: str, number: int) -> str | None:
        """The path, with its query, that shows an episode; None if it is not shown."""


def track_path(track: str, kind: str | None = None, tier: str | None = None) -> str:
    """Where a track's board lies."""
    return "/".join(part for part in ("tracks", track, kind, tier) if part) + "/"


def agent_path(entry: Listed) -> str:
    """Where an agent's page lies; "" for an erased one."""
    slug = re.sub(r"[^a-z0-9]+", "-", entry.name.lower())[:40].strip("-")
    found = agent_id(entry)
    return f"agents/{slug or 'agent'}-{found}/" if found else ""


def submission_path(digest: str) -> str:
    """Where a submission's page lies."""
    return f"submissions/{digest}/"


class _View(NamedTuple):
    """A board page's filters."""

    kind: str | None
    tier: str | None
    all: bool


class Pages:
    """Makes pages from a source. What was computed for one page is kept for the next, as long as it holds.

    `download` says where a submission's file lies, from the root of the board. One thread at a time may use it.
    """

    def __init__(
        self,
        source: Source,
        *,
        index: str = "",
        parts: tuple[Part, ...] = (),
        download: Callable[[str], str] = lambda digest: f"api/v1/submissions/{digest}/file",
    ) -> None:
        self.source, self.html, self.parts, self._download = source, Html(index), parts, download
        self.tracks = {track.name: track for track in source.tracks()}
        self._head = ""
        self._entries: dict[str, list[Listed]] = {}
        self._standings: OrderedDict[Any, Standings] = OrderedDict()
        self._groups: OrderedDict[Any, Group] = OrderedDict()
        self._agents: dict[str, list[Listed]] | None = None

    # --- what is there -------------------------------------------------------------------------------------------------
    def paths(self) -> list[str]:
        """All pages, in an order that does not change."""
        self._look()
        found = ["", "about/", *(f"static/{name}" for name in _static_files())]
        for name in self.tracks:
            for view in self._views(name):
                path = _view_path(name, view)
                found += [path, f"{path}board.json"]
        found += [agent_path(entries[0]) for entries in self._by_agent().values()]
        for name in self._names():
            for entry in self._of(name):
                found += [submission_path(entry.digest), f"{submission_path(entry.digest)}verdict.json"]
        return [*found, *(path for part in self.parts for path in part.paths())]

    def render(self, path: str) -> Page:
        """The page at a path, `LookupError` if there is none."""
        self._look()
        first, _, rest = path.partition("/")
        if path == "":
            return self._front()
        if path == "about/":
            return self._page("about.html", path, tiers=words.TIERS, flags=words.FLAGS)
        makers = {"tracks": self._track, "agents": self._agent, "submissions": self._submission, "static": self._static}
        if first in makers:
            return makers[first](rest)
        for part in self.parts:
            try:
                return part.render(path)
            except LookupError:
                continue
        raise LookupError(path)

    def missing(self) -> Page:
        """What is shown where there is nothing; its links are from the root."""
        return self._page("missing.html", "")

    def _page(self, template: str, path: str, **values: Any) -> Page:
        return Page(self.html.page(template, path, words=words, draw=draw, agent_path=agent_path,
                                   submission_path=submission_path, track_path=track_path, **values), HTML)  # fmt: skip

    def _look(self) -> None:
        """Forget what was read from the source if it changed."""
        head = self.source.head()
        if head != self._head:
            self._head, self._entries, self._agents = head, {}, None

    def _of(self, track: str) -> list[Listed]:
        if track not in self._entries:
            self._entries[track] = self.source.entries(track)
        return self._entries[track]

    def _names(self) -> list[str]:
        """The board's tracks, and those that it does not have but has submissions to."""
        return [*self.tracks, *self.source.other_tracks()]

    def _by_agent(self) -> dict[str, list[Listed]]:
        if self._agents is None:
            found: dict[str, list[Listed]] = {}
            for name in self._names():
                for entry in self._of(name):
                    if agent_id(entry):
                        found.setdefault(agent_id(entry), []).append(entry)
            self._agents = found
        return self._agents

    def _ranking(self, track: str, view: _View) -> Standings:
        """The standings under a view's filters, computed anew only if something that they show changed."""
        entries = [e for e in self._of(track) if view.kind in (None, e.kind) and view.tier in (None, e.tier)]
        key = track, tuple(
            (e.digest, e.state, e.accepted, e.retracted, e.erased, e.name, e.account, e.disagreements, e.error) for e in entries
        )  # fmt: skip
        if key not in self._standings:
            self._standings[key] = standings(self.tracks[track], entries, self._groups)
            for kept in (self._standings, self._groups):
                while len(kept) > _KEPT:
                    kept.popitem(last=False)
        self._standings.move_to_end(key)
        return self._standings[key]

    # --- tracks --------------------------------------------------------------------------------------------------------
    def _front(self) -> Page:
        families: dict[str, list[dict[str, Any]]] = {}
        for track in self.tracks.values():
            entries = self._of(track.name)
            tables, _ = placed(track, entries)
            leader = tables[0].leader(track) if tables else None
            families.setdefault(words.family(track), []).append({
                "track": track, "submissions": len(entries), "agents": len({agent_id(e) for t in tables for e in t.entries}),
                "waiting": sum(e.verdict is None and not e.erased for e in entries),
                "leader": leader, "verified": max((e.verified_at for e in entries if e.verified_at), default=None),
            })  # fmt: skip
        return self._page(
            "front.html", "", families=families, refused=self.source.refused,
            total=sum(one["submissions"] for own in families.values() for one in own),
        )  # fmt: skip

    def _views(self, track: str) -> Iterator[_View]:
        """The filters under which there is something, and the whole board."""
        entries = self._of(track)
        for kind in (None, *CLASSES):
            for tier in (None, *TIERS):
                found = sum(kind in (None, e.kind) and tier in (None, e.tier) for e in entries)
                if found or (kind is None and tier is None):
                    yield _View(kind, tier, False)
        if len(entries) > DETAILED:
            yield _View(None, None, True)

    def _track(self, rest: str) -> Page:
        name, _, inside = rest.partition("/")
        views = {_view_path(name, view): view for view in self._views(name)} if name in self.tracks else {}
        as_json = inside.endswith("board.json")
        path = f"tracks/{rest.removesuffix('board.json')}"
        if path not in views:
            raise LookupError(rest)
        view, track = views[path], self.tracks[name]
        ranking = self._ranking(name, view)
        if as_json:
            content = board_json(ranking, {"class": view.kind, "tier": view.tier})
            return Page((json.dumps(content, indent=1, allow_nan=False) + "\n").encode(), JSON)
        return self._page(
            "track.html", path, track=track, view=view, ranking=ranking, filters=self._filters(name, view),
            sheets=sheets(ranking, None if view.all else DETAILED), compared=COMPARED, detailed=DETAILED, most_aside=SHOWN_ASIDE,
            all_path=f"{track_path(name)}{_ALL}/", told=told_words, beside=self._beside,
        )  # fmt: skip

    def _filters(self, track: str, view: _View) -> dict[str, list[tuple[str, str, int, bool]]]:
        """For classes and tiers: label, path, number of submissions, and whether it is the one that is shown."""
        entries = self._of(track)

        def choice(label: str, kind: str | None, tier: str | None, now: bool) -> tuple[str, str, int, bool]:
            count = sum(kind in (None, e.kind) and tier in (None, e.tier) for e in entries)
            return label, track_path(track, kind, tier), count, now

        kinds = [choice(words.CLASSES.get(k or "", "all"), k, view.tier, k == view.kind) for k in (None, *CLASSES)]
        tiers = [choice(t or "all", view.kind, t, t == view.tier) for t in (None, *TIERS)]
        return {"Class": [c for c in kinds if c[2] or c[3]], "Tier": [t for t in tiers if t[2] or t[3]]}

    def _watch(self, digest: str, number: int) -> str | None:
        """The path that shows an episode's replay, if any part does."""
        found = (part.link(digest, number) for part in self.parts)
        return next((link for link in found if link is not None), None)

    def _beside(self, first: Listed, second: Listed) -> str | None:
        """The path that shows two agents on the first episode that both can be seen in."""
        both = [n for n, plays in enumerate(zip(first.plays, second.plays, strict=False)) if all(plays)]
        if first.places != second.places:  # of sealed seeds, the same number is another episode
            return None
        for number in both:
            link = self._watch(first.digest, number)
            if link is not None and self._watch(second.digest, number) is not None:
                return f"{link}&b={second.digest}"
        return None

    # --- agents and submissions ------------------------------------------------------------------------------------------
    def _agent(self, rest: str) -> Page:
        own = self._by_agent().get(rest.removesuffix("/").rpartition("-")[2], [])
        if not own or agent_path(own[0]) != f"agents/{rest}":
            raise LookupError(rest)
        results: list[tuple[Track, Group, Standing]] = []
        for name in dict.fromkeys(entry.track for entry in own if entry.track in self.tracks):
            for group in self._ranking(name, _View(None, None, False)).groups:
                results += [
                    (self.tracks[name], group, row) for row in group.rows if agent_id(row.entry) == agent_id(own[0])
                ]
        statuses = {
            aside.entry.digest: aside
            for name in {entry.track for entry in own if entry.track in self.tracks}
            for aside in self._ranking(name, _View(None, None, False)).aside
        }
        others = [
            e
            for n in self._names()
            for e in self._of(n)
            if owner_of(e) == owner_of(own[0]) and agent_id(e) != agent_id(own[0])
        ]
        return self._page(
            "agent.html", f"agents/{rest}", own=own, last=own[-1], results=results, statuses=statuses,
            others=list({agent_id(e): e for e in others if e.name}.values()), told=told_words,
        )  # fmt: skip

    def _submission(self, rest: str) -> Page:
        digest, _, inside = rest.partition("/")
        if inside not in ("", "verdict.json") or not rest.count("/"):
            raise LookupError(rest)
        entry = self.source.get(digest)
        if entry is None:
            raise LookupError(rest)
        if inside:
            return Page(_verdict_json(entry), JSON)
        track = self.tracks.get(entry.track)
        ranking = self._ranking(entry.track, _View(None, None, False)) if track else None
        place = (
            next((row for g in ranking.groups for row in g.rows if row.entry.digest == digest), None)
            if ranking
            else None
        )
        aside = next((a for a in ranking.aside if a.entry.digest == digest), None) if ranking else None
        submission = None if entry.erased else self.source.submission(digest)
        return self._page(
            "submission.html", f"submissions/{rest}", entry=entry, track=track, place=place, aside=aside,
            manifest=submission.manifest if submission else None, transcripts=len(submission.transcripts) if submission else 0,
            cases=_cases(entry), history=self.source.history(digest), others=self.source.others(digest),
            known=self._known(), watch=self._watch,
            beside=self._rival(entry, ranking),
            download=self._download(digest) if submission else None, saved_as=self._saved_as(entry), told=told_words,
            rows=entry.verdict.rows if entry.verdict else (),
        )  # fmt: skip

    def _rival(self, entry: Listed, ranking: Standings | None) -> tuple[Listed, str] | None:
        """The best of its table, or the second where it is the best itself, with the path that shows both."""
        for group in ranking.groups if ranking else ():
            rows = [row.entry for row in group.rows[:2] if row.entry.digest != entry.digest]
            if rows and entry.accepted and (group.tier, group.round) == (entry.tier, entry.round):
                link = self._beside(entry, rows[0])
                return (rows[0], link) if link else None
        return None

    def _saved_as(self, entry: Listed) -> str:
        """The name under which browsers keep the file."""
        name = self._download(entry.digest).rpartition("/")[2]
        return name if name.endswith(SUFFIX) else f"{entry.track}-{entry.digest[:8]}{SUFFIX}"

    def _known(self) -> Callable[[str], Listed | None]:
        entries = {entry.digest: entry for name in self._names() for entry in self._of(name)}
        return entries.get

    def _static(self, name: str) -> Page:
        if name not in _static_files():
            raise LookupError(name)
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        kind = "text/javascript" if name.endswith(".js") else kind
        return Page(
            (_static_folder() / name).read_bytes(), f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
        )


def _view_path(track: str, view: _View) -> str:
    return f"{track_path(track)}{_ALL}/" if view.all else track_path(track, view.kind, view.tier)


def _static_folder() -> Any:
    return importlib.resources.files("ludarium.leaderboards.board") / "static"


def _static_files() -> list[str]:
    return sorted(item.name for item in _static_folder().iterdir() if item.is_file() and not item.name.startswith("."))


def _cases(entry: Listed) -> list[tuple[str, int, Interval]]:
    """Each case with its number of episodes and mean."""
    from ludarium.leaderboards import stats

    found: dict[str, dict[int, list[float]]] = {}
    for (case, seed, _), score in zip(entry.places, entry.scores, strict=True):
        found.setdefault(case, {}).setdefault(seed, []).append(score)
    means = {case: [sum(own) / len(own) for own in seeds.values()] for case, seeds in found.items()}
    return [(case, len(values), stats.bootstrap(values, resamples=1000)) for case, values in means.items()]


def _verdict_json(entry: Listed) -> bytes:
    """The whole record of a submission's verification, but for the time that it took, which no other machine repeats."""
    verdict = entry.verdict.as_dict() if entry.verdict else None
    if verdict is not None:
        del verdict["cpu_s"]
    content = {
        "submission": entry.digest, "track": entry.track, "version": entry.version, "name": plain(entry.name),
        "class": entry.kind, "tier": entry.tier, "round": entry.round, "key": entry.key, "state": entry.state,
        "retracted": entry.retracted,
        "erased": entry.erased, "disagreements": entry.disagreements, "verdict": verdict,
    }  # fmt: skip
    return (json.dumps(content, indent=1) + "\n").encode()
