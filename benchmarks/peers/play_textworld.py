"""Plays TextWorld's cooking and coin games for `text_cooking_coin.py`, which asks in JSON lines; runs in .venvs/textworld.

`make`: a game of the maker, `build`: a coin game of ours with its doors. Either is played by the logic engine
(`GameProgression`), or with `compile` by the compiled Z-machine game. `step` gives admissible commands, score, won and
lost; `stop` ends.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from typing import Any

import textworld
from textworld.challenges import CHALLENGES
from textworld.generator.data import KnowledgeBase
from textworld.generator.game import Event, GameOptions, GameProgression, Quest
from textworld.generator.inform7 import Inform7Game
from textworld.generator.maker import GameMaker

OPPOSITE = {"north": "south", "south": "north", "east": "west", "west": "east"}
SIDES = ("east", "north", "south", "west")


def cpu() -> float:
    """Seconds of this process and its children, so that the compiler counts."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def options_of(seed: int) -> GameOptions:
    options = GameOptions()
    options.seeds = seed
    return options


def made(kind: str, settings: dict[str, Any], seed: int) -> tuple[Any, GameOptions]:
    """A game as tw-make makes it."""
    options = options_of(seed)
    name = {"cooking": "tw-cooking", "coin": "tw-coin_collector"}[kind]
    return CHALLENGES[name][1](settings, options), options


def built(data: dict[str, Any]) -> tuple[Any, GameOptions]:
    """A coin game of ours in TextWorld's own classes, its doors closed as they are in `data`."""
    from textworld.challenges.tw_coin_collector import coin_collector

    options = options_of(1)
    options.kb = KnowledgeBase.load(coin_collector.KB_PATH)
    if any(way > 1 for row in data["ways"] for way in row):
        options.kb = KnowledgeBase.default()
    options.grammar.allowed_variables_numbering = True
    maker = GameMaker(options)
    rooms = [maker.new_room(f"room {n}") for n in range(len(data["exits"]))]
    for room, row in enumerate(data["exits"]):
        for side, other, way in zip(SIDES, row, data["ways"][room], strict=True):
            if other > room:
                path = maker.connect(rooms[room].exits[side], rooms[other].exits[OPPOSITE[side]])
                if way > 1:
                    door = maker.new_door(path, f"door {room} {other}")
                    door.add_property("closed" if way == 2 else "open")
    maker.set_player(rooms[data["start"]])
    coin = maker.new(type="o", name="coin")
    rooms[data["coin"]].add(coin)
    maker.quests = [Quest(win_events=[Event(conditions={maker.new_fact("in", coin, maker.inventory)})])]
    return maker.build(), options


class Logic:
    """A game as the logic engine plays it."""

    def __init__(self, game: Any) -> None:
        self.progress, self.inform = GameProgression(game), Inform7Game(game)
        self.foods = sum(fact.name.startswith("ingredient_") for fact in game.world.facts)

    def told(self) -> dict[str, Any]:
        actions = self.progress.valid_actions
        self.actions: dict[str, Any] = {}
        for text, action in zip(self.inform.gen_commands_from_actions(actions), actions, strict=True):
            if text != "prepare meal" or action.name == f"make/recipe/{self.foods}":
                self.actions[text] = action
            self.actions.setdefault(text, action)
        return {
            "admissible": sorted(self.actions), "score": self.progress.score, "won": self.progress.completed,
            "lost": self.progress.failed,
        }  # fmt: skip

    def step(self, command: str) -> dict[str, Any]:
        self.progress.update(self.actions[command])
        return self.told()


class Machine:
    """A game as the Z-machine plays it, admissible commands on."""

    def __init__(self, game: Any, options: GameOptions) -> None:
        options.path = os.path.join(tempfile.mkdtemp(), "game.z8")
        self.path = textworld.generator.compile_game(game, options)
        self.env = textworld.start(
            self.path, textworld.EnvInfos(admissible_commands=True, score=True, won=True, lost=True)
        )
        self.state = self.env.reset()

    def told(self) -> dict[str, Any]:
        s = self.state
        return {
            "admissible": s["admissible_commands"], "score": s["score"], "won": s["won"], "lost": s["lost"],
            "text": s["feedback"],
        }  # fmt: skip

    def step(self, command: str) -> dict[str, Any]:
        self.state, _, _ = self.env.step(command)
        return self.told()

    def pace(self, seconds: float) -> dict[str, Any]:
        """Steps a CPU-second of random admissible play, and seconds a reset."""
        import random

        chance, steps, spent, resets, resetting = random.Random(0), 0, 0.0, 0, 0.0
        while spent < seconds:
            start = cpu()
            self.state = self.env.reset()
            resetting, resets = resetting + cpu() - start, resets + 1
            start, done = cpu(), False
            while not done and cpu() - start < seconds:
                self.state, _, done = self.env.step(chance.choice(self.state["admissible_commands"]))
                steps += 1
            spent += cpu() - start
        return {"steps": steps / spent, "reset": resetting / resets}


def facts_of(game: Any) -> list[list[Any]]:
    """The facts of a world as predicate and names; what has no name goes by its id."""

    def name(variable: Any) -> str:
        info = game.infos.get(variable.name)
        return (info.name if info is not None else None) or variable.name

    return [[fact.name, *map(name, fact.arguments)] for fact in game.world.facts]


def main() -> None:
    player: Any = None
    for line in sys.stdin:
        asked = json.loads(line)
        if "stop" in asked:
            break
        if "step" in asked:
            answer = player.step(asked["step"])
        elif "pace" in asked:
            answer = player.pace(asked["pace"])
        else:
            start, wall = cpu(), time.time()
            try:
                if "build" in asked:
                    game, options = built(asked["build"])
                else:
                    game, options = made(asked["make"], asked["settings"], asked["seed"])
            except Exception as error:  # the maker fails on some parameters
                out.write(json.dumps({"error": repr(error)}) + "\n")
                out.flush()
                continue
            player = Machine(game, options) if asked.get("compile") else Logic(game)
            spent = {"cpu": cpu() - start, "wall": time.time() - wall}
            answer = {"facts": facts_of(game), "max_score": game.max_score, **spent, **player.told()}
        out.write(json.dumps(answer) + "\n")
        out.flush()


if __name__ == "__main__":
    out = os.fdopen(os.dup(1), "w")  # what TextWorld prints goes elsewhere
    os.dup2(2, 1)
    main()
