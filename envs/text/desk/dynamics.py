"""One conversation: who speaks, what tools do, what is broken on the way, and how it is graded at the end."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
from collections import Counter
from typing import Any, NamedTuple

from ludarium.envs.text.desk.actions import FAULTS, Call, Said, count_tokens, read_action
from ludarium.envs.text.desk.domain import Desk, Domain
from ludarium.envs.text.desk.goal import heard, reached, shares
from ludarium.envs.text.desk.policy import Situation, broken, is_assent
from ludarium.envs.text.desk.tables import Tables
from ludarium.envs.text.desk.tools import ToolError, checked

__all__ = ["AGENT", "END_TOKENS", "SEATS", "USER", "Entry", "Game", "Grade"]

AGENT, USER = 0, 1
SEATS = ("agent", "user")
END_TOKENS = {"###STOP###": "stop", "###TRANSFER###": "transfer", "###OUT-OF-SCOPE###": "out_of_scope"}
_GOOD_ENDS = ("stop", "transfer", "agent_transfer")


class Entry(NamedTuple):
    """One line of the conversation."""

    seat: int
    kind: str
    """`text`, `call`, `result` or `fault`"""
    text: str
    call_id: str = ""
    name: str = ""


class Grade(NamedTuple):
    """How an episode was: the reward is the product of its components."""

    goal: bool
    told: bool
    allowed: bool
    transfer: bool
    ended: bool
    progress: float
    """share of the goal's rows and facts that are right"""

    @property
    def reward(self) -> float:
        """1 or 0."""
        return float(self.goal and self.told and self.allowed and self.transfer and self.ended)


@dataclasses.dataclass
class Game:
    """An episode: the log only grows, so its hash is a chain and copies may share the entries."""

    domain: Domain
    task: dict[str, Any]
    desk: Desk
    start: tuple[Tables, Tables]
    most_errors: int
    most_tokens: int
    log: list[Entry] = dataclasses.field(default_factory=list)
    turn: int = USER
    ended: str = ""
    chain: bytes = b""
    violations: list[str] = dataclasses.field(default_factory=list)
    forbidden: int = 0
    counts: Counter[str] = dataclasses.field(default_factory=Counter)
    reads: set[str] = dataclasses.field(default_factory=set)
    shown: tuple[list[str], list[str]] = dataclasses.field(default_factory=lambda: ([], []))
    """for each seat, the log's entries as it has been shown them (JSON; empty: not to it)"""

    @classmethod
    def on(cls, domain: Domain, task: dict[str, Any], desk: Desk, most_errors: int, most_tokens: int) -> Game:
        """A conversation that begins, on a desk of its own."""
        return cls(domain, task, desk, (desk.db.copy(), desk.user_db.copy()), most_errors, most_tokens)

    def twin(self) -> Game:
        """A game of its own in the same state, which shares the log's entries."""
        made = copy.copy(self)
        made.desk, made.log, made.violations = self.desk.copy(), list(self.log), list(self.violations)
        made.counts, made.reads, made.shown = Counter(self.counts), set(self.reads), ([], [])
        return made

    def act(self, action: str) -> int:
        """Take the action of the seat in turn; return 0 or the number of a fault, which leaves all tables as they are."""
        seat = self.turn
        name = SEATS[seat]
        tools = self.domain.tools_of(name)
        tokens = count_tokens(action)
        self.counts[f"{name}_tokens"] += tokens
        self.counts[f"{name}_steps"] += 1
        said = read_action(action, frozenset(tools))
        if tokens > self.most_tokens:
            said = Said(fault="message_over_budget", why=f"{tokens} tokens; a message has at most {self.most_tokens}")
        calls: list[tuple[Call, dict[str, Any]]] = []
        if said.fault == "none" and said.calls:
            said, calls = self._check(seat, said)
        if said.fault != "none":
            return self._fail(seat, said)
        if calls:
            for call, arguments in calls:
                if not self.ended:
                    self._call(seat, call, arguments)
        else:
            self._speak(seat, said.text)
        return 0

    def rerun(self, log: list[Entry]) -> None:
        """Take what another conversation's log says was said and called; the results are this desk's own."""
        for entry in log:
            if entry.kind == "text":
                self._speak(entry.seat, entry.text)
            elif entry.kind == "call":
                self._call(entry.seat, Call(entry.call_id, entry.name, {}), json.loads(entry.text))
            elif entry.kind == "fault":
                told = json.loads(entry.text)
                self._fail(entry.seat, Said(fault=told["error"], why=told["message"]))

    # --- words -----------------------------------------------------------------------------------------------------
    def _speak(self, seat: int, text: str) -> None:
        self._note(Entry(seat, "text", text))
        session = self.desk.session
        if seat == AGENT:
            session.proposed, session.assent = True, False
            self.turn = USER
            return
        session.assent = session.proposed and is_assent(text)
        self.turn = AGENT
        for token, end in END_TOKENS.items():
            if token in text:
                self.ended = end

    # --- calls -----------------------------------------------------------------------------------------------------
    def _check(self, seat: int, said: Said) -> tuple[Said, list[tuple[Call, dict[str, Any]]]]:
        """All calls of a message are checked before the first one runs."""
        tools, calls = self.domain.tools_of(SEATS[seat]), []
        for call in said.calls:
            if call.name not in tools:
                known = ", ".join(sorted(tools)) or "none"
                return Said(fault="unknown_tool", why=f"no tool {call.name!r:.60}; yours are: {known}"), []
            try:
                calls.append((call, checked(tools[call.name], call.arguments)))
            except ToolError as error:
                return Said(fault=error.code, why=error.message), []
        return said, calls

    def _fail(self, seat: int, said: Said) -> int:
        self._note(Entry(seat, "fault", json.dumps({"error": said.fault, "message": said.why})))
        self.counts["faults"] += 1
        if seat == USER:
            self.counts["user_errors"] += 1
        self._blunder()
        return FAULTS.index(said.fault)

    def _blunder(self) -> None:
        self.counts["tool_errors"] += 1
        if self.counts["tool_errors"] >= self.most_errors and not self.ended:
            self.ended = "too_many_errors"

    def _call(self, seat: int, call: Call, arguments: dict[str, Any]) -> None:
        tool, desk = self.domain.tools_of(SEATS[seat])[call.name], self.desk
        spelled = json.dumps(arguments, sort_keys=True)
        self._note(Entry(seat, "call", spelled, call.id, call.name))
        rules = []
        if seat == AGENT:
            rules = broken(self.domain.rules, Situation(desk.db, call.name, arguments, desk.session, desk.today))
        self.counts[f"{SEATS[seat]}_calls"] += 1
        if tool.kind == "read":
            key = f"{seat}{call.name}{spelled}"
            self.counts["redundant_reads"] += key in self.reads
            self.reads.add(key)
        try:
            result = tool.run(desk, arguments)
        except ToolError as error:
            self._note(Entry(seat, "result", json.dumps({"error": error.code, "message": error.message}), call.id))
            if seat == USER:
                self.counts["user_errors"] += 1
            self._blunder()
            return
        self._note(Entry(seat, "result", json.dumps(result, sort_keys=True), call.id, call.name))
        self.violations += [rule.id for rule in rules]
        if tool.kind == "write":
            self.reads.clear()
            self.counts["writes"] += 1
            if seat == AGENT:
                desk.session.writes += (call.name,)
        if tool.kind != "read":
            self.forbidden += any(rule.verdict == "deny" for rule in rules)
        if call.name == "transfer_to_human":
            self.ended = "agent_transfer"

    def _note(self, entry: Entry) -> None:
        self.log.append(entry)
        text = json.dumps(entry).encode()
        self.chain = hashlib.blake2b(self.chain + text, digest_size=16).digest()

    # --- the end ---------------------------------------------------------------------------------------------------
    def grade(self) -> Grade:
        """The components, as if the episode ended now; the cost is that of the changed rows."""
        task, desk = self.task, self.desk
        said = [entry.text for entry in self.log if entry.seat == AGENT and entry.kind == "text"]
        told = heard(task["tell"], said)
        goal = reached(self.start[0], desk.db, task["goal"]) and reached(self.start[1], desk.user_db, task["user_goal"])
        parts = [shares(self.start[0], desk.db, task["goal"]), shares(self.start[1], desk.user_db, task["user_goal"])]
        parts += [told / len(task["tell"])] if task["tell"] else []
        return Grade(
            goal,
            told == len(task["tell"]),
            self.forbidden == 0,
            (self.ended in ("transfer", "agent_transfer")) == task["transfer"],
            self.ended in _GOOD_ENDS,
            sum(parts) / len(parts),
        )

    def messages(self, seat: int) -> list[dict[str, Any]]:
        """What a seat has seen, as chat messages: its own calls and results, and both sides' words."""
        found = (_message(entry, entry.seat == seat) for entry in self.log)
        return [message for message in found if message is not None]

    def conversation(self, seat: int) -> str:
        """The same as JSON; each entry is written once, however often a seat looks."""
        shown = self.shown[seat]
        for entry in self.log[len(shown) :]:
            message = _message(entry, entry.seat == seat)
            shown.append("" if message is None else json.dumps(message))
        return f"[{', '.join(filter(None, shown))}]"


def _message(entry: Entry, mine: bool) -> dict[str, Any] | None:
    """An entry as a chat message to the seat whose own it is, or to the other one (None: it is not shown)."""
    if entry.kind == "text":
        return {"role": "assistant" if mine else "user", "content": entry.text}
    if not mine:
        return None
    if entry.kind == "call":
        function = {"name": entry.name, "arguments": entry.text}
        call = {"id": entry.call_id, "type": "function", "function": function}
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    return {"role": "tool", "tool_call_id": entry.call_id, "content": entry.text}
