"""`text-textworld-v0` plays as TextWorld itself does; needs TextWorld in this interpreter."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from requirements import need

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import ConfigError, FileFormatError, NotClaimedError, TraceError
from ludarium.envs.core.language import commands, parse, tools
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.core.trace import decode, encode

ID = "text-textworld-v0"
MAKE = "tw-coin_collector --level 3"


@pytest.fixture(autouse=True)
def _textworld() -> None:
    need("textworld")


def begun(seed: int = 0, **options: Any) -> Batch:
    batch = Batch(make_simulator(ID, **{"make": MAKE, "pool": 1, **options}), 1, ID)
    batch.seed(np.ones(1, np.bool_), [seed])
    batch.reset(np.ones(1, np.bool_))
    return batch


def words_of(feedback: str) -> list[str]:
    """All words but those of the title that is drawn, and of the prompt with the status line at the end."""
    words = feedback.split()
    end = len(words) - 1 - words[::-1].index(">") if ">" in words else len(words)
    return [word for word in words[:end] if set(word) - set("|\\/$_<>")]


def test_it_says_and_scores_what_textworld_does() -> None:
    import textworld

    batch = begun()
    asked = textworld.EnvInfos(admissible_commands=True, score=True, won=True)
    env = textworld.start(str(batch.state.games[0].path), asked)
    state, chance, score = env.reset(), random.Random(0), 0
    while not batch.over[0]:
        told = batch.simulator.describe(batch.state, 0, 0)
        assert told.split() == words_of(state["feedback"])
        assert "$$" not in told
        assert "\n>" not in told
        listed = commands(batch.simulator, batch.state, 0, 0)
        assert listed == tuple(sorted(set(state["admissible_commands"])))
        text = "take coin" if "take coin" in listed else chance.choice(listed)
        batch.actions[0][0][0] = parse(batch.simulator, batch.state, 0, 0, text)
        batch.step()
        state, _, _ = env.step(text)
        assert batch.out.reward[0, 0] == state["score"] - score
        score = state["score"]
        assert batch.out.terminated[0, 0] == state["won"]


def test_snapshots_and_traces_play_the_commands_again() -> None:
    batch = begun()
    chance = np.random.default_rng(0)

    def move() -> None:
        batch.actions[0][0][0] = int(chance.choice(np.flatnonzero(batch.masks[0][0, 0])))
        batch.step()

    move()
    kept, digest = batch.snapshot(), batch.digest()
    for _ in range(3):
        move()
    assert decode(encode(batch.trace())).replay().ok
    batch.restore(kept)
    assert batch.digest() == digest


def test_traces_hold_commands_and_never_places_in_a_list() -> None:
    """The two ways to act leave the same actions and digests."""
    indexed, typed = begun(3), begun(3, action="text")
    chance, none = np.random.default_rng(1), indexed.simulator.config.max_commands - 1
    for n in range(12):
        listed = commands(indexed.simulator, indexed.state, 0, 0) or ()
        place = none if n == 4 else int(chance.integers(len(listed)))
        indexed.actions[0][0][0] = place
        typed.actions[0][0][0] = "" if place == none else listed[place]
        indexed.step()
        typed.step()
    mine, other = indexed.trace(), typed.trace()
    assert mine.header["roles"][0]["type"] == "json"
    assert mine.actions == other.actions
    assert [step[0] for step in mine.actions[0]].count("") == 1
    assert indexed.digest() == typed.digest()
    found = decode(encode(mine))
    assert found.actions == mine.actions
    assert found.replay().ok
    found.actions[0][2] = ["fly to the moon"]
    with pytest.raises(TraceError, match="fly to the moon"):
        found.replay()


def test_it_claims_text_commands_and_one_tool_and_nothing_else() -> None:
    batch = begun()
    simulator = batch.simulator
    assert simulator.views == ("array", "text", "tools")
    (tool,) = tools(simulator, batch.state, 0, 0)
    assert tool["name"] == "command"
    listed = list(commands(simulator, batch.state, 0, 0) or ())
    assert tool["parameters"]["properties"]["command"]["enum"] == listed == sorted(set(listed))
    assert batch.masks[0][0, 0].sum() == len(listed)
    for look in (lambda: simulator.full(batch.state, 0), lambda: simulator.scene(batch.state, 0)):
        with pytest.raises(NotClaimedError):
            look()
    batch.actions[0][0][0] = simulator.config.max_commands - 1
    batch.step()
    assert batch.out.fault[0, 0] == 1


def test_any_text_may_be_typed() -> None:
    batch = begun(action="text")
    batch.actions[0][0][0] = "xyzzy, please"
    batch.step()
    assert batch.out.fault[0, 0] == 0
    assert batch.simulator.describe(batch.state, 0, 0)


def test_what_is_no_part_of_the_game_is_not_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TextWorld's interpreter would write files where it runs, and go back to what another episode saved."""
    monkeypatch.chdir(tmp_path)
    batch = begun(action="text")
    text = batch.simulator.describe(batch.state, 0, 0)
    for words in (
        "save",
        "look. SAVE",
        "go north then script",
        "transcripts",
        "restore",
        "quit",
        "tw-print state",
        "  ",
    ):
        batch.actions[0][0][0] = words
        batch.step()
        assert batch.out.fault[0, 0] in (1, 2), words
        assert batch.simulator.describe(batch.state, 0, 0) == text
    for words in ("\ud800 look", "look \0 at \U0001f642", "go " * 300):
        batch.actions[0][0][0] = words
        batch.step()
        assert batch.out.fault[0, 0] == 0
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "said"),
    [("tw-cokking", "tw-cooking"), ("tw-cooking --recipe many", "invalid int"), ("custom --x 3", "--x")],
)
def test_what_tw_make_does_not_know_is_told(words: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make_simulator(ID, make=words)


def test_a_file_that_textworld_cannot_play_is_named(tmp_path: Path) -> None:
    path = tmp_path / "game.z8"
    path.write_bytes(b"no game")
    path.with_suffix(".json").write_text("{}")
    with pytest.raises(FileFormatError, match=r"game\.z8"):
        begun(games=(str(path),))


def test_a_house_of_ours_is_played_from_its_file(tmp_path: Path) -> None:
    """The household's export, a `.tw-pddl` file: text, commands, and a snapshot by its commands."""
    from ludarium.envs.text.household.export import to_textworld

    house_world = make_simulator("text-household-v0", dialect="0.4", n_receptacles=6, n_objects=6)
    path = to_textworld(house_world.instance(3), tmp_path)
    batch = begun(games=(str(path),), max_steps=60)
    assert "Your task is to" in batch.simulator.describe(batch.state, 0, 0)
    assert "look" in (commands(batch.simulator, batch.state, 0, 0) or ())
    kept = batch.snapshot()
    batch.actions[0][0][0] = int(np.flatnonzero(batch.masks[0][0, 0])[0])
    batch.step()
    text = batch.simulator.describe(batch.state, 0, 0)
    batch.restore(kept)
    batch.actions[0][0][0] = 0
    batch.step()
    assert batch.simulator.describe(batch.state, 0, 0) == text


def test_the_games_of_the_suite_are_named_without_a_path() -> None:
    simulator = make_simulator(ID, games=("ludarium-look-0", "ludarium-look-1"))
    assert [path.name for path in simulator.paths] == ["ludarium-look-0.tw-pddl", "ludarium-look-1.tw-pddl"]
    with pytest.raises(FileFormatError, match="did you mean 'ludarium-look-0'"):
        make_simulator(ID, games=("ludarium-looks-0",))


def test_the_expert_reads_the_names_of_the_file() -> None:
    from ludarium.leaderboards.episode import Unit, play
    from ludarium.leaderboards.track import load_track

    track = load_track("text-textworld")
    played = play(track.world, Unit("household-expert", "e", "look", track.seeds["look"][1], 0))
    assert played.row["metrics"]["success"] == 1
    assert played.row["turns_lost"] == 0
    assert any("_bar_" in command for [command] in played.trace.actions[0])


def test_the_reference_board_is_verified() -> None:
    pytest.importorskip("cryptography")
    from ludarium.leaderboards.examine import Examiner
    from ludarium.leaderboards.submission import Submission
    from ludarium.leaderboards.track import load_track

    file = Path(__file__).parents[3] / "leaderboards/boards/reference/text-textworld/household-expert.ludarium.zip"
    track = load_track("text-textworld")
    verdict = Examiner(track).examine(Submission.open(file))
    assert verdict.ok, verdict.problems
    assert (verdict.score, len(verdict.rows)) == (1.0, 12)
