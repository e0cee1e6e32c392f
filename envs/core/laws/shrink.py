"""Shortening a case under which a law is broken: delta debugging of its actions, then smaller numbers, then new beginnings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from ludarium.envs.core.laws.cases import Case
from ludarium.envs.core.laws.outcome import Broken

__all__ = ["Played", "Shrinker", "length_of"]

_ROUNDS = 8
_ANEW = 16
"""Fresh cases of each shorter length that are tried at the end."""
Item = tuple[Any, bool]
"""An action of a script (None: the lowest legal one), and whether it goes against the mask."""
_MOVED = 8
"""Rows of a batch, or seats, whose actions are tried earlier than those of the others."""


class Played(NamedTuple):
    """What a case comes to: its actions (None if they cannot be had), those against the mask, and the episode before."""

    actions: list[Any] | None = None
    wild: Sequence[int] = ()
    before: list[Any] | None = None


def length_of(case: Case, law: str) -> int:
    """The steps of a case that a law needs: those of the episode, and of the one before where the law plays it."""
    steps = case.length if case.script is None else len(case.script)
    return steps + (case.before if law == "reset_forgets" else 0)


class Shrinker:
    """Makes a case shorter as long as `test` says that the same law is broken; `test` is asked at most `budget` times.

    `played` says what a case with a policy comes to, so that it can be written out as a script.
    """

    def __init__(
        self, law: str, test: Callable[[Case], Broken | None], played: Callable[[Case], Played], budget: int = 400,
        seconds: float = 60.0,
    ) -> None:  # fmt: skip
        self.law, self._test, self._played, self.left = law, test, played, budget
        self._until = time.monotonic() + seconds
        self._known: dict[str, Broken | None] = {}

    def fails(self, case: Case) -> Broken | None:
        """How the law is broken under this case, if it is."""
        key = repr(case)
        if key not in self._known:
            if self.left <= 0 or time.monotonic() > self._until:
                return None
            self.left -= 1
            self._known[key] = self._test(case)
        return self._known[key]

    def shrink(self, case: Case) -> Case:
        """The shortest case found."""
        best = self._rounds(self._written(case))
        for other in self._beginnings(best):
            if self.fails(other):
                return self._rounds(self._written(other))
        return best

    def _written(self, case: Case) -> Case:
        """The case with its policies' actions written out as far as the law needs them."""
        actions, wild, before = self._played(case)
        return self._prefixed(self._scripted(case, actions, wild), before)

    def _scripted(self, case: Case, actions: list[Any] | None, wild: Sequence[int]) -> Case:
        """The case with its actions written out and cut where the law was seen to be broken."""
        broken = self.fails(case)
        if actions is None:
            lengths = range(1, case.length) if broken is None else [*range(min(broken.step + 1, case.length))]
            return next((c for c in (case.replace(length=n) for n in sorted(lengths)[-3:]) if self.fails(c)), case)
        items = [(action, i in wild) for i, action in enumerate(actions)]
        ends = [] if broken is None else [broken.step, broken.step + 1, broken.step + 2]
        for end in [e for e in ends if e < len(items)] + [len(items)]:
            found = _with(case, items[:end])
            if self.fails(found):
                return found
        return case

    def _prefixed(self, case: Case, before: list[Any] | None) -> Case:
        nothing = case.replace(before=0, prefix=None)
        if self.fails(nothing):
            return nothing
        if before:
            found = case.replace(before=len(before), prefix=tuple(before))
            if self.fails(found):
                return found
        return case

    def _rounds(self, case: Case) -> Case:
        for _ in range(_ROUNDS):
            smaller = self._numbers(self._earlier(self._lower(self._drop_before(self._drop(case)))))
            if smaller == case:
                break
            case = smaller
        return case

    # --- the actions ---
    def _drop(self, case: Case) -> Case:
        """Leave out stretches of steps, from halves down to single steps."""
        if case.script is None:
            return self._shorter(case)
        return self._fewer(case, _items(case), _with)

    def _fewer(self, case: Case, items: list[Any], build: Callable[[Case, list[Any]], Case]) -> Case:
        """Delta debugging: leave out halves of the items, then smaller runs, down to single ones, from the end."""
        size = max(1, len(items) // 2)
        while items:
            at, dropped = len(items), False
            while at > 0:
                rest = items[: max(0, at - size)] + items[at:]
                found = build(case, rest)
                if self.fails(found):
                    items, case, dropped = rest, found, True
                at -= size
            if size == 1 and not dropped:
                break
            size = max(1, size // 2)
        return case

    def _shorter(self, case: Case) -> Case:
        """Fewer steps of a policy, where its actions cannot be written out."""
        low, high = 0, case.length
        while low < high:
            middle = (low + high) // 2
            if self.fails(case.replace(length=middle)):
                high = middle
            else:
                low = middle + 1
        found = case.replace(length=high)
        return found if self.fails(found) else case

    def _drop_before(self, case: Case) -> Case:
        """The same for the episode before."""

        def build(case: Case, rest: list[Any]) -> Case:
            return case.replace(prefix=tuple(rest), before=len(rest))

        return self._fewer(case, list(case.prefix or ()), build)

    def _lower(self, case: Case) -> Case:
        """Lowest legal actions wherever others do not matter; seats and parts one by one where they do."""
        for n in range(len(case.script or ())):
            items = _items(case)
            for other in _lower_items(items[n][0]):
                found = _with(case, [*items[:n], (other, items[n][1]), *items[n + 1 :]])
                if self.fails(found):
                    case, items = found, _items(found)
                    if other is None:
                        break
        return case

    def _earlier(self, case: Case) -> Case:
        """One row of a batch, or one seat, does at once what it does late: then they need not wait for each other."""
        items = _items(case) if case.pinned in ("vector", "parallel") else []
        for length in range(1, len(items)):
            for who in _whose(items)[:_MOVED]:
                for by in range(1, len(items) - length + 1):
                    found = _with(case, [_merged(items[n], items[n + by], who) for n in range(length)])
                    if self.fails(found):
                        return found
        return case

    # --- the numbers ---
    def _numbers(self, case: Case) -> Case:
        """Smaller seeds, fewer options, and nothing special where nothing special is needed."""
        for name in ("cut", "fault", "mode", "seed", "policy", "mix", "wild"):
            for value in (0, 16, 8) if name == "cut" else (0, 1, 2, 3):
                if value == getattr(case, name):
                    break
                if (found := case.replace(**{name: value})) and self.fails(found):
                    case = found
                    break
        for name, _ in case.options:
            found = case.replace(options=tuple(pair for pair in case.options if pair[0] != name))
            if self.fails(found):
                case = found
        return case

    def _beginnings(self, case: Case) -> Iterator[Case]:
        """Shorter cases with other seeds and actions: what cannot be reached by leaving out may be found anew."""
        steps = length_of(case, self.law)
        for length in range(0, min(steps - 1, 8)):
            for k in range(_ANEW):
                yield case.replace(script=None, scripted_wild=(), prefix=None, length=length, before=0 if k % 2 else length,
                                   seed=k, policy=k, mix=k % 4, cut=(0, 16, 8)[k % 3])  # fmt: skip


def _items(case: Case) -> list[Item]:
    return [(action, i in case.scripted_wild) for i, action in enumerate(case.script or ())]


def _with(case: Case, items: list[Item]) -> Case:
    wild = tuple(i for i, (_, against) in enumerate(items) if against)
    return case.replace(script=tuple(action for action, _ in items), scripted_wild=wild, length=len(items))


def _whose(items: list[Item]) -> list[Any]:
    """The rows (numbers) or seats (names) that have actions of their own in a script."""
    found: dict[Any, None] = {}
    for action, _ in items:
        if isinstance(action, dict | list):
            found.update(dict.fromkeys(action if isinstance(action, dict) else range(len(action))))
    return list(found)


def _merged(item: Item, other: Item, who: Any) -> Item:
    """The actions of one step, but one row or seat does what it does in another."""
    (action, wild), (instead, against) = item, other
    form = instead if action is None else action
    if isinstance(form, list):
        here, there = ([None] * len(form) if part is None else part for part in (action, instead))
        made: Any = [*here[:who], there[who], *here[who + 1 :]]
        empty = all(part is None for part in made)
    else:
        made = {**(action or {}), who: (instead or {}).get(who)}
        empty = all(part is None for part in made.values())
    return None if empty else made, wild or against


def _lower_items(action: Any) -> list[Any]:
    """Simpler things to do than an action, the simplest first."""
    if action is None:
        return []
    if isinstance(action, dict) and len(action) > 1:
        return [None, *({k: v if k == keep else _zero(v) for k, v in action.items()} for keep in list(action)[:8])]
    if isinstance(action, list) and 1 < len(action) <= 16:
        return [None, *([a if i == keep else _zero(a) for i, a in enumerate(action)] for keep in range(len(action)))]
    if isinstance(action, str) and len(action) > 1:
        return [None, action[: len(action) // 2], action[len(action) // 2 :]]
    return [None]


def _zero(value: Any) -> Any:
    """The lowest value of the same form."""
    if isinstance(value, dict):
        return {name: _zero(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_zero(part) for part in value]
    return type(value)() if isinstance(value, int | float | str) else value
