"""Bugs in worlds of words: what parsers, templates and growing stories do to a text."""

from __future__ import annotations

import string
from typing import Any, ClassVar

import gymnasium as gym
from gymnasium.spaces import Text
from laws.zoo.planted import Planted

ROOMS = ("hall", "kitchen", "cellar")
STEPS = 60
LETTERS = string.ascii_letters + string.digits + " .,:|_-+'/<>(){}[]%\"="
ODD = "²١٢é;*&?!\\\n\t\r"


class House(gym.Env[str, str]):
    """Three rooms and a lamp, without a bug. The lamp lies in a room drawn from the seed; in the cellar, it is the end.

    Commands: `go N`, `take lamp`, `drop lamp`, or a number from the list; all else does nothing, and is said so.
    """

    metadata: ClassVar[dict[str, Any]] = {"malformed_actions": "raise", "max_steps": STEPS, "render_modes": ["ansi"]}

    def __init__(self, clean: bool = False, render_mode: str | None = None) -> None:
        self.planted, self.render_mode = not clean, render_mode
        self.observation_space = Text(400, charset=LETTERS)
        self.action_space = Text(48, min_length=0, charset=LETTERS + ODD)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        self.t, self.room, self.has, self.score = 0, 0, False, 0.0
        self.lamp = int(self.np_random.integers(2))
        self.said = "Welcome."
        self.story: list[str] = []
        self.begin()
        return self.text(), self.info()

    def begin(self) -> None:
        """What else a reset sets."""

    def step(self, action: Any) -> tuple[str, float, bool, bool, dict[str, Any]]:
        if not isinstance(action, str):
            raise TypeError(f"{action!r} is no command; expected a text")
        self.t += 1
        reward = self.do(*self.parse(action), action)
        self.story.append(self.said)
        self.score += reward
        ended = self.has and self.room == 2
        return self.text(), reward, ended, self.t >= STEPS and not ended, self.info()

    def menu(self) -> list[tuple[str, str]]:
        there = [("go", str(n)) for n in range(3) if n != self.room]
        lamp = [("drop", "lamp")] if self.has else [("take", "lamp")] if self.lamp == self.room else []
        return [*there, *lamp, ("wait", "")]

    def parse(self, text: str) -> tuple[str, str]:
        """The verb and what it is done to."""
        text = text.strip().lower()
        if self.number(text) is not None:
            menu = self.menu()
            return menu[int(self.number(text) or 0) % len(menu)]
        verb, _, rest = text.partition(" ")
        return verb, rest.strip()

    def number(self, text: str) -> int | None:
        return int(text) if text.isdecimal() and len(text) < 9 else None

    def do(self, verb: str, what: str, text: str) -> float:
        if (verb, what) not in self.menu():
            self.said = self.refuse(text)
            return 0.0
        self.said = "Done."
        if verb == "go":
            self.room = int(what)
        elif verb in ("take", "drop"):
            self.has = verb == "take"
            self.lamp = -1 if self.has else self.room
        return 1.0 if self.has and self.room == 2 else 0.0

    def refuse(self, text: str) -> str:
        return "Nothing happens."

    def text(self) -> str:
        lamp = " A lamp is here." if self.lamp == self.room else ""
        may = " | ".join(" ".join(item).strip() for item in self.menu())
        return f"{self.said} You are in the {ROOMS[self.room]}.{lamp} You may | {may}"

    def info(self) -> dict[str, Any]:
        return {"moves": self.t}

    def render(self) -> str:
        return self.text()

    def metrics(self) -> dict[str, float]:
        return {"score": self.score}

    def recount(self, steps: list[dict[str, Any]]) -> dict[str, float]:
        return {"score": sum(step["rewards"][""] for step in steps)}


class DigitsOfAllKinds(House):
    """`isdigit` holds for a raised two, of which `int` wants to know nothing."""

    bug = Planted("mask_sound", shortest=1, cases=40)

    def number(self, text: str) -> int | None:
        return int(text) if self.planted and text.isdigit() else super().number(text)


class SaysItByFormat(House):
    """A command that is not understood is put into a template before the template is filled."""

    bug = Planted("mask_sound", shortest=1)

    def refuse(self, text: str) -> str:
        if self.planted and "{" in text:
            return ("You cannot " + text + " in the {room}.").format(room=ROOMS[self.room])[:0] + "Nothing happens."
        return super().refuse(text)


class EchoesAll(House):
    """What was not understood is echoed as it came: with characters that no observation should have."""

    bug = Planted("observation_in_space", shortest=1)

    def refuse(self, text: str) -> str:
        return f"You cannot {text}." if self.planted else "You cannot do that."


class TellsTheWholeStory(House):
    """The story so far is told in full, until it is longer than an observation may be."""

    bug = Planted("observation_in_space", shortest=7)

    def text(self) -> str:
        told = self.story if self.planted else self.story[-2:]
        return " ".join(["once more:" + 33 * "." for _ in told]) + super().text()


class LampByAnyName(House):
    """The dict of what was last said is shared by all houses; saying the same thing twice is punished."""

    bug = Planted("interleaved", ("copies", "looking"), shortest=1)
    words: ClassVar[dict[str, str]] = {}

    def begin(self) -> None:
        if not self.planted:
            self.words = {}  # type: ignore[misc]
        self.words.clear()

    def do(self, verb: str, what: str, text: str) -> float:
        again = self.words.get("last") == verb
        self.words["last"] = verb
        return super().do(verb, what, text) - (0.5 if again else 0.0)


class LampWithoutEnd(House):
    """Taking, dropping and taking the lamp is paid for each time, by what the books say not."""

    bug = Planted("metrics", shortest=2)

    def do(self, verb: str, what: str, text: str) -> float:
        held = self.has
        reward = super().do(verb, what, text)
        if held and not self.has and self.planted:
            self.score += 0.5
        return reward
