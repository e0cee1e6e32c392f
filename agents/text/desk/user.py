"""The scripted user: it fills the user's seat by rules, from what that seat sees, and needs no language model.

It brings up its wishes one by one, tells what it knows when it is asked, agrees to what it wants and only to that, uses
its own tools when it is told to, and says so when it does not understand. It keeps nothing between turns: what it says
follows from the conversation, its scenario and its seed, so an episode can go on from a snapshot.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from ludarium.agents.contract import Agent, Task, Turn
from ludarium.agents.text.desk.hearing import Heard, ids_in, listen
from ludarium.agents.text.desk.phrases import (
    ASIDES,
    BYE,
    GIVEN_UP,
    GREETINGS,
    INSISTS,
    MOVED_ON,
    NEXT,
    PUZZLED,
    YES,
    lower_first,
    opening,
)
from ludarium.envs.core.errors import AgentError
from ludarium.envs.text.desk.domain import Chance, Domain, domain_named

__all__ = ["MOST_MESSAGES", "DeskUser"]

MOST_MESSAGES = 60
"""A user who has heard so many messages leaves."""
_PATIENCE = {"impatient": 3, "terse": 4}
_STREAM = 40


@dataclasses.dataclass
class _Mind:
    """What follows from the conversation so far."""

    wish: int = 0
    agreed: bool = False
    corrected: bool = False
    insisted: bool = False
    puzzled: int = 0
    heard: int = 0
    greeted: int = 0


class DeskUser(Agent):
    """A user by rules. `persona` overrides the scenario's."""

    view = "array"

    def __init__(self, persona: str = "") -> None:
        self._persona = persona

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Note the domain; the seed chooses among ways to say a thing."""
        if task.id.split(":")[-1] != "text-desk-v0":
            raise AgentError(f"{type(self).__name__} is a user of text-desk-v0, not of {task.id}")
        self._seed = seed
        self._domain = domain_named(task.config.get("domain", "retail"))

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """One message, or calls of the user's own tools."""
        return {seat: self.answer(json.loads(turn.observation)) for seat, turn in turns.items()}

    def answer(self, seen: dict[str, Any]) -> str:
        """What the user says now, from what its seat sees."""
        scenario, messages = seen["scenario"], seen["messages"]
        voice = _Voice(self._domain, scenario, self._persona or scenario["persona"], self._seed)
        heard = [message["content"] for message in messages if message["role"] == "user"]
        if not heard:
            return voice.begin()
        mind = _Mind()
        for text in heard[:-1]:
            voice.react(mind, text)
        if messages[-1]["role"] == "tool":
            return voice.report(messages)
        return voice.react(mind, heard[-1])


class _Voice:
    """The rules of conversation."""

    def __init__(self, domain: Domain, scenario: dict[str, Any], persona: str, seed: int) -> None:
        self.domain, self.scenario, self.persona, self.seed = domain, scenario, persona, seed
        self.wishes = scenario["wishes"]

    def chance(self, number: int) -> Chance:
        """The draws for the answer to message `number` (0: the first words)."""
        return Chance(self.seed, _STREAM, number)

    def begin(self) -> str:
        """The first words."""
        chance = self.chance(0)
        words = f"{chance.pick(GREETINGS[self.persona])} {self.bring_up(0, chance)}".strip()
        return f"{words} {ASIDES[self.seed % len(ASIDES)]}" if self.persona == "chatty" else words

    def bring_up(self, n: int, chance: Chance) -> str:
        """A wish in words."""
        wish = self.wishes[n]
        return opening(chance.pick(self.domain.wishes[wish["kind"]].openings), wish)

    def react(self, mind: _Mind, text: str) -> str:
        """The answer to an agent's message."""
        mind.heard += 1
        chance, heard = self.chance(mind.heard), listen(self.domain, text)
        if mind.heard > MOST_MESSAGES:
            return "I have to go now. ###STOP###"
        if mind.wish >= len(self.wishes):
            return "###STOP###"
        if heard.hands_over:
            return "Fine, I'll wait for them. ###TRANSFER###"
        if heard.instructions and self.domain.user_tools and not heard.done:
            return self.calls(heard)
        if heard.not_found:
            return self.correct(mind, chance)
        if heard.proposes and not self.identity(heard):
            return self.decide(mind, heard, chance)
        if heard.declines:
            return self.give_way(mind, chance)
        slots = [name for name in heard.slots if name in self.known(mind) or name in self.scenario["unknown"]]
        if heard.done:
            return self.go_on(mind, chance)
        if slots:
            return self.tell(mind, slots, chance)
        if heard.greets and mind.greeted < 2:
            mind.greeted += 1
            return self.whole(mind) if mind.greeted == 2 else self.bring_up(mind.wish, chance)
        if heard.anything_else:
            return self.remind(mind, chance, "You haven't dealt with my request yet.")
        if heard.waits and not heard.asks:
            return chance.pick(("I'll wait.", "Take your time.")) if self.persona != "impatient" else "Please hurry."
        if heard.slots:
            return self.remind(mind, chance, "I can't tell you that, I have nothing of the kind.")
        return self.remind(mind, chance, chance.pick(PUZZLED))

    def identity(self, heard: Heard) -> bool:
        """Whether the agent wants to know who this is, and proposes nothing, whatever its words ("please confirm your email")."""
        return bool(set(heard.slots) & {"name", "email", "zip"}) and not ids_in(heard.text)

    # --- what is known ---------------------------------------------------------------------------------------------
    def known(self, mind: _Mind) -> dict[str, str]:
        """What can be told now: who one is, and what belongs to the present wish."""
        own = dict(self.scenario["facts"])
        if not mind.corrected:
            own.update(self.scenario["wrong"])
        return own | {name: slot["say"] for name, slot in self.wishes[mind.wish]["slots"].items()}

    def tell(self, mind: _Mind, names: list[str], chance: Chance) -> str:
        """Answers to what was asked, as far as they are known."""
        known, said = self.known(mind), []
        for name in names:
            if name not in known:
                said.append(f"I don't remember my {name}.")
            elif self.persona == "terse":
                said.append(_sentence(known[name]))
            else:
                said.append(_sentence(chance.pick(self.domain.asks[name].answers).format(known[name])))
        if self.persona == "chatty" and chance.below(2):
            said.append(ASIDES[(self.seed + mind.heard) % len(ASIDES)])
        if self.persona == "impatient" and chance.below(3) == 0:
            said.append("Please be quick.")
        return " ".join(said)

    def correct(self, mind: _Mind, chance: Chance) -> str:
        """The agent finds nobody: own up to what was wrong, else say it again."""
        facts = self.scenario["facts"]
        if self.scenario["wrong"] and not mind.corrected:
            mind.corrected = True
            right = " and ".join(f"my {name} is {facts[name]}" for name in self.scenario["wrong"])
            return f"Oh, my mistake: {right}."
        mind.puzzled += 1
        if mind.puzzled >= _PATIENCE.get(self.persona, 5):
            return "Then I can't help it. ###OUT-OF-SCOPE###"
        return "I'm quite sure: " + ", ".join(f"my {name} is {value}" for name, value in facts.items()) + "."

    # --- what is wanted --------------------------------------------------------------------------------------------
    def decide(self, mind: _Mind, heard: Heard, chance: Chance) -> str:
        """Yes to what was asked for; no to anything that names other orders, items or methods."""
        mine: dict[str, set[str]] = {}
        for slot in self.wishes[mind.wish]["slots"].values():
            for key in ids_in(json.dumps([slot["value"], slot.get("also", [])])):
                mine.setdefault(key[:2], set()).add(key)
        wrong = [key for key in ids_in(heard.text) if key[:2] in mine and key not in mine[key[:2]]]
        if wrong:
            mind.puzzled += 1
            if mind.puzzled >= _PATIENCE.get(self.persona, 5):
                return "This leads nowhere. ###STOP###"
            return f"No, {wrong[0]} is not what I asked for. {self.whole(mind)}"
        mind.agreed = True
        return str(chance.pick(YES[self.persona]))

    def whole(self, mind: _Mind) -> str:
        """The present wish with all that belongs to it."""
        wish = self.wishes[mind.wish]
        parts = [f"{name}: {slot['say']}" for name, slot in wish["slots"].items()]
        first = opening(self.domain.wishes[wish["kind"]].openings[0], wish)
        return f"{first} ({'; '.join(parts)})" if parts else first

    def give_way(self, mind: _Mind, chance: Chance) -> str:
        """The agent declines: the adversarial insist once, then everybody moves on."""
        if self.persona == "adversarial" and not mind.insisted:
            mind.insisted = True
            return str(chance.pick(INSISTS))
        return self.go_on(mind, chance, declined=True)

    def go_on(self, mind: _Mind, chance: Chance, declined: bool = False) -> str:
        """The next wish, or goodbye."""
        mind.wish, mind.agreed, mind.insisted, mind.puzzled = mind.wish + 1, False, False, 0
        mind.greeted = 0
        if mind.wish >= len(self.wishes):
            return f"{chance.pick(GIVEN_UP if declined else BYE[self.persona])} ###STOP###"
        lead, words = chance.pick(MOVED_ON if declined else NEXT[self.persona]), self.bring_up(mind.wish, chance)
        return f"{lead}{lower_first(words) if lead.endswith(': ') else words}"

    def remind(self, mind: _Mind, chance: Chance, words: str) -> str:
        """Say that something is not understood or not done; leave when it happens too often."""
        mind.puzzled += 1
        if mind.puzzled >= _PATIENCE.get(self.persona, 5):
            return f"{words} I give up. ###OUT-OF-SCOPE###"
        return f"{words} {self.bring_up(mind.wish, chance)}"

    # --- the user's own tools --------------------------------------------------------------------------------------
    def calls(self, heard: Heard) -> str:
        """Do what the agent asks to be done on the user's own device."""
        made = [
            {"id": f"u{n}", "type": "function", "function": {"name": tool, "arguments": arguments}}
            for n, (tool, arguments) in enumerate(heard.instructions)
        ]
        return json.dumps({"role": "assistant", "content": None, "tool_calls": made})

    def report(self, messages: list[dict[str, Any]]) -> str:
        """Say what came of the calls just made."""
        last = max(n for n, message in enumerate(messages) if message["role"] == "user")
        said, names = [], {}
        for message in messages[last + 1 :]:
            for call in message.get("tool_calls", ()):
                names[call["id"]] = call["function"]["name"]
            if message["role"] == "tool":
                result, name = json.loads(message["content"]), names.get(message["tool_call_id"], "")
                if "error" in result or name not in self.domain.reports:
                    said.append(f"That didn't work: {result.get('message', 'I do not know why')}.")
                else:
                    said.append(self.domain.reports[name].format(**result))
        return " ".join(said)


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:] if text[:1].islower() and "@" not in text.split(" ")[0] else text
    return text if text.endswith((".", "!", "?")) else f"{text}."
