"""The compiler's traps: stale caches, folders that cannot be written, and plain Python that must give the same."""

from __future__ import annotations

import copy
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from core.play import CASES, play

import ludarium
from ludarium.envs.core.compile import DISABLED, bind, inner, kernel, kernel_hash, sources_of, special
from ludarium.envs.core.frozen import freeze

TESTS = Path(__file__).parents[1]
compiled_only = pytest.mark.skipif(DISABLED, reason="nothing is compiled here")


def run(program: str, *paths: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program with the packages in `paths`, in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA", "LUDARIUM"))}
    kept |= {"PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env={k: v for k, v in kept.items() if v}
    )
    assert done.returncode == 0, done.stderr
    return done


STATE = """
from typing import NamedTuple
import numpy as np
class State(NamedTuple):
    fuel: np.ndarray
    cash: np.ndarray
"""
HELPER = """
from ludarium.envs.core.compile import kernel
@kernel
def price(n):
    return n * 2
"""
CALLER = """
from ludarium.envs.core.compile import kernel
from .parts import price
@kernel
def pay(s, n):
    s.cash[0] -= price(n)
    return s.cash[0]
"""
PROGRAM = """
import numpy as np, {package}.caller as c, {package}.state as s
state = s.State(**dict(fuel=np.array([100]), cash=np.array([1000])))
print(c.pay(state, 10), state.fuel[0], state.cash[0])
"""


@compiled_only
@pytest.mark.parametrize("import_line", ["from .parts import price", "from shop.parts import price"])
def test_an_edit_in_another_file_reaches_a_cached_caller(tmp_path: Path, import_line: str) -> None:
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "state.py").write_text(STATE)
    (package / "parts.py").write_text(HELPER)
    (package / "caller.py").write_text(CALLER.replace("from .parts import price", import_line))
    program = PROGRAM.format(package="shop")

    first, again = run(program, tmp_path), run(program, tmp_path)
    assert first.stdout == again.stdout == "980 100 980\n"
    assert "compiling" in first.stderr
    assert "compiling" not in again.stderr  # the cache works: else the rest proves nothing

    (package / "parts.py").write_text(HELPER.replace("n * 2", "n * 7"))
    assert run(program, tmp_path).stdout == "930 100 930\n"


@compiled_only
def test_fields_that_change_places_in_another_file_reach_a_cached_caller(tmp_path: Path) -> None:
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "state.py").write_text(STATE)
    (package / "parts.py").write_text(HELPER)
    (package / "caller.py").write_text(CALLER + "from .state import State\n")
    program = PROGRAM.format(package="shop")
    assert run(program, tmp_path).stdout == "980 100 980\n"
    swapped = STATE.replace("fuel: np", "x: np").replace("cash: np", "fuel: np").replace("x: np", "cash: np")
    (package / "state.py").write_text(swapped)
    assert run(program, tmp_path).stdout == "980 100 980\n"


@compiled_only
def test_files_beside_a_lone_script_count_as_its_sources(tmp_path: Path) -> None:
    (tmp_path / "parts.py").write_text(HELPER)
    (tmp_path / "caller.py").write_text(CALLER.replace("from .parts", "from parts"))
    program = "import numpy as np, caller\nfrom types import SimpleNamespace\n"
    program += "from ludarium.envs.core.compile import sources_of\nprint(*[p.name for p in sources_of('caller')])"
    assert {"caller.py", "parts.py", "compile.py"} <= set(run(program, tmp_path).stdout.split())


def test_the_sources_of_a_kernel_are_those_that_it_can_reach() -> None:
    names = {path.name for path in sources_of("ludarium.envs._template.array.dynamics")}
    assert {"dynamics.py", "generate.py", "rng.py", "state.py", "compile.py"} <= names
    assert not names & {"scene.py", "trace.py", "gym_single.py", "language.py"}
    assert len(kernel_hash("ludarium.envs._template.array.dynamics")) == 32
    assert kernel_hash("ludarium.envs._template.array.dynamics") != kernel_hash("ludarium.envs.core.rng")


@compiled_only
def test_compiled_equals_plain_python_in_every_world() -> None:
    program = (
        "from core.play import CASES, play\n"
        "for name in CASES:\n    for seed in (0, 1):\n        print(name, play(name, seed, 30).digest())"
    )
    plain = run(program, TESTS, NUMBA_DISABLE_JIT="1")
    here = "".join(f"{name} {play(name, seed, 30).digest()}\n" for name in CASES for seed in (0, 1))
    assert plain.stdout == here


def copied(tmp_path: Path) -> Path:
    """A copy of the package whose `__pycache__` folders cannot be made: there are files in their way."""
    site = tmp_path / "site"
    shutil.copytree(
        Path(str(ludarium.__file__)).parent,
        site / "ludarium",
        ignore=shutil.ignore_patterns("__pycache__", "*.map", "golden"),
    )
    for folder in [site / "ludarium", *(path for path in (site / "ludarium").rglob("*") if path.is_dir())]:
        (folder / "__pycache__").write_text("in the way")
    return site


PLAY = """
import ludarium.envs._template, gymnasium as gym
assert {site!r} in ludarium.__file__, ludarium.__file__
env = gym.make("template-object-v0")
env.reset(seed=1)
env.step("50")
print(env.unwrapped.digest())
"""


@compiled_only
def test_read_only_packages_without_a_home_use_a_private_folder(tmp_path: Path) -> None:
    site, temporary = copied(tmp_path), tmp_path / "tmp"
    temporary.mkdir()
    where = {"HOME": "/dev/null/home", "XDG_CACHE_HOME": "/dev/null/cache", "TMPDIR": str(temporary)}
    program = PLAY.format(site=str(site))
    first, again = run(program, site, **where), run(program, site, **where)
    assert first.stdout == again.stdout
    assert "compiling" in first.stderr
    assert "compiling" not in again.stderr
    (private,) = temporary.glob("ludarium-kernels-*")
    assert private.stat().st_mode & 0o077 == 0
    assert list(private.rglob("*.nbc"))


@compiled_only
def test_with_no_place_to_cache_at_all_it_still_runs(tmp_path: Path) -> None:
    site, temporary = copied(tmp_path), tmp_path / "tmp"
    temporary.mkdir()
    (temporary / f"ludarium-kernels-{os.getuid()}").write_text("in the way")
    where = {"HOME": "/dev/null/home", "XDG_CACHE_HOME": "/dev/null/cache", "TMPDIR": str(temporary)}
    assert len(run(PLAY.format(site=str(site)), site, **where).stdout) == 17


def test_without_a_home_variable_it_runs(tmp_path: Path) -> None:
    assert len(run(PLAY.format(site=""), HOME="").stdout) == 17


@kernel
def _add(target, n):
    target[0] += n


def test_a_binding_calls_the_same_function() -> None:
    import numpy as np

    target = np.zeros(1, np.int64)
    bind(_add, target, 3)(target, 3)
    _add(target, 4)
    assert target[0] == 7


class Pair(NamedTuple):
    values: np.ndarray
    weight: float
    flag: bool


@kernel
def weigh(pair: Pair) -> float:
    total = 0.0
    if pair.flag:
        for i in range(pair.values.shape[0]):
            total += pair.values[i] * pair.weight
    return total


@inner
def judge(pair: Pair) -> int:
    return 1


if not DISABLED:

    @special(judge, "light")
    def judge_lightly(pair: Pair) -> int:
        return 2


@kernel
def judged(pair: Pair) -> int:
    return judge(pair)


@compiled_only
def test_processes_that_compile_at_once_never_take_each_others_code(tmp_path: Path) -> None:
    """Numba's own files, numbered and listed in an index, would: both writers below begin with an empty folder."""
    from ludarium.envs.core.compile import _StampedFiles

    one, other, later = (_StampedFiles(str(tmp_path), "module.kernel-7.py311", stamp) for stamp in ("a1", "a1", "b2"))
    one.save(("int64",), "code for integers")
    other.save(("float64",), "code for floats")
    assert one.load(("int64",)) == other.load(("int64",)) == "code for integers"
    assert one.load(("float64",)) == other.load(("float64",)) == "code for floats"
    assert later.load(("int64",)) is None
    later.save(("int64",), "code of newer sources")
    assert one.load(("int64",)) is None, "what older sources compiled to is gone"
    assert later.load(("int64",)) == "code of newer sources"


@compiled_only
def test_a_frozen_tuple_is_the_same_tuple() -> None:
    """In Python nothing changes; copies have buffers of their own; what cannot be frozen says so."""
    state = freeze(Pair(np.arange(3), 2.5, True))
    assert (state.values[1], state.weight, state.flag) == (1, 2.5, True)
    assert weigh(state) == 2.5 * 3
    copied = copy.deepcopy(state)
    copied.values[0] = 10
    assert (weigh(state), weigh(copied)) == (7.5, 32.5)
    revived = pickle.loads(pickle.dumps(state))
    assert weigh(revived) == 7.5
    assert type(revived) is type(state)
    assert repr(state).startswith("Pair(values=")
    assert weigh(state._replace(flag=False)) == 0
    assert weigh(Pair(np.arange(3), 2.5, True)) == 7.5, "the plain tuple goes too"
    with pytest.raises(TypeError, match="contiguous"):
        freeze(Pair(np.arange(6)[::2], 2.5, True))
    with pytest.raises(TypeError, match="str cannot be frozen"):
        freeze(Pair(np.arange(3), "2.5", True))  # type: ignore[arg-type]


@compiled_only
def test_a_variant_is_compiled_in_its_special_form() -> None:
    """The special form here answers otherwise, which no true one may, so that the test can see which one ran."""
    pair = Pair(np.arange(3), 2.5, True)
    assert judged(freeze(pair)) == judged(pair) == 1
    assert judged(freeze(pair, "light")) == 2
    assert judged(freeze(pair, "heavy")) == 1


@compiled_only
def test_a_numba_that_was_not_seen_compiles_in_its_own_way(tmp_path: Path) -> None:
    """Without our way of linking all is the same but the time that it takes: inner, special and whole kernels."""
    (tmp_path / "lone.py").write_text(LONE)
    program = (
        "import ludarium.envs.core.linking as linking\nlinking.SUPPORTED = {}\n"
        "import lone, ludarium.envs.core.compile as c\nassert c.SUPPORTED is {}\nprint(lone.answers())"
    )
    said = [
        run(program.format(way, way), tmp_path, NUMBA_CACHE_DIR=str(tmp_path / str(way))).stdout
        for way in (True, False)
    ]
    assert said[0] == said[1] == "[6, 60]\n"


LONE = """
from typing import NamedTuple
import numpy as np
from ludarium.envs.core.compile import inner, kernel, special
from ludarium.envs.core.frozen import freeze
class Pair(NamedTuple):
    values: np.ndarray
    factor: int
@inner
def total(pair):
    found = 0
    for i in range(pair.values.shape[0]):
        found += pair.values[i]
    return found
@inner
def scaled(pair):
    return total(pair)
@special(scaled, "tenfold")
def scaled_tenfold(pair):
    return total(pair) * pair.factor
@kernel
def answer(pair):
    return scaled(pair)
def answers():
    pair = Pair(np.arange(4), 10)
    return [int(answer(freeze(pair))), int(answer(freeze(pair, "tenfold")))]
"""
