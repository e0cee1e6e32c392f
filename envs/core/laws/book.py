"""The laws by name, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ludarium.envs.core.errors import did_you_mean
from ludarium.envs.core.laws import actions, determinism, domain, interface, resets, seats, states, vector
from ludarium.envs.core.laws.cases import Case
from ludarium.envs.core.laws.outcome import CheckError
from ludarium.envs.core.laws.subject import Subject

__all__ = ["FORMS", "LAWS", "NEEDS_CHILDREN", "Law", "chosen", "summary"]

Law = Callable[[Subject, Case], None]

LAWS: dict[str, Law] = {
    law.__name__: law
    for law in (
        determinism.repeatable, determinism.fresh_process, determinism.global_random, determinism.interleaved,
        resets.reset_forgets, resets.unseeded_reset,
        interface.observation_in_space, interface.reward_and_flags, interface.nothing_aliased, interface.info,
        actions.mask_sound, actions.mask_complete, actions.some_legal_action, actions.action_untouched,
        states.snapshot, states.copies, states.looking,
        vector.batch_rows, vector.autoreset, vector.compiled,
        seats.live_seats, seats.ends, seats.symmetry,
        domain.invariants, domain.metrics, domain.bound,
    )
}  # fmt: skip
"""Name -> law: it returns nothing, or raises `Broken`, `NotClaimed` or `Rejected`."""

_ONE = ("single", "parallel", "aec")
FORMS = {
    "batch_rows": ("vector",), "autoreset": ("vector",), "live_seats": ("parallel", "aec"), "symmetry": _ONE, "metrics": _ONE,
    "bound": _ONE,
}  # fmt: skip
"""Laws that are about some forms of an environment only."""

NEEDS_CHILDREN = ("fresh_process", "compiled")
"""Laws that need processes of their own; the profile `dev` leaves them out unless they are asked for by name."""


def chosen(names: Iterable[str] | None) -> list[str]:
    """The laws of these names, in their order; all of them for None."""
    wanted = list(LAWS) if names is None else list(names)
    for name in wanted:
        if name not in LAWS:
            raise CheckError(f"no law {name!r}{did_you_mean(str(name), LAWS)}")
    return [name for name in LAWS if name in wanted]


def summary(name: str) -> str:
    """A law in a sentence."""
    return (LAWS[name].__doc__ or "").strip().splitlines()[0]
