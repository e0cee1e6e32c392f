"""What should change nothing, done at once: an episode that stays as it was keeps many laws; else each law tries alone."""

from __future__ import annotations

from typing import Any, NamedTuple

from ludarium.envs.core.laws.cases import Case
from ludarium.envs.core.laws.outcome import Broken, Crashed
from ludarium.envs.core.laws.rig import Story, same
from ludarium.envs.core.laws.subject import Subject

__all__ = ["CALLS", "Beside", "afterwards", "beside", "doubt", "in_parts", "rendered", "ways_to_copy"]

CALLS: dict[str, list[Any]] = {
    name: ["call", {"function": f"ludarium.envs.core.laws.own:{name}", "world": "a"}]
    for name in ("recounted", "passed_bounds")
}
"""What is asked of our own worlds at the end of an episode; the last one plays it on."""
_AFTER = 16
"""Steps of the episode after a reset without a seed."""
_TRIES = 2
"""How often an episode that came out otherwise is played again by itself."""
_PARTS = 4
"""Turns that a second environment takes in one episode."""


class Beside(NamedTuple):
    """What came of an episode that was disturbed in every way, and stayed as it was.

    `malformed` actions were tried in it, the episode `after` it began with a reset without a seed, and it was `looked` at.
    """

    malformed: int
    after: Story
    looked: bool


def afterwards(case: Case) -> dict[str, Any]:
    """How the episode after a reset without a seed is played."""
    policy = {"key": case.policy + 2, "mix": case.mix}
    return {"seed": None, "policy": policy, "length": min(case.length, _AFTER)}


def rendered(subject: Subject, case: Case) -> str | None:
    """The render mode under which a case's episode is looked at, if any."""
    modes = [] if subject.form(case) == "vector" else [m for m in subject.claims(case)["render"] if m != "human"]
    return str(modes[case.fault % len(modes)]) if modes else None


def ways_to_copy(claims: dict[str, Any]) -> list[str]:
    """How an environment can be copied: classes of a function cannot be pickled."""
    return ["deepcopy"] if claims["local"] else ["deepcopy", "pickle"]


def doubt(subject: Subject, case: Case) -> None:
    """No longer believe that nothing changes the case's episode: something did since, so each law finds out for itself."""
    if case.script is None:
        subject.keep(case, "beside", None)
        subject.keep(case, "in parts", None)


def beside(subject: Subject, case: Case) -> Beside | None:
    """The episode of a case under all that should leave it alone, at once; None if something did not.

    It is after another episode, beside a second environment that is closed before the last part, under another state of
    the process's random numbers, looked at in every way, with returned arrays and given actions overwritten, and with
    malformed actions where they are claimed to raise.
    """
    if case.script is not None:
        return None

    def found() -> Beside | None:
        render = rendered(subject, case)
        try:
            done, made = _disturbed(subject, case, {} if render is None else {"render": render}, ["look"])
        except Crashed as crash:
            if crash.phase != "look":
                raise
            made = False
        if not made:
            done = _disturbed(subject, case, {}, [])[0]
        if done is None:
            _by_chance(subject, case)
        return done

    kept: Beside | None = subject.kept(case, "beside", found)
    return kept


def _disturbed(subject: Subject, case: Case, render: dict[str, str], look: list[str]) -> tuple[Beside | None, bool]:
    """What came of the disturbed episode, and whether an environment could be made for it."""
    story, watch = subject.play(case), ["global", "hold", "scribble", "scribble actions", *look]
    if subject.claims(case)["malformed"] == "raise":
        watch.append("malformed")
    size = max(1, -(-story.steps // _PARTS))
    other = {"world": "b", "start": False, "policy": {"key": case.policy + 1, "mix": 0}, "length": min(size, 4)}
    program = [["scramble", {"seed": case.seed + 1}], subject.make(case, **render), subject.make(case, "b")]
    program += [subject.elsewhere(case, "a", case.before), subject.elsewhere(case, "b", 0)]
    parts = []
    for at in range(0, max(1, story.steps), size):
        program += [["play", other]] if at else []
        program += [["close", {"world": "b"}]] if at + size >= story.steps else []
        parts.append(len(program))
        more: dict[str, Any] = {} if at == 0 else {"start": False}
        program.append(subject.replay(case, story, first=at, last=at + size, watch=watch, fault=case.fault, **more))
    program += [["scramble", {"seed": 1}], ["play", {"world": "a", **afterwards(case)}]]
    results = subject.run(program)
    pieces = [Story(**results[place]) for place in parts]
    seen = [record for piece in pieces for record in piece.seen]
    made = results[1]["raised"] is None
    raised = any(results[place]["raised"] is not None for place in (1, 2, parts[-1] - 1, parts[-1]))
    if raised or seen != story.seen or any(piece.notes for piece in pieces):
        return None, made
    malformed = sum(piece.malformed for piece in pieces)
    return Beside(malformed, Story(**results[-1]), bool(look)), True


def _by_chance(subject: Subject, case: Case) -> None:
    """Raise `Broken` if the episode comes out otherwise by itself: what was seen once need not show when a law looks for it."""
    story = subject.play(case)
    for _ in range(_TRIES):
        again = Story(**subject.run([subject.make(case), subject.replay(case, story)])[1])
        try:
            same("repeatable", story, again, "the same episode in a new environment")
        except Broken:
            doubt(subject, case)
            raise


def in_parts(subject: Subject, case: Case) -> dict[str, Any] | None:
    """What `CALLS` say of a case's episode that was left and taken up again in every way; None if it came to another end.

    It is copied at the cut, gone back to by a snapshot, also from its end and from another episode, and played on in each
    copy. Of worlds that are not ours nothing is asked.
    """
    if case.script is not None:
        return None

    def found() -> dict[str, Any] | None:
        try:
            calls = _parted(subject, case)
        except Crashed:  # in which of the laws, each finds out for itself
            return None
        if calls is None:
            _by_chance(subject, case)
        return calls

    kept: dict[str, Any] | None = subject.kept(case, "in parts", found)
    return kept


def _parted(subject: Subject, case: Case) -> dict[str, Any] | None:
    story, claims = subject.play(case), subject.claims(case)
    cut, ways = story.steps * case.cut // 16, ways_to_copy(claims)
    calls = CALLS if claims["ours"] and subject.form(case) != "vector" else {}
    slot, snaps = {"world": "a", "slot": "s"}, claims["snapshot"]

    def rest(world: str = "a") -> list[Any]:
        return subject.replay(case, story, world, first=cut, start=False)

    program: dict[str, list[Any]] = {"make": subject.make(case), "head": subject.replay(case, story, last=cut)}
    if snaps:
        program["taken"] = ["snapshot", slot]
    program |= {how: ["copy", {"world": "a", "into": how, "how": how}] for how in ways}
    program["rest"] = rest()
    program |= calls
    if snaps:
        program |= {"back": ["restore", slot], "rest again": rest()}
        program |= {"elsewhere": subject.elsewhere(case, "a", case.before), "returned": ["restore", slot]}
    program |= {f"rest in {how}": rest(how) for how in ways}
    if snaps:
        program["rest at last"] = rest()
    results = dict(zip(program, subject.run(list(program.values())), strict=True))
    if any(result["raised"] is not None for result in results.values()):
        return None
    returns = [results[name] for name in ("back", "returned") if name in results]
    rests = [result["seen"] for name, result in results.items() if name.startswith("rest")]
    alike = results["head"]["seen"] == story.seen[: cut + 1] and all(seen == story.seen[cut + 1 :] for seen in rests)
    whole = all(back["again"] and not back["changed"] for back in returns)
    return {name: results[name] for name in calls} if alike and whole else None
