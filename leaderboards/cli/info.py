"""`ludarium info`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from ludarium.envs.core.errors import ConfigError, did_you_mean
from ludarium.leaderboards.cli.common import AsJson, console, print_json


def command(
    name: Annotated[str, typer.Argument(help="an environment, an agent, a scenario (or its file), a run or a trace")],
    hash_only: Annotated[
        bool, typer.Option("--hash", help="Print the hash of a scenario's content, and no more.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a name stands for: an environment's options, a scenario's cases, a run's state, a trace's header.

    For example:

        ludarium info mapf-lifelong-v0

        ludarium info mapf-quick

        ludarium info mapf-quick --hash

        ludarium info pibt --json
    """
    if hash_only:
        from ludarium.scenarios.loader import load

        typer.echo(load(name, check_hash=False, allow_code=True).hash)
        return
    facts = _facts(name)
    if as_json:
        print_json(facts)
        return
    out = console()
    for key, value in facts.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            out.print(_table(key, value))
        else:
            out.print(f"{key}: {value}")


def _facts(name: str) -> dict[str, Any]:
    import ludarium  # noqa: F401  (registers the ids)
    from ludarium.agents.registry import known_agents
    from ludarium.envs.core.registry import WORLDS
    from ludarium.scenarios.loader import scenario_names

    label, agents = name.split("?")[0], known_agents()
    if name in WORLDS:
        return _environment(name)
    if label in agents:
        return _agent(name, *agents[label])
    if name in scenario_names() or name.endswith(".toml"):
        return _scenario(name)
    if Path(name).is_dir():
        return _run(name)
    if Path(name).is_file():
        return _trace(name)
    known = [*WORLDS, *agents, *scenario_names()]
    raise ConfigError(f"nothing is named {name!r}{did_you_mean(name, known)}")


def _environment(name: str) -> dict[str, Any]:
    from ludarium.envs.core.registry import config_class, world

    row = world(name)
    defaults = dict(row.defaults)
    options = [
        {"option": field.name, "default": defaults.get(field.name, field.default)}
        for field in dataclasses.fields(config_class(name))
    ]
    return {"environment": name, "summary": row.summary, "family": row.family, "options": options}


def _agent(name: str, path: str, summary: str) -> dict[str, Any]:
    import inspect

    from ludarium.agents.registry import make_agent

    agent = make_agent(name)
    options = [
        {"option": key, "default": None if found.default is found.empty else found.default}
        for key, found in inspect.signature(type(agent)).parameters.items()
    ]
    facts = {"agent": name, "summary": summary, "class": path, "view": agent.view}
    return {**facts, "options": options} if options else facts


def _scenario(name: str) -> dict[str, Any]:
    from ludarium.scenarios.loader import load

    found = load(name, allow_code=True)
    cases = [
        {"case": case.name, **{split: len(seeds) for split, seeds in case.splits.items()}, "config": str(case.config)}
        for case in found.cases
    ]
    return {
        "scenario": found.name, "version": found.version, "summary": found.summary, "environment": found.environment,
        "information": found.information, "trials": found.trials, "hash": found.hash, "file": str(found.path), "cases": cases,
    }  # fmt: skip


def _run(name: str) -> dict[str, Any]:
    from ludarium.leaderboards.folder import RunFolder, units_of

    run = RunFolder.open(name)
    total, result = len(units_of(run.scenario(), run.manifest)), run.result()
    state = "finished" if result else "not finished; go on with --resume"
    found = f"{run.manifest['scenario']['name']} {run.manifest['scenario']['hash']}"
    return {
        "run": name, "scenario": found, "split": run.manifest["split"], "agents": run.manifest["agents"],
        "episodes": f"{len(run.rows())} of {total}", "state": state, "digest": result["digest"] if result else None,
    }  # fmt: skip


def _trace(name: str) -> dict[str, Any]:
    from ludarium.envs.core.trace import Trace

    trace = Trace.load(name)
    header = {key: value for key, value in trace.header.items() if key != "instance"}
    return {"trace": name, **header, "steps": trace.steps, "digest": trace.digest, "result": trace.result}


def _table(title: str, rows: list[dict[str, Any]]) -> Any:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for key in rows[0]:
        table.add_column(key)
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    return table
