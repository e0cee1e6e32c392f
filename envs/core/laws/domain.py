"""Laws 24 to 26: what the world itself says must hold, counts, and cannot be passed."""

from __future__ import annotations

from typing import Any

from ludarium.envs.core.laws.cases import Case
from ludarium.envs.core.laws.outcome import Broken, NotClaimed
from ludarium.envs.core.laws.probe import near
from ludarium.envs.core.laws.rig import Story
from ludarium.envs.core.laws.subject import Subject
from ludarium.envs.core.laws.together import CALLS, in_parts

__all__ = ["bound", "invariants", "metrics"]

_ONE = ("single", "parallel", "aec")


def invariants(subject: Subject, case: Case) -> None:
    """The invariants that the environment declares hold at every step."""
    if not subject.claims(case)["invariants"]:
        raise NotClaimed("it declares no invariants")
    subject.play(case).noted("invariants")


def _final(subject: Subject, case: Case, story: Story, law: str) -> dict[str, Any]:
    story.noted("reward_and_flags")  # what are no numbers cannot be counted
    program = [subject.make(case), subject.replay(case, story), ["final", {"world": "a", "outcomes": story.outcomes}]]
    found = dict(subject.run(program)[2])
    if found.get("raised") is not None:
        raise Broken(
            law,
            f"{found['raised']['phase']}() raised {found['raised']['type']}: {found['raised']['message']}",
            story.steps,
        )
    return found


def _call(subject: Subject, case: Case, function: str, law: str) -> Any:
    """What a function of ours finds in a world at the end of the case's episode; all are asked at once, in their order."""
    story = subject.play(case)
    usual = subject.form(case.replace(pinned=None))  # the form in which other laws share the episode
    calls = in_parts(subject, case) if usual == case.pinned else None
    if calls is None:
        program = [subject.make(case), subject.replay(case, story), *CALLS.values()]
        calls = subject.kept(case, "calls", lambda: dict(zip(CALLS, subject.run(program)[2:], strict=True)))
    done = calls[function]
    if done["raised"] is not None:
        raise Broken(law, f"{done['raised']['type']}: {done['raised']['message']}", story.steps)
    return done["value"]


def metrics(subject: Subject, case: Case) -> None:
    """The figures that it reports are those that the episode gives when it is played and counted again."""
    case = case.replace(pinned=subject.form(case, _ONE))
    claims, story = subject.claims(case), subject.play(case)
    if claims["ours"]:
        found = _call(subject, case, "recounted", "metrics")
        if found:
            raise Broken("metrics", found, story.steps)
        return
    found = _final(subject, case, story, "metrics")
    episode = found.get("episode")
    if not (claims["metrics"] and claims["recount"]) and episode is None:
        raise NotClaimed("it reports no metrics that can be counted again")
    for name, value in found.get("recount", {}).items():
        if not near(value, found["metrics"].get(name)):
            raise Broken(
                "metrics", f"{name} is reported as {found['metrics'].get(name)}, and counted as {value}", story.steps
            )
    if episode is not None:
        counted = {"r": _total(story), "l": story.steps}
        if episode["l"] != counted["l"] or abs(episode["r"] - counted["r"]) > 1e-4 * max(1.0, abs(counted["r"])):
            raise Broken("metrics", f"info['episode'] is {episode}, and counted as {counted}", story.steps)


def _total(story: Story) -> float:
    return float(sum(value or 0.0 for outcome in story.outcomes for value in outcome["rewards"].values()))


def bound(subject: Subject, case: Case) -> None:
    """No play is better than the bound that the environment states."""
    case = case.replace(pinned=subject.form(case, _ONE))
    claims, story = subject.claims(case), subject.play(case)
    if claims["ours"]:
        found = _call(subject, case, "passed_bounds", "bound")
        if found is None:
            raise NotClaimed("it states no bounds")
        if found:
            raise Broken("bound", found, story.steps)
        return
    if not claims["bounds"]:
        raise NotClaimed("it states no bounds")
    final = _final(subject, case, story, "bound")
    figures = {**final.get("metrics", {}), "return": _total(story)}
    for name, (low, high) in final["bounds"].items():
        slack = 1e-9 * max(1.0, abs(figures[name]))
        if figures[name] < low - slack or figures[name] > high + slack:
            raise Broken("bound", f"{name} is {figures[name]}; stated are {low} to {high}", story.steps)
