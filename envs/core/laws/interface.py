"""Laws 7 to 10: what an environment returns."""

from __future__ import annotations

from ludarium.envs.core.laws.cases import Case
from ludarium.envs.core.laws.rig import Story, same
from ludarium.envs.core.laws.subject import Subject
from ludarium.envs.core.laws.together import beside

__all__ = ["info", "nothing_aliased", "observation_in_space", "reward_and_flags"]


def observation_in_space(subject: Subject, case: Case) -> None:
    """Every observation is in its space, exact type included, and the spaces stay what they are."""
    subject.play(case).noted("observation_in_space")


def reward_and_flags(subject: Subject, case: Case) -> None:
    """Rewards are finite numbers, flags are bools."""
    subject.play(case).noted("reward_and_flags")


def nothing_aliased(subject: Subject, case: Case) -> None:
    """What was returned never changes later, and overwriting it changes nothing in the environment."""
    story = subject.play(case)
    if beside(subject, case) is not None:
        return
    held = subject.run([subject.make(case), subject.replay(case, story, watch=["hold"])])[1]
    Story(**held).noted("nothing_aliased")
    scribbled = subject.run([subject.make(case), subject.replay(case, story, watch=["scribble"])])[1]
    same("nothing_aliased", story, Story(**scribbled), "with returned arrays overwritten by the user")


def info(subject: Subject, case: Case) -> None:
    """Infos are dicts of JSON values (arrays count as lists) whose keys stay; nothing is printed."""
    subject.play(case).noted("info")
