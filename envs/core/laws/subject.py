"""The subject: what is checked, how it is made, which forms it has, and the episodes that its laws share."""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import re
import sys
from collections.abc import Callable
from typing import Any

from ludarium.envs.core.laws.cases import Case, Profile, config_rows, profile_of
from ludarium.envs.core.laws.outcome import Broken, CheckError, NotClaimed, Rejected
from ludarium.envs.core.laws.rig import Here, Rig, Story

__all__ = ["ROWS", "Subject"]

ROWS = 3
"""Episodes in a batch that is checked."""
_ID = re.compile(r"^(?:[\w.]+:)?(?:[\w.-]+/)?[\w.-]+-v\d+$")
_REFUSALS = ("ConfigError", "InstanceError")
_KEPT = 512
_BATCH_STEPS = 96
"""Steps of a batch at most: each is several of single environments, which are played beside it."""


class Subject:
    """An environment by Gymnasium id, by `module:name` (a class, a function, a PettingZoo module's `env`), or a callable.

    `options` are given whenever it is made. `guarded` runs it in a process of its own (always so with `python`, which
    names another interpreter), where one operation may take `limit` seconds and the process `memory` bytes more than it
    had.
    """

    def __init__(
        self, target: str | Callable[..., Any], options: dict[str, Any] | None = None, *, guarded: bool = False,
        python: str | None = None, limit: float = 60.0, memory: int = 2 << 30,
    ) -> None:  # fmt: skip
        self.name, self.target = _target(target, guarded or python is not None)
        self.options = dict(options or {})
        self.guarded, self.python, self.limit, self.memory = guarded or python is not None, python, limit, memory
        self.dead: Broken | None = None
        self._rig: Rig | None = None
        self._children: dict[str, Rig] = {}
        self._claims: dict[str, dict[str, Any]] = {}
        self._stories: dict[str, Story | Exception] = {}
        self._kept: dict[str, Any] = {}
        self._forms: list[str] | None = None
        self.singles: dict[str, list[Story]] = {}
        """Episodes of single environments beside the rows of a batch, by case and row."""

    # --- running ---
    @property
    def rig(self) -> Rig:
        """What the environment runs in."""
        if self._rig is None:
            self._rig = self._process({}) if self.guarded else Here(self.target)
        return self._rig

    def _process(self, environment: dict[str, str]) -> Rig:
        from ludarium.envs.core.laws.guard import Guarded

        return Guarded(self.target, self.python or sys.executable, environment, self.limit, self.memory)

    def child(self, what: str) -> Rig:
        """A process of its own that stays warm: `hash` has another hash seed, `plain` no compiler."""
        if "make" in self.target:
            raise NotClaimed("a callable that no other process can import; name it as module:name")
        variables = {"hash": {"PYTHONHASHSEED": "4242"}, "plain": {"NUMBA_DISABLE_JIT": "1"}}[what]
        if what not in self._children:
            from ludarium.envs.core.laws.guard import Shared

            own = self._process if self.guarded else functools.partial(Shared, self.target, limit=self.limit)
            self._children[what] = own(environment=variables)
        return self._children[what]

    def run(self, program: list[Any], rig: Rig | None = None) -> list[Any]:
        """Run a program, and forget its worlds."""
        if self.dead is not None:
            raise self.dead
        return (rig or self.rig).run([*program, ["drop", {}]])[:-1]

    def close(self) -> None:
        """End all processes."""
        for rig in [self._rig, *self._children.values()]:
            if rig is not None:
                rig.close()
        self._rig, self._children = None, {}

    # --- forms ---
    @property
    def ours(self) -> bool:
        """Whether this is an environment of the suite's registry."""
        return bool(self.target.get("ours"))

    @property
    def forms(self) -> list[str]:
        """The forms that it has: `single`, `vector`, `parallel`, `aec`."""
        if self._forms is None:
            if self.ours:
                self._forms = ["single", "parallel", "vector", "aec"]
            else:
                claims = self.claims_of(None, ())
                self.target["kind"] = claims["kind"]
                self._forms = [claims["kind"]] + (["vector"] if claims["kind"] == "single" and claims["batch"] else [])
        return self._forms

    def form(self, case: Case, among: tuple[str, ...] = ("single", "parallel", "vector", "aec")) -> str:
        """The form that a case is played in, of those that a law is about."""
        found = [form for form in self.forms if form in among]
        if not found:
            raise NotClaimed(f"it is not {' or '.join(among)}")
        usual = case.pinned or self.forms[case.form % len(self.forms)]
        if usual in found:  # a law about some forms shares the episode of the others where it can
            return usual
        return found[case.form // len(self.forms) % len(found)]

    def claims_of(self, form: str | None, options: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
        """What a form of it claims under these options."""
        key = repr((form, options))
        if key not in self._claims:
            self._claims[key] = self.run([["make", self._make("a", form, dict(options))]])[0]
            raised = self._claims[key]["raised"]
            if raised is not None and not (self.ours and set(raised["mro"]) & set(_REFUSALS)):
                raise CheckError.of(self.name, raised)
        made = self._claims[key]
        if made["raised"] is not None:
            raise Rejected(made["raised"]["message"])
        return dict(made["claims"])

    def claims(self, case: Case, form: str | None = None) -> dict[str, Any]:
        """What it claims in the form and under the options of a case."""
        return self.claims_of(form or self.form(case), case.options)

    def configs(self, count: int) -> list[dict[str, Any]]:
        """Options to draw cases from: of the environment's own config, where it has one and none are given."""
        own = self.target.get("config")
        if own is None or self.options:
            return [{}]
        module, name = own.split(":")
        return config_rows(getattr(importlib.import_module(module), name), count, self._works)

    def _works(self, options: dict[str, Any]) -> bool:
        """Whether an environment can be made and reset under these options."""
        program = [["make", self._make("a", "single", options)], ["begin", {"world": "a", "seeds": [0, 1, 77]}]]
        return bool(self.run(program)[1]["raised"] is None)

    def profile(self, name: str | Profile) -> Profile:
        """A profile by name."""
        return profile_of(name)

    # --- episodes ---
    def _make(self, world: str, form: str | None, options: dict[str, Any], mode: str = "") -> dict[str, Any]:
        return {"world": world, "form": form, "config": {**self.options, **options}, "rows": ROWS, "mode": mode}

    def mode(self, case: Case) -> str:
        """The autoreset mode of a case, where the batch takes one."""
        modes = self.claims(case, "vector")["modes"] if {"single", "vector"} <= set(self.forms) else []
        return str(modes[case.mode % len(modes)]) if modes else ""

    def make(self, case: Case, world: str = "a", form: str | None = None, **more: Any) -> list[Any]:
        """The operation that makes a world of this case."""
        form = form or self.form(case)
        mode = self.mode(case) if form == "vector" else ""
        return ["make", {**self._make(world, form, dict(case.options), mode), **more}]

    def replay(
        self, case: Case, story: Story, world: str = "a", first: int = 0, last: int | None = None, **how: Any
    ) -> list[Any]:
        """The operation that plays the actions of a story again; without the reset where it begins later."""
        actions = story.actions[first:last]
        wild = [w - first for w in story.wild if first <= w < first + len(actions)]
        more = {"seed": case.seed} if first == 0 else {"start": False}
        return ["play", {"world": world, "script": actions, "length": len(actions), "wild": wild, **more, **how}]

    def elsewhere(self, case: Case, world: str, steps: int, **how: Any) -> list[Any]:
        """The operation that plays an episode of another seed and other actions: what should leave nothing behind."""
        if case.prefix is not None and steps == case.before:
            script = {"script": list(case.prefix), "length": len(case.prefix), "watch": ["repair"]}
            return ["play", {"world": world, "seed": case.seed + 1, **script, **how}]
        policy = {"key": case.policy + 1, "mix": 0}
        return ["play", {"world": world, "seed": case.seed + 1, "policy": policy, "length": steps, **how}]

    def play(self, case: Case, form: str | None = None) -> Story:
        """The episode of a case, with everything noted that can be seen in passing; kept, since all laws share it."""
        form = form or self.form(case)
        key = self._key(form, case)
        if key not in self._stories:
            if len(self._stories) >= _KEPT:
                self._stories.pop(next(iter(self._stories)))
            try:
                self._stories[key] = self._played(case, form)
            except (Broken, Rejected) as found:
                self._stories[key] = found
        story = self._stories[key]
        if isinstance(story, Exception):
            raise story
        return story

    def _key(self, what: str, case: Case) -> str:
        """A name for what all laws share of a case in a form; where it was settled says nothing but how long it is."""
        form = self.form(case) if what not in self.forms else what
        return repr((what, form, self.length(case, form), case.replace(pinned=None)))

    def kept(self, case: Case, what: str, found: Callable[[], Any]) -> Any:
        """What `found` returns about a case, which several laws ask for."""
        key = self._key(what, case)
        if key not in self._kept:
            self.keep(case, what, found())
        return self._kept[key]

    def keep(self, case: Case, what: str, value: Any) -> None:
        """Say what `kept` returns from now on."""
        if len(self._kept) >= _KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[self._key(what, case)] = value

    def length(self, case: Case, form: str) -> int:
        """The steps of a case's policy in a form: fewer in a batch, whose rows take more steps than one episode all the same.

        Where the case is settled on the batch, they are those of the case.
        """
        if form != "vector" or case.pinned == "vector":
            return case.length
        return min(-(-case.length // 2), _BATCH_STEPS)

    def _played(self, case: Case, form: str) -> Story:
        claims = self.claims(case, form)
        wild = case.wild if claims["illegal"] in ("fault", "noop", "end") and form != "vector" else 0
        watch = ["check", "outcomes", "beyond", *(["rows"] if form == "vector" else [])]
        how: dict[str, Any] = {"policy": {"key": case.policy, "mix": case.mix, "wild": wild}}
        how["length"] = self.length(case, form)
        if case.script is not None:
            how = {"script": list(case.script), "length": len(case.script), "wild": list(case.scripted_wild)}
            watch.append("repair")
        program = [self.make(case, "a", form), ["play", {"world": "a", "seed": case.seed, "watch": watch, **how}]]
        story = Story(**self.run(program)[1])
        try:
            return self._judged(story, claims)
        except Broken as found:
            found.episode = story  # what led to it can be shortened
            raise

    def words(self, case: Case) -> Story:
        """The episode of a case in words."""
        story = self.play(case)
        program = [self.make(case), self.replay(case, story, watch=["words"])]
        return Story(**self.run(program)[1])

    def _judged(self, story: Story, claims: dict[str, Any]) -> Story:
        """The story, or the law that it breaks by not coming to pass."""
        raised = story.raised
        if raised is None:
            return story
        what = f"{raised['type']}: {raised['message']}"
        where = f" ({raised['lines'][-1]})" if raised["lines"] else ""
        if raised["type"] == "MemoryError":
            raise Broken(
                "reset_forgets", f"memory grows beyond its limit: {raised['phase']} raised {what}", raised["step"]
            )
        if claims["ours"] and set(raised["mro"]) & set(_REFUSALS):  # of the first instance, or of one in a later reset
            raise Rejected(what)
        if raised["phase"] == "reset":
            raise Broken("repeatable", f"reset raised {what}{where}", 0)
        step = raised["step"]
        if raised["legal"]:
            raise Broken("mask_sound", f"step {step}: a legal action raised {what}{where}", step)
        raise Broken("mask_complete", f"step {step}: an action that the mask forbids raised {what}{where}", step)


def _target(target: str | Callable[..., Any], guarded: bool) -> tuple[str, dict[str, Any]]:
    """The name of what is checked, and how the probe makes it."""
    if not isinstance(target, str):
        module, qualified = getattr(target, "__module__", ""), getattr(target, "__qualname__", "")
        importable = bool(module) and module != "__main__" and "<" not in qualified and bool(qualified)
        name = f"{module}:{qualified}" if qualified else repr(target)
        if guarded and not importable:
            raise CheckError(
                f"{name} cannot be imported by another process; name it as module:name, or pass guarded=False"
            )
        return name, {"how": "path", "name": name} if guarded else {"how": "path", "name": name, "make": target}
    if _ID.match(target):
        return _of_id(target)
    if ":" not in target or target.startswith(":") or target.endswith(":"):
        raise CheckError(f"{target!r} is neither an environment's id, such as CartPole-v1, nor module:Class")
    return target, {"how": "path", "name": target, "path": os.getcwd()}


def _of_id(target: str) -> tuple[str, dict[str, Any]]:
    import ludarium  # noqa: F401  (registers the ids)
    from ludarium.envs.core.registry import WORLDS

    module, _, name = target.rpartition(":")
    imports = [module] if module else []
    if module and module != "ludarium":
        with contextlib.suppress(ImportError):  # then only the interpreter has it that the environment runs in
            importlib.import_module(module)
    if name not in WORLDS:
        return target, {"how": "id", "name": target, "imports": imports}
    row = WORLDS[name]
    package = row.simulator.split(":")[0]
    parent = package.rpartition(".")[0]
    imports += ["ludarium", *([parent] if parent else []), package]
    return name, {"how": "id", "name": name, "imports": imports, "ours": True, "config": row.config}
