"""The oracle of the coin games: a shortest plan by breadth-first search (Dijkstra's with costs of one and two)."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from ludarium.envs.text.coin.generate import CLOSED, DIRECTIONS, WALL

__all__ = ["shortest_plan"]


def shortest_plan(exits: Sequence[Sequence[int]], ways: Sequence[Sequence[int]], room: int, coin: int) -> list[str]:
    """The commands of a shortest plan from `room` to taking the coin; a closed door costs a command to open.

    No shortest plan passes a door twice, so the doors that it opens need not be remembered.
    """
    best, came = {room: 0}, {}
    edge = [(0, room)]
    while edge:
        cost, here = heapq.heappop(edge)
        if here == coin:
            break
        if cost > best[here]:
            continue
        for d, (there, way) in enumerate(zip(exits[here], ways[here], strict=True)):
            if way == WALL:
                continue
            further = cost + (2 if way == CLOSED else 1)
            if further < best.get(there, 1 << 30):
                best[there], came[there] = further, (here, d)
                heapq.heappush(edge, (further, there))
    plan, here = ["take coin"], coin
    while here != room:
        here, d = came[here]
        plan.append(f"go {DIRECTIONS[d]}")
        if ways[here][d] == CLOSED:
            plan.append(f"open door to {DIRECTIONS[d]}")
    return plan[::-1]
