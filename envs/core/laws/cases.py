"""Cases: small integers from which an episode follows, drawn by Hypothesis; profiles; configs found by trying."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ludarium.envs.core.errors import LudariumError, MissingExtraError, did_you_mean
from ludarium.envs.core.laws.outcome import CheckError
from ludarium.envs.core.laws.probe import Chance

__all__ = ["PROFILES", "Case", "Profile", "config_rows", "generate", "profile_of"]


class Profile(NamedTuple):
    """How much is tried: cases a law, steps a case, rows of the table of configs, and whether children are started."""

    name: str
    cases: int
    steps: int
    configs: int
    children: bool
    derandomize: bool


PROFILES = {
    "dev": Profile("dev", 8, 64, 8, False, False),
    "ci": Profile("ci", 50, 256, 16, True, True),
    "nightly": Profile("nightly", 1000, 1024, 64, True, False),
}


def profile_of(name: str | Profile) -> Profile:
    """The profile of this name."""
    if isinstance(name, Profile):
        return name
    if name not in PROFILES:
        raise CheckError(f"no profile {name!r}{did_you_mean(str(name), PROFILES)}")
    return PROFILES[name]


@dataclasses.dataclass(frozen=True)
class Case:
    """An episode as small integers; the environment and this give it whole.

    `options` are the environment's own, `form` and `mode` choose among its forms and autoreset modes, `policy` and `mix`
    make the actions, `wild` of 16 of them against the mask where that is claimed; `before` steps are played in an episode
    before, `cut` of 16 is where a snapshot or a copy is taken, `fault` the kind of malformed action. `pinned` names the form
    where a law has settled it. A `script` (and a
    `prefix` for the episode before) stands in the place of the policy once a case has been shortened; None in it is the
    lowest legal action.
    """

    options: tuple[tuple[str, Any], ...] = ()
    form: int = 0
    mode: int = 0
    seed: int = 0
    policy: int = 0
    mix: int = 0
    wild: int = 0
    length: int = 16
    before: int = 4
    cut: int = 8
    fault: int = 0
    pinned: str | None = None
    script: tuple[Any, ...] | None = None
    scripted_wild: tuple[int, ...] = ()
    prefix: tuple[Any, ...] | None = None

    def replace(self, **changes: Any) -> Case:
        """A case with some things changed."""
        return dataclasses.replace(self, **changes)

    def as_data(self) -> dict[str, Any]:
        """As JSON values."""
        data = dataclasses.asdict(self)
        data["options"] = dict(self.options)
        return data

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Case:
        """The inverse of `as_data`."""
        made = {f.name: data[f.name] for f in dataclasses.fields(cls) if f.name in data}
        made["options"] = tuple(sorted(made.get("options", {}).items()))
        for name in ("script", "prefix", "scripted_wild"):
            if made.get(name) is not None:
                made[name] = tuple(made[name])
        return cls(**made)


def generate(profile: Profile, rows: list[dict[str, Any]], seed: int | None) -> list[Case]:
    """The profile's cases, drawn by Hypothesis: the same ones every time in `ci`, unless a seed is given."""
    try:
        import hypothesis
        from hypothesis import strategies as st
    except ImportError as error:
        raise MissingExtraError("hypothesis", "check") from error
    # Among the integers it draws, Hypothesis mixes constants of whatever modules are loaded, and it varies the parts of
    # what it drew before. So it draws the bits of a word here, and a case follows from all of them: the same ones in each
    # process, and none nearly another.
    strategy = st.tuples(*[st.booleans()] * 24)
    found: list[Case] = []
    everything = list(hypothesis.HealthCheck)

    @hypothesis.settings(
        max_examples=profile.cases, phases=[hypothesis.Phase.generate], database=None, deadline=None,
        derandomize=profile.derandomize and seed is None, suppress_health_check=everything,
    )  # fmt: skip
    @hypothesis.given(strategy)
    def collect(bits: tuple[bool, ...]) -> None:
        found.append(_case(sum(bit << k for k, bit in enumerate(bits)), profile.steps, rows))

    (collect if seed is None else hypothesis.seed(seed)(collect))()
    return found[: profile.cases]


def _case(word: int, steps: int, rows: list[dict[str, Any]]) -> Case:
    upto = Chance(word, 0, 0).below
    return Case(
        options=tuple(sorted(rows[upto(len(rows))].items())), form=upto(12), mode=upto(3), seed=upto(1 << 12),
        policy=upto(1 << 12), mix=upto(4), wild=upto(4), length=steps if upto(3) else 1 + upto(steps),
        before=upto(1 + max(4, steps // 8)), cut=upto(17), fault=upto(8),
    )  # fmt: skip


# --- configs ---------------------------------------------------------------------------------------------------------
_SMALL = (1, 2, 3, 4, 5, 6, 8, 11, 16)
_KNOWN = re.compile(r"known: (.*)$")
_RANGE = re.compile(r"expected a number from (\S+) to (\S+)")


def config_rows(config: Any, count: int, works: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Options of `count` configs that the config's own checks, and then `works`, accept; small ones, each other than the rest.

    The values of a field are its class's `examples` for it, or what the errors for wrong values say (names, ranges), or
    small integers; a row that raises is passed over.
    """
    values = {field.name: _values(config, field) for field in dataclasses.fields(config)}
    large = {f.name for f in dataclasses.fields(config) if isinstance(f.default, int) and f.default > max(_SMALL)}
    found: list[dict[str, Any]] = []
    for row in _drawn(values, large, 60 * count):
        if len(found) == count:
            break
        kept = _accepted(config, row)
        if kept is not None and kept not in found and works(kept):
            found.append(kept)
    return found or [{}]


def _accepted(config: Any, row: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return dict(config.of(**row).as_dict())
    except LudariumError:
        return None


def _drawn(values: dict[str, list[Any]], large: set[str], tries: int) -> Iterator[dict[str, Any]]:
    """Rows of values; a default stands in a quarter of them, but for those that are large."""
    for k in range(tries):
        chance = Chance(k, 3, 0)
        row = {}
        for name, known in values.items():
            if known and (name in large or chance.below(4)):
                row[name] = known[chance.below(len(known))]
        yield row


def _values(config: Any, field: dataclasses.Field[Any]) -> list[Any]:
    """The values to draw a field from."""
    examples = getattr(config, "examples", {})
    if field.name in examples:
        return list(examples[field.name])
    kind, default = str(field.type), field.default
    if isinstance(default, bool):
        return [default, not default]
    if field.name == "max_steps":
        return [1, 3, 9, 20, 64, 200]
    if isinstance(default, int) or kind.startswith("int"):
        return list(_SMALL)
    said = _complaint(config, field.name, "?" if isinstance(default, str) or "str" in kind else -1e300)
    if isinstance(default, float):
        found = _RANGE.search(said)
        low, high = (float(found[1]), float(found[2])) if found else (default, default)
        return sorted({low, high, (low + high) / 2, default})
    names = _KNOWN.search(said)
    return ([] if default is dataclasses.MISSING else [default]) + (names[1].split(", ") if names else [])


def _complaint(config: Any, name: str, value: Any) -> str:
    try:
        config.of(**{name: value})
    except LudariumError as error:
        return str(error)
    return ""
