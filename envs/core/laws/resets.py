"""Laws 5 and 6: what a reset forgets, and what it goes on with."""

from __future__ import annotations

from ludarium.envs.core.laws.cases import Case
from ludarium.envs.core.laws.outcome import Broken
from ludarium.envs.core.laws.rig import Story, same
from ludarium.envs.core.laws.subject import Subject
from ludarium.envs.core.laws.together import afterwards, beside

__all__ = ["reset_forgets", "unseeded_reset"]

_RESETS = 8
"""Resets that are held against each other."""


def reset_forgets(subject: Subject, case: Case) -> None:
    """After any play, a seeded reset begins the same episode as in a new environment."""
    story = subject.play(case).noted("reset_forgets")
    if beside(subject, case) is not None:
        return
    program = [subject.make(case), subject.elsewhere(case, "a", case.before), subject.replay(case, story)]
    before, again = (Story(**result) for result in subject.run(program)[1:])
    if before.raised is not None and before.raised["phase"] == "reset":
        before.clean("repeatable", f"reset(seed={case.seed + 1})")
    if before.raised is None:
        same("reset_forgets", story, again, f"after an episode of {before.steps} steps")


def unseeded_reset(subject: Subject, case: Case) -> None:
    """A reset without a seed goes on with the stream of the last seed: the next episode follows from it, too."""
    story, done = subject.play(case), beside(subject, case)
    second = None if done is None else done.after
    if second is not None and second.raised is None:
        other, *starts = _played_again(subject, case, story, second)
        if other.raised is None and other.seen == second.seen:
            _goes_on(subject, case, *starts)
            return
    going_on = ["play", {"world": "a", **afterwards(case)}]
    program = [subject.make(case), subject.replay(case, story), ["scramble", {"seed": 1}], going_on]
    second = Story(**subject.run(program)[3])
    if second.raised is not None:
        if second.raised["phase"] != "step":
            second.clean("unseeded_reset", "reset() without a seed")
        second.actions, second.raised = second.actions[:-1], None  # a step that raises is for other laws
    other, *starts = _played_again(subject, case, story, second)
    same("unseeded_reset", second, other, "the episode after the first, played again")
    _goes_on(subject, case, *starts)


def _played_again(subject: Subject, case: Case, story: Story, second: Story) -> list[Story]:
    """The episode after the first, played again, and two beginnings: of the case's seed, and without one."""
    again = ["play", {"world": "a", "seed": None, "script": second.actions, "length": second.steps}]
    starts = [["play", {"world": "a", "seed": seed}] for seed in (case.seed, None)]
    program = [subject.make(case), subject.replay(case, story), ["scramble", {"seed": 2}], again, *starts]
    return [Story(**played) for played in subject.run(program)[3:]]


def _goes_on(subject: Subject, case: Case, start: Story, later: Story) -> None:
    """Where seeds make a difference, resets without one do not begin the same episode for ever."""
    if start.seen and later.seen and start.seen[0][0] != later.seen[0][0]:
        return  # the next episode is another one already
    drawn = [["play", {"world": "a", "seed": case.seed + n}] for n in range(1, _RESETS + 1)]
    again = [["play", {"world": "a", "seed": None}] for _ in range(_RESETS)]
    results = subject.run([subject.make(case), *drawn, ["play", {"world": "a", "seed": case.seed}], *again])[1:]
    starts = [story["seen"][0][0] if story["seen"] else None for story in results]
    first, rest = starts[_RESETS], starts[_RESETS + 1 :]
    if len(set(starts[:_RESETS])) > _RESETS // 2 and set(rest) == {first}:
        told = f"{_RESETS} resets without a seed all begin the episode of seed {case.seed} again"
        raise Broken("unseeded_reset", told, 0)
