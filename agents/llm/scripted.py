"""A model that is a function: for tests, examples and simulated users that follow a script."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable

from ludarium.agents.llm.client import Completion, Request
from ludarium.envs.core.errors import LLMError

__all__ = ["Scripted"]

Said = str | Completion


class Scripted:
    """Answers with what a function of the request returns (or what it resolves to), or with a list of answers in turn.

    What the function raises is raised: an `EndpointError` plays an endpoint that fails.
    """

    def __init__(self, script: Callable[[Request], Said | Awaitable[Said]] | Iterable[Said]) -> None:
        self.secrets: tuple[str, ...] = ()
        self.requests: list[Request] = []
        """What was asked, tries included."""
        self._script = script if callable(script) else _in_turn(script)

    async def complete(self, request: Request) -> Completion:
        """Answer."""
        self.requests.append(request)
        said = self._script(request)
        if inspect.isawaitable(said):
            said = await said
        return Completion(said, model=request.model) if isinstance(said, str) else said

    async def close(self) -> None:
        """There is nothing to close."""


def _in_turn(answers: Iterable[Said]) -> Callable[[Request], Said]:
    left = iter(answers)

    def answer(request: Request) -> Said:
        for said in left:
            return said
        raise LLMError("the script has no further answers")

    return answer
