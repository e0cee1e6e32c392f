"""Scenario files: what ships is pinned and complete, and what is wrong in a file is named to the line."""

import pytest
from requirements import need

from ludarium.envs.core.errors import LudariumError, ScenarioError
from ludarium.envs.core.registry import available, world
from ludarium.scenarios.loader import SPLITS, content_hash, load, scenario_names

GOOD = """\
# a comment
name = "mine"
version = 2
environment = "mapf-v0"
information = "global"
trials = 3

[config]
size = 8

[splits]
train = { base = 10, count = 5 }
test = [1, 2, [4, 6]]

[[cases]]
name = "a"
config = { num_robots = 2 }

[[cases]]
name = "b"
config = { num_robots = 3, size = 9 }
splits = { test = [7] }
"""


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return path

    return write


def test_a_file_says_what_is_played(write):
    found = load(write(GOOD))
    assert (found.name, found.version, found.environment, found.trials) == ("mine", 2, "mapf-v0", 3)
    assert found.information == "global"
    a, b = found.cases
    assert a.config == {"size": 8, "num_robots": 2}
    assert a.splits == {"train": (10, 11, 12, 13, 14), "test": (1, 2, 4, 5, 6)}
    assert b.config == {"size": 9, "num_robots": 3}
    assert b.splits["test"] == (7,)
    assert found.splits == ("train", "test")
    assert found.default_split == "test"


def test_the_hash_is_of_the_content_not_of_the_spelling(write):
    first = load(write(GOOD)).hash
    assert load(write(GOOD.replace("# a comment\n", "").replace("size = 8", "size   =   8"))).hash == first
    assert load(write(f'hash = "{first}"\n{GOOD}')).hash == first
    assert load(write(GOOD.replace("size = 8", "size = 10"))).hash != first


def test_a_hash_that_does_not_match_is_an_error_that_tells_the_right_one(write):
    right = load(write(GOOD)).hash
    path = write(f'hash = "{right}"\n' + GOOD.replace("count = 5", "count = 6"))
    with pytest.raises(ScenarioError, match=r"mine\.toml:1: the file says hash = ") as caught:
        load(path)
    found = load(path, check_hash=False).hash
    assert found != right
    assert found in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("size = 8", "size = = 8", 9, "not TOML"),
        ("trials = 3", "trails = 3", 6, "unknown key 'trails' in the scenario; did you mean 'trials'"),
        ("trials = 3", "trials = 0", 6, "trials = 0; expected at least 1"),
        ("trials = 3", "trials = true", 6, "expected a value of type int"),
        ("version = 2", 'version = "2"', 3, "expected a value of type int"),
        ('"mine"', '"Mine!"', 2, "expected lower-case letters"),
        ('"mapf-v0"', '"mapf-v1"', 4, "unknown environment 'mapf-v1'; did you mean 'mapf-v0'"),
        ('"global"', '"globl"', 5, "did you mean 'global'"),
        ("size = 8", "sise = 8", 9, "unknown option 'sise'; did you mean 'size'"),
        ("num_robots = 2", "num_robots = -2", 17, "num_robots = -2"),
        ("test = [1, 2, [4, 6]]", "test = [1, 2, 12]", 13, "seed 12 is in 'train' and in 'test'"),
        ("test = [1, 2, [4, 6]]", "test = [1, 2, 1]", 13, "none of them twice"),
        ("test = [1, 2, [4, 6]]", "test = [6, [4, 1]]", 13, "4 to 1; expected an ascending range"),
        ("test = [1, 2, [4, 6]]", "test = [-1]", 13, "expected an ascending range from 0 on"),
        ("test = [1, 2, [4, 6]]", "test = []", 13, "expected at least one"),
        ("test = [1, 2, [4, 6]]", 'test = "all"', 13, "are a list, or"),
        ("test = [1, 2, [4, 6]]", "tset = [1]", 13, "unknown key 'tset' in splits; did you mean 'test'"),
        ("{ base = 10, count = 5 }", "{ base = 10, cuont = 5 }", 12, "did you mean 'count'"),
        ('name = "b"', 'name = "a"', 16, "names are distinct"),
        ("splits = { test = [7] }", "seeds = [7]", 22, "unknown key 'seeds' in cases"),
        ("splits = { test = [7] }", 'instance = "../x.json"\ninstance_hash = ""', 22, "leaves the scenario's folder"),
        ("splits = { test = [7] }", 'instance = "x.json"\ninstance_hash = ""', 22, "cannot read"),
        ("[config]", '[files]\n"gone.map" = "00"\n[config]', 9, "cannot read"),
        ("[config]", '[rules]\non_fault = "panic"\n[config]', 9, "expected 'default'"),
    ],
)
def test_what_is_wrong_is_named_to_the_line(write, old, new, line, reason):
    assert GOOD.count(old) == 1
    with pytest.raises(ScenarioError) as caught:
        load(write(GOOD.replace(old, new)))
    assert reason in str(caught.value)
    assert f"mine.toml:{line}: " in str(caught.value)


def test_a_pinned_file_must_be_the_same(write, tmp_path):
    from ludarium.scenarios.loader import file_hash

    (tmp_path / "some.map").write_text("one")
    pin = file_hash(tmp_path / "some.map")
    path = write(GOOD.replace("[config]", f'[files]\n"some.map" = "{pin}"\n[config]'))
    assert load(path).files == {"some.map": pin}
    (tmp_path / "some.map").write_text("two")
    with pytest.raises(ScenarioError, match=r"some\.map has hash .*; the scenario pins"):
        load(path)


def test_what_cannot_be_found_is_an_error_with_the_nearest_name(tmp_path):
    with pytest.raises(ScenarioError, match="unknown scenario 'mapf-quik'; did you mean 'mapf-quick'"):
        load("mapf-quik")
    with pytest.raises(ScenarioError, match="cannot read the scenario"):
        load(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ScenarioError, match="cannot read the scenario"):
        load(tmp_path / "bytes.toml")


TEST_ONLY = {"text-textworld"}
"""Whose games are few and public: none is kept for training."""


@pytest.mark.parametrize("name", scenario_names())
def test_what_ships_is_pinned_and_has_all_splits(name):
    import tomllib

    found = load(name)
    content = tomllib.loads(found.path.read_text())
    assert content["hash"] == content_hash(content) == found.hash
    assert found.name == name
    assert found.splits == (("test",) if name in TEST_ONLY else SPLITS)
    assert found.metrics
    assert found.summary
    for case in found.cases:
        names = case.config.get("map", "random")
        for used in [names] if isinstance(names, str) else names:
            assert not used.startswith("ludarium-") or f"maps/{used}.map" in found.files
        for used in case.config.get("games", ()):
            assert f"games/{used}.tw-pddl" in found.files


@pytest.mark.parametrize("name", scenario_names())
def test_every_case_that_ships_can_begin_in_every_split(name):
    from ludarium.leaderboards.episode import begin

    found = load(name)
    if not available(found.environment):
        need(world(found.environment).requires)
    for case in found.cases:
        batch = None
        for seeds in case.splits.values():
            for seed in (seeds[0], seeds[-1]):
                batch = begin(found, case, seed, batch)
                assert all(ok.all() for ok in batch.simulator.invariants(batch.state).values())


def test_the_sets_that_ship_cover_lifelong_and_one_shot():
    kinds = ("random", "maze", "room", "warehouse", "city", "puzzles")
    assert {f"mapf-{kind}" for kind in kinds} | {f"mapf-oneshot-{kind}" for kind in kinds} <= set(scenario_names())
    for kind in kinds:
        assert load(f"mapf-{kind}").environment == "mapf-lifelong-v0"
        assert load(f"mapf-oneshot-{kind}").environment == "mapf-v0"
        assert len({case.config["num_robots"] for case in load(f"mapf-{kind}").cases}) >= 3


def test_errors_of_scenarios_are_values_too():
    assert issubclass(ScenarioError, LudariumError)
    assert issubclass(ScenarioError, ValueError)


SEATS = GOOD + '\n[seats]\nrobot = "random"\n'


def test_a_file_says_who_fills_the_seats_that_are_not_measured(write):
    found = load(write(SEATS))
    assert found.seats == {"robot": "random"}
    assert load(write(GOOD)).seats == {}
    assert found.hash != load(write(GOOD)).hash != load(write(SEATS.replace('"random"', '"pibt"'))).hash


@pytest.mark.parametrize(
    ("seats", "reason", "line"),
    [
        ('robot = "randon"', "only built-in agents.*did you mean 'random'.*--allow-code", 25),
        ('robot = "cmd:rm -rf /"', "only built-in agents", 25),
        ('robot = "llm:m?base_url=http://elsewhere"', "only built-in agents", 25),
        ('robot = "my_agents:Greedy"', "only built-in agents", 25),
        ("robot = 3", "expected a table of roles", 24),
        ('robot = ""', "expected a table of roles", 24),
    ],
)
def test_seats_are_checked_and_take_no_code(write, seats, reason, line):
    path = write(GOOD + f"\n[seats]\n{seats}\n")
    with pytest.raises(ScenarioError, match=reason) as caught:
        load(path)
    assert f"{path}:{line}:" in str(caught.value).replace("\n", " ")
    if "expected" not in reason:
        assert load(path, allow_code=True).seats["robot"]
