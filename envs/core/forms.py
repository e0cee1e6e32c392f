"""The forms that one row of a batch takes for Gymnasium: which seats act together, and in what spaces.

`solo`: one seat. `joint`: one role that acts together, stacked. `asked`: one seat at a time, of one role or of several with
equal spaces. `roles`: several roles, a Dict by role. `seat`: one seat is the user's, agents fill the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.buffers import row_of, seat_of
from ludarium.envs.core.errors import ActionError
from ludarium.envs.core.simulator import Role, Simulator
from ludarium.envs.core.spaces import own, stacked

__all__ = ["Form", "form_of"]


class Form:
    """One way to show a row and to take its actions."""

    def __init__(self, name: str, simulator: Simulator, seat: int = 0) -> None:
        self.name, self.simulator, self.seat = name, simulator, seat
        self.role = int(np.searchsorted(simulator.offsets, seat, side="right")) - 1
        self.shares = len(simulator.seats) if name == "joint" else 1
        roles = simulator.roles
        if name == "joint":
            self.observation_space = stacked(roles[0].observation_space, roles[0].count)
            self.action_space = stacked(roles[0].action_space, roles[0].count)
        elif name == "roles":
            self.observation_space = spaces.Dict({r.name: stacked(r.observation_space, r.count) for r in roles})
            self.action_space = spaces.Dict({r.name: stacked(r.action_space, r.count) for r in roles})
        else:
            self.observation_space = own(roles[self.role].observation_space)
            self.action_space = own(roles[self.role].action_space)

    @property
    def own(self) -> Role:
        """The role of the seat that this form shows."""
        return self.simulator.roles[self.role]

    def focus(self, batch: Batch, b: int = 0) -> None:
        """Under `asked`, turn to the seat that the world waits for (the last one stays in view at the end)."""
        if self.name == "asked":
            waiting = np.flatnonzero(batch.asked[b])
            if len(waiting):
                self.turn_to(int(waiting[0]))

    def turn_to(self, seat: int) -> None:
        """Show another seat."""
        self.seat, self.role = seat, int(np.searchsorted(self.simulator.offsets, seat, side="right")) - 1

    def observe(self, batch: Batch, b: int = 0) -> Any:
        """A fresh observation of a row."""
        if self.name == "joint":
            return row_of(batch.observed[0], b)
        if self.name == "roles":
            return {role.name: row_of(batch.observed[r], b) for r, role in enumerate(self.simulator.roles)}
        return seat_of(batch.observed[self.role], b, self.seat - self.simulator.offsets[self.role])

    def mask(self, batch: Batch, b: int = 0) -> Any:
        """The action mask in this form, or None where no role has one."""
        if self.name == "joint":
            return None if batch.masks[0] is None else batch.masks[0][b].copy()
        if self.name == "roles":
            found = {role.name: batch.masks[r] for r, role in enumerate(self.simulator.roles)}
            return {name: mask[b].copy() for name, mask in found.items() if mask is not None} or None
        mask = batch.masks[self.role]
        return None if mask is None else mask[b, self.seat - self.simulator.offsets[self.role]].copy()

    def put(self, batch: Batch, action: Any, b: int = 0) -> None:
        """Write a user's action into the row's buffers."""
        if self.name == "joint":
            batch.put(0, action, b)
        elif self.name == "roles":
            names = [role.name for role in self.simulator.roles]
            if not isinstance(action, dict) or set(action) != set(names):
                raise ActionError(f"a dict with the actions of {', '.join(names)} expected; got {action!r:.200}")
            for r, name in enumerate(names):
                batch.put(r, action[name], b)
        else:
            self._put_own(batch, action, b)

    def _put_own(self, batch: Batch, action: Any, b: int) -> None:
        buffer, i = batch.actions[self.role], self.seat - self.simulator.offsets[self.role]
        if isinstance(buffer, list):
            buffer[b][i] = action
            return
        target = buffer[b, i]
        given = np.asarray(action)
        kinds = "iu" if target.dtype.kind in "iu" else "iuf"
        if given.shape != target.shape or given.dtype.kind not in kinds:
            raise ActionError(f"an action of {self.action_space} expected; got {action!r:.200}")
        buffer[b, i] = given

    def reward(self, batch: Batch, b: int = 0) -> float:
        """The mean over seats in the joint form, a seat's own under `seat`, the sum elsewhere."""
        if self.name == "seat":
            return float(batch.out.reward[b, self.seat])
        return batch.summary.item(b, 0) / self.shares

    def terminated(self, batch: Batch, b: int = 0) -> bool:
        """Whether the episode has come to its end in this form."""
        if self.name == "seat" and batch.out.terminated[b, self.seat]:
            return True
        return bool(batch.over[b] and not batch.out.truncated[b])


def form_of(simulator: Simulator, seat: str | None = None) -> Form:
    """The form that fits a world: see the module's table."""
    if seat is not None:
        if seat not in simulator.seats:
            raise ActionError(f"no seat {seat!r}; this world's seats are {simulator.seats[0]} to {simulator.seats[-1]}")
        return Form("seat", simulator, simulator.seats.index(seat))
    if len(simulator.seats) == 1:
        return Form("solo", simulator)
    first = simulator.roles[0]
    alike = all(r[2:4] == first[2:4] for r in simulator.roles)
    if len(simulator.roles) > 1 and not (alike and simulator.turns == "one"):
        return Form("roles", simulator)
    return Form("asked" if simulator.turns == "one" else "joint", simulator)
