"""Mutants of the path-finding dynamics, and what kills them. `python benchmarks/mutants.py [--count 200] [--json FILE]`.

A mutant is one random change of one line in a kernel: a comparison, an operator, a number, a condition, a statement
left out. It counts if the digests of 10,000 fuzzed episodes differ from the original's (drawn maps and given ones, all
rules, all behaviours on the goal); raising or hanging is differing. A mutant that counts is dead when one of these falls:

- `oracle`: the environment equals `tests/mapf/reference.py`, keeps its invariants, and every joint action of tiny worlds
  keeps the statements of the rules (`test_fuzz`, `test_rules`);
- `places`: placement agrees with brute force, matchings, flood fills (`test_generate`, nothing that holds a digest);
- `laws`: `ludarium.testing.check` on both ids, profile `dev`.

Golden digests and recorded episodes take no part. Kernels run as plain Python, each mutant in processes of its own.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FILES = ("dynamics", "collisions", "reset", "placement")
EPISODES, CHUNK, PATIENCE = 10_000, 40, 600.0
"""Episodes, how many a batch, and seconds that a stage may take before it hangs."""
SWAPS: dict[type, tuple[type, ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Add,),
    ast.FloorDiv: (ast.Mult,), ast.Mod: (ast.FloorDiv,), ast.And: (ast.Or,), ast.Or: (ast.And,),
    ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd,),
}  # fmt: skip
STAGES = {
    "oracle": ["tests/mapf/test_fuzz.py", "tests/mapf/test_rules.py"],
    "places": ["tests/mapf/test_generate.py", "-k", "component or plac or start or goal or robot or cell"],
    "laws": ["benchmarks/mutants.py"],
}


# --- mutants ---------------------------------------------------------------------------------------------------------
def _path(name: str) -> Path:
    return ROOT / "envs" / "mapf" / f"{name}.py"


def changes(tree: ast.Module) -> list[tuple[int, int]]:
    """All (node, variant) that can be changed: nodes of kernels' bodies in the order of `ast.walk`."""
    inside = {
        id(node)
        for function in tree.body
        if isinstance(function, ast.FunctionDef) and function.decorator_list
        for statement in function.body[1:]
        for node in ast.walk(statement)
    }
    return [
        (place, variant)
        for place, node in enumerate(ast.walk(tree))
        if id(node) in inside
        for variant in range(_variants(node))
    ]


def _variants(node: ast.AST) -> int:
    if isinstance(node, ast.Compare):
        return len(SWAPS.get(type(node.ops[0]), ()))
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign):
        return len(SWAPS.get(type(node.op), ())) + isinstance(node, ast.AugAssign)
    if isinstance(node, ast.Constant):
        return 1 if isinstance(node.value, bool | int | float) else 0
    return 1 if isinstance(node, ast.If | ast.Assign | ast.Continue | ast.Break) else 0


def mutated(name: str, place: int, variant: int) -> tuple[str, str]:
    """The changed source of a file, and what was changed."""
    tree = ast.parse(_path(name).read_text())
    node: Any = list(ast.walk(tree))[place]
    before = copy.deepcopy(node)
    if isinstance(node, ast.Compare):
        node.ops[0] = SWAPS[type(node.ops[0])][variant]()
    elif isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and variant < len(SWAPS.get(type(node.op), ())):
        node.op = SWAPS[type(node.op)][variant]()
    elif isinstance(node, ast.Constant):
        node.value = (not node.value) if isinstance(node.value, bool) else node.value + 1
    elif isinstance(node, ast.If):
        node.test = ast.UnaryOp(ast.Not(), node.test)
    else:
        _drop(tree, node)
        return ast.unparse(
            ast.fix_missing_locations(tree)
        ), f"{name}.py:{before.lineno} without `{ast.unparse(before)}`"
    shown = [ast.unparse(part.test if isinstance(part, ast.If) else part) for part in (before, node)]
    return ast.unparse(ast.fix_missing_locations(tree)), f"{name}.py:{before.lineno} `{shown[0]}` -> `{shown[1]}`"


def _drop(tree: ast.Module, gone: ast.AST) -> None:
    for node in ast.walk(tree):
        for field in ("body", "orelse"):
            statements = getattr(node, field, None)
            if isinstance(statements, list) and gone in statements:
                statements[statements.index(gone)] = ast.Pass()


class _Mutate(importlib.abc.MetaPathFinder):
    """Gives one module its mutated source."""

    def __init__(self, name: str, place: int, variant: int) -> None:
        self.module, self.file = f"ludarium.envs.mapf.{name}", str(_path(name))
        self.source = mutated(name, place, variant)[0]

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        """The spec of that module."""
        if fullname != self.module:
            return None
        source = self.source

        class Loader(importlib.machinery.SourceFileLoader):
            def get_code(self, fullname: str) -> Any:
                return compile(source, self.path, "exec")

        return importlib.util.spec_from_file_location(fullname, self.file, loader=Loader(fullname, self.file))


if os.environ.get("MUTANT"):
    _name, _place, _variant = json.loads(os.environ["MUTANT"])
    sys.meta_path.insert(0, _Mutate(_name, _place, _variant))


# --- the fuzzed episodes ---------------------------------------------------------------------------------------------
def digests(chunk: int) -> list[int]:
    """The digests of a chunk of episodes of one random config; half of the chunks have drawn maps, half given ones."""
    import numpy as np
    from mapf.test_fuzz import instance

    import ludarium  # noqa: F401  (registers the ids)
    from ludarium.envs.core.batch import Batch
    from ludarium.envs.core.registry import make_simulator

    rng = random.Random(chunk)
    mode = rng.choice(("stay", "vanish", "restart"))
    name = "mapf-lifelong-v0" if mode == "restart" else "mapf-v0"
    given, robots = chunk % 2 == 0, rng.randint(1, 5)
    options: dict[str, Any] = {
        "num_robots": robots, "collision": rng.choice(("soft", "block_both", "priority", "strict")),
        "radius": rng.randint(1, 3), "max_steps": rng.randint(4, 14), "observation": "none",
        "track_density": rng.random() < 0.3,
    }  # fmt: skip
    options |= {} if mode == "restart" else {"on_goal": mode}
    if given:
        options |= {"map": ("." * 6 + "\n") * 6, "allow_unreachable": True}
    else:
        options |= {"height": rng.randint(4, 7), "width": rng.randint(4, 7), "density": rng.choice((0.0, 0.1, 0.2))}
    batch, every = Batch(make_simulator(name, **options), CHUNK, name), np.ones(CHUNK, np.bool_)
    batch.seed(every, range(chunk * CHUNK, (chunk + 1) * CHUNK))
    batch.reset(every, {b: instance(rng, robots, mode) for b in range(CHUNK)} if given else None)
    while not batch.over.all():
        batch.put(0, np.array([[rng.randrange(5) for _ in range(robots)] for _ in range(CHUNK)]))
        batch.step()
    return [batch.digest(b) for b in range(CHUNK)]


def differ(expected: Path) -> int:
    """Compare all chunks with the original's; 1 at the first difference, 0 without one."""
    known = json.loads(expected.read_text())
    for chunk, wanted in enumerate(known):
        try:
            if digests(chunk) != wanted:
                return 1
        except Exception as error:  # whatever a mutant raises is a difference
            print(f"{type(error).__name__}: {error}")
            return 1
    return 0


def test_laws() -> None:
    """The laws over both ids, for the stage of that name."""
    from ludarium.testing import check

    for name in ("mapf-lifelong-v0", "mapf-v0"):
        report = check(name, profile="dev", shrinks=False, num_robots=4, height=8, width=8, max_steps=32)
        assert report.ok, report


# --- the run ---------------------------------------------------------------------------------------------------------
def _child(mutant: list[Any] | None, *command: str) -> int:
    """The exit status of a child that runs as plain Python, 124 if it hangs."""
    paths = os.pathsep.join(str(ROOT / part) for part in ("tests", "benchmarks"))
    environment = os.environ | {
        "NUMBA_DISABLE_JIT": "1",
        "PYTHONPATH": paths,
        "MUTANT": json.dumps(mutant) if mutant else "",
    }
    try:
        return subprocess.run(
            [sys.executable, *command], env=environment, cwd=ROOT, timeout=PATIENCE, capture_output=True
        ).returncode
    except subprocess.TimeoutExpired:
        return 124


def fate(mutant: list[Any], expected: Path) -> str:
    """`same` if no digest differs, the stage that kills it, or `survives`."""
    if _child(mutant, str(Path(__file__)), "--differ", str(expected)) == 0:
        return "same"
    for stage, tests in STAGES.items():
        if _child(mutant, "-m", "pytest", "-p", "mutants", "-p", "no:cacheprovider", "-x", "-q", *tests):
            return stage
    return "survives"


def main() -> int:
    """Run the mutants and print a line each, then the shares."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where the fates are kept; those that are there already stand")
    parser.add_argument("--differ", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.differ:
        return differ(asked.differ)
    sites = [(name, *site) for name in FILES for site in changes(ast.parse(_path(name).read_text()))]
    chosen = random.Random(asked.seed).sample(sites, asked.count)
    with tempfile.TemporaryDirectory() as folder:
        expected = Path(folder) / "digests.json"
        sys.path.insert(0, str(ROOT / "tests"))
        expected.write_text(json.dumps([digests(chunk) for chunk in range(EPISODES // CHUNK)]))
        if _child(None, str(Path(__file__)), "--differ", str(expected)):
            raise SystemExit("the original differs from itself: plain Python and the compiler do not agree")
        known = json.loads(asked.json.read_text()) if asked.json and asked.json.exists() else []
        fates_known = {row["mutant"]: row["fate"] for row in known}
        found = []
        for n, mutant in enumerate(chosen, 1):
            what = mutated(*mutant)[1]
            found.append({"mutant": what, "fate": fates_known.get(what) or fate(list(mutant), expected)})
            print(f"{n:4} {found[-1]['fate']:9} {what}", flush=True)
            if asked.json:
                rest = [row for row in known if row["mutant"] not in {kept["mutant"] for kept in found}]
                asked.json.write_text(json.dumps(found + rest, indent=1))
    fates = Counter(row["fate"] for row in found)
    counted = len(found) - fates["same"]
    dead = counted - fates["survives"]
    print(f"{dict(fates)}; {counted} count, {dead} of them die ({dead / max(counted, 1):.1%})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
