"""What a run's language models cost, by agent: read from `timing.jsonl`, where clocks and costs stand that cannot repeat."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from ludarium.leaderboards.folder import TIMING
from ludarium.leaderboards.talk import dollars

__all__ = ["Cost", "costs", "terminal_costs"]


class Cost(NamedTuple):
    """Sums over the episodes of one agent."""

    agent: str
    episodes: int
    calls: int
    """Tries, retries among them."""
    prompt: int
    completion: int
    """Tokens, as the endpoint counts them, or else as we do."""
    micro_dollars: int
    unpriced: int
    """Calls whose price is not known, and which `micro_dollars` lacks."""
    seconds: float
    """Wall time, summed over episodes."""

    @property
    def money(self) -> str:
        """The money in words: `?` where no price is known."""
        if self.unpriced and not self.micro_dollars:
            return "?"
        return f"{'> ' if self.unpriced else ''}{dollars(self.micro_dollars)}"


def costs(root: Path) -> list[Cost]:
    """A row for each agent of the run that used a model, in the order in which they first finished an episode."""
    sums: dict[str, Counter[str]] = {}
    seconds: dict[str, float] = {}
    for line in _timings(root):
        if line.get("usage") and "agent" in line:
            used = sums.setdefault(line["agent"], Counter())
            used.update({**line["usage"], "episodes": 1})
            seconds[line["agent"]] = seconds.get(line["agent"], 0.0) + line.get("wall_s", 0.0)
    return [
        Cost(
            agent, used["episodes"], used["calls"], used["prompt"], used["completion"], used["micro_dollars"],
            used["unpriced"], round(seconds[agent], 3),
        )
        for agent, used in sums.items()
    ]  # fmt: skip


def _timings(root: Path) -> list[dict[str, Any]]:
    try:
        text = (root / TIMING).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    lines = []
    for line in text.splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:  # the last line of a run that was killed
            continue
    return lines


def terminal_costs(found: list[Cost]) -> Any:
    """A rich table of what language models cost."""
    from rich.table import Table

    table = Table(title="language models, as their endpoints count", title_justify="left", padding=(0, 1))
    table.add_column("agent", overflow="fold", max_width=44)
    for heading in ("calls", "prompt tokens", "completion tokens", "cost"):
        table.add_column(heading, justify="right", no_wrap=True)
    for cost in found:
        table.add_row(cost.agent, f"{cost.calls:,}", f"{cost.prompt:,}", f"{cost.completion:,}", cost.money)
    return table
