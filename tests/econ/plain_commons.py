"""The rules of the commons in plain Python, written from the specification: slow, one episode, lists and ifs."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np

from ludarium.envs.core.rng import draw, draw_below, episode_key
from ludarium.envs.econ.commons.config import CommonsConfig

BIG = 1 << 32


def grown(config: CommonsConfig, left: int) -> int:
    """The next stock, by fractions (power growth by search)."""
    rate = Fraction(round(config.growth_rate * 10_000), 10_000)
    kind = config.growth or ("inflow" if config.scenario == "irrigation" else "doubling")
    if kind == "doubling":
        found = left + int(rate * left)
    elif kind == "logistic":
        found = left + (rate * left * (1 - Fraction(left, config.cap))).__floor__()
    elif kind == "inflow":
        found = left + int(rate * config.cap / 2)
    else:
        share = Fraction(round(config.exponent * 100), 100)
        p, q = share.numerator, share.denominator
        found = max(x for x in range(config.cap + 1) if x**q <= config.cap ** (q - p) * left**p)
    return min(found, config.cap)


def coming_back(config: CommonsConfig, stock: int) -> int:
    """The most that can be taken so that it comes back."""
    for taken in range(stock, 0, -1):
        left = stock - taken
        if left >= config.threshold and grown(config, left) >= stock:
            return taken
    return 0


def shares(wants: list[int], stock: int, lots: list[Any]) -> list[int]:
    """Proportional shares by largest remainder, equals by their lots."""
    total = sum(wants)
    exact = [Fraction(want * stock, total) for want in wants]
    found = [int(x) for x in exact]
    order = sorted(range(len(wants)), key=lambda i: (found[i] - exact[i], lots[i]))
    for i in order[: stock - sum(found)]:
        found[i] += 1
    return found


def winner(rule: str, ballots: list[int], dictator: int) -> int:
    """The candidate of four who wins; of equals the first one."""
    if rule == "random_dictator":
        turn = [ballots[(dictator + k) % len(ballots)] for k in range(len(ballots))]
        return next((b for b in turn if 0 <= b < 4), 0)
    points = [0] * 4
    for ballot in ballots:
        for k in range(4):
            if rule == "plurality":
                points[k] += ballot == k
            elif rule == "approval" and 0 <= ballot < 16:
                points[k] += ballot >> k & 1
            elif rule == "score" and 0 <= ballot < 81:
                points[k] += ballot // 3**k % 3
    if rule in ("plurality", "approval", "score"):
        return points.index(max(points))
    orders = list(itertools.permutations(range(4)))
    cast = [orders[b] for b in ballots if 0 <= b < 24]
    alive = [0, 1, 2, 3]
    if rule == "ranked":
        while len(alive) > 1:
            firsts = {k: sum(next(x for x in order if x in alive) == k for order in cast) for k in alive}
            alive.remove(min(alive, key=lambda k: (firsts[k], -k)))
        return alive[0]
    margin = {
        (a, b): sum(1 if o.index(a) < o.index(b) else -1 for o in cast) for a, b in itertools.permutations(range(4), 2)
    }
    for a in alive:
        if all(margin[a, b] > 0 for b in alive if b != a):
            return a
    worst = [min(0, *(margin[a, b] for b in alive if b != a)) for a in alive]
    return worst.index(max(worst))


class PlainCommons:
    """An episode. `step` takes the harvesters' choices (number and text), and the governor's rules."""

    def __init__(self, config: CommonsConfig, seed: int, stock: int, names: list[int]) -> None:
        self.c, self.n = config, config.num_harvesters
        self.key, self.names = np.uint64(episode_key(seed)), names
        self.stock, self.round, self.over, self.t = stock, 0, False, 0
        n = self.n
        self.cash, self.treasury, self.got = [0] * n, 0, [0] * n
        self.pledge, self.limit, self.accused, self.spoken = [-1] * n, [-1] * n, [-1] * n, [b""] * n
        self.quota = -1 if config.quota is None else config.quota
        self.fee, self.fine, self.audit = config.fee, config.fine, round(config.audit * 100)
        self.speaker, self.slate, self.said, self.quiet = -1, [-1] * 4, 0, 0
        self.kept, self.promised, self.harvested = 0, 0, 0
        self.phase = self.order()[0]

    def luck(self, stream: int, a: int, b: int, below: int) -> int:
        """A draw of the world."""
        return int(draw_below(self.key, stream, a, b, 0, below))

    def there(self, played: int) -> list[int]:
        """Who takes part."""
        late = self.c.newcomer and played + 1 < self.c.newcomer
        return list(range(self.n - 1 if late else self.n))

    def order(self) -> list[str]:
        """The phases of this round."""
        c, last = self.c, self.round == self.c.rounds - 1
        return [
            name
            for name, held in (
                ("govern", c.governor), ("pledge", c.pledges), ("harvest", True), ("talk", c.utterances and not last),
                ("vote", c.voting != "none" and not last), ("punish", c.punishment),
            )
            if held
        ]  # fmt: skip

    def asked(self) -> list[int]:
        """The seats that act now."""
        if self.phase == "govern":
            return [self.n]
        return [self.speaker] if self.phase == "talk" else self.there(self.round)

    def step(
        self, choices: list[int], texts: list[bytes], rule: list[int] | None
    ) -> tuple[list[float], list[str], str]:
        """Rewards of all seats, faults, and `lost`, `done` or nothing."""
        self.t += 1
        seats = self.n + self.c.governor
        before, faults = list(self.cash), ["none"] * seats
        governed, end = 0.0, True
        if self.phase == "govern":
            assert rule is not None
            self.govern(rule)
        elif self.phase == "pledge":
            for i in self.there(self.round):
                if choices[i] > self.c.cap + 1:
                    faults[i] = "no_choice"
                elif choices[i] <= self.c.cap:
                    self.pledge[i] = choices[i]
        elif self.phase == "harvest":
            governed = float(self.harvest(choices, faults))
        elif self.phase == "talk":
            end = self.talk(choices[self.speaker], texts[self.speaker], faults)
        elif self.phase == "vote":
            self.vote(choices, faults)
        else:
            self.punish(choices, faults)
        lost, flag = self.phase == "harvest" and self.stock < self.c.threshold, ""
        if lost:
            flag = "lost"
        elif end:
            flag = self.go_on()
        if not flag and self.t >= self.c.max_steps:
            flag = "done"
        self.over = bool(flag)
        rewards = [(now - was) / 100 for now, was in zip(self.cash, before, strict=True)]
        return rewards + [governed] * self.c.governor, faults, flag

    def go_on(self) -> str:
        """Enter the next phase, or the next round."""
        order = self.order()
        at = order.index(self.phase) + 1
        if at < len(order):
            self.phase = order[at]
            if self.phase == "talk":
                self.said = self.quiet = 0
                self.limit, self.accused, self.spoken = [-1] * self.n, [-1] * self.n, [b""] * self.n
                self.speaker = self.next_speaker()
            if self.phase == "vote":
                self.nominate()
            return ""
        if self.c.rebate:
            here = self.there(self.round)
            each = self.treasury // len(here)
            for i in here:
                self.cash[i] += each
                self.treasury -= each
        self.stock = grown(self.c, self.stock)
        if draw_bits(self.key, 7, self.round, 0) / BIG < round(self.c.shock * BIG):
            self.stock -= self.stock * round(self.c.shock_size * 10_000) // 10_000
        self.round += 1
        if self.round == self.c.rounds:
            return "done"
        self.phase = self.order()[0]
        return ""

    def govern(self, rule: list[int]) -> None:
        """Rules by their numbers."""
        self.quota = rule[0] - 2 if rule[0] else self.quota
        self.fee = 10 * rule[1] - 10 if rule[1] else self.fee
        self.fine = 100 * rule[2] - 100 if rule[2] else self.fine
        self.audit = 10 * rule[3] - 10 if rule[3] else self.audit

    def harvest(self, choices: list[int], faults: list[str]) -> int:
        """Allocation, fees, audits."""
        wants = [0] * self.n
        for i in self.there(self.round):
            faults[i] = "no_choice" if choices[i] > self.c.cap else "none"
            wants[i] = choices[i] if choices[i] <= self.c.cap else 0
        if sum(wants) <= self.stock:
            self.got = list(wants)
        elif self.c.lottery:
            self.got = self.lots(wants)
        else:
            ties = [int(draw_bits(self.key, 4, self.round, self.names[i])) for i in range(self.n)]
            self.got = shares(wants, self.stock, ties)
        self.stock -= sum(self.got)
        for i, x in enumerate(self.got):
            self.cash[i] += 100 * x
            fee, fine = self.fee * x, 0
            if 0 <= self.quota < x and self.luck(5, self.round, self.names[i], 100) < self.audit:
                fine = min(self.fine * (x - self.quota), self.cash[i] - fee)
            self.cash[i] -= fee + fine
            self.treasury += fee + fine
            if self.pledge[i] >= 0:
                self.promised += 1
                self.kept += wants[i] <= self.pledge[i] or i not in self.there(self.round)
            self.pledge[i] = -1
        self.harvested += sum(self.got)
        return sum(self.got)

    def lots(self, wants: list[int]) -> list[int]:
        """Each unit to one of those still wanted, laid out in the order of names."""
        got = [0] * self.n
        for k in range(self.stock):
            urn = [i for i in sorted(range(self.n), key=self.names.__getitem__) for _ in range(wants[i] - got[i])]
            got[urn[self.luck(3, self.round, k, len(urn))]] += 1
        return got

    def next_speaker(self) -> int:
        """Round the table by name."""
        first, here = self.luck(2, self.round, 0, self.n), self.there(self.round)
        seats = [self.names.index((first + k) % self.n) for k in range(self.n)]
        turns = [seat for seat in seats if seat in here]
        return turns[self.said % len(turns)]

    def talk(self, choice: int, text: bytes, faults: list[str]) -> bool:
        """One turn; whether the discussion ends."""
        i, cap, c = self.speaker, self.c.cap, self.c
        here = self.there(self.round)
        grammar = [("", 0)] + [("limit", k) for k in range(cap + 1)] + [("promise", k) for k in range(cap + 1)]
        grammar += [("accuse", j) for j in range(self.n)]
        spoke = False
        if choice >= len(grammar):
            faults[i] = "no_choice"
        else:
            verb, number = grammar[choice]
            if verb == "accuse" and (number == i or number not in here):
                faults[i] = "oneself" if number == i else "absent"
            elif (verb or text.strip(b"\0")) and self.cash[i] < c.talk_cost:
                faults[i] = "no_money"
            elif verb or text.strip(b"\0"):
                spoke = True
                self.cash[i] -= c.talk_cost
                self.treasury += c.talk_cost
                self.spoken[i] = text
                if verb == "limit":
                    self.limit[i] = number
                elif verb == "promise":
                    self.pledge[i] = number
                elif verb == "accuse":
                    self.accused[i] = number
        self.quiet = 0 if spoke else self.quiet + 1
        self.said += 1
        if self.said == c.utterances or self.quiet >= len(here):
            self.speaker = -1
            return True
        self.speaker = self.next_speaker()
        return False

    def nominate(self) -> None:
        """The quotas that stand."""
        fair, heads = coming_back(self.c, grown(self.c, self.stock)), len(self.there(self.round + 1))
        named = [x for x in self.limit if x >= 0]
        most = min(named, key=lambda x: (-named.count(x), x)) if named else fair // (2 * heads)
        self.slate = [self.quota, -1, fair // heads, most]

    def vote(self, choices: list[int], faults: list[str]) -> None:
        """Ballots by name."""
        cast = [-1] * self.n
        for i in self.there(self.round):
            faults[i] = "no_choice" if choices[i] >= self.c.ballots else "none"
            cast[self.names[i]] = choices[i] if choices[i] < self.c.ballots else -1
        self.quota = self.slate[winner(self.c.voting, cast, self.luck(6, self.round, 0, self.n))]

    def punish(self, choices: list[int], faults: list[str]) -> None:
        """Costs first, then fines."""
        here, hit = self.there(self.round), [0] * self.n
        for i in here:
            j = choices[i] - 1
            if j < 0:
                continue
            if j >= self.n:
                faults[i] = "no_choice"
            elif j == i:
                faults[i] = "oneself"
            elif j not in here:
                faults[i] = "absent"
            elif self.cash[i] < self.c.punish_cost:
                faults[i] = "no_money"
            else:
                self.cash[i] -= self.c.punish_cost
                self.treasury += self.c.punish_cost
                hit[j] += self.c.punish_fine
        for j in range(self.n):
            taken = min(hit[j], self.cash[j])
            self.cash[j] -= taken
            self.treasury += taken


def draw_bits(key: Any, stream: int, a: int, b: int) -> int:
    """All 64 bits of a draw."""
    return int(draw(key, stream, a, b, 0))
