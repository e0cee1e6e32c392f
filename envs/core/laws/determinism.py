"""Laws 1 to 4: an episode is a function of seed and actions, and of nothing else."""

from __future__ import annotations

from ludarium.envs.core.laws.cases import Case
from ludarium.envs.core.laws.outcome import Broken
from ludarium.envs.core.laws.rig import Story, same
from ludarium.envs.core.laws.subject import Subject
from ludarium.envs.core.laws.together import beside

__all__ = ["fresh_process", "global_random", "interleaved", "joined", "repeatable"]


def joined(pieces: list[Story]) -> Story:
    """Pieces of one episode, played one after another, as one story."""
    whole = pieces[0]
    for piece in pieces[1:]:
        if whole.raised is not None:
            break
        whole.seen, whole.actions = whole.seen + piece.seen, whole.actions + piece.actions
        whole.raised, whole.over = piece.raised, piece.over
        whole.notes = whole.notes + piece.notes
    return whole


def repeatable(subject: Subject, case: Case) -> None:
    """The same seed and actions give the same episode, bit for bit."""
    story = subject.play(case)
    if beside(subject, case) is not None:
        return
    again = subject.run([subject.make(case), subject.replay(case, story)])[1]
    same("repeatable", story, Story(**again), "the same episode in a new environment")


def fresh_process(subject: Subject, case: Case) -> None:
    """It is the same in another process with another PYTHONHASHSEED."""
    story = subject.play(case)
    program = [["scramble", {"seed": 99}], subject.make(case), subject.replay(case, story)]
    again = subject.run(program, subject.child("hash"))[2]
    same("fresh_process", story, Story(**again), "the same episode in another process, with another hash seed")


def global_random(subject: Subject, case: Case) -> None:
    """The process's random state plays no part and is left alone."""
    story = subject.play(case)
    if beside(subject, case) is not None:
        return
    program = [["scramble", {"seed": case.seed + 1}], subject.make(case), subject.replay(case, story, watch=["global"])]
    again = Story(**subject.run(program)[2])
    same("global_random", story, again, "under another state of `random` and `numpy.random`")
    again.noted("global_random")


def interleaved(subject: Subject, case: Case) -> None:
    """A second environment that is played in turn with it changes nothing."""
    story = subject.play(case)
    if beside(subject, case) is not None:
        return
    chunk = max(1, story.steps // 16)
    program = [subject.make(case), subject.make(case, "b")]
    program += [subject.replay(case, story, last=0), subject.elsewhere(case, "b", 0)]
    mine = [2]
    other = {"world": "b", "start": False, "policy": {"key": case.policy + 1, "mix": 0}, "length": chunk}
    for at in range(0, story.steps, chunk):
        if at // chunk == 8:
            program.append(subject.elsewhere(case, "b", 0))
        program.append(["play", other])
        mine.append(len(program))
        program.append(subject.replay(case, story, first=at, last=at + chunk, start=False))
    results = subject.run(program)
    raised = results[1]["raised"]
    if raised is not None:
        told = f"{raised['type']}: {raised['message']}"
        raise Broken("interleaved", f"a second environment cannot be made beside it: {told}", 0)
    pieces = joined([Story(**results[i]) for i in mine])
    same("interleaved", story, pieces, "beside a second environment")
