"""Staff by which tasks are measured: they know the task (view `state`), but must speak with the user as anyone does.

`desk-oracle` identifies, asks, declines by rule, proposes, waits for a yes, acts, and tells; it solves every task.
`desk-blind` does the same without a policy: whatever the user wants is done. `desk-never-asking` asks nobody anything: it
acts at once on what the first words say, and guesses the rest. `desk-idle` does nothing.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

from ludarium.agents.contract import Agent, Task, Turn
from ludarium.envs.core.errors import AgentError
from ludarium.envs.text.desk.domain import Domain, domain_named

__all__ = ["Blind", "Idle", "NeverAsking", "Oracle"]

_Script = Generator[str, dict[str, Any], None]
_ELSE = "Is there anything else I can do for you?"


class Oracle(Agent):
    """Follows the gold plan and the policy."""

    view = "state"
    information = "full"
    obeys = True

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Begin a script."""
        if task.id.split(":")[-1] != "text-desk-v0":
            raise AgentError(f"{type(self).__name__} serves at text-desk-v0, not at {task.id}")
        self._domain = domain_named(task.config.get("domain", "retail"))
        self._script: _Script | None = None
        self._calls = 0

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """The next line of the script."""
        ((seat, turn),) = turns.items()
        if seat != "agent_0":
            raise AgentError(f"{type(self).__name__} fills the seat agent_0, not {seat}")
        try:
            if self._script is None:
                self._script = self.script(self._domain, turn.observation["task"])
                return {seat: next(self._script)}
            return {seat: self._script.send(turn.observation)}
        except StopIteration:
            self._script = self._idle()
            return {seat: next(self._script)}

    def _idle(self) -> _Script:
        while True:
            yield f"All is done. {_ELSE}"

    def call(self, name: str, arguments: dict[str, Any]) -> str:
        """A call as a chat message."""
        self._calls += 1
        function = {"name": name, "arguments": json.dumps(arguments)}
        made = {"id": f"c{self._calls}", "type": "function", "function": function}
        return json.dumps({"role": "assistant", "content": None, "tool_calls": [made]})

    def script(self, domain: Domain, task: dict[str, Any]) -> _Script:
        """The whole conversation."""
        yield from self.identify(task)
        for wish in task["wishes"]:
            yield from self.serve(domain, task, wish)

    def identify(self, task: dict[str, Any]) -> _Script:
        """Find out who it is."""
        facts = {**task["facts"], **task["wrong"]}
        if "email" in facts:
            yield "Could you please tell me your email address?"
            yield self.call("find_customer_by_email", {"email": facts["email"]})
            return
        yield "Could you please tell me your full name and your zip code?"
        first, last = facts["name"].split(" ", 1)
        seen = yield self.call(
            "find_customer_by_name_and_zip", {"first_name": first, "last_name": last, "zip": facts["zip"]}
        )
        if "error" in json.loads(seen["messages"][-1]["content"]):
            yield "I could not find you under that name and zip code. Could you check them, please?"
            right = {"first_name": first, "last_name": last, "zip": task["facts"]["zip"]}
            yield self.call("find_customer_by_name_and_zip", right)

    def serve(self, domain: Domain, task: dict[str, Any], wish: dict[str, Any]) -> _Script:
        """One wish: ask, look, then decline, hand over, or propose and act."""
        missing = [name for name in wish["slots"] if name not in wish["opening"] and name in domain.asks]
        if missing:
            yield f"Could you tell me {' and '.join(domain.asks[name].question for name in missing)}?"
        for call in wish["reads"]:
            if call.get("seat") == "user":
                yield domain.phrases[call["name"]].format(**_spoken(call["arguments"]))
            else:
                yield self.call(call["name"], call["arguments"])
        if wish["verdict"] == "deny" and self.obeys:
            rule = next(rule.text for rule in domain.rules if rule.id == wish["rule"])
            for _ in range(2 if task["persona"] == "adversarial" else 1):
                yield f"I am sorry, but I cannot do that. {rule}"
            return
        calls = wish["blind"] if wish["verdict"] == "deny" else wish["writes"]
        if wish["verdict"] == "transfer":
            yield self.call(calls[0]["name"], calls[0]["arguments"])
            return
        yield from self.carry_out(domain, calls)
        facts = f" Here is what you need to know: {', '.join(wish['tell'])}." if wish["tell"] else ""
        yield f"This is done.{facts} {_ELSE}"

    def carry_out(self, domain: Domain, calls: list[dict[str, Any]]) -> _Script:
        """Propose what the desk does, and do it; have the user do what only the user can."""
        asked = False
        for n, call in enumerate(calls):
            words = domain.phrases[call["name"]].format(**_spoken(call["arguments"]))
            if call.get("seat") == "user":
                yield words
                asked = False
                continue
            if not asked:
                own = [c for c in calls[n:] if c.get("seat") != "user"]
                plan = "; then ".join(domain.phrases[c["name"]].format(**_spoken(c["arguments"])) for c in own)
                yield f"I would {plan}. Shall I go ahead? (yes/no)"
                asked = True
            yield self.call(call["name"], call["arguments"])


class Blind(Oracle):
    """Knows no policy: what the user wants is done."""

    obeys = False


class NeverAsking(Oracle):
    """Never asks the user: looks up what the first words name, guesses the rest, and acts at once."""

    def script(self, domain: Domain, task: dict[str, Any]) -> _Script:
        """Acts on the opening alone."""
        for wish in task["wishes"]:
            known = {name for name in wish["slots"] if name in wish["opening"]}
            guessed = wish["slots"].keys() - known - {"newsletter", "matter"}
            if wish["verdict"] == "transfer":
                yield self.call("transfer_to_human", {"summary": "The customer wants to speak with a person."})
                continue
            for call in wish["reads"] if not guessed else ():
                if call.get("seat") == "user":
                    continue
                yield self.call(call["name"], call["arguments"])
            for call in wish["writes"] if wish["verdict"] == "allow" else ():
                if call.get("seat") == "user":
                    continue
                arguments = dict(call["arguments"])
                if guessed:
                    arguments = {name: self.guess(domain, name, value) for name, value in arguments.items()}
                yield self.call(call["name"], arguments)
            facts = f" {', '.join(wish['tell'])}." if wish["tell"] and not guessed else ""
            refused = wish["verdict"] == "deny"
            yield "I am sorry, but I cannot do that." if refused else f"This is done.{facts} {_ELSE}"

    def guess(self, domain: Domain, name: str, value: Any) -> Any:
        """Something of the right form."""
        if isinstance(value, str) and len(value) == 7 and value[2:].isdigit():
            return f"{value[:2]}10000"
        if isinstance(value, list):
            return [self.guess(domain, name, part) for part in value]
        return value


class Idle(Oracle):
    """Does nothing but ask whether there is anything else."""

    def script(self, domain: Domain, task: dict[str, Any]) -> _Script:
        """The same line, for ever."""
        while True:
            yield _ELSE


def _spoken(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments as they are said."""

    def words(value: Any) -> Any:
        if isinstance(value, bool):
            return "on" if value else "off"
        return " and ".join(value) if isinstance(value, list) else value

    return {name: words(value) for name, value in arguments.items()}
