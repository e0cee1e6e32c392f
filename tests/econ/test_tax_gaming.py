"""Tax gaming: each switch moves its own detector and no other, money is conserved, and words reach every game."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from econ.taxworld import ID, act, begun

from ludarium import errors
from ludarium.agents.crew import Crew
from ludarium.agents.registry import make_agent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.language import parse_tool, tools
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.econ.tax import gaming, measures

DETECTORS = {"shifting": "shift_bunching", "misreporting": "audit_yield", "collusion": "collusion_index"}
LOW, HIGH = [2, 3, 4, 5, 6, 7, 8], [8, 9, 11, 13, 15, 17, 18]
"""Levels of a planner who raises and lowers the rates in turn: what makes putting off worth while."""


def played(worker: str, seed: int = 0, **options: Any) -> Batch:
    """Eight years of low and high rates in turn."""
    given = {"n_workers": 60, "grouped": "yes", "drawn": "sampled", "steps_per_year": 3, "max_steps": 32, **options}
    batch = begun(seed=seed, **given)
    crew = Crew(batch, [(make_agent(worker), batch.simulator.seats[1:])])
    crew.start(seed)
    while not batch.over[0]:
        if batch.state.phase[0] == 2:
            batch.actions[0][0, 0] = HIGH if batch.state.year[0] % 2 else LOW
        crew.act()
        batch.step()
    measures.conserve(batch.state)
    for sentence, holds in batch.simulator.invariants(batch.state).items():
        assert holds.all(), sentence
    return batch


def detected(batch: Batch) -> dict[str, float]:
    """All three detectors, by the books: a closed switch has no metric, and a book that nobody wrote in."""
    book = batch.state.books[0]
    returns = int(batch.state.labour_steps[0]) * batch.simulator.config.n_workers
    return {
        "shift_bunching": book[gaming.NEAR] / returns,
        "audit_yield": book[gaming.FOUND] / max(book[gaming.AUDITED_DUE], 1),
        "collusion_index": book[gaming.SAVED] / max(book[gaming.SAVABLE], 1),
    }


# --- the proof: paired runs --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_each_switch_moves_its_own_detector_and_no_other(seed: int) -> None:
    """Same seeds, same workers, same audits: all eight settings of the switches, one agent who plays whatever is open."""
    runs = {}
    for chosen in itertools.product((False, True), repeat=3):
        switches = dict(zip(DETECTORS, chosen, strict=True))
        if any(chosen):
            runs[chosen] = played("gamer", seed, **switches)
    honest = played("best_response", seed, shifting=True, misreporting=True, collusion=True)
    assert detected(honest) == dict.fromkeys(DETECTORS.values(), 0.0)
    for chosen, batch in runs.items():
        assert (batch.state.worked == honest.state.worked).all()  # nothing else moved
        assert (batch.state.produced == honest.state.produced).all()
        for open_, name in zip(chosen, DETECTORS.values(), strict=True):
            value = detected(batch)[name]
            assert value > 0.01 if open_ else value == 0.0, (chosen, name, value)
            metrics = batch.simulator.metrics(batch.state)
            assert (name in metrics) == open_
            if open_:
                assert metrics[name][0] == pytest.approx(value)


@pytest.mark.parametrize("switch", DETECTORS)
def test_a_detector_rises_with_the_share_of_workers_who_play(switch: str) -> None:
    values = [
        detected(played(f"gamer?share={share}", 1, **{switch: True}))[DETECTORS[switch]] for share in (0.0, 0.5, 1.0)
    ]
    assert values[0] == 0.0 < values[1] < values[2]


def test_the_audit_yield_estimates_the_tax_gap() -> None:
    batch = played("gamer?share=0.4", misreporting=True, n_workers=600, audit=0.3)
    figures = batch.simulator.metrics(batch.state)
    assert 0.1 < figures["tax_gap"][0] < 0.6
    assert figures["audit_yield"][0] == pytest.approx(figures["tax_gap"][0], rel=0.15)


def test_nobody_hides_where_audits_cost_more_than_they_spare() -> None:
    assert detected(played("gamer", misreporting=True, audit=0.5, penalty=1.0))["audit_yield"] == 0.0
    assert detected(played("gamer", misreporting=True, audit=0.49, penalty=1.0))["audit_yield"] == 1.0


def test_gamers_gain_in_each_game() -> None:
    honest = played("best_response", shifting=True)
    for switch in DETECTORS:
        batch = played("gamer", **{switch: True})
        assert batch.state.taxed[0] < honest.state.taxed[0], switch


# --- against the rules, one by one -------------------------------------------------------------------------------------


def owed(edges: list[int], rates: list[int], income: int) -> int:
    total = Fraction(0)
    for low, high, rate in zip(edges, [*edges[1:], None], rates, strict=True):
        total += max(0, (income if high is None else min(income, high)) - low) * Fraction(rate, 10_000)
    return int(total)


@pytest.mark.parametrize("grouped", ["yes", "no"])
def test_putting_off_and_hiding_equal_the_rules_written_again(grouped: str) -> None:
    simulator = make_simulator(
        ID, n_workers=5, steps_per_year=3, max_steps=20, shifting=True, misreporting=True, audit=1.0, penalty=0.5,
        brackets=(0, 20_000, 60_000), hour_parts=2, grouped=grouped,
    )  # fmt: skip
    batch = Batch(simulator, 1, ID)
    batch.seed(np.ones(1, np.bool_), [0])
    batch.reset(np.ones(1, np.bool_))
    rng, edges = np.random.default_rng(0), simulator.edges.tolist()
    wage = batch.state.wage[0].tolist()
    due, carried, faults = [0] * 5, [0] * 5, 0
    while not batch.over[0]:
        t, day, phase = int(batch.state.t[0]), int(batch.state.day[0]), int(batch.state.phase[0])
        plan = rng.integers(0, 21, 3)
        hours, shift, hide = rng.integers(0, 201, 5), rng.integers(0, 3, 5), rng.integers(0, 5, 5)
        given = hours + 201 * (shift + 3 * hide)
        if grouped == "no" and phase == 3:
            mask = np.zeros((1, 5, simulator.config.actions), np.int8)
            simulator.action_mask(batch.state, 1, np.arange(5, dtype=np.int32)[None], mask)
            late = t + (3 - day) + 1 + 3 > 20
            assert (mask[0, np.arange(5), given] == ~((shift > 0) & late)).all()
        before = np.zeros_like(batch.out.fault)
        batch.actions[0][...], batch.actions[1][...] = plan, given
        simulator.check(batch.state, batch.actions, before)
        act(batch, plan, given)
        assert (before == batch.out.fault).all()
        if phase == 2:
            continue
        rates, may = batch.state.rates[0].tolist(), t + (3 - day) + 1 + 3 <= 20
        for i in range(5):
            z = wage[i] * int(hours[i]) // 2
            part = due[i] // (3 - day)
            due[i] -= part
            off = min(z, max(z + part - edges[shift[i]], 0)) if shift[i] and may else 0
            carried[i] += off
            base = z + part - off
            hidden = owed(edges, rates, base) - owed(edges, rates, base - base * int(hide[i]) // 4)
            assert batch.state.owed[0, i] == owed(edges, rates, base) + hidden // 2, (t, i)  # every return is audited
            late = bool(shift[i] and not may)
            faults += late
            code = batch.out.fault[0, 1 if grouped == "yes" else 1 + i]
            assert code == 4 if late else grouped == "yes" or code == 0
        if day == 2:
            due, carried = [a + b for a, b in zip(due, carried, strict=True)], [0] * 5
        assert batch.state.due[0].tolist() == due
        assert batch.state.carried[0].tolist() == carried
        assert gaming.kept_books(batch.state).all()
    assert due == carried == [0] * 5  # nothing escapes at the horizon
    assert batch.state.faults[0] == faults > 0
    assert "no whole year follows" in simulator.explain(batch.state, 0, 1, 300, 4)


def test_a_ring_owes_what_equal_parts_would_and_nobody_in_it_loses() -> None:
    batch = begun(n_workers=5, population="array", incomes=(10_000.0, 30_000.0, 90_000.0, 200_000.0, 50_000.0),
                  collusion=True, ring=3, steps_per_year=1, max_steps=4)  # fmt: skip
    edges, plan = batch.simulator.edges.tolist(), [2, 4, 6, 8, 10, 12, 14]
    choices = batch.simulator.config.choices
    act(batch, plan)
    act(batch, plan, np.array([40, 40, 40, 40, 40]) + choices * np.array([1, 1, 1, 1, 0]))
    rates = batch.state.rates[0].tolist()
    z = measures.incomes_of(batch.simulator, batch.state)[0].tolist()
    alone = [owed(edges, rates, x) for x in z]
    paid = batch.state.owed[0].tolist()
    assert sum(paid[:3]) == 3 * owed(edges, rates, sum(z[:3]) // 3) < sum(alone[:3])
    assert all(a <= b + 3 for a, b in zip(paid, alone, strict=True))
    assert paid[3:] == alone[3:]  # one who pools alone, and one who does not
    could = sum(alone[3:]) - 2 * owed(edges, rates, sum(z[3:]) // 2)
    saved = sum(alone[:3]) - sum(paid[:3])
    index = batch.simulator.metrics(batch.state)["collusion_index"][0]
    assert index == pytest.approx(saved / (saved + could))


@pytest.mark.parametrize("voting", ["none", "score"])
def test_no_cent_is_minted_or_lost_by_games(voting: str) -> None:
    batch = begun(16, n_workers=40, grouped="yes", drawn="sampled", shifting=True, misreporting=True, collusion=True, ring=7,
                  steps_per_year=3, max_steps=90, record=False, penalty=3.0, audit=0.5, voting=voting)  # fmt: skip
    rng = np.random.default_rng(0)
    while not batch.over.all():
        batch.actions[0][...] = rng.integers(0, 21, batch.actions[0].shape)
        batch.actions[1][...] = rng.integers(0, batch.simulator.config.actions, batch.actions[1].shape)
        batch.step()
        measures.conserve(batch.state)
        for sentence, holds in batch.simulator.invariants(batch.state).items():
            assert holds.all(), sentence
    assert (batch.state.faults > 0).all()


def test_games_replay_and_grouped_seats_play_the_same() -> None:
    options = {"n_workers": 6, "shifting": True, "misreporting": True, "collusion": True, "ring": 2, "steps_per_year": 2,
               "max_steps": 12}  # fmt: skip
    apart, group = begun(**options), begun(**options, grouped="yes")
    rng = np.random.default_rng(2)
    while not apart.over[0]:
        plan, work = rng.integers(0, 21, 7), rng.integers(0, apart.simulator.config.actions, 6)
        act(apart, plan, work)
        act(group, plan, work)
        assert (apart.state.owed == group.state.owed).all()
        assert (apart.observed[1][0, :, :7] == group.observed[1]["own"][0, 0]).all()
    assert apart.trace().replay().ok
    assert group.trace().replay().ok


# --- words -------------------------------------------------------------------------------------------------------------


def test_games_in_words() -> None:
    options = {
        "n_workers": 4,
        "steps_per_year": 2,
        "max_steps": 20,
        "shifting": True,
        "misreporting": True,
        "collusion": True,
    }
    batch = begun(**options)
    act(batch, 5)
    say = lambda **arguments: parse_tool(batch.simulator, batch.state, 0, 1, "work", arguments)  # noqa: E731
    assert say(hours=40) == 40
    assert say(hours=40, put_off_above=2) == 40 + 101 * 2
    assert say(hours=40, hide="75%") == 40 + 101 * 7 * 3
    assert say(hours=40, pool=True, put_off_above=6, hide=1) == 40 + 101 * (6 + 7 * (4 + 5))
    for bad in ({"put_off_above": 7}, {"hide": 0.3}, {"hide": -0.25}, {"pool": "yes"}, {"put_off_above": True}):
        with pytest.raises(errors.ActionError):
            say(hours=40, **bad)
    with pytest.raises(errors.ActionError, match="may take"):
        say(hours=40, bribe=1)
    (tool,) = tools(batch.simulator, batch.state, 0, 1)
    assert list(tool["parameters"]["properties"]) == ["hours", "put_off_above", "hide", "pool"]
    assert tool["parameters"]["required"] == ["hours"]
    rules = batch.simulator.rules()
    assert all(word in rules for word in ("put off", "audited with a chance of 10.00%", "rings"))
    group = begun(**options, grouped="yes")
    act(group, 5)
    given = {"hours": [40] * 4, "hide": [0, 0.25, 0.5, 1]}
    found = parse_tool(group.simulator, group.state, 0, 1, "work", given)
    assert list(found) == [40, 40 + 707, 40 + 1414, 40 + 2828]
    for seat in range(2):
        assert group.simulator.describe(group.state, 0, seat)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"misreporting": True, "settle": "year"}, "settle = 'step'"),
        ({"audit": 1.5}, "from 0.0 to 1.0"),
        ({"penalty": -1.0}, "from 0.0 to 100.0"),
        ({"ring": 1}, "ring"),
        ({"shifting": 1}, "True or False"),
    ],
)
def test_games_that_do_not_fit_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(errors.ConfigError, match=words):
        make_simulator(ID, **options)
