"""Files of the field read back as they were written, and every wrong file is named with its line and its fault."""

from __future__ import annotations

import builtins
import dataclasses
import json
import os
import pickle
import re
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from ludarium.envs.core.errors import FileFormatError, InstanceError, MissingExtraError
from ludarium.envs.mapf.formats import (
    Scen,
    read_lorr,
    read_lorr_agents,
    read_lorr_tasks,
    read_pogema_benchmark,
    read_scen,
    scen_map,
    write_lorr_agents,
    write_lorr_tasks,
    write_scen,
)
from ludarium.envs.mapf.generate import MAX_SIDE, generate_grid
from ludarium.envs.mapf.maps import (
    GridMap,
    format_map,
    format_pogema,
    load_map,
    map_names,
    parse_map,
    parse_pogema,
    read_map,
    read_pogema,
    write_map,
)
from ludarium.envs.mapf.shipped import SHIPPED, shipped_maps, write_shipped
from ludarium.envs.mapf.viewers import mapf_visualizer_text, planviz

DATA = Path(os.environ.get("LUDARIUM_MAPF_DATA", Path(__file__).parents[3] / "shared" / "data" / "mapf"))
SMALL = "type octile\nheight 2\nwidth 3\nmap\n.@.\nGT.\n"


def file(folder, content, name="room.map"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@st.composite
def grid_maps(draw, pools=False):
    height, width = draw(st.integers(1, 8)), draw(st.integers(1, 8))
    size = height * width
    cells = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    grid = np.array(cells, np.uint8).reshape(height, width)
    if not pools:
        return GridMap("room", grid)
    masks = [
        np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size))).reshape(height, width) & (grid == 0)
        for _ in range(2)
    ]
    both = np.flatnonzero(masks[0] & masks[1])
    robots = draw(st.integers(0, min(26, len(both) // 2)))
    chosen = draw(st.permutations(both.tolist()))
    starts, goals = chosen[:robots], chosen[robots : 2 * robots]
    return GridMap("room", grid, starts or None, goals or None, *masks)


# --- GridMap


def test_a_map_is_a_frozen_copy_with_a_hash_of_shape_and_cells():
    grid = np.zeros((2, 3), np.int64)
    grid[0, 1] = 5
    one = GridMap("one", grid)
    grid[:] = 0
    assert one.grid.dtype == np.uint8
    assert one.grid.tolist() == [[0, 1, 0], [0, 0, 0]]
    assert (one.height, one.width, one.free_cells) == (2, 3, 5)
    with pytest.raises(ValueError, match="read-only"):
        one.grid[0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.name = "two"
    assert one.hash == GridMap("other name", one.grid).hash
    assert one != GridMap("other name", one.grid)
    assert one.hash != GridMap("one", one.grid.reshape(3, 2)).hash
    assert re.fullmatch("[0-9a-f]{32}", one.hash)
    again = pickle.loads(pickle.dumps(one))
    assert again == one
    assert hash(again) == hash(one)


def test_the_hash_is_the_published_one():
    """Written out once: run folders and submissions name maps by it."""
    assert parse_map(SMALL.splitlines(), "room").hash == "54a5c5184288705cac09367de44d6bfb"


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"grid": np.zeros(3)}, "shape"),
        ({"grid": np.zeros((0, 3))}, "shape"),
        ({"grid": np.zeros((1, MAX_SIDE + 1))}, str(MAX_SIDE)),
        ({"starts": [0]}, "both or neither"),
        ({"goals": [0]}, "both or neither"),
        ({"starts": [0, 2], "goals": [2]}, "goals has shape"),
        ({"starts": [1], "goals": [0]}, r"starts\[0\] is cell 1 \(row 0, column 1\), an obstacle"),
        ({"starts": [0], "goals": [6]}, r"goals\[0\] .* outside the 2x3 map"),
        ({"starts": [-1], "goals": [0]}, "outside"),
        ({"starts": [0, 0], "goals": [2, 3]}, "two robots start in one cell"),
        ({"start_pool": np.ones((2, 3))}, "an obstacle is in start_pool"),
        ({"goal_pool": np.ones((3, 2))}, "goal_pool has shape"),
    ],
)
def test_a_map_that_contradicts_itself_is_refused(parts, message):
    with pytest.raises(InstanceError, match=message):
        GridMap("room", **{"grid": [[0, 1, 0], [0, 0, 0]], **parts})


# --- .map


def test_terrain_of_map_files(tmp_path):
    text = "type octile\nheight 2\nwidth 5\nmap\n.G@OT\nW.S..\n"
    grid_map = read_map(file(tmp_path, text))
    assert grid_map.name == "room"
    assert grid_map.grid.tolist() == [[0, 0, 1, 1, 1], [1, 0, 1, 0, 0]]
    lorr = read_map(file(tmp_path, text.replace("..", "E.")), lorr=True)
    assert lorr.grid.tolist() == [[0, 0, 1, 1, 1], [1, 0, 0, 0, 0]]


@settings(max_examples=100, deadline=None)
@given(grid_maps())
def test_map_files_read_back(tmp_path_factory, grid_map):
    path = tmp_path_factory.mktemp("maps") / "room.map"
    write_map(path, grid_map)
    assert read_map(path) == grid_map
    assert path.read_text() == format_map(grid_map)
    assert format_map(read_map(path)) == format_map(grid_map)


def test_line_ends_byte_order_mark_and_trailing_lines_do_not_matter(tmp_path):
    plain = read_map(file(tmp_path, SMALL))
    for text in (SMALL.replace("\n", "\r\n"), "\ufeff" + SMALL, SMALL.rstrip("\n"), SMALL + "\n \n"):
        assert read_map(file(tmp_path, text)) == plain
    swapped = SMALL.replace("height 2\nwidth 3", "width 3\nheight 2")
    assert read_map(file(tmp_path, swapped)) == plain


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        ("", None, "is empty"),
        ("\n\n", None, "is empty"),
        ("type octile\n", 2, "expected height or width, got the end of the file"),
        ("octile\nheight 1\nwidth 1\nmap\n.\n", 1, "expected type"),
        ("type tile\nheight 1\nwidth 1\nmap\n.\n", 1, "expected 'type octile'"),
        ("type octile\nheight 1\nheight 1\nmap\n.\n", 3, "expected height or width, got 'height 1'"),
        ("type octile\nheight one\nwidth 1\nmap\n.\n", 2, "expected 'height <integer>'"),
        ("type octile\nheight -1\nwidth 1\nmap\n.\n", 2, "expected 'height <integer>'"),
        ("type octile\nheight 0\nwidth 1\nmap\n.\n", 2, "1 to 4096"),
        ("type octile\nheight 1\nwidth 4097\nmap\n.\n", 3, "width is 4097; 1 to 4096"),
        ("type octile\nheight 99999999999999999999\nwidth 1\nmap\n.\n", 2, "1 to 4096"),
        ("type octile\nheight 1\nwidth 1\n.\n", 4, "expected map"),
        (SMALL.replace("GT.", "GT"), 6, "the row has 2 characters; width is 3"),
        (SMALL.replace("GT.", "GT.."), 6, "the row has 4 characters; width is 3"),
        (SMALL.replace("GT.", "Gx."), 6, "unknown character 'x' in column 2"),
        (SMALL.replace("GT.", "GE."), 6, "lorr=True"),
        (SMALL.replace("GT.", "Gé."), 6, "unknown character 'é'"),
        (SMALL.replace("height 2", "height 3"), 6, "height is 3, but there are 2 rows"),
        (SMALL.replace("height 2", "height 1"), 6, "height is 1, but there are 2 rows"),
        (SMALL.encode().replace(b"GT.", b"G\xff."), 6, "is not UTF-8 text (byte 0xff)"),
    ],
)
def test_a_wrong_map_file_is_named_with_line_and_reason(tmp_path, content, line, reason):
    path = file(tmp_path, content)
    with pytest.raises(FileFormatError) as caught:
        read_map(path)
    assert reason in str(caught.value)
    assert caught.value.line == line
    assert str(caught.value).startswith(f"{path}:{line}: " if line else f"{path}: ")


def test_missing_files_folders_and_endless_files(tmp_path):
    with pytest.raises(FileFormatError, match="no such file"):
        read_map(tmp_path / "none.map")
    with pytest.raises(FileFormatError, match="is a folder"):
        read_map(tmp_path)
    path = tmp_path / "long.map"
    with path.open("wb") as long:
        long.truncate(2**26 + 1)
    with pytest.raises(FileFormatError, match="longer than"):
        read_map(path)


# --- POGEMA text


def test_the_characters_of_a_pogema_map():
    grid_map = parse_pogema("\n  .#@$!\n  aBbA.\n", "room")
    assert grid_map.grid.tolist() == [[0, 1, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert grid_map.starts.tolist() == [5, 7]
    assert grid_map.goals.tolist() == [8, 6]
    assert grid_map.start_pool.tolist() == [[1, 0, 1, 0, 0], [1, 1, 1, 1, 1]]
    assert grid_map.goal_pool.tolist() == [[1, 0, 0, 1, 0], [1, 1, 1, 1, 1]]
    plain = parse_pogema("..\n.#", "room")
    assert plain == GridMap("room", [[0, 0], [0, 1]])


@settings(max_examples=150, deadline=None)
@given(grid_maps(pools=True), grid_maps())
def test_pogema_maps_read_back(pooled, plain):
    assert parse_pogema(format_pogema(plain), "room") == plain
    again = parse_pogema(format_pogema(pooled), "room")
    for field in ("grid", "starts", "goals"):
        assert np.array_equal(getattr(again, field), getattr(pooled, field))
    if again.start_pool is None:  # no cell differs from "both"
        free = pooled.grid == 0
        assert (pooled.start_pool[free] & pooled.goal_pool[free]).all()
    else:
        assert again == pooled


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", None, "the map is empty"),
        ("\n \n", None, "the map is empty"),
        ("..\n...\n", 2, "the row has 3 characters, the first one 2"),
        ("..\n.1\n", 2, "unknown character '1' in column 2"),
        ("ab\nAa\n", 2, "'a' occurs twice"),
        ("a.\n", None, "start 'a' has no goal 'A'"),
        ("aA\nB.\n", None, "goal 'B' has no start 'b'"),
        ("." * 4097, None, "1x4097"),
    ],
)
def test_a_wrong_pogema_map_is_named(text, line, reason):
    with pytest.raises(FileFormatError, match=re.escape(reason)) as caught:
        parse_pogema(text, "room", "maps.yaml")
    assert caught.value.line == line
    assert caught.value.path == "maps.yaml"


def test_a_pogema_file_and_what_letters_cannot_say(tmp_path):
    assert read_pogema(file(tmp_path, "\n..\r\n.#\n", "puzzle.txt")) == GridMap("puzzle", [[0, 0], [0, 1]])
    open_floor = np.zeros((6, 6))
    with pytest.raises(InstanceError, match="26 robots; this one has 27"):
        format_pogema(GridMap("crowd", open_floor, range(27), range(27)))
    with pytest.raises(InstanceError, match="cell 0 cannot be 'A'"):
        format_pogema(GridMap("same", open_floor, [0], [0]))
    with pytest.raises(InstanceError, match="it is '!' already"):
        format_pogema(GridMap("pools", open_floor, [0], [1], np.zeros((6, 6)), np.zeros((6, 6))))


# --- .scen


def scen(rows=((0, 2), (3, 0)), name="room.map"):
    starts, goals = zip(*rows, strict=True)
    cells = np.array(starts, np.int32), np.array(goals, np.int32)
    return Scen(name, 2, 3, *cells, np.arange(len(rows), dtype=np.int32), np.full(len(rows), 2.41421356))


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(vars(one).values(), vars(other).values(), strict=True))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from([0, 2, 3, 5])] * 2), min_size=1, max_size=6))
def test_scenarios_read_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("scen") / "room.scen"
    write_scen(path, scen(rows))
    assert same(read_scen(path), scen(rows))
    assert same(read_scen(path, parse_map(SMALL.splitlines(), "room")), scen(rows))


def test_columns_come_before_rows_in_scenarios(tmp_path):
    path = file(tmp_path, "version 1\n4\troom.map\t3\t2\t2\t0\t0\t1\t3.5\n", "room.scen")
    one = read_scen(path)
    assert (one.starts.tolist(), one.goals.tolist()) == ([2], [3])
    assert (one.height, one.width, one.bucket.tolist(), one.distance.tolist()) == (2, 3, [4], [3.5])


ROW = "0\troom.map\t3\t2\t0\t0\t2\t0\t2.0\n"


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        ("", None, "is empty"),
        ("version 2\n" + ROW, 1, "expected 'version 1', got 'version 2'"),
        (ROW, 1, "expected 'version 1'"),
        ("version 1\n", 1, "has no rows"),
        ("version 1\n" + ROW + "\n" + ROW, 3, "the row has 0 fields"),
        ("version 1\n" + ROW.replace("\t2.0", ""), 2, "the row has 8 fields; expected 9: bucket, map"),
        ("version 1\n" + ROW.replace("0\troom", "x\troom"), 2, "bucket is 'x'"),
        ("version 1\n" + ROW.replace("\t2\t0\t2.0", "\t-2\t0\t2.0"), 2, "goal column is '-2'"),
        ("version 1\n" + ROW.replace("2.0", "far"), 2, "distance is 'far'"),
        ("version 1\n" + ROW.replace("\t2\t0\t2.0", "\t3\t0\t2.0"), 2, "goal (column 3, row 0) is outside 3x2"),
        ("version 1\n" + ROW.replace("\t2\t0\t2.0", "\t0\t2\t2.0"), 2, "goal (column 0, row 2) is outside 3x2"),
        ("version 1\n" + ROW.replace("\t2\t0\t2.0", "\t1\t0\t2.0"), 2, "goal (column 1, row 0) is an obstacle"),
        ("version 1\n" + ROW.replace("\t0\t0\t2", "\t1\t1\t2"), 2, "start (column 1, row 1) is an obstacle"),
        ("version 1\n" + ROW + ROW.replace("room", "hall"), 3, "the row is for hall.map (3x2), the first one"),
        ("version 1\n" + ROW.replace("room", "hall"), 2, "is for map 'hall.map', not for 'room'"),
        ("version 1\n" + ROW.replace("\t3\t2\t", "\t4\t2\t"), 2, "says 4x2 (width x height); the map is 3x2"),
    ],
)
def test_a_wrong_scenario_is_named_with_line_and_reason(tmp_path, content, line, reason):
    path = file(tmp_path, content, "room.scen")
    with pytest.raises(FileFormatError, match=re.escape(reason)) as caught:
        read_scen(path, parse_map(SMALL.splitlines(), "room"))
    assert caught.value.line == line


def test_the_first_rows_of_a_scenario_are_the_instance():
    grid_map = parse_map(SMALL.splitlines(), "room")
    one = scen_map(grid_map, scen(), 1)
    assert (one.starts.tolist(), one.goals.tolist(), one.hash) == ([0], [2], grid_map.hash)
    for robots in (0, 3):
        with pytest.raises(InstanceError, match=f"has 2 rows; {robots} robots"):
            scen_map(grid_map, scen(), robots)
    with pytest.raises(InstanceError, match="sizes differ"):
        scen_map(GridMap("room", np.zeros((3, 3))), scen(), 1)


# --- League of Robot Runners


@pytest.fixture
def league(tmp_path):
    """A folder with a whole problem in it."""
    file(tmp_path, "type octile\nheight 2\nwidth 3\nmap\nES@\n...\n", "maps.map")
    write_lorr_agents(tmp_path / "agents.txt", np.array([0, 5]))
    write_lorr_tasks(tmp_path / "tasks.txt", [(3,), (1, 4, 0)])
    names = {"mapFile": "maps.map", "agentFile": "agents.txt", "taskFile": "tasks.txt"}
    file(tmp_path, json.dumps({**names, "teamSize": 2, "numTasksReveal": 1.5}), "problem.json")
    return tmp_path


def test_league_problems_read_back(league):
    problem = read_lorr(league / "problem.json")
    assert problem.map.grid.tolist() == [[0, 0, 1], [0, 0, 0]]
    assert problem.starts.tolist() == [0, 5]
    assert problem.tasks == ((3,), (1, 4, 0))
    assert problem.reveal == 1.5
    file(league, "# version for LoRR 2024\n2\n0\n5\n", "agents.txt")
    assert read_lorr(league / "problem.json").starts.tolist() == [0, 5]
    small = json.loads((league / "problem.json").read_text()) | {"teamSize": 1}
    del small["numTasksReveal"]
    file(league, json.dumps(small), "problem.json")
    assert read_lorr(league / "problem.json").starts.tolist() == [0]


@pytest.mark.parametrize(
    ("reader", "content", "line", "reason"),
    [
        (read_lorr_agents, "two\n0\n", 1, "expected the number of agents, got 'two'"),
        (read_lorr_agents, "# only this\n", None, "only comments"),
        (read_lorr_agents, "3\n0\n1\n", 1, "says 3 agents, but 2 lines follow"),
        (read_lorr_agents, "2\n0\n6\n", 3, "location '6'; expected a cell from 0 to 5"),
        (read_lorr_agents, "2\n0\n2\n", 3, "location 2 (row 0, column 2) is an obstacle"),
        (read_lorr_agents, "2\n0\n0\n", 3, "a second robot starts in cell 0"),
        (read_lorr_agents, "1\n0,1\n", 2, "expected one location"),
        (read_lorr_tasks, "1\n0,,1\n", 2, "location ''"),
        (read_lorr_tasks, "# x\n2\n0,1\n", 2, "says 2 tasks, but 1 lines follow"),
        (read_lorr_tasks, "1\n-1\n", 2, "location '-1'"),
    ],
)
def test_wrong_agents_and_tasks_files_are_named(league, reader, content, line, reason):
    grid_map = read_map(league / "maps.map", lorr=True)
    with pytest.raises(FileFormatError, match=re.escape(reason)) as caught:
        reader(file(league, content, "wrong.txt"), grid_map)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"teamSize": 3}, "teamSize is 3; the agents file has 2 robots"),
        ({"teamSize": "2"}, "teamSize is '2'"),
        ({"numTasksReveal": 0}, "numTasksReveal is 0"),
        ({"mapFile": "gone.map"}, "no such file"),
    ],
)
def test_wrong_problems_are_named(league, change, reason):
    problem = json.loads((league / "problem.json").read_text()) | change
    with pytest.raises(FileFormatError, match=re.escape(reason)):
        read_lorr(file(league, json.dumps(problem), "problem.json"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [('{"mapFile": "m"}', "has no 'agentFile'"), ("[]", "has no 'mapFile'"), ("{", "is not JSON")],
)
def test_problems_with_parts_missing_are_named(tmp_path, content, reason):
    with pytest.raises(FileFormatError, match=reason):
        read_lorr(file(tmp_path, content, "problem.json"))


# --- viewers


FLOOR = GridMap("floor", [[0, 0, 0], [0, 1, 0]])
PLAN = np.array([[0, 5], [1, 5], [2, 5], [2, 5]])


def test_mapf_visualizer_lines_hold_the_plan():
    text = mapf_visualizer_text(PLAN, FLOOR)
    assert text.splitlines()[0] == "0:(0,0),(2,1),"
    pattern = re.compile(r"\((\d+),(\d+),?\),")  # the shape that the viewer looks for
    back = [[int(y) * 3 + int(x) for x, y in pattern.findall(line)] for line in text.splitlines()]
    assert back == PLAN.tolist()


def test_planviz_paths_lead_along_the_plan():
    """PlanViz's own rule: U adds one to the row, D takes one away."""
    plan = np.array([[0, 5], [1, 5], [2, 5], [5, 2], [5, 1], [5, 0], [5, 3]])[:, :]
    plan[3:, 0] = 2
    plan[3:, 1] = 5
    up_and_down = np.array([[0], [3], [0], [1], [0], [0]])
    for cells in (plan, up_and_down):
        record = planviz(cells, FLOOR, [[]] * cells.shape[1])
        for robot, path in enumerate(record["actualPaths"]):
            row, column, facing = record["start"][robot]
            assert facing == "N/A"
            track = [row * 3 + column]
            for letter in path.split(","):
                step = {"U": (1, 0), "D": (-1, 0), "L": (0, -1), "R": (0, 1), "W": (0, 0)}[letter]
                row, column = row + step[0], column + step[1]
                track.append(row * 3 + column)
            assert track == cells[:, robot].tolist()
        assert record["makespan"] == len(cells) - 1
    assert planviz(up_and_down, FLOOR, [[]])["sumOfCost"] == 4
    json.dumps(record)


def test_planviz_tasks_are_finished_in_order():
    record = planviz(np.array([[0], [1], [2], [1], [0]]), FLOOR, [[2, 1, 2, 0]])
    assert record["tasks"] == [[0, 0, 2], [1, 0, 1], [2, 0, 2]]
    finished = [[0, 0, "assigned"], [0, 2, "finished"], [1, 2, "assigned"], [1, 3, "finished"]]
    assert record["events"] == [[*finished, [2, 3, "assigned"]]]
    assert record["numTaskFinished"] == 2


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ([0, 1], "shape"),
        ([[0], [4]], "robot 0 is in cell 4 at step 1: no free cell"),
        ([[0], [6]], "no free cell"),
        ([[0, 5], [1, 0]], "robot 1 jumps from cell 5 to 0 at step 0"),
    ],
)
def test_a_plan_that_is_none_is_refused(plan, message):
    with pytest.raises(InstanceError, match=message):
        mapf_visualizer_text(np.array(plan), FLOOR)
    with pytest.raises(InstanceError, match=message):
        planviz(np.array(plan), FLOOR, [[]] * 2)


def test_planviz_wants_goals_for_every_robot():
    with pytest.raises(InstanceError, match="2 robots, but there are goals for 1"):
        planviz(PLAN, FLOOR, [[2]])


# --- the POGEMA benchmark


MAPS = '"corner": |-\n  ..\n  .#\n"row": |-\n  ...\n'
SCENARIOS = """environment:
  max_episode_steps: 64
scenarios:
  Scenario-0:
    agents_xy: [[0, 0], [0,
        1]]
    map_name: corner
    seed: 3
    targets_xy: [[1, 0], [0, 0]]
  Scenario-1:
    agents_xy: [[0, 2]]
    map_name: row
    seed: 4
    targets_xy: [[[0, 0], [0, 1]]]
"""


def test_benchmark_scenarios_one_shot_and_lifelong(tmp_path):
    maps, scenarios = file(tmp_path, MAPS, "m.yaml"), file(tmp_path, SCENARIOS, "s.yaml")
    one, two = read_pogema_benchmark(maps, scenarios)
    assert (one.name, one.map.name, one.seed, one.num_agents, one.max_steps) == ("Scenario-0", "corner", 3, 2, 64)
    assert (one.starts.tolist(), one.goals.tolist()) == ([0, 1], [2, 0])
    assert (two.starts.tolist(), [goals.tolist() for goals in two.goals]) == ([2], [[0, 1]])
    block_style = re.sub(r"agents_xy: \[\[0, 2\]\]", "agents_xy:\n    - - 0\n      - 2", SCENARIOS)
    assert block_style != SCENARIOS
    again = list(read_pogema_benchmark(maps, file(tmp_path, block_style, "t.yaml")))[1]
    assert again.starts.tolist() == [2]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("max_episode_steps: 64", "max_episode_steps: many", "max_episode_steps is 'many'"),
        ("environment:", "settings:", "expected the mappings 'environment' and 'scenarios'"),
        ("    seed: 3\n", "", "Scenario-0 has no 'seed'"),
        ("map_name: corner", "map_name: cornet", "no map 'cornet'; did you mean 'corner'"),
        ("[[0, 2]]", "[[0, 3]]", "Scenario-1, agents_xy: [0, 3] is no free cell of map 'row'"),
        ("[[1, 0], [0, 0]]", "[[1, 1], [0, 0]]", "targets_xy: [1, 1] is no free cell of map 'corner'"),
        ("[[1, 0], [0, 0]]", "[[1, 0]]", "another number of targets_xy"),
        ("[[0, 2]]", "[[0, 2, 1]]", "expected a list of [row, column]"),
        ("[[0, 2]]", "[[0 2] ]", "in a list of positions"),
        ("seed: 4", "seed: [4", "is not YAML"),
        (SCENARIOS, "- 1\n", "expected a mapping, got list"),
    ],
)
def test_a_wrong_benchmark_file_is_named(tmp_path, old, new, reason):
    assert old in SCENARIOS
    maps, scenarios = file(tmp_path, MAPS, "m.yaml"), file(tmp_path, SCENARIOS.replace(old, new), "s.yaml")
    with pytest.raises(FileFormatError, match=re.escape(reason)) as caught:
        list(read_pogema_benchmark(maps, scenarios))
    assert caught.value.path == str(scenarios)
    assert caught.value.line == (14 if "YAML" in reason else None)


def test_wrong_benchmark_maps_are_named(tmp_path):
    scenarios = file(tmp_path, SCENARIOS, "s.yaml")
    with pytest.raises(FileFormatError, match="map 'corner':2: unknown"):
        list(read_pogema_benchmark(file(tmp_path, MAPS.replace(".#", ".?"), "m.yaml"), scenarios))
    with pytest.raises(FileFormatError, match="map 'corner' is not a block of text"):
        list(read_pogema_benchmark(file(tmp_path, "corner: 3\n", "m.yaml"), scenarios))


def test_without_pyyaml_the_extra_is_named(tmp_path, monkeypatch):
    real = builtins.__import__

    def without_yaml(name, *rest, **more):
        if name == "yaml":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without_yaml)
    with pytest.raises(MissingExtraError, match=r"ludarium\[yaml\]"):
        list(read_pogema_benchmark(file(tmp_path, MAPS, "m.yaml"), file(tmp_path, SCENARIOS, "s.yaml")))


# --- the maps of the suite


def test_the_shipped_maps_are_what_their_seeds_make(tmp_path):
    assert [m.name for m in sorted(shipped_maps(), key=lambda m: m.name)] == map_names()
    write_shipped(tmp_path)
    for grid_map in shipped_maps():
        assert load_map(grid_map.name) == grid_map
        assert read_map(tmp_path / f"{grid_map.name}.map") == grid_map
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 300_000


def test_the_shipped_maps_are_fit_for_robots():
    maps = [load_map(name) for name in map_names()]
    assert len({grid_map.hash for grid_map in maps}) == len(maps)
    for grid_map in maps:
        label, parts = ndimage.label(grid_map.grid == 0)
        if not grid_map.name.startswith("ludarium-random"):
            assert parts == 1, grid_map.name
        assert np.bincount(label.reshape(-1))[1:].max() >= 0.95 * grid_map.free_cells
        height_width = re.search(r"(\d+)x(\d+)", grid_map.name)
        size = tuple(map(int, height_width.groups())) if height_width else (5, 5)
        assert size == grid_map.grid.shape


def test_shipped_maps_come_from_the_generator():
    kind, height, width, seed, parameters = SHIPPED["ludarium-city-64x64"]
    assert np.array_equal(load_map("ludarium-city-64x64").grid, generate_grid(kind, height, width, seed, **parameters))


def test_maps_by_path_and_unknown_names(tmp_path, monkeypatch):
    path = file(tmp_path, SMALL)
    assert load_map(path) == load_map(str(path)) == parse_map(SMALL.splitlines(), "room")
    monkeypatch.chdir(tmp_path)
    assert load_map("room.map").name == "room"
    with pytest.raises(InstanceError, match="did you mean 'ludarium-city-64x64'"):
        load_map("ludarium-city-64")
    with pytest.raises(InstanceError, match=r"known: .*or give a path"):
        load_map("zzzzzz")
    with pytest.raises(FileFormatError, match="no such file"):
        load_map("gone.map")


# --- real files, where they are at hand


@pytest.mark.skipif(not DATA.is_dir(), reason="the field's own files are not at hand (LUDARIUM_MAPF_DATA)")
class TestRealFiles:
    FREE: ClassVar = {
        "Paris_1_256": 47240,
        "den312d": 2445,
        "den520d": 28178,
        "empty-8-8": 64,
        "ht_chantry": 7461,
        "maze-128-128-10": 14818,
        "maze-32-32-4": 790,
        "random-32-32-10": 922,
        "random-32-32-20": 819,
        "room-32-32-4": 682,
        "room-64-64-8": 3232,
        "warehouse-10-20-10-2-1": 5699,
        "warehouse-20-40-10-2-1": 22599,
    }

    def test_movingai_maps(self, tmp_path):
        """Free cells as the benchmark's page gives them."""
        for path in sorted((DATA / "movingai").glob("*.map")):
            grid_map = read_map(path)
            assert grid_map.free_cells == self.FREE[path.stem]
            write_map(tmp_path / path.name, grid_map)
            assert read_map(tmp_path / path.name) == grid_map

    def test_movingai_scenarios(self, tmp_path):
        for path in sorted((DATA / "movingai").glob("*.scen")):
            grid_map = read_map(path.with_name(re.sub(r"-random-\d+\.scen$", ".map", path.name)))
            one = read_scen(path, grid_map)
            write_scen(tmp_path / path.name, one)
            assert (tmp_path / path.name).read_text() == path.read_text()
            whole = scen_map(grid_map, one, len(one.starts))
            assert len(set(whole.goals.tolist())) == len(whole.goals)

    def test_pogema_benchmark(self):
        for name, kind, count, robots in (
            ("01-random", "mapf", 128, 64),
            ("05-puzzles", "lmapf", 160, 4),
            ("05-puzzles", "mapf", 160, 4),
        ):
            folder = DATA / "pogema-benchmark"
            scenarios = list(read_pogema_benchmark(folder / f"{name}.maps.yaml", folder / f"{name}.{kind}.yaml"))
            assert len(scenarios) == count
            for one in scenarios:
                assert one.num_agents == len(one.goals) == robots
                label = ndimage.label(one.map.grid == 0)[0].reshape(-1)
                goals = one.goals if kind == "lmapf" else one.goals[:, None]
                for start, sequence in zip(one.starts, goals, strict=True):
                    assert set(label[sequence]) == {label[start]}
