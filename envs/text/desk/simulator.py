"""The simulator of the tool desk: the contract for one conversation; the base class loops over the batch."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.errors import ActionError, InstanceError
from ludarium.envs.core.language import AnyText
from ludarium.envs.core.scene import Scene
from ludarium.envs.core.simulator import ObjectSimulator, Role
from ludarium.envs.text.desk import language, scene
from ludarium.envs.text.desk.actions import FAULTS
from ludarium.envs.text.desk.config import DeskConfig
from ludarium.envs.text.desk.domain import domain_named
from ludarium.envs.text.desk.dynamics import AGENT, SEATS, USER, Game
from ludarium.envs.text.desk.tables import Tables
from ludarium.envs.text.desk.tasks import draw_task, fresh_desk, refusal
from ludarium.envs.text.desk.tools import ToolError

__all__ = ["Desk"]

_MAX_ACTION = 100_000
_NEEDED = ("any_of", "customer", "domain", "facts", "goal", "init", "persona", "tell", "transfer", "unknown", "user_goal",
           "wishes", "wrong")  # fmt: skip


class Desk(ObjectSimulator):
    """An agent with tools and a policy serves a user, over one database; the user may have tools of its own."""

    turns = "one"
    faults = FAULTS
    views = ("array", "text", "tools", "state", "picture")
    others: ClassVar[dict[str, str]] = {"user": "desk-user"}
    takes_instances = True

    def __init__(self, config: DeskConfig) -> None:
        self.config: DeskConfig = config
        self.domain = domain_named(config.domain)
        self.roles = (
            Role("agent", 1, AnyText(), AnyText(_MAX_ACTION), decisions=("speak",)),
            Role("user", 1, AnyText(), AnyText(_MAX_ACTION), decisions=("speak",)),
        )

    # --- one episode -----------------------------------------------------------------------------------------------
    def instance(self, seed: int) -> dict[str, Any]:
        """The task that this seed draws."""
        c = self.config
        drawn: dict[str, Any] = json.loads(
            _task(c.domain, seed, c.database, c.customers, c.persona, c.split, c.max_wishes)
        )
        return drawn

    def load(self, state: Any, row: int, instance: Any) -> None:
        """Keep a task for the next reset of the row; `InstanceError` if it is none of this domain and database."""
        if not isinstance(instance, dict) or any(name not in instance for name in _NEEDED):
            raise InstanceError(f"a task is a table with {', '.join(_NEEDED)}; got {instance!r:.80}")
        if instance["domain"] != self.config.domain:
            raise InstanceError(
                f"the task is of the domain {instance['domain']!r}; this desk is {self.config.domain!r}"
            )
        try:
            why = refusal(self.domain, instance, self.config.database, self.config.customers)
        except (KeyError, TypeError, AttributeError, ValueError, StopIteration, ToolError) as error:
            raise InstanceError(f"the task does not fit the database: {type(error).__name__} {error}") from error
        if why:
            raise InstanceError(f"the task is rejected: {why}")
        super().load(state, row, instance)

    def begin(self, seed: int, slot: int, instance: Any = None) -> Game:
        """A new conversation; the user begins."""
        c, task = self.config, self.instance(seed) if instance is None else instance
        desk = fresh_desk(self.domain, c.database, c.customers, task)
        return Game.on(self.domain, task, desk, c.max_tool_errors, c.max_message_tokens)

    def waiting(self, game: Game, live: NDArray[np.bool_]) -> NDArray[np.int8]:
        """Only the seat in turn."""
        return np.array([game.turn == AGENT, game.turn == USER], np.int8)

    def play(self, game: Game, actions: list[list[Any]]) -> tuple[list[float], list[bool], list[int]]:
        """One message or some calls; the end is graded."""
        fault, turn = [0, 0], game.turn
        fault[turn] = game.act(actions[turn][0])
        over = bool(game.ended)
        return [game.grade().reward if over else 0.0, 0.0], [over, over], fault

    def see(self, game: Game, seat: int) -> str:
        """The conversation as JSON: `messages`, and for the user its `scenario`."""
        seen = f'"messages": {game.conversation(seat)}}}'
        scenario = "" if seat == AGENT else f'"scenario": {json.dumps(language.scenario_of(game.task))}, '
        return f"{{{scenario}{seen}"

    def fingerprint(self, game: Game) -> bytes:
        """The chain over the log, and the hashes of both databases."""
        hashes = f"{game.desk.db.hash()}{game.desk.user_db.hash()}{game.turn}{game.ended}"
        return game.chain + hashes.encode()

    def save(self, game: Game) -> Game:
        """A copy that shares the log's entries."""
        return game.twin()

    def revive(self, saved: Game) -> Game:
        """A copy again, so that a snapshot can be used more than once."""
        return saved.twin()

    def check(self, state: Any, actions: tuple[Any, ...], fault: NDArray[np.int16]) -> None:
        """Find the actions that cannot be read or called."""
        for b in np.flatnonzero(~state.over):
            game = state.games[b]
            fault[b] = 0
            fault[b, game.turn] = game.twin().act(actions[game.turn][b][0])

    # --- figures ---------------------------------------------------------------------------------------------------
    def metrics(self, state: Any) -> dict[str, NDArray[Any]]:
        """Figures of the episode so far."""
        games: list[Game | None] = list(state.games)
        grades = [None if game is None else game.grade() for game in games]

        def graded(of: Callable[[Any], Any]) -> NDArray[np.float64]:
            return np.array([0.0 if grade is None else float(of(grade)) for grade in grades])

        def counted(of: Callable[[Game], int]) -> NDArray[np.int64]:
            return np.array([0 if game is None else of(game) for game in games], np.int64)

        def tally(name: str) -> NDArray[np.int64]:
            return counted(lambda game: game.counts[name])

        return {
            "success": graded(lambda g: g.reward),
            "goal": graded(lambda g: g.goal),
            "told": graded(lambda g: g.told),
            "allowed": graded(lambda g: g.allowed),
            "progress": graded(lambda g: g.progress),
            "violations": counted(lambda game: len(game.violations)),
            "redundant_reads": tally("redundant_reads"),
            "turns": counted(lambda game: sum(e.kind == "text" for e in game.log)),
            "agent_calls": tally("agent_calls"),
            "user_calls": tally("user_calls"),
            "tool_errors": tally("tool_errors"),
            "user_errors": tally("user_errors"),
            "faults": tally("faults"),
            "agent_tokens": tally("agent_tokens"),
            "user_tokens": tally("user_tokens"),
        }

    def invariants(self, state: Any) -> dict[str, NDArray[np.bool_]]:
        """What no step may break."""

        def holds(of: Callable[[Game], bool]) -> NDArray[np.bool_]:
            return np.array([game is None or of(game) for game in state.games])

        return {
            "the hash of each database is that of its rows": holds(
                lambda g: all(_moved(db) == db.total for db in (g.desk.db, g.desk.user_db))
            ),
            "every call has one result": holds(
                lambda g: sum((e.kind == "call") - (e.kind == "result") for e in g.log) == 0
            ),
            "rows that began an episode are never changed in place": holds(
                lambda g: all(_moved(db) == db.total for db in g.start)
            ),
        }

    # --- language and picture --------------------------------------------------------------------------------------
    def rules(self) -> str:
        """How to act, the policy, and the tools."""
        return language.rules(self.domain)

    def describe(self, state: Any, row: int, seat: int) -> str:
        """The conversation in words."""
        return language.situation(state.games[row], seat)

    def tools(self, state: Any, row: int, seat: int) -> tuple[dict[str, Any], ...]:
        """The seat's tools, and `say`."""
        return language.tools_of(state.games[row], seat)

    def tool_action(self, state: Any, row: int, seat: int, name: str, arguments: dict[str, Any]) -> str:
        """The action that a tool call means; `ActionError` for a `say` without a message."""
        if name == "say":
            if set(arguments) != {"message"} or not isinstance(arguments["message"], str):
                raise ActionError(f"say takes one argument, message, a text; got {json.dumps(arguments)[:200]}")
            return json.dumps({"role": "assistant", "content": arguments["message"]})
        return json.dumps({"name": name, "arguments": arguments})

    def explain(self, state: Any, row: int, seat: int, action: Any, code: int) -> str:
        """Why an action was none."""
        return language.explain(state.games[row], seat, action, code)

    def full(self, state: Any, row: int, information: str = "full") -> dict[str, Any]:
        """The task with its goal and plan (`full` only), the agent's messages, and the rows that changed."""
        game: Game = state.games[row]
        seen = {"messages": game.messages(AGENT), "user_messages": game.messages(USER), "turn": SEATS[game.turn]}
        changed = {f"{t}/{k}": row for t_k, row in game.desk.db.changed.items() for t, k in [t_k]}
        hidden = {"task": json.loads(json.dumps(game.task))} if information == "full" else {}
        return {**seen, "changed": json.loads(json.dumps(changed)), **hidden, "violations": list(game.violations)}

    def scene(self, state: Any, row: int) -> Scene:
        """The conversation beside the rows that changed."""
        return scene.scene(state.games[row], int(state.t[row]), self.config.max_steps)


def _moved(db: Tables) -> int:
    """The base's hash moved by the changed rows, each digested anew: what the total must be."""
    from ludarium.envs.text.desk.tables import row_digest

    total = db.base.total
    for (table, key), row in db.changed.items():
        volatile = db.base.volatile.get(table, frozenset())
        total -= db.base.digests[table].get(key, 0)
        total += 0 if row is None else row_digest(table, key, row, volatile)
    return total % (1 << 128)


@functools.lru_cache(maxsize=256)
def _task(domain: str, seed: int, database: int, customers: int, persona: str, split: str, wishes: int) -> str:
    """The task of a seed as JSON: drafts are made and tried once, however often its episode is played again."""
    return json.dumps(draw_task(domain_named(domain), seed, database, customers, persona, split, wishes))
