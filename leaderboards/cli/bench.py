"""`ludarium bench`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any

import typer

from ludarium.leaderboards.cli.common import AsJson, Options, console, options_of, print_json


def command(
    environment: Annotated[str, typer.Argument(help="an environment's id")],
    config: Options = None,
    rows: Annotated[
        list[int] | None, typer.Option(help="Episodes in the batch; repeat it [default: 1 and 64].")
    ] = None,
    seconds: Annotated[float, typer.Option(help="CPU-seconds for each measurement.")] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Measure steps a CPU-second under random legal actions, with observations and masks, and without.

    For example:

        ludarium bench mapf-lifelong-v0

        ludarium bench mapf-lifelong-v0 -c num_robots=256 -c size=64 -c dtype=uint8 --rows 16 --seconds 0.2
    """
    import ludarium  # noqa: F401  (registers the ids)
    from ludarium.envs.core.errors import ConfigError
    from ludarium.envs.core.registry import make_simulator

    if any(count < 1 for count in rows or ()) or seconds <= 0:
        raise ConfigError(f"--rows {rows} --seconds {seconds}; expected numbers above 0")
    simulator = make_simulator(environment, **options_of(config))
    found = []
    for count in rows or (1, 64):
        for what, world in (("step and observe", simulator), ("step only", simulator.without_observations())):
            steps = _measure(environment, world, count, seconds)
            found.append(
                {
                    "rows": count,
                    "what": what,
                    "steps_per_cpu_s": steps,
                    "seat_steps_per_cpu_s": steps * len(world.seats),
                }
            )
    if as_json:
        print_json({"environment": environment, "seats": len(simulator.seats), "rows": found})
        return
    from rich.table import Table

    table = Table(title=f"{environment}, {len(simulator.seats)} seats, random actions, one core", title_justify="left")
    for heading in ("episodes in the batch", "what", "steps / CPU-s", "agent-steps / CPU-s"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for row in found:
        table.add_row(
            str(row["rows"]), str(row["what"]), f"{row['steps_per_cpu_s']:,.0f}", f"{row['seat_steps_per_cpu_s']:,.0f}"
        )
    console().print(table)


def _measure(environment: str, simulator: Any, count: int, seconds: float) -> float:
    """Steps of single episodes a CPU-second, resets included."""
    import numpy as np

    from ludarium.envs.core.batch import Batch

    batch = Batch(simulator, count, environment, record=False)
    every = np.ones(count, np.bool_)
    batch.seed(every, range(count))
    batch.reset(every)
    choose = _chooser(batch)
    steps = 0

    def turn() -> None:
        choose()
        batch.step()
        if batch.over.any():
            batch.reset(batch.over.copy())

    turn()  # compiles
    began = time.process_time()
    while time.process_time() - began < seconds:
        for _ in range(8):
            turn()
        steps += 8 * count
    return steps / (time.process_time() - began)


def _chooser(batch: Any) -> Callable[[], None]:
    """Random actions, prepared beforehand where they are numbers so that choosing them costs a copy."""
    import numpy as np
    from gymnasium import spaces

    generator = np.random.Generator(np.random.PCG64(0))
    tables: list[Any] = []
    for role in batch.simulator.roles:
        space = role.action_space
        space.seed(0)
        if isinstance(space, spaces.Discrete):
            shape = (64, batch.rows, role.count)
            tables.append(int(space.start) + generator.integers(0, int(space.n), shape))
        else:
            tables.append(None)
    turn = 0

    def choose() -> None:
        nonlocal turn
        turn += 1
        for r, role in enumerate(batch.simulator.roles):
            if tables[r] is not None:
                batch.actions[r][...] = tables[r][turn % 64]
                continue
            for b in range(batch.rows):
                for i in range(role.count):
                    batch.actions[r][b][i] = role.action_space.sample()

    return choose
