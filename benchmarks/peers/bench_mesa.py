"""Speed of Mesa 3.3.1: agent-steps a CPU-second of Boltzmann wealth. One JSON spec on the command line: `agents`, `grid`.

`grid`: the model that comes with Mesa (a grid, data collected in each step); else the rule of its tutorial alone, which
chooses from a plain list here, since a choice from an agent set takes a search.
"""

from __future__ import annotations

from clock import measure, spec
from mesa import Agent, Model
from mesa.examples.basic.boltzmann_wealth_model.model import BoltzmannWealth


class Giver(Agent):
    """Gives a unit to anybody, while it has one."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.wealth = 1

    def step(self) -> None:
        """One unit to a random agent."""
        if self.wealth > 0:
            other = self.random.choice(self.model.everybody)
            other.wealth += 1
            self.wealth -= 1


class Givers(Model):
    """So many of them, one after the other in a drawn order."""

    def __init__(self, agents: int) -> None:
        super().__init__(seed=0)
        self.everybody = list(Giver.create_agents(self, agents))

    def step(self) -> None:
        """All once."""
        self.agents.shuffle_do("step")


def main() -> None:
    """Steps of one model."""
    s = spec()
    side = max(2, round(s["agents"] ** 0.5))
    model = BoltzmannWealth(s["agents"], side, side, seed=0) if s["grid"] else Givers(s["agents"])

    def play(rounds: int) -> None:
        for _ in range(rounds):
            model.step()

    measure(play, s["agents"], s["seconds"])


if __name__ == "__main__":
    main()
