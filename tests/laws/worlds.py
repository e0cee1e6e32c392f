"""Small environments for the tests of the checker itself."""

from __future__ import annotations

import os
import sys
import time
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium import spaces


class Counter(gym.Env[Any, Any]):
    """Counts its steps up to a limit; the base of what follows."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": [], "max_steps": 40}  # type: ignore[misc]

    def __init__(self) -> None:
        self.observation_space = spaces.Box(0, 40, (2,), np.int64)
        self.action_space = spaces.Discrete(4)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.t, self.last = 0, int(self.np_random.integers(4))
        return self._see(), {}

    def _see(self) -> Any:
        return np.array([self.t, self.last], np.int64)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.t, self.last = self.t + 1, int(action)
        return self._see(), 0.0, False, self.t >= 40, {}


class Combination(Counter):
    """Its reward is NaN once 2 and, at any later time, 3 were played after step 5: the shortest story has 6 steps."""

    def reset(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        self.armed = False
        return super().reset(**given)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        seen, reward, ended, cut, info = super().step(action)
        fires = self.armed and int(action) == 3 and self.t >= 6
        self.armed = self.armed or int(action) == 2
        return seen, float("nan") if fires else reward, ended, cut, info


class Stranger(Counter):
    """After the first forty that were made, every second one is another: no law that is tried early sees it."""

    made = 0

    def __init__(self) -> None:
        super().__init__()
        Stranger.made += 1
        self.other = Stranger.made > 40 and Stranger.made % 2 == 0

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        seen, _, ended, cut, info = super().step(action)
        return seen, float(self.other), ended, cut, info


class Switches(Counter):
    """As many switches as its option says."""

    def __init__(self, count: int = 20, masked: bool = False) -> None:
        super().__init__()
        self.action_space = spaces.MultiDiscrete([2] * count)
        self.masked = masked

    def reset(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        return super().reset(**given)[0], self._info()

    def _info(self) -> dict[str, Any]:
        nvec = self.action_space.nvec  # type: ignore[attr-defined]
        return {"action_mask": tuple(np.ones(n, np.int8) for n in nvec)} if self.masked else {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        seen, reward, ended, cut, _ = super().step(action[0])
        return seen, reward, ended, cut, self._info()


class Hangs(Counter):
    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if self.t == 2:
            time.sleep(1000)
        return super().step(action)


class Exits(Counter):
    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if self.t == 2:
            os._exit(3)
        return super().step(action)


class Killed(Counter):
    def reset(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        os.kill(os.getpid(), 9)
        return super().reset(**given)


class Leaks(Counter):
    kept: ClassVar[list[Any]] = []

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.kept.append(np.ones(1 << 22))  # 32 MiB
        return super().step(action)


class Prints(Counter):
    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        os.write(1, b"hello\n")
        return super().step(action)


class Grows(Counter):
    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        back = super().step(action)
        if self.t == 3:
            self.observation_space = spaces.Box(0, 41, (2,), np.int64)
        return back


class WrongTypes(Counter):
    def step(self, action: Any) -> Any:
        seen, _, ended, cut, _ = super().step(action)
        return seen, "0", ended, int(cut), None


class RaisesInReset(Counter):
    def reset(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        raise ZeroDivisionError("no map")


class RaisesInInit(Counter):
    def __init__(self) -> None:
        raise RuntimeError("no licence")


class Reads(Counter):
    """Reads standard input, as a careless debugging line does."""

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        sys.stdin.read()
        return super().step(action)


class FromHash(Counter):
    """Sees what the order of a set of strings makes of it."""

    def _see(self) -> Any:
        return np.array([self.t, next(iter({f"{n:03}" for n in range(9)}))], np.int64)


class CopyKills(Counter):
    """Can go back, and be copied only at the price of its process."""

    def snapshot(self) -> Any:
        return self.t, self.last, self.np_random.bit_generator.state

    def restore(self, kept: Any) -> None:
        self.t, self.last, self.np_random.bit_generator.state = kept

    def __deepcopy__(self, memo: Any) -> Any:
        os._exit(4)


class NoDisplay(Counter):
    """Pictures need a library that is not there."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "max_steps": 40}  # type: ignore[misc]

    def __init__(self, render_mode: str | None = None) -> None:
        if render_mode is not None:
            raise ImportError("no display")
        super().__init__()


class ShowsTheEnd(Counter):
    """Whoever describes it in step 16 brings it to its end."""

    def describe(self) -> str:
        if self.t == 16:
            self.t = 39
        return "a counter"


class OnlyOne(Counter):
    """Holds what there is one of, such as a port: a second one cannot be made until the first is closed."""

    held = 0

    def __init__(self) -> None:
        if OnlyOne.held:
            raise RuntimeError("address already in use")
        super().__init__()
        OnlyOne.held += 1

    def close(self) -> None:
        OnlyOne.held = 0
