"""Plan and execute (Wang et al., ACL 2023, "plan-and-solve" with acts): a plan first, then its steps one by one.

The model says in each turn which step of the plan it is at; it may ask for a new plan, of which there are at most
`max_plans`.
"""

from __future__ import annotations

import re
from typing import Any

from ludarium.agents.contract import Decision, Turn
from ludarium.agents.llm.client import Completion
from ludarium.agents.llm.control import ControlState
from ludarium.agents.llm.parse import Reading, ReplyError, checked, read_action, read_tag
from ludarium.agents.llm.scaffold import Scaffold, Script, Setting

__all__ = ["PlanExecute"]

_PLAN = "Reply with a numbered plan of at most 12 short steps: <plan>\n1. ...\n2. ...\n</plan>"
_REPLAN = "<replan>why the plan no longer fits</replan>"


class PlanExecute(Scaffold):
    """One call a turn, one more for each plan."""

    form = (
        "You follow the plan. Reply with the number of the step that you are at, and one action towards it:\n"
        "<step>number</step>\n<action>the action</action>\n"
        f"If the plan cannot succeed any more, reply with {_REPLAN} alone; you will be asked for another."
    )
    options = frozenset({"max_plans"})

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.plan: list[str] = []
        self.plans_left = int(setting.options.get("max_plans", 4))

    def turn(self, turn: Turn) -> Script[Decision]:
        """Plan if there is no plan, then act by it; a plan that is given up is made anew at most once a turn."""
        if not self.plan:
            yield from self._make_plan(turn, "")
        prompt = self.prompt(turn)
        settled = yield from self.ask(prompt, lambda a: self._read(a, turn), turn, more=self._shown())
        if settled.value["replan"]:
            yield from self._make_plan(turn, settled.value["replan"])
            settled = yield from self.ask(prompt, lambda a: self._read(a, turn, True), turn, more=self._shown())
        self.remember(prompt, settled, turn)
        step = settled.value["step"]
        self.control = self.control.then(ControlState.of_subgoal(self.plan[step - 1])) if step else self.control.older()
        return self.decided(settled, settled.value["action"])

    def _shown(self) -> str:
        return "Your plan:\n" + "\n".join(f"{n}. {text}" for n, text in enumerate(self.plan, 1))

    def _make_plan(self, turn: Turn, why: str) -> Script[None]:
        """Ask for a plan."""
        self.plans_left -= 1
        before = f"The plan so far is given up: {why[:500]}\n{self._shown()}\n\n" if why else ""
        prompt = f"{before}Make a plan. You were told:\n{turn.observation}\n\n{_PLAN}"
        settled = yield from self.ask(prompt, _plan, form=_PLAN, history=False)
        self.plan = settled.value

    def _read(self, answer: Completion, turn: Turn, must_act: bool = False) -> Reading:
        text = checked(answer)
        cut = answer.finish == "length"
        again = None if "<action" in text.lower() else read_tag(text, "replan", cut)
        if again is not None:
            if must_act or self.plans_left < 1:
                raise ReplyError("no_action", "There will be no other plan now: act.")
            return Reading({"replan": again, "step": 0, "action": None})
        action = read_action(answer, turn.commands)
        number = re.search(r"\d+", read_tag(text, "step", True) or "")
        step = int(number[0][:4]) if number else 0
        value: dict[str, Any] = {
            "replan": "",
            "step": step if 1 <= step <= len(self.plan) else 0,
            "action": action.value,
        }
        return Reading(value, action.mended)


def _plan(answer: Completion) -> Reading:
    """The steps of a plan: numbered lines, or else all lines."""
    text = read_tag(checked(answer), "plan", answer.finish == "length")
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    numbered = [re.sub(r"^\d+\s*[.):]\s*", "", line) for line in lines if re.match(r"\d+\s*[.):]", line)]
    steps = [line[:200] for line in numbered or lines][:12]
    if not steps:
        raise ReplyError("no_action", "Your reply has no <plan>...</plan> with steps.")
    return Reading(steps)
