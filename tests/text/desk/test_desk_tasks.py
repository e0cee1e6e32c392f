"""Tasks: sizes, acceptance, goals. What the generator promises is checked here by playing plans anew."""

from __future__ import annotations

import copy

import pytest
from text.desk.table_of_agents import DOMAINS, begun

from ludarium.envs.core.errors import ConfigError, InstanceError
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.text.desk.config import DeskConfig
from ludarium.envs.text.desk.domain import domain_named
from ludarium.envs.text.desk.goal import goal_of, heard, reached, shares
from ludarium.envs.text.desk.tables import Base, Tables
from ludarium.envs.text.desk.tasks import draw_task, fresh_desk, mutations, refusal, run_plan, shape, writes_of
from ludarium.envs.text.desk.tools import ToolError

PLACE = (0, 500)


def drawn(name, seeds, split="all"):
    domain = domain_named(name)
    return [draw_task(domain, seed, *PLACE, "any", split, 3) for seed in seeds]


@pytest.mark.parametrize("name", DOMAINS)
def test_each_domain_has_its_size(name):
    domain = domain_named(name)
    assert len(domain.tools) >= 12
    assert len(domain.rules) >= 25
    assert len({rule.id for rule in domain.rules}) == len({rule.text for rule in domain.rules}) == len(domain.rules)
    assert len(domain.wishes) >= 12
    assert all(set(rule.tools) <= set(domain.tools) and rule.tools for rule in domain.rules)
    assert set(domain.phrases) >= {t.name for t in domain.tools.values() if t.kind != "read"}
    assert set(domain.reports) == set(domain.cues) == set(domain.user_tools)


@pytest.mark.parametrize("split", ["train", "val", "test"])
@pytest.mark.parametrize("name", DOMAINS)
def test_a_split_has_three_hundred_tasks_of_a_hundred_shapes(name, split):
    tasks = drawn(name, range(300), split)
    assert len({shape(task) for task in tasks}) >= 100
    assert len({str(task["wishes"]) for task in tasks}) >= 295
    places = {int(task["customer"][2:]) % 3 for task in tasks}
    assert places == {(10000 + ("train", "val", "test").index(split)) % 3}
    assert {task["persona"] for task in tasks} == {"terse", "chatty", "impatient", "mistaken", "adversarial"}


@pytest.mark.parametrize("name", DOMAINS)
def test_every_kind_of_wish_comes_and_most_rules_deny_something(name):
    tasks = drawn(name, range(400))
    wishes = [wish for task in tasks for wish in task["wishes"]]
    assert {wish["kind"] for wish in wishes} == set(domain_named(name).wishes)
    assert len({wish["rule"] for wish in wishes} - {""}) >= 20


@pytest.mark.parametrize("name", DOMAINS)
def test_accepted_tasks_are_what_they_promise(name):
    domain = domain_named(name)
    for task in drawn(name, range(60)):
        begin = fresh_desk(domain, *PLACE, task)
        desk = begin.copy()
        assert run_plan(domain, desk, writes_of(task)) == []

        def fits(after, begin=begin, task=task):
            pairs = ((begin.db, after.db, task["goal"]), (begin.user_db, after.user_db, task["user_goal"]))
            return all(reached(*pair) for pair in pairs)

        assert fits(desk)
        plan = [c for c in writes_of(task) if c["name"] != "transfer_to_human" and c["name"] != "test_data"]
        assert fits(begin) == (not plan)
        assert plan or task["tell"] or task["transfer"]
        for mutated in mutations(domain, task, begin):
            if {c["name"] for c in mutated} ^ {c["name"] for c in writes_of(task)} == {"transfer_to_human"}:
                continue  # told apart by the end of the conversation
            trial = begin.copy()
            try:
                run_plan(domain, trial, mutated)
            except ToolError:
                continue
            assert not fits(trial), mutated
        for wish in task["wishes"]:
            assert (wish["verdict"] == "deny") == bool(wish["rule"]) == bool(wish["blind"])


@pytest.mark.parametrize("name", DOMAINS)
def test_reads_never_change_a_hash(name):
    domain = domain_named(name)
    for task in drawn(name, range(25)):
        desk = fresh_desk(domain, *PLACE, task)
        before = desk.db.hash(), desk.user_db.hash()
        for wish in task["wishes"]:
            for call in wish["reads"]:
                assert domain.tools_of(call.get("seat", "agent"))[call["name"]].kind == "read"
            try:
                run_plan(domain, desk, wish["reads"])
            except ToolError:
                continue
        assert (desk.db.hash(), desk.user_db.hash()) == before


def test_equal_seeds_draw_equal_tasks_and_others_do_not():
    assert drawn("retail", [7]) == drawn("retail", [7])
    assert drawn("retail", [7]) != drawn("retail", [8])


def test_a_task_drawn_again_is_equal_and_another_object():
    desk = make_simulator("text-desk-v0")
    task = desk.instance(7)
    assert task == draw_task(desk.domain, 7, *PLACE, "any", "all", 3)
    task["wishes"].clear()
    assert desk.instance(7)["wishes"]


def test_goals_accept_every_right_state_and_no_other():
    base = Base({"t": {"A": {"a": 1, "b": 1}, "B": {"a": 5, "b": 5}}, "new": {}})
    start, gold = Tables(base), Tables(base)
    gold.update("t", "A", a=2)
    gold.put("new", "N1", {"to": "x"})
    goal = goal_of(start, gold, {"to": [["x", "y"]]})
    assert reached(start, gold, goal)
    other = start.copy()
    other.put("new", "N7", {"to": "y"})
    assert not reached(start, other, goal)
    assert shares(start, other, goal) == 0.5
    other.update("t", "A", a=2.0)
    assert reached(start, other, goal)
    other.update("t", "B", b=6)
    assert not reached(start, other, goal)
    other.update("t", "B", b=5)
    other.put("new", "N8", {"to": "y"})
    assert not reached(start, other, goal)
    other.delete("new", "N8")
    other.delete("t", "B")
    assert not reached(start, other, goal)


def test_facts_are_heard_whatever_their_spelling_but_not_inside_other_numbers():
    assert heard(["$1250.00", "TR12345"], ["It comes to $1,250.00.", "The code is tr12345"]) == 2
    assert heard(["$9.00"], ["$19.00", "$9.005", "9.00x"]) == 0
    assert heard(["2 GB"], ["12 GB", "2 GB of 10"]) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: [], "a task is a table"),
        (lambda t: t.pop("goal"), "a task is a table"),
        (lambda t: t.update(domain="travel"), "of the domain 'travel'"),
        (lambda t: t["goal"].update(changed=[], added=[]), "rejected"),
        (lambda t: t.update(customer="nobody"), "rejected|does not fit"),
        (lambda t: t.update(wishes=[{}]), "does not fit"),
        (lambda t: t.update(init=[["orders", "none", {}]]), "does not fit"),
    ],
)
def test_given_tasks_are_checked(change, words):
    batch = begun(0)
    task = next(t for t in drawn("retail", range(20)) if t["goal"]["changed"])
    batch.simulator.load(batch.state, 0, copy.deepcopy(task))
    changed = change(task)
    with pytest.raises(InstanceError, match=words):
        batch.simulator.load(batch.state, 0, changed if changed == [] else task)


def test_a_plan_that_breaks_a_rule_is_rejected():
    domain = domain_named("retail")
    task = next(t for t in drawn("retail", range(60)) if any(w["verdict"] == "deny" for w in t["wishes"]))
    wish = next(w for w in task["wishes"] if w["verdict"] == "deny")
    wish["verdict"], wish["writes"] = "allow", wish["blind"]
    assert refusal(domain, task, *PLACE) == f"the gold plan breaks {wish['rule']}"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"domain": "hotel"}, "retail"), ({"persona": "kind"}, "terse"), ({"split": "dev"}, "train"),
        ({"max_wishes": 0}, "at least 1"), ({"customers": 5}, "at least 30"), ({"max_tool_errors": 0}, "at least 1"),
        ({"max_message_tokens": 10**9}, "at most"),
    ],
)  # fmt: skip
def test_bad_configs_say_what_is_known(options, words):
    with pytest.raises(ConfigError, match=words):
        DeskConfig.of(**options)
