"""Laws 11 to 14: which actions are legal, and what is done with those that are not."""

from __future__ import annotations

from ludarium.envs.core.laws.cases import Case
from ludarium.envs.core.laws.outcome import NotClaimed
from ludarium.envs.core.laws.rig import Story, same
from ludarium.envs.core.laws.subject import Subject
from ludarium.envs.core.laws.together import beside

__all__ = ["action_untouched", "mask_complete", "mask_sound", "some_legal_action"]


def _masked(story: Story) -> bool:
    return any(record[4] for record in story.seen)


def mask_sound(subject: Subject, case: Case) -> None:
    """An action that the mask allows (without a mask: one of the space) is taken, and is no fault."""
    subject.play(case).noted("mask_sound")


def mask_complete(subject: Subject, case: Case) -> None:
    """An action that the mask forbids, or that is outside the space, does what is documented, and nothing else."""
    claims = subject.claims(case)
    if claims["illegal"] is None and claims["malformed"] is None:
        raise NotClaimed("its metadata do not say what illegal or malformed actions do")
    story = subject.play(case).noted("mask_complete")
    tried = bool(story.wild)
    for watch, claimed in (("malformed", claims["malformed"] == "raise"), ("forbidden", claims["illegal"] == "raise")):
        done = beside(subject, case) if claimed and watch == "malformed" else None
        if done is not None:
            tried = tried or done.malformed > 0
        elif claimed:
            again = subject.run([subject.make(case), subject.replay(case, story, watch=[watch], fault=case.fault)])[1]
            other = Story(**again).noted("mask_complete")
            same("mask_complete", story, other, f"after {watch} actions that raised")
            tried = tried or other.malformed > 0
    if not tried:
        raise NotClaimed("no action was forbidden in any episode tried")


def some_legal_action(subject: Subject, case: Case) -> None:
    """Whoever is asked has at least one legal action."""
    story = subject.play(case)
    if not _masked(story):
        raise NotClaimed("it offers no action masks")
    story.noted("some_legal_action")


def action_untouched(subject: Subject, case: Case) -> None:
    """The arrays of actions that it is given are not changed, and not needed after the step."""
    story = subject.play(case).noted("action_untouched")
    if beside(subject, case) is not None:
        return
    held = subject.run([subject.make(case), subject.replay(case, story, watch=["hold"])])[1]
    Story(**held).noted("action_untouched")
    again = subject.run([subject.make(case), subject.replay(case, story, watch=["scribble actions"])])[1]
    same("action_untouched", story, Story(**again), "with each array of actions overwritten after its step")
