"""Speed of the tax economy in Mesa 3.3: a model of agents, each of whom decides, is taxed and receives the rebate."""

from __future__ import annotations

import json
from typing import Any

import mesa
from clock import measure, spec
from plain_tax import Economy, Worker, summed


class Citizen(mesa.Agent):
    """Mesa's agent with the worker's own step."""

    work, receive = Worker.work, Worker.receive

    def __init__(self, model: Any, wage: float, weight: float) -> None:
        super().__init__(model)
        self.economy, self.wage, self.weight = model.economy, wage, weight
        self.income = self.tax = self.utility = 0.0


class Society(mesa.Model):
    """All workers under one schedule."""

    def __init__(self, economy: Economy) -> None:
        super().__init__(seed=0)
        self.economy = economy
        Citizen.create_agents(self, len(economy.wage), economy.wage.tolist(), economy.weight.tolist())

    def step(self) -> None:
        """Decide, tax, share out; welfare is summed up as in the twins."""
        self.agents.do("work")
        self.agents.do("receive", sum(self.agents.get("tax")) / len(self.agents))
        self.figures = summed(self.agents)


def main() -> None:
    """Step a model of the economy in the file."""
    given = spec()
    society = Society(Economy(given["economy"]))
    society.step()
    print(json.dumps(society.figures))

    def play(rounds: int) -> None:
        for _ in range(rounds):
            society.step()

    measure(play, len(society.agents), given["seconds"])


if __name__ == "__main__":
    main()
