"""Laws 15 to 17: going back, copying, and looking."""

from __future__ import annotations

from typing import Any

from ludarium.envs.core.laws.cases import Case
from ludarium.envs.core.laws.outcome import Broken, NotClaimed
from ludarium.envs.core.laws.rig import Story, same
from ludarium.envs.core.laws.subject import Subject
from ludarium.envs.core.laws.together import beside, in_parts, rendered, ways_to_copy

__all__ = ["copies", "looking", "snapshot"]


def _did(law: str, result: dict[str, Any], what: str) -> None:
    raised = result["raised"]
    if raised is not None:
        law = "reset_forgets" if raised["type"] == "MemoryError" else law
        raise Broken(law, f"{what} raised {raised['type']}: {raised['message']}", raised["step"])


def snapshot(subject: Subject, case: Case) -> None:
    """After a restore the same actions lead to the same future; a snapshot never changes."""
    if not subject.claims(case)["snapshot"]:
        raise NotClaimed("it has no snapshot and restore")
    story = subject.play(case)
    if in_parts(subject, case) is not None:
        return
    cut = story.steps * case.cut // 16
    tail = subject.replay(case, story, first=cut, start=False)
    program = [
        subject.make(case), subject.replay(case, story, last=cut), ["snapshot", {"world": "a", "slot": "s"}], tail,
        ["restore", {"world": "a", "slot": "s"}], tail, subject.elsewhere(case, "a", case.before),
        ["restore", {"world": "a", "slot": "s"}], tail,
    ]  # fmt: skip
    _, head, taken, future, back, again, elsewhere, returned, last = subject.run(program)
    _did("snapshot", taken, "snapshot()")
    same("snapshot", story, joined_at(head, future), "with a snapshot taken on the way")
    for restored, then, saying in (
        (back, again, "after a restore"),
        (returned, last, "after a restore from another episode"),
    ):
        _did("snapshot", restored, "restore()")
        if restored["changed"]:
            raise Broken("snapshot", f"a snapshot taken at step {cut} has changed since", cut)
        if not restored["again"]:
            raise Broken("snapshot", f"after a restore to step {cut}, another snapshot differs from the first", cut)
        same("snapshot", story, Story(**then), saying, at=cut + 1)
    Story(**elsewhere)


def joined_at(head: dict[str, Any], tail: dict[str, Any]) -> Story:
    """The two parts of an episode that was played in two goes."""
    first, second = Story(**head), Story(**tail)
    if first.raised is None:
        first.seen, first.actions, first.raised = (
            first.seen + second.seen,
            first.actions + second.actions,
            second.raised,
        )
    return first


def copies(subject: Subject, case: Case) -> None:
    """A deep copy and a pickled copy have the same future as the original, and leave it alone."""
    story = subject.play(case)
    if in_parts(subject, case) is not None:
        return
    cut, ways = story.steps * case.cut // 16, ways_to_copy(subject.claims(case))
    program = [subject.make(case), subject.replay(case, story, last=cut)]
    program += [["copy", {"world": "a", "into": how, "how": how}] for how in ways]
    program += [subject.replay(case, story, world, first=cut, start=False) for world in (*ways, "a")]
    results = subject.run(program)[2:]
    for how, copied in zip(ways, results, strict=False):
        _did("copies", copied, f"{how} at step {cut}")
    for how, result in zip([*ways, "none"], results[len(ways) :], strict=True):
        saying = (
            f"in a copy by {how} made at step {cut}"
            if how != "none"
            else f"in the original of a copy made at step {cut}"
        )
        same("copies", story, Story(**result), saying, at=cut + 1)


def looking(subject: Subject, case: Case) -> None:
    """Rendering, describing and asking for masks or state change nothing; closing one environment leaves others alone."""
    story, done, render = subject.play(case), beside(subject, case), rendered(subject, case)
    if done is not None and done.looked:
        return
    program = [subject.make(case, render=render), subject.replay(case, story, watch=["look"])]
    made = subject.run(program[:1])[0]
    if made["raised"] is not None:
        if not set(made["raised"]["mro"]) & {"ImportError", "DependencyNotInstalled"}:
            _did("looking", made, f"making it with render_mode={render!r}")
        program[0] = subject.make(case)
    looked = Story(**subject.run(program)[1]).noted("looking")
    same("looking", story, looked, "looked at in every way" + (f" (render_mode {render})" if render else ""))
    cut = story.steps * case.cut // 16
    _, second, head, _, closed, tail = subject.run([
        subject.make(case), subject.make(case, "b"), subject.replay(case, story, last=cut),
        subject.elsewhere(case, "b", case.before), ["close", {"world": "b"}],
        subject.replay(case, story, first=cut, start=False),
    ])  # fmt: skip
    if second["raised"] is not None:
        return  # there is no other environment to close; see `interleaved`
    _did("looking", closed, "close() twice")
    same("looking", story, joined_at(head, tail), "while another environment is closed")
