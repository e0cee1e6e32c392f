"""The scores on the pages are those of the reference boards, which a rotating tenth of `make test` verifies."""

import pathlib
import re

import numpy as np
import pytest

from ludarium.leaderboards import baselines, reference
from ludarium.leaderboards.submission import SUFFIX
from ludarium.leaderboards.track import load_track, track_names

ROOT = pathlib.Path(__file__).parents[2]
BOARDS = ROOT / "leaderboards" / "boards" / "reference"
PAGES = {
    "econ/market": ("econ-market-v0",),
    "econ/auction": ("econ-auction-v0",),
    "econ/bargain": ("econ-bargain-v0",),
    "econ/commons": ("econ-commons-v0",),
    "econ/exchange": ("econ-exchange-v0",),
    "econ/gtb": ("econ-gtb-v0",),
    "econ/oligopoly": ("econ-oligopoly-v0",),
    "econ/publicgoods": ("econ-publicgoods-v0",),
    "econ/tax": ("econ-tax-v0",),
    "mapf": ("mapf-lifelong-v0", "mapf-v0"),
    "text/coin": ("text-coin-v0",),
    "text/cooking": ("text-cooking-v0",),
    "text/desk": ("text-desk-v0",),
    "text/household": ("text-household-v0",),
    "text/textworld": ("text-textworld-v0",),
}
ROW = re.compile(r"^\| \S+ \| `([^`]+)` \| (\S+) \|$", re.M)

pytestmark = pytest.mark.skipif(
    not BOARDS.is_dir(), reason="the boards are in the repository, not in what is installed"
)


def board(track):
    """The scores of a track's page, by agent without options."""
    found = ROW.findall((BOARDS / track / "README.md").read_text())
    return {baselines.label_of(agent): score for agent, score in found}


def table(world):
    """The scores of a world's tracks, an agent a column."""
    agents = [baselines.label_of(agent) for agent in baselines.WORLDS[world].agents]
    lines = [" | ".join(["| track", *(f"`{agent}`" for agent in agents)]) + " |", "| --- " * (len(agents) + 1) + "|"]
    for track in map(load_track, track_names()):
        if track.world.environment == world:
            scores = board(track.name)
            cells = [f"`{track.name}` ({track.metric})", *(scores.get(agent, "") for agent in agents)]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


@pytest.mark.parametrize("world", baselines.WORLDS)
def test_a_page_has_the_scores_of_its_boards(world):
    page = next(name for name, worlds in PAGES.items() if world in worlds)
    assert table(world) in (ROOT / "envs" / page / "README.md").read_text(), f"expected in it:\n{table(world)}"


def test_the_quick_board_case_by_case():
    track, page = load_track("mapf-lifelong-quick"), (ROOT / "envs" / "mapf" / "README.md").read_text()
    cells = {case.name: [] for case in track.world.cases}
    for agent in ("shortest", "pibt", "rhcr", "lns"):
        rows = reference.figures(BOARDS / track.name / f"{agent}{SUFFIX}", track, bounds=True)
        for case, own in cells.items():
            mine = [row for row in rows if row["case"] == case]
            reached = np.mean([row["metrics"]["throughput"] for row in mine])
            share = np.mean([row["metrics"]["throughput"] / row["bounds"]["throughput"] for row in mine])
            own.append(f"{reached:.3f} ({100 * share:.0f} %)")
    for case, own in cells.items():
        assert re.search(rf"^\| {case}: [^|]* \| {re.escape(' | '.join(own))} \|$", page, re.M), (case, own)
