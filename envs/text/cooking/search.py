"""A shortest plan for a cooking game by A*: exact, over all that matters of a state.

What matters: the player's room, doors, containers that hold what is needed, where the knife and each ingredient are,
and what is yet to be done to it; of all else that is carried only how much. Cooking and cutting that are possible now
are done now, since they are to be done anyway and hinder nothing. While everything needed fits into the hands, things in
sight are taken at once for the same reason, and only walking is left to choose; where it does not fit, every order of
taking and dropping is searched. The estimate counts what is to be done once each, and the way over the farthest place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import kernel
from ludarium.envs.text.cooking.generate import HELD, ON
from ludarium.envs.text.cooking.tables import APPLIANCES, CONTAINS, HOLDERS, KITCHEN, RECIPE, ROOM_COUNT

__all__ = ["COOK", "CUT", "DROP", "GO", "JUNK", "KNIFE", "MAX_NODES", "OPEN", "TAKE", "search"]

GO, TAKE, DROP, OPEN, COOK, CUT = range(6)
KNIFE, JUNK = RECIPE, RECIPE + 1
MAX_NODES = 4_000_000
_BUCKETS = 1024
_BIG = 99
# fields of a packed state: room 4 bits, doors 7, lids 3, other things carried 6, knife 5, ingredients 7 each
_DOORS, _LIDS, _CARRIED, _KNIFE, _FOOD = 4, 11, 14, 20, 25
_LID_OF = np.full(HOLDERS, -1)
_LID_OF[np.flatnonzero(CONTAINS)] = np.arange(int(CONTAINS.sum()))


@kernel
def _place(key: int, k: int) -> int:
    """Where ingredient k (or the knife) is."""
    return (key >> (_KNIFE if k == KNIFE else _FOOD + 7 * k)) & 31


@kernel
def _at(place: int, home: NDArray[np.int64]) -> int:
    """The room of a place."""
    return place if place < ON else home[place - ON]


@kernel
def _shut(key: int, place: int) -> bool:
    """Whether a place is in a container that is closed."""
    if place < ON or place >= HELD or _LID_OF[place - ON] < 0:
        return False
    return (key >> (_LIDS + _LID_OF[place - ON])) & 1 == 0


@kernel
def _distances(exits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Steps between rooms, doors open (Floyd and Warshall)."""
    far = np.full((ROOM_COUNT, ROOM_COUNT), _BIG)
    for r in range(ROOM_COUNT):
        far[r, r] = 0
        for d in range(4):
            if exits[r, d] >= 0:
                far[r, exits[r, d]] = 1
    for k in range(ROOM_COUNT):
        for i in range(ROOM_COUNT):
            for j in range(ROOM_COUNT):
                far[i, j] = min(far[i, j], far[i, k] + far[k, j])
    return far


@kernel
def _left(key: int, count: int) -> tuple[int, int, int]:
    """Ingredients in hand, cooking still to do, cutting still to do."""
    held, cooks, cuts = 0, 0, 0
    for k in range(count):
        held += _place(key, k) == HELD
        cooks += (key >> (_FOOD + 7 * k + 5)) & 1
        cuts += (key >> (_FOOD + 7 * k + 6)) & 1
    return held, cooks, cuts


@kernel
def _estimate(
    key: int, count: int, ways: NDArray[np.int64], home: NDArray[np.int64], limit: int, far: NDArray[np.int64]
) -> int:
    """A lower bound of what is left: each thing to do counts once, and the way to the kitchen over the farthest place."""
    room = key & 15
    held, cooks, cuts = _left(key, count)
    cost = 2 + cooks + cuts + count - held
    travel, lids = far[room, KITCHEN], 0
    for k in range(count + 1):
        thing = k if k < count else KNIFE
        if k == count and cuts == 0:
            break
        place = _place(key, thing)
        if place != HELD:
            cost += k == count
            if _shut(key, place):
                lids |= 1 << _LID_OF[place - ON]
            x = _at(place, home)
            travel = max(travel, far[room, x] + far[x, KITCHEN])
        if k < count and (key >> (_FOOD + 7 * k + 5)) & 1:
            x = home[APPLIANCES[ways[k] - 1]]
            if x < 0:
                return _BUCKETS
            before = far[room, x]
            if place != HELD:
                before = far[room, _at(place, home)] + far[_at(place, home), x]
            travel = max(travel, before + far[x, KITCHEN])
    for c in range(3):
        cost += (lids >> c) & 1
    knife = _place(key, KNIFE) == HELD or cuts > 0
    carried = (key >> _CARRIED) & 63
    return cost + travel + max(0, carried + knife + count - limit)


@kernel
def _moves(
    key: int, count: int, ways: NDArray[np.int64], home: NDArray[np.int64], limit: int, exits: NDArray[np.int64],
    doors: NDArray[np.int64], out: NDArray[np.int64],
) -> int:  # fmt: skip
    """Write the moves worth trying as rows (kind, argument, cost, state) of int64[n, 4]; return how many."""
    room, n = key & 15, 0
    held, _, cuts = _left(key, count)
    knife_held = _place(key, KNIFE) == HELD
    for k in range(count):
        if _place(key, k) != HELD:
            continue
        if (key >> (_FOOD + 7 * k + 5)) & 1 and home[APPLIANCES[ways[k] - 1]] == room:
            out[0] = np.array((COOK, k, 1, key & ~(1 << (_FOOD + 7 * k + 5))))
            return 1
        if knife_held and (key >> (_FOOD + 7 * k + 6)) & 1:
            out[0] = np.array((CUT, k, 1, key & ~(1 << (_FOOD + 7 * k + 6))))
            return 1
    carried = (key >> _CARRIED) & 63
    tight = carried + count + (knife_held or cuts > 0) > limit
    free = limit - carried - held - knife_held
    for k in range(count + 1):
        thing = k if k < count else KNIFE
        if k == count and cuts == 0:
            break
        place = _place(key, thing)
        if place == HELD or _at(place, home) != room:
            continue
        shift = _KNIFE if k == count else _FOOD + 7 * k
        if _shut(key, place):
            out[n] = np.array((OPEN, place - ON, 1, key | 1 << (_LIDS + _LID_OF[place - ON])))
        elif free > 0:
            out[n] = np.array((TAKE, thing, 1, key & ~(31 << shift) | HELD << shift))
        else:
            continue
        if not tight:
            out[0] = out[n]
            return 1
        n += 1
    if tight:
        for k in range(count):
            if _place(key, k) == HELD:
                shift = _FOOD + 7 * k
                out[n] = np.array((DROP, k, 1, key & ~(31 << shift) | room << shift))
                n += 1
        if knife_held and (free == 0 or cuts > 0):
            out[n] = np.array((DROP, KNIFE, 1, key & ~(31 << _KNIFE) | room << _KNIFE))
            n += 1
        if carried and free == 0:
            out[n] = np.array((DROP, JUNK, 1, key - (1 << _CARRIED)))
            n += 1
    for d in range(4):
        if exits[room, d] >= 0:
            door = doors[room, d]
            closed = door >= 0 and (key >> (_DOORS + door)) & 1 == 0
            after = key & ~15 | exits[room, d]
            if closed:
                after |= 1 << (_DOORS + door)
            out[n] = np.array((GO, d, 2 if closed else 1, after))
            n += 1
    return n


@kernel
def _done(key: int, count: int) -> bool:
    held, cooks, cuts = _left(key, count)
    return key & 15 == KITCHEN and held == count and cooks + cuts == 0


@kernel
def _slot(table: NDArray[np.int64], nodes: NDArray[np.int64], key: int) -> int:
    """Where a state is in the hash table, or where it may be put."""
    size = table.shape[0]
    h = np.int64((np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20)) & (size - 1)
    while table[h] >= 0 and nodes[table[h], 0] != key:
        h = (h + 1) & (size - 1)
    return h


@kernel
def _grown(nodes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Twice the room for states, and a hash table of them."""
    more = np.zeros((2 * nodes.shape[0], 5), np.int64)
    more[: nodes.shape[0]] = nodes
    table = np.full(4 * nodes.shape[0] * 2, -1)
    for n in range(nodes.shape[0]):
        table[_slot(table, more, more[n, 0])] = n
    return more, table


@kernel
def search(
    room: int, foods: NDArray[np.int64], ways: NDArray[np.int64], knife: int, carried: int, doors_open: int,
    lids_open: int, limit: int, exits: NDArray[np.int64], doors: NDArray[np.int64], home: NDArray[np.int64],
    plan: NDArray[np.int64],
) -> int:  # fmt: skip
    """Write the moves of a shortest plan as rows (kind, argument) into int64[n, 2], up to the meal; return how many.

    `foods` int64[N, 3] are place, whether to cook and whether to cut; `ways` int64[N] how to cook. -1: there is no plan.
    """
    count = foods.shape[0]
    key = room | doors_open << _DOORS | lids_open << _LIDS | carried << _CARRIED | knife << _KNIFE
    for k in range(count):
        key |= (foods[k, 0] | foods[k, 1] << 5 | foods[k, 2] << 6) << (_FOOD + 7 * k)
    far = _distances(exits)
    nodes = np.zeros((1 << 12, 5), np.int64)  # state, cost, parent, kind, argument
    table = np.full(1 << 14, -1)
    heads = np.full(_BUCKETS, -1)
    out = np.zeros((24, 4), np.int64)
    nodes[0, 0], nodes[0, 2] = key, -1
    table[_slot(table, nodes, key)] = 0
    made, at = 1, min(_estimate(key, count, ways, home, limit, far), _BUCKETS - 1)
    heads[at] = 0
    # a node that was reached again more cheaply is a new entry of the same state: `cost` in the table's node is the best
    entry = np.zeros(1 << 12, np.int64)  # the node of each queue entry
    entry_cost = np.zeros(1 << 12, np.int64)
    entry_next = np.full(1 << 12, -1)
    entries = 1
    while at < _BUCKETS - 1:
        e = heads[at]
        if e < 0:
            at += 1
            continue
        heads[at] = entry_next[e]
        node, cost = entry[e], entry_cost[e]
        if cost > nodes[node, 1]:
            continue
        key = nodes[node, 0]
        if _done(key, count):
            length, back = 0, node
            while nodes[back, 2] >= 0:
                length, back = length + 1, nodes[back, 2]
            back = node
            for i in range(length - 1, -1, -1):
                plan[i, 0], plan[i, 1] = nodes[back, 3], nodes[back, 4]
                back = nodes[back, 2]
            return length
        for m in range(_moves(key, count, ways, home, limit, exits, doors, out)):
            further, after = cost + out[m, 2], out[m, 3]
            h = _slot(table, nodes, after)
            other = table[h]
            if other >= 0 and nodes[other, 1] <= further:
                continue
            if other < 0:
                if made >= MAX_NODES:
                    return -1
                if made == nodes.shape[0]:
                    nodes, table = _grown(nodes)
                    h = _slot(table, nodes, after)
                other = made
                made += 1
                table[h] = other
                nodes[other, 0] = after
            nodes[other, 1], nodes[other, 2], nodes[other, 3], nodes[other, 4] = further, node, out[m, 0], out[m, 1]
            f = further + _estimate(after, count, ways, home, limit, far)
            if f >= _BUCKETS - 1:
                continue
            if entries == entry.shape[0]:
                entry = np.concatenate((entry, np.zeros_like(entry)))
                entry_cost = np.concatenate((entry_cost, np.zeros_like(entry_cost)))
                entry_next = np.concatenate((entry_next, np.zeros_like(entry_next)))
            entry[entries], entry_cost[entries], entry_next[entries] = other, further, heads[f]
            heads[f] = entries
            entries += 1
            at = min(at, f)
    return -1
