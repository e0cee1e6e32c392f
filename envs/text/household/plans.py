"""Exact shortest plans of one agent, from any state: in closed form over hauls, not by search over states.

Going anywhere takes one step, a hand holds one thing, and closing never helps. So a shortest plan is a sequence of hauls
(go, open, take, go and process ..., go, open, put), and only these can save a step: which object, from where, to which
receptacle; the order of hauls and of processes; what one opening serves; and where to put what is in the way. They are
enumerated, with a bound, and alike receptacles and objects are tried once. A sliced object also needs a knife: the plans
for one are those that slice it where it lies, in the target, or in a third place.

Length is counted in commands. The tests hold it against a search over the full state space.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from ludarium.envs.core.errors import NotClaimedError
from ludarium.envs.text.household.classes import KNIVES, PROCESSES
from ludarium.envs.text.household.instance import FLAGS, House
from ludarium.envs.text.household.needs import Want, needs_of

__all__ = ["Planner", "Situation", "Step", "beginning", "command", "commands", "situation"]

CLEAN, HOT, COOL, SLICED, TOGGLED = (1 << n for n in range(len(FLAGS)))
_PROCESS = {"heat": HOT, "cool": COOL, "clean": CLEAN}
_VERB = {flag: verb for verb, flag in _PROCESS.items()}


class Step(NamedTuple):
    """One command: `go`, `open`, `take`, `move`, `heat`, `cool`, `clean`, `use` or `slice`; numbers in the house's lists."""

    verb: str
    object: int
    """-1 where there is none"""
    place: int
    """The receptacle; the knife for `slice`; -1 where there is none."""


class Situation(NamedTuple):
    """Where everything is."""

    at: int
    """The agent's location."""
    holding: int
    """The object in its hand, or -1."""
    places: Sequence[tuple[int, ...]]
    """For each object: the receptacles that list it."""
    states: Sequence[int]
    """For each object: bits of `FLAGS`."""
    opened: Sequence[bool]


def beginning(house: House, agent: int = 0) -> Situation:
    """How an agent finds the house."""
    return Situation(
        at=house.start,
        holding=house.held[agent] if house.held else -1,
        places=tuple(thing.places for thing in house.objects),
        states=tuple(sum(1 << FLAGS.index(state) for state in thing.state) for thing in house.objects),
        opened=tuple(place.open for place in house.receptacles),
    )


def situation(house: House, view: dict[str, Any], agent: int = 0) -> Situation:
    """The situation in a `state` view of the simulator."""
    places: list[list[int]] = [[] for _ in house.objects]
    for r, content in enumerate(view["content"]):
        for o in content:
            places[o].append(r)
    states = [0] * len(house.objects)
    for n, members in enumerate(view["flags"]):
        for o in members:
            states[o] |= 1 << n
    opened = set(view["opened"])
    return Situation(
        view["at"][agent],
        view["held"][agent],
        [tuple(known) for known in places],
        states,
        [r in opened for r in range(len(house.receptacles))],
    )


def command(house: House, step: Step, dialect: str = "0.4") -> str:
    """A step as one says it."""
    thing = house.objects[step.object].name if step.object >= 0 else ""
    if step.verb == "slice":
        return f"slice {thing} with {house.objects[step.place].name}"
    place = house.receptacles[step.place].name if step.place >= 0 else ""
    put = ("put", "in/on") if dialect == "0.3" else ("move", "to")
    return {
        "go": f"go to {place}",
        "open": f"open {place}",
        "take": f"take {thing} from {place}",
        "move": f"{put[0]} {thing} {put[1]} {place}",
        "use": f"use {thing}",
    }.get(step.verb, f"{step.verb} {thing} with {place}")


def commands(house: House, steps: Iterable[Step], dialect: str = "0.4") -> tuple[str, ...]:
    """A plan as one says it."""
    return tuple(command(house, step, dialect) for step in steps)


class _Haul(NamedTuple):
    """An object that may serve a want: where to take it, and what it costs beside going there and opening."""

    cost: int
    object: int
    source: int
    route: tuple[tuple[int, int], ...]
    """(flag, station) in order"""
    put: bool
    """False where the target lists it even when it is taken elsewhere (real data)."""


class Planner:
    """Shortest plans in one house; `NotClaimedError` for goals of another form than the task types'."""

    def __init__(self, house: House, quirks: bool = True) -> None:
        self.house, self.quirks = house, quirks
        self.needs = needs_of(house.goal)
        self._at = [place.location for place in house.receptacles]
        self._kind = [place.kind.lower() for place in house.receptacles]
        self._thing = [thing.kind.lower() for thing in house.objects]
        self._fits: dict[str, set[str]] = {}
        for place, kind in house.can_contain:
            self._fits.setdefault(kind.lower(), set()).add(place.lower())
        self._stations = {flag: self._one_a_location(PROCESSES[verb].lower()) for verb, flag in _PROCESS.items()}
        self._knives = [o for o, kind in enumerate(self._thing) if kind in {known.lower() for known in KNIVES}]
        self._beside: dict[int, list[int]] = {}
        for r, location in enumerate(self._at):
            self._beside.setdefault(location, []).append(r)
        self._check()

    def _one_a_location(self, kind: str) -> list[int]:
        found = {self._at[r]: r for r in reversed(range(len(self._at))) if self._kind[r] == kind}
        return sorted(found.values())

    def _check(self) -> None:
        wants = [want for group in self.needs.groups for want in group.wants]
        if any(want.states & SLICED for want in wants) and (len(wants) > 1 or self.needs.hold):
            raise NotClaimedError("the planner knows goals with one sliced object, and nothing beside it")
        if self.needs.hold and self.needs.hold.states:
            raise NotClaimedError("the planner knows no goal with a state of what is in hand")

    def accepting(self, o: int) -> list[int]:
        """The receptacles that an object may be put into."""
        known = self._fits.get(self._thing[o], ())
        return [r for r, kind in enumerate(self._kind) if kind in known]

    # --- the search ---
    def plan(self, now: Situation) -> tuple[Step, ...] | None:
        """A shortest plan; () where the goal holds already, None where it cannot be reached."""
        return _Search(self, now).best()

    def plan_left(self, now: Situation) -> int:
        """The length of a shortest plan, -1 where there is none."""
        plan = self.plan(now)
        return -1 if plan is None else len(plan)


class _Search:
    """All plans from one situation that may be shortest."""

    def __init__(self, planner: Planner, now: Situation) -> None:
        self.p, self.now = planner, now
        self.shut = [
            place.openable and not opened for place, opened in zip(planner.house.receptacles, now.opened, strict=True)
        ]
        self.here = now.at
        self.open: set[int] = set()
        self.steps: list[Step] = []
        self.found: tuple[Step, ...] | None = None
        self.limit = 1 << 30
        self.routes: dict[tuple[int, int, int], tuple[int, tuple[tuple[int, int], ...]]] = {}

    def best(self) -> tuple[Step, ...] | None:
        needs = self.p.needs
        wants = {want for group in needs.groups for want in group.wants}
        if needs.hold:
            wants.add(needs.hold)
        self.candidates = {want: [o for o in range(len(self.p._thing)) if self._may_serve(o, want)] for want in wants}
        self._note_special()
        choices = [self._targets(group.target) for group in needs.groups]
        for targets in itertools.product(*choices):
            self._solve(targets)
        return self.found

    def _may_serve(self, o: int, want: Want) -> bool:
        p = self.p
        can = p.house.objects[o].can
        return (
            p._thing[o] == want.kind and want.able <= set(can) and (bool(self.now.places[o]) or o == self.now.holding)
        )

    def _note_special(self) -> None:
        """Receptacles and locations that differ from others of their class: what matters is there, or in them."""
        p, now = self.p, self.now
        objects = [o for found in self.candidates.values() for o in found]
        if any(want.states & SLICED for want in self.candidates):
            objects += p._knives
        lamps = [o for o, kind in enumerate(p._thing) if p.needs.lamp and kind == p.needs.lamp.kind]
        self.special = {r for o in objects for r in now.places[o]}
        flags = [flag for want in self.candidates for flag in _VERB if want.states & flag]
        stations = {r for flag in flags for r in p._stations[flag]}
        self.hot = {now.at} | {p._at[r] for r in self.special | stations}
        self.hot |= {p._at[r] for o in lamps for r in now.places[o]}
        if len(p.needs.groups) > 1:
            names = {group.target for group in p.needs.groups}
            self.hot |= {p._at[r] for r, kind in enumerate(p._kind) if kind in names}

    def _distinct(self, places: Iterable[int], special: Iterable[int] = (), closely: bool = False) -> list[int]:
        """One of all receptacles that are alike; `closely`: also in what stands at their location."""
        known = set(special) | self.special
        found: dict[Any, int] = {}
        for r in places:
            at = self.p._at[r]
            beside = tuple((self.p._kind[x], self.shut[x]) for x in self.p._beside[at]) if closely else ()
            sign = (self.shut[r], at if at in self.hot else -1, r if r in known else -1, beside)
            found.setdefault(sign, r)
        return list(found.values())

    def _targets(self, kind: str) -> list[int]:
        sliced = any(want.states & SLICED for want in self.candidates)
        return self._distinct((r for r, known in enumerate(self.p._kind) if known == kind), closely=sliced)

    def _solve(self, targets: tuple[int, ...]) -> None:
        """Plans that bring all that is still wanted to these receptacles."""
        left: list[tuple[Want, int]] = []
        used: set[int] = set()
        for group, r in zip(self.p.needs.groups, targets, strict=True):
            for want in sorted(group.wants, key=lambda want: -want.states.bit_count()):
                there = next((o for o in self.candidates[want] if o not in used and self._served(o, want, r)), None)
                if there is None:
                    left.append((want, r))
                else:
                    used.add(there)
        self.tables = {key: self._hauls(*key, left.count(key)) for key in set(left)}
        self.least = self._least(targets)
        self._root(left, used)

    def _least(self, targets: tuple[int, ...]) -> dict[tuple[Want, int], int]:
        """What each haul costs at least: going to its source too, unless one may stand there already."""
        at, hand = self.p._at, self.now.holding
        stood = {
            self.now.at,
            *(at[r] for r in targets),
            *(at[r] for r in (self.p.accepting(hand) if hand >= 0 else ())),
        }
        ends = all(haul.put for table in self.tables.values() for haul in table)
        return {
            key: min((haul.cost + (ends and at[haul.source] not in stood) for haul in table), default=2)
            for key, table in self.tables.items()
        }

    def _served(self, o: int, want: Want, r: int) -> bool:
        return r in self.now.places[o] and self.now.states[o] & want.states == want.states

    def _hauls(self, want: Want, r: int, most: int) -> list[_Haul]:
        """The objects that could be brought, cheapest first, without more alike ones than can be needed."""
        found: list[_Haul] = []
        alike: dict[tuple[int, int], int] = {}
        for o in self.candidates[want]:
            missing = want.states & ~self.now.states[o]
            if missing & SLICED or "pickupable" not in self.p.house.objects[o].can or not self._fits(o, r):
                continue
            for source in self.now.places[o]:
                sign = source, self.now.states[o]
                alike[sign] = alike.get(sign, 0) + 1
                if alike[sign] > most and len(self.now.places[o]) == 1:
                    continue
                put = not (r in self.now.places[o] and source != r)
                cost, route = self._route(self.p._at[source], self.p._at[r] if put else -1, missing)
                if cost >= 0:
                    found.append(_Haul(1 + cost + put, o, source, route, put))
        return sorted(found)

    def _fits(self, o: int, r: int) -> bool:
        return self.p._kind[r] in self.p._fits.get(self.p._thing[o], ()) or r in self.now.places[o]

    def _route(self, start: int, end: int, missing: int) -> tuple[int, tuple[tuple[int, int], ...]]:
        """Moves and processes on the shortest way by the stations that the missing states need; -1: there is none."""
        key = start, end, missing
        if key not in self.routes:
            self.routes[key] = min(self._ways(start, end, missing), default=(-1, ()))
        return self.routes[key]

    def _ways(self, start: int, end: int, missing: int) -> Iterator[tuple[int, tuple[tuple[int, int], ...]]]:
        flags = [flag for flag in _VERB if missing & flag]
        if missing & HOT and missing & COOL:
            return
        for order in itertools.permutations(flags):
            for stations in itertools.product(*(self.p._stations[flag] for flag in order)):
                at, cost = start, len(order)
                for station in stations:
                    cost += self.p._at[station] != at
                    at = self.p._at[station]
                yield cost + (end not in (-1, at)), tuple(zip(order, stations, strict=True))

    # --- the beginning: what is in the hand ---
    def _root(self, left: list[tuple[Want, int]], used: set[int]) -> None:
        hand = self.now.holding
        if not left and not self.p.needs.hold:
            self._record()
        elif hand < 0:
            self._next(left, used, None, -1)
            self._slices(left, -1)
        else:
            self._use_hand(left, used, hand)
            self._slices(left, hand)
            for r in self._distinct(self.p.accepting(hand), [place for _, place in left], closely=True):
                mark = self._mark()
                self._put(hand, r)
                self._next(left, used | {hand}, None, -1)
                self._slices(left, -1, (hand, r))
                self._back(mark)

    def _use_hand(self, left: list[tuple[Want, int]], used: set[int], hand: int) -> None:
        """Bring what is in the hand first."""
        for want, r in dict.fromkeys(left):
            missing = want.states & ~self.now.states[hand]
            if hand in self.candidates[want] and hand not in used and not missing & SLICED:
                put = r not in self.now.places[hand]
                if put and not self._fits(hand, r):
                    continue
                cost, route = self._route(self.here, self.p._at[r] if put else -1, missing)
                if cost >= 0:
                    mark = self._mark()
                    self._carry(hand, route, r if put else -1)
                    rest = left.copy()
                    rest.remove((want, r))
                    self._next(rest, used | {hand}, None, -1, hand if not put else -1)
                    self._back(mark)
        if not left:
            self._finish(hand)

    # --- hauls ---
    def _next(
        self, left: list[tuple[Want, int]], used: set[int], last: tuple[Want, int] | None, floor: int, hand: int = -1
    ) -> None:
        """Go on with any haul; hauls to the same place after the first are tried in one order only."""
        if not left:
            if self.p.needs.hold:
                self._finish(hand)
            else:
                self._record()
            return
        if hand >= 0 or len(self.steps) + sum(self.least[key] for key in left) >= self.limit:
            return
        for key in dict.fromkeys(left):
            rest = left.copy()
            rest.remove(key)
            target, bound = key[1], self.limit - sum(self.least[other] for other in rest)
            for n, haul in enumerate(self.tables[key]):
                if haul.object in used or (key == last and n <= floor):
                    continue
                opens = (haul.source not in self.open and self.shut[haul.source]) + (
                    haul.put and target != haul.source and target not in self.open and self.shut[target]
                )
                if len(self.steps) + haul.cost + (self.here != self.p._at[haul.source]) + opens >= bound:
                    continue
                mark = self._mark()
                self._take(haul.object, haul.source)
                self._carry(haul.object, haul.route, target if haul.put else -1)
                floor_then = n if key == last else -1  # from the target itself the order does not matter
                self._next(rest, used | {haul.object}, key, floor_then, -1 if haul.put else haul.object)
                self._back(mark)

    def _finish(self, hand: int) -> None:
        """At the end, hold what is wanted where a lamp is on."""
        hold, lamp = self.p.needs.hold, self.p.needs.lamp
        if hold is None:
            return
        if hand >= 0 and hand in self.candidates[hold]:
            self._light(lamp)
        elif hand < 0:
            for o in self.candidates[hold]:
                for source in self._distinct(self.now.places[o]) if o != self.now.holding else ():
                    mark = self._mark()
                    self._take(o, source)
                    self._light(lamp)
                    self._back(mark)

    def _light(self, lamp: Want | None) -> None:
        if lamp is None:
            self._record()
            return
        p = self.p
        for o, kind in enumerate(p._thing):
            if kind == lamp.kind and lamp.able <= set(p.house.objects[o].can):
                for r in self.now.places[o]:
                    mark = self._mark()
                    self._go(r)
                    if not self.now.states[o] & TOGGLED:
                        if self.shut[r] and not p.quirks:
                            self._open(r)
                        self.steps.append(Step("use", o, -1))
                    self._record()
                    self._back(mark)

    # --- slicing ---
    def _slices(self, left: list[tuple[Want, int]], hand: int, laid: tuple[int, int] | None = None) -> None:
        """Plans for one sliced object; `laid`: what was put down first, and where."""
        if len(left) != 1 or not left[0][0].states & SLICED:
            return
        (want, r) = left[0]
        for o in self.candidates[want]:
            if self.now.states[o] & SLICED or "sliceable" not in self.p.house.objects[o].can:
                continue
            source = laid[1] if laid and laid[0] == o else next(iter(self.now.places[o]), -1)
            missing = want.states & ~self.now.states[o] & ~SLICED
            for knife in self._knives_worth(hand, laid):
                lies = laid[1] if laid and laid[0] == knife else next(iter(self.now.places[knife]), -1)
                if hand not in (-1, o, knife):
                    continue
                if hand != o:
                    self._cut_there(o, source, knife, lies if hand != knife else -1, missing, r)
                if hand != knife:
                    self._cut_elsewhere(o, source if hand != o else -1, knife, lies, missing, r)

    def _knives_worth(self, hand: int, laid: tuple[int, int] | None) -> list[int]:
        """The knives that differ in class or place."""
        known: dict[Any, int] = {}
        for knife in self.p._knives:
            there = hand == knife or (laid is not None and laid[0] == knife)
            if there or self.now.places[knife]:
                known.setdefault((self.p._thing[knife], self.now.places[knife], there), knife)
        return list(known.values())

    def _cut_there(self, o: int, source: int, knife: int, lies: int, missing: int, r: int) -> None:
        """Bring the knife to the object, slice it, then bring the object."""
        mark = self._mark()
        if lies >= 0:
            self._take(knife, lies)
        self._cut(o, source, knife)
        if source == r and not missing:
            self._record()
        else:
            self._after_cut(o, source, knife, missing, r)
        self._back(mark)

    def _cut_elsewhere(self, o: int, source: int, knife: int, lies: int, missing: int, r: int) -> None:
        """Bring the object somewhere (processed or not), then the knife; slice it there."""
        mark = self._mark()
        if source >= 0:
            self._take(o, source)
        flags = [flag for flag in _VERB if missing & flag]
        some = range(len(flags) + 1)
        first = [sum(part) for n in some for part in itertools.combinations(flags, n)]
        for place in self._distinct(self.p.accepting(o), [lies, r], closely=True):
            for done in first:
                if len(self.steps) + 3 >= self.limit:  # put, take the knife, slice
                    break
                cost, route = self._route(self.here, self.p._at[place], done)
                if cost < 0:
                    continue
                inner = self._mark()
                self._carry(o, route, place)
                self._take(knife, lies)
                self._cut(o, place, knife)
                if place == r and done == missing:
                    self._record()
                else:
                    self._after_cut(o, place, knife, missing & ~done, r)
                self._back(inner)
        self._back(mark)

    def _cut(self, o: int, place: int, knife: int) -> None:
        self._go(place)
        if not self.p.quirks:
            self._open(place)
        self.steps.append(Step("slice", o, knife))

    def _after_cut(self, o: int, place: int, knife: int, missing: int, r: int) -> None:
        """Put the knife away, take the object, and bring it."""
        cost, route = self._route(self.p._at[place], self.p._at[r], missing)
        if cost < 0 or not self._fits(o, r):
            return
        for away in self._distinct(self.p.accepting(knife), [place, r], closely=True):
            if len(self.steps) + cost + 3 >= self.limit:
                return
            mark = self._mark()
            self._put(knife, away)
            self._take(o, place)
            self._carry(o, route, r)
            self._record()
            self._back(mark)

    # --- steps ---
    def _mark(self) -> tuple[int, int, set[int]]:
        return len(self.steps), self.here, self.open

    def _back(self, mark: tuple[int, int, set[int]]) -> None:
        del self.steps[mark[0] :]
        _, self.here, self.open = mark

    def _go(self, r: int) -> None:
        if self.p._at[r] != self.here:
            self.here = self.p._at[r]
            self.steps.append(Step("go", -1, r))

    def _open(self, r: int) -> None:
        if self.shut[r] and r not in self.open:
            self.open = self.open | {r}
            self.steps.append(Step("open", -1, r))

    def _take(self, o: int, r: int) -> None:
        self._go(r)
        self._open(r)
        self.steps.append(Step("take", o, r))

    def _put(self, o: int, r: int) -> None:
        self._go(r)
        self._open(r)
        self.steps.append(Step("move", o, r))

    def _carry(self, o: int, route: tuple[tuple[int, int], ...], r: int) -> None:
        for flag, station in route:
            self._go(station)
            self.steps.append(Step(_VERB[flag], o, station))
        if r >= 0:
            self._put(o, r)

    def _record(self) -> None:
        if len(self.steps) < self.limit:
            self.limit, self.found = len(self.steps), tuple(self.steps)
