"""Ways to prompt a model for actions, one readable file each."""

from __future__ import annotations

import importlib

from ludarium.agents.llm.scaffold import Scaffold
from ludarium.envs.core.errors import AgentError, did_you_mean

__all__ = ["SCAFFOLDS", "scaffold_named"]

SCAFFOLDS = {
    "direct": "Direct",
    "react": "React",
    "reflexion": "Reflexion",
    "plan_execute": "PlanExecute",
    "step": "Step",
    "stateflow": "Stateflow",
    "subgoal": "Subgoal",
    "tools": "Tools",
}
"""Module of this package -> its class."""


def scaffold_named(name: str) -> type[Scaffold]:
    """The class of a scaffold; `AgentError` with the nearest name for an unknown one."""
    if name not in SCAFFOLDS:
        raise AgentError(f"unknown scaffold {name!r}{did_you_mean(name, SCAFFOLDS)}")
    found: type[Scaffold] = getattr(importlib.import_module(f"{__name__}.{name}"), SCAFFOLDS[name])
    return found
