"""The tools that agents see, over MCP and over plain JSON-RPC alike: none that resets, restores or seeds a ranked episode."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, NotRequired

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from ludarium.envs.core.language import tools as tools_now
from ludarium.leaderboards.serve.messages import ServeError
from ludarium.leaderboards.serve.sessions import Session, Sessions

__all__ = ["Envs", "Legal", "Score", "Situation", "Tool", "Tools"]


class Env(TypedDict):
    """What is served."""

    id: str
    summary: str
    seat: str
    seats: int
    max_steps: int
    ranked: bool
    splits: list[str]
    rules: str
    """The address of the resource with the rules."""


class Envs(TypedDict):
    """The worlds of this server."""

    envs: list[Env]


class Situation(TypedDict):
    """What the client's seat is told."""

    session: str
    seat: str
    step: int
    text: NotRequired[str]
    commands: NotRequired[list[str] | None]
    array: NotRequired[Any]
    action_mask: NotRequired[Any]
    reward: float | None
    done: bool
    terminated: bool
    truncated: bool
    fault: str | None
    message: str
    seed: NotRequired[int]
    metrics: NotRequired[dict[str, Any]]
    digest: NotRequired[str]


class Legal(TypedDict):
    """The legal choices, as commands (none where they cannot be listed) and as tools."""

    listed: bool
    commands: list[str]
    tools: list[dict[str, Any]]


class Score(TypedDict):
    """How the episode stands."""

    steps: int
    over: bool
    reward: float
    metrics: dict[str, Any]
    turns_lost: dict[str, int]
    digest: str | None


class Tool(NamedTuple):
    """A tool with its JSON Schemas; `call` takes the arguments and the caller's name."""

    name: str
    description: str
    parameters: dict[str, Any]
    returns: dict[str, Any]
    call: Callable[[dict[str, Any], str], Awaitable[dict[str, Any]]]


_SESSION = {"type": "string", "description": "what start returned; needed where the connection does not say it"}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str, "integer": int, "object": dict, "array": list, "number": (int, float), "boolean": bool,
}  # fmt: skip


def _object(properties: dict[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _schema(kind: Any) -> dict[str, Any]:
    return TypeAdapter(kind).json_schema()


def checked(tool: str, schema: dict[str, Any], given: Any) -> dict[str, Any]:
    """The arguments of a call, if they fit a flat schema; `ServeError` says which does not."""
    if not isinstance(given, dict):
        raise ServeError("VALIDATION_ERROR", f"{tool}: the arguments are an object")
    properties = schema["properties"]
    for name in given:
        if name not in properties:
            raise ServeError("VALIDATION_ERROR", f"{tool}: no argument {name!r:.80}; it takes {', '.join(properties)}")
    for name in schema.get("required", ()):
        if name not in given:
            raise ServeError("VALIDATION_ERROR", f"{tool}: the argument {name!r} is missing")
    for name, value in given.items():
        kind = properties[name].get("type")
        if kind and (not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
            raise ServeError("VALIDATION_ERROR", f"{tool}: {name} is no {kind}: {value!r:.80}")
    return given


class Tools:
    """The tools of one server: six for every world, and one a verb where the verbs are known."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions, self.served = sessions, sessions.served
        self._tools = {tool.name: tool for tool in (*self._common(), *self._verbs())}

    def all(self) -> list[Tool]:
        """Every tool."""
        return list(self._tools.values())

    async def call(self, name: Any, arguments: Any, owner: str = "") -> dict[str, Any]:
        """Call a tool; `owner` names the connection, "" where there is none. `ServeError` for all that goes wrong."""
        tool = self._tools.get(name) if isinstance(name, str) else None
        if tool is None:
            raise ServeError("UNKNOWN_TYPE", f"no tool {name!r:.80}; there are {', '.join(self._tools)}")
        return await tool.call({} if arguments is None else arguments, owner)

    # --- for every world -------------------------------------------------------------------------------------------
    def _common(self) -> list[Tool]:
        served = self.served
        free = {
            "seed": {"type": "integer", "minimum": 0, "description": "the episode's seed"},
            "split": {"type": "string", "description": "a split of the scenario"},
            "index": {"type": "integer", "minimum": 0, "description": "the number of a task in it"},
        }
        begin = {"env": {"type": "string"}, **({} if served.offer.ranked else free), "session": _SESSION}
        action = {
            "description": "a command in words, a value of the action space, or {name, arguments}: a tool of the menu"
        }
        acting = {
            "action": action,
            "step": {"type": "integer", "description": "the step at which this action is meant; another is refused"},
            "session": _SESSION,
        }
        left = " An episode that is left is played to its end without you, and counts." if served.offer.ranked else ""
        own, situation = _object({"session": _SESSION}), _schema(Situation)
        found = [
            Tool("list_envs", "The worlds that are served here.", _object({}), _schema(Envs), self._list),
            Tool("start", f"Begin an episode and see where you are.{left}", _object(begin), situation, self._start),
            Tool("observe", "See where you are, without acting.", own, situation, self._observe),
            Tool("legal_actions", "What can be done now.", own, _schema(Legal), self._legal),
            Tool("act", "Act, and see what came of it.", _object(acting, ("action",)), situation, self._act),
            Tool("score", "How the episode stands.", own, _schema(Score), self._score),
        ]
        return [tool for tool in found if tool.name != "legal_actions" or served.offer.commands]

    async def _list(self, given: dict[str, Any], owner: str) -> dict[str, Any]:
        checked("list_envs", self._tools["list_envs"].parameters, given)
        served = self.served
        env: Env = {
            "id": served.id, "summary": served.summary, "seat": served.seat, "seats": len(served.seats),
            "max_steps": served.max_steps, "ranked": served.offer.ranked, "splits": list(served.splits),
            "rules": served.rules_uri,
        }  # fmt: skip
        return {"envs": [env]}

    async def _start(self, given: dict[str, Any], owner: str) -> dict[str, Any]:
        checked("start", self._tools["start"].parameters, given)
        if given.get("env") not in (None, self.served.id, self.served.offer.name):
            raise ServeError("VALIDATION_ERROR", f"start: this server offers {self.served.id!r} alone")
        ident = given.get("session", "")
        opened = not ident and not self.sessions.has(owner)
        session = self.sessions.open(owner) if opened else self.sessions.find(ident, owner)
        chosen = (given.get("seed"), given.get("split"), given.get("index"))
        try:
            return self._situation(session, await self.sessions.run(session, session.begin, *chosen))
        except ServeError:
            if opened:
                self.sessions.close(session.id)
            raise

    async def _observe(self, given: dict[str, Any], owner: str) -> dict[str, Any]:
        session = self._session("observe", given, owner)
        return self._situation(session, await self.sessions.run(session, session.look, quick=True))

    async def _legal(self, given: dict[str, Any], owner: str) -> dict[str, Any]:
        session = self._session("legal_actions", given, owner)
        legal: dict[str, Any] = await self.sessions.run(session, _legal_now, session, quick=True)
        return legal

    async def _act(self, given: dict[str, Any], owner: str) -> dict[str, Any]:
        session = self._session("act", given, owner)
        action = given["action"]
        if isinstance(action, str):
            action = {"command": action}
        elif not (isinstance(action, dict) and set(action) & {"command", "action", "name"}):
            action = {"action": action}
        told = await self.sessions.run(session, session.act, action, given.get("step"), quick=True)
        return self._situation(session, told)

    async def _score(self, given: dict[str, Any], owner: str) -> dict[str, Any]:
        session = self._session("score", given, owner)
        score: dict[str, Any] = await self.sessions.run(session, session.score, quick=True)
        return score

    def _session(self, tool: str, given: dict[str, Any], owner: str) -> Session:
        checked(tool, self._tools[tool].parameters, given)
        return self.sessions.find(given.get("session", ""), owner)

    def _situation(self, session: Session, told: dict[str, Any]) -> dict[str, Any]:
        metadata = {name: value for name, value in told["metadata"].items() if name != "session_id"}
        return {
            "session": session.id, **told["observation"], "reward": told["reward"], "done": told["done"], **metadata,
        }  # fmt: skip

    # --- one a verb ------------------------------------------------------------------------------------------------
    def _verbs(self) -> list[Tool]:
        """The world's own tools as they are, or the verbs of its menus with arguments in words."""
        if self.served.tools is not None:
            specs = self.served.tools
        else:
            specs = tuple(
                {
                    "name": verb,
                    "description": f"{verb.replace('_', ' ')}: {', '.join(names) or 'no arguments'}",
                    "parameters": _object({name: {"type": "string"} for name in names}, names),
                }
                for verb, names in (self.served.verbs or {}).items()
            )
        return [self._verb(spec) for spec in specs]

    def _verb(self, spec: dict[str, Any]) -> Tool:
        verb, parameters = spec["name"], dict(spec["parameters"])
        taken = ("list_envs", "start", "observe", "legal_actions", "act", "score")
        name = f"do_{verb}" if verb in taken else verb
        parameters["properties"] = {**parameters.get("properties", {}), "session": _SESSION}
        own = self.served.tools is not None

        async def call(given: dict[str, Any], owner: str) -> dict[str, Any]:
            if own:  # which looks at the arguments by itself, and says what is wrong with them
                if not isinstance(given, dict) or not isinstance(given.get("session", ""), str):
                    raise ServeError("VALIDATION_ERROR", f"{name}: the arguments are an object")
            else:
                checked(name, parameters, given)
            session = self.sessions.find(given.get("session", ""), owner)
            arguments = {key: value for key, value in given.items() if key != "session"}
            action = {"name": verb, "arguments": arguments}
            return self._situation(session, await self.sessions.run(session, session.act, action, quick=True))

        return Tool(name, spec["description"], parameters, _schema(Situation), call)


def _legal_now(session: Session) -> dict[str, Any]:
    episode = session.playing()
    if episode.over:
        return {"listed": True, "commands": [], "tools": []}
    batch, simulator = episode.batch, episode.simulator
    menu = simulator.menu(batch.state, 0, episode.number)
    return {
        "listed": menu is not None,
        "commands": [choice.text for choice in menu or ()],
        "tools": list(tools_now(simulator, batch.state, 0, episode.number)),
    }
