"""One seat of a world in words, one episode after another: what the adapters to trainers of language models share."""

from __future__ import annotations

import re
from typing import Any

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import ActionError
from ludarium.envs.core.registry import make_simulator
from ludarium.leaderboards.serve.episodes import Episode
from ludarium.leaderboards.serve.messages import ServeError

__all__ = ["Spoken", "command_of"]

_TAG = re.compile(r"<action>(.*?)</action>", re.S | re.I)


def command_of(reply: str) -> str:
    """The command in a model's reply: the last `<action>...</action>`, or else the last line that is not empty."""
    tagged = _TAG.findall(reply)
    lines = [line.strip() for line in reply.splitlines() if line.strip()]
    return str(tagged[-1]).strip() if tagged else lines[-1] if lines else ""


class Spoken:
    """A world, one seat of it in words, and named agents (`others`) in the other seats; `seat` None is the first.

    A reply that is no command changes nothing in the world: it is answered with what was wrong, and counted in `refused`. An
    episode ends for its client after as many replies, refused ones among them, as the world has steps.
    """

    def __init__(self, world: str, seat: str | None = None, others: str | None = None, **config: Any) -> None:
        batch = Batch(make_simulator(world, **config), 1, world.split(":")[-1])
        self.episode = Episode(batch, seat=seat, others=others)
        self.turns, self.refused = 0, 0
        self.world, self.simulator = world, batch.simulator
        self.commands: tuple[str, ...] | None = None
        self.done = True

    @property
    def total(self) -> float:
        """The sum of the rewards."""
        return self.episode.total

    def metrics(self) -> dict[str, float]:
        """The world's metrics as they stand, and how many replies were refused."""
        return {**self.episode.batch.result()["metrics"], "refused": self.refused}

    def tools(self) -> tuple[dict[str, Any], ...]:
        """Name, description and JSON Schema of each verb of the world, or of its own tools; one `act` where none is known."""
        own = self.simulator.tools(self.episode.batch.state, 0, self.episode.number)
        if own is not None:
            return own
        verbs = self.simulator.verbs()
        found = {"act": ("command",)} if verbs is None else verbs
        return tuple({"name": name, "description": f"{name.replace('_', ' ')} ({', '.join(names)})" if names else name,
                      "parameters": {"type": "object", "properties": {n: {"type": "string"} for n in names},
                                     "required": list(names)}} for name, names in found.items())  # fmt: skip

    def reset(self, seed: int) -> str:
        """Begin the episode of a seed; what the seat is told."""
        self.turns, self.refused = 0, 0
        return self._told(self.episode.begin(seed))

    def prompt(self, seed: int) -> str:
        """The rules, and what the seat is told at the beginning of an episode: a first message to a model."""
        return f"{self.simulator.rules()}\n\n{self.reset(seed)}\n\nReply with one command as <action>command</action>."

    def say(self, reply: str) -> tuple[str, float, bool]:
        """Do what a reply says; what the seat is told then, its reward, and whether all is over."""
        return self.act({"command": command_of(reply)})

    def act(self, action: dict[str, Any]) -> tuple[str, float, bool]:
        """The same for `{"command": ...}` or `{"name": ..., "arguments": {...}}`; `ActionError` once all is over."""
        if self.done:
            raise ActionError("the episode is over")
        self.turns += 1
        spent = self.turns >= self.simulator.config.max_steps
        try:
            told = self.episode.act(action)
        except ServeError as error:
            self.refused += 1
            self.done = spent
            return str(error), 0.0, self.done
        note = told["metadata"]["message"]
        text = self._told(told)
        self.done = self.done or spent
        return f"{note}\n{text}" if note else text, float(told["reward"]), self.done

    def _told(self, told: dict[str, Any]) -> str:
        seen = told["observation"]
        self.done = bool(told["done"])
        self.commands = None if seen["commands"] is None else tuple(seen["commands"])
        self.text = str(seen["text"])
        return f"{self.text}\nYou can: {'; '.join(self.commands)}." if self.commands else self.text
