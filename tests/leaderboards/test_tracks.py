"""Tracks: every registered world has one, each can be scored, and a wrong file is named with its line."""

import pytest
from requirements import need

import ludarium  # noqa: F401  (registers the ids)
from ludarium.envs.core.errors import LudariumError, TrackError
from ludarium.envs.core.registry import WORLDS, available, make_simulator, world
from ludarium.leaderboards.episode import begin, bounds_of, with_bounds
from ludarium.leaderboards.track import CLASSES, load_track, shipped_track, track_names


def registered():
    """The suite's own ids, without those that other tests register."""
    return {
        name
        for name, row in WORLDS.items()
        if row.simulator.startswith("ludarium.envs.") and "_template" not in row.simulator
    }


def test_every_registered_world_has_a_track_or_is_not_reproducible():
    have = {load_track(name).world.environment for name in track_names()}
    for name in registered() - have:
        assert not make_simulator(name).reproducible, f"{name} has no track, though its replays prove something"
    assert have <= registered()


@pytest.mark.parametrize("name", track_names())
def test_a_shipped_track_holds_together(name):
    track = load_track(name)
    if not available(track.world.environment):
        need(world(track.world.environment).requires)
    assert track.name == name
    assert len(set(track.units())) == len(track.units()) > 0
    assert set(track.classes) <= set(CLASSES)
    for case in track.world.cases:
        batch = begin(track.world, case, track.seeds[case.name][0])
        known = with_bounds(batch.result()["metrics"], bounds_of(batch) if track.needs_bounds else {})
        assert track.metric in known
        assert batch.simulator.config.max_steps <= track.budgets["steps"]
    assert track.score({}, {}) == track.worst


def test_no_episode_scores_worse_than_a_missing_one():
    up, down = load_track("mapf-lifelong-quick"), load_track("mapf-oneshot-random")
    assert up.score({"throughput": -1.0}, {}) == up.worst == 0.0
    assert up.score({"throughput": float("nan")}, {}) == 0.0
    assert down.score({"sum_of_costs": 10_000}, {"sum_of_costs": 100.0}) == down.worst == 20.0
    assert down.score({"sum_of_costs": 150}, {"sum_of_costs": 100.0}) == 1.5


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("title =", "titel =", r"\.toml:3: unknown key 'titel' in the track; did you mean 'title'"),
        ('"test"', '"tset"', r"\.toml:5: split = 'tset'; did you mean 'test'"),
        ("worst = 0.0", 'worst = "low"', r":9: worst = 'low'; expected a value of type int or float"),
        ("worst = 0.0", "worst = nan", "worst = nan; expected a number"),
        ("higher_is_better = true\n", "", "'higher_is_better' is missing"),
        ("version = 3", "version = 0", "version = 0; expected at least 1"),
        ("steps = 80", "steps = -1", "steps = -1; expected more than 0"),
        ("steps = 80", "step = 80", "unknown key 'step' in budgets; did you mean 'steps'"),
        ("worst = 0.0", 'worst = 0.0\nclasses = ["planer"]', "classes: 'planer'; did you mean 'planner'"),
        ('name = "tiny-track"', 'name = "../x"', "expected lower-case letters"),
        ("title =", "title", r"\.toml:3: not TOML"),
    ],
)
def test_a_wrong_track_names_file_line_and_reason(tiny_track, tmp_path, old, new, reason):
    path = tmp_path / "track.toml"
    text = tiny_track.path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    with pytest.raises(TrackError, match=reason):
        load_track(path)


def test_another_scenario_than_the_one_it_was_made_for(tiny_track, tmp_path):
    (tmp_path / "tiny.toml").write_text((tiny_track.path.parent / "tiny.toml").read_text().replace("0.1", "0.2"))
    (tmp_path / "track.toml").write_text(tiny_track.path.read_text())
    with pytest.raises(TrackError, match="the track was made for"):
        load_track(tmp_path / "track.toml").units()


def test_unknown_names_and_names_that_are_paths(tiny_track):
    with pytest.raises(TrackError, match="did you mean 'text-coin'"):
        load_track("text-coins")
    with pytest.raises(TrackError, match="cannot read"):
        load_track("nowhere.toml")
    with pytest.raises(TrackError, match="unknown track"):
        shipped_track(str(tiny_track.path))
    assert issubclass(TrackError, LudariumError)


def test_a_track_on_other_seeds(tiny_track):
    sealed = tiny_track.with_seeds({"two": (2**52 + 5, 2**52 + 6), "four": (9,)})
    assert sealed.units() == [("two", 2**52 + 5, 0), ("two", 2**52 + 6, 0), ("four", 9, 0)]
    assert sealed.world.hash != tiny_track.world.hash
    for seeds in ({"two": (1,)}, {"two": (1,), "four": ()}, {"two": (1,), "four": (-1,)}, {"four": (1,), "two": (2,)}):
        with pytest.raises(TrackError):
            tiny_track.with_seeds(seeds)
