"""Laws 21 to 23: who lives, how episodes end, and which seats are alike."""

from __future__ import annotations

from ludarium.envs.core.laws.cases import Case
from ludarium.envs.core.laws.outcome import Broken, NotClaimed
from ludarium.envs.core.laws.subject import Subject

__all__ = ["ends", "live_seats", "symmetry"]


def live_seats(subject: Subject, case: Case) -> None:
    """The live seats only become fewer; dicts have the seats that lived before the step; nobody comes back."""
    form = subject.form(case, ("parallel", "aec"))
    subject.play(case, form).noted("live_seats")


def ends(subject: Subject, case: Case) -> None:
    """An episode ends by one flag, at its limit at the latest, and then takes no more steps; each step comes back."""
    subject.play(case).noted("ends")


def symmetry(subject: Subject, case: Case) -> None:
    """An episode and its twin under each declared relation come to what the relation says."""
    form = subject.form(case, ("parallel",) if subject.ours else ("single", "parallel", "aec"))
    claims = subject.claims(case, form)
    if not claims["relations"]:
        raise NotClaimed("it declares no relations")
    play = {"seed": case.seed, "policy": {"key": case.policy, "mix": case.mix}, "length": case.length}
    if case.script is not None:
        play = {"seed": case.seed, "script": list(case.script), "length": len(case.script)}
    make = subject.make(case, form=form)[1]
    _, told = subject.run([["make", make], ["relate", {"world": "a", "make": make, "play": play}]])
    if not told["relations"]:
        raise NotClaimed("it declares no relations under these options")
    for law, step, sentence in told["notes"]:
        raise Broken(law, sentence, step)
