"""Plays a hosted attempt with any agent that a string names: the board asks, the agent answers here.

The agent is made, asked and guarded as in a local run; only the world is elsewhere.
"""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from ludarium.agents.external.questions import answer_of, error_of, task_of, turns_of
from ludarium.agents.registry import make_agent
from ludarium.envs.core.errors import AgentError, LudariumError
from ludarium.leaderboards.board.client import BoardClient, BoardError

__all__ = ["HostedAttempt", "play_hosted"]

_ENDED = ("no_tasks_left", "session_error")


class HostedAttempt(NamedTuple):
    """An attempt that was played."""

    number: int
    played: int
    total: int
    submission: str | None
    outcome: dict[str, Any]


def play_hosted(
    connect: Callable[[], BoardClient],
    track: str,
    agent: str,
    *,
    name: str,
    kind: str,
    authors: tuple[str, ...] = (),
    links: Mapping[str, str] | None = None,
    concurrency: int = 16,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> HostedAttempt:
    """Play all episodes of a hosted attempt; what became of it.

    `connect` makes a client; each thread has its own. `concurrency` is for agents that mostly wait. `AgentError` if the agent
    cannot be made; `BoardError` for what the board refuses. An agent that fails loses the turn, as in a local run.
    """
    first = make_agent(agent)
    try:
        getattr(first, "ready", lambda: None)()
        view, information, waits = first.view, first.information, bool(getattr(first, "waits", False))
    finally:
        getattr(first, "close", lambda: None)()
    client = connect()
    wanted = {
        "track": track, "name": name, "class": kind, "agent": agent[:300], "authors": list(authors), "links": dict(links or {}),
        "view": view, "information": information,
    }  # fmt: skip
    attempt = client.post("/api/v1/hosted", wanted, tries=1)
    total, at, lock = int(attempt["episodes"]), f"/api/v1/hosted/{int(attempt['id'])}", threading.Lock()
    done = 0

    def episodes() -> None:
        nonlocal done
        own = connect()
        try:
            while True:
                _episode(own, f"{at}/messages", str(attempt["key"]), agent)
                with lock:
                    done += 1
                    progress(done, total)
        except BoardError as error:
            if error.code not in _ENDED:
                raise
        finally:
            own.close()

    progress(0, total)
    together = min(concurrency, 16, total) if waits else 1
    try:
        with ThreadPoolExecutor(together) as pool:
            for future in [pool.submit(episodes) for _ in range(together)]:
                future.result()
    except BaseException:
        with contextlib.suppress(LudariumError):
            client.post(f"{at}/messages", {"type": "end"}, key=str(attempt["key"]), tries=1)
        raise
    found = client.get(at)
    outcome = found.get("outcome") or {}
    return HostedAttempt(int(found["id"]), int(outcome.get("played", 0)), total, outcome.get("submission"), outcome)


def _episode(client: BoardClient, at: str, key: str, agent: str) -> None:
    """Play one episode; `BoardError` of a code in `_ENDED` if there is none left, or the attempt is over."""
    told = client.post(at, {"type": "begin", "ask": uuid.uuid4().hex}, key=key)
    player = make_agent(agent)
    try:
        broken = _started(player, told)
        question = told["next"]
        while question["type"] == "act":
            question = _said(client, at, key, _answer(player, question, broken))
        with contextlib.suppress(Exception):  # what it makes of the result changes nothing any more
            player.finish(question["result"])
    except (KeyError, TypeError) as error:
        raise BoardError(f"{client.address}: its message has no {error}: is this a board of this version?") from error
    finally:
        with contextlib.suppress(Exception):
            getattr(player, "close", lambda: None)()


def _said(client: BoardClient, at: str, key: str, answer: dict[str, Any]) -> Any:
    """The board's next question; where the answer came too late, the one that waits or how the episode ended."""
    try:
        return client.post(at, answer, key=key)
    except BoardError as error:
        if error.code not in ("episode_over", "stale"):
            raise
        return client.post(at, {"type": "look", "episode": answer["episode"]}, key=key)


def _started(player: Any, told: Mapping[str, Any]) -> BaseException | None:
    """Begin the episode; why the agent cannot, if it cannot: then it loses all its turns."""
    task = task_of(told)
    try:
        player.start(task, tuple(told["seats"]), int(told["seed"]))
    except (Exception, SystemExit) as error:
        return error
    return None


def _answer(player: Any, question: Mapping[str, Any], broken: BaseException | None) -> dict[str, Any]:
    if broken is not None:
        return error_of(question, broken)
    turns = turns_of(question)
    try:
        actions = player.act(turns)
        if not isinstance(actions, Mapping):
            raise AgentError(f"{type(player).__name__} returned no actions by seat")
        return answer_of(question, {seat: actions[seat] for seat in turns if seat in actions})
    except (Exception, SystemExit) as error:
        return error_of(question, error)
