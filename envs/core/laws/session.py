"""Holding the laws against an environment: law by law, case by case, each failure shortened and kept."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ludarium.envs.core.laws import book, failures
from ludarium.envs.core.laws.cases import Case, Profile, generate, profile_of
from ludarium.envs.core.laws.outcome import Broken, Crashed, NotClaimed, Rejected
from ludarium.envs.core.laws.report import Failure, Report, Row, tell
from ludarium.envs.core.laws.rig import Story
from ludarium.envs.core.laws.shrink import Played, Shrinker
from ludarium.envs.core.laws.subject import Subject
from ludarium.envs.core.laws.together import doubt

__all__ = ["Session", "check"]

_BASIS = ("repeatable", "global_random")
"""Laws without which holding one episode against another says nothing."""
_COMPARE = (
    "global_random",
    "fresh_process", "interleaved", "reset_forgets", "unseeded_reset", "nothing_aliased", "mask_complete",
    "action_untouched", "snapshot", "copies", "looking", "batch_rows", "autoreset", "compiled", "symmetry", "metrics",
)  # fmt: skip
_TRIES = 8
"""How often a law that is known to be broken is tried under a case in which another one falls."""
_SHORT, _POLICIES = 8, 64
"""Episodes that are tried for a shorter one that ends the process: so many steps, and so many of each length."""


class Session:
    """The laws and cases of one check of a subject."""

    def __init__(
        self, subject: Subject, profile: str | Profile = "dev", laws: Iterable[str] | None = None, *,
        seed: int | None = None, folder: Path | None = None, shrinks: bool = True,
    ) -> None:  # fmt: skip
        self.subject, self.profile = subject, profile_of(profile)
        self.names, self._named = book.chosen(laws), laws is not None
        self._seed, self._folder, self._shrinks = seed, folder, shrinks
        self._blamed: dict[str, tuple[Case, Broken]] = {}
        self._rows: dict[str, Row] = {}

    @functools.cached_property
    def cases(self) -> list[Case]:
        """The cases that every law is tried on."""
        return generate(self.profile, self.subject.configs(self.profile.configs), self._seed)

    # --- one law ---
    def row(self, law: str) -> Row:
        """The row of a law; it is tried when it is first asked for."""
        if law not in self._rows:
            began = time.perf_counter()
            self._rows[law] = self._tried(law)
            self._rows[law].seconds = time.perf_counter() - began
        return self._rows[law]

    def _tried(self, law: str) -> Row:
        if law in book.NEEDS_CHILDREN and not self.profile.children and not self._named:
            return Row(law, "left out", reason="needs processes of its own: name it, or take ci")
        if law in self._blamed:
            return self._broken(law, *self._blamed[law], tried=1)
        tried, unclaimed, blocked = 0, "", ""
        for case in self._to_try(law):
            try:
                self._hold(law, case)
                tried += 1
            except NotClaimed as found:
                unclaimed = str(found)
            except Rejected:
                continue
            except Broken as found:
                reason = self._reason(law, case, found, _TRIES)
                if reason is None:
                    return self._broken(law, case, found, tried + 1)
                self._blamed.setdefault(reason.law, (case, reason))
                blocked = f"{reason.law} stands in the way: {reason.story}"
                if self.subject.dead is not None:
                    break
        if tried:
            return Row(law, "kept", tried, reason=blocked)
        if blocked:
            return Row(law, "blocked", reason=blocked)
        return Row(law, "not claimed", reason=unclaimed or "the environment refused every case")

    def _to_try(self, law: str) -> list[Case]:
        kept = [] if self._folder is None else failures.kept_for(self.subject, law, self._folder)
        return [*kept, *self.cases]

    def _hold(self, law: str, case: Case) -> None:
        """Hold a law against a case; a crash of the environment is a broken law, too."""
        try:
            book.LAWS[law](self.subject, case)
        except Crashed as crash:
            broken = crash.broken(law)
            if broken.law != law or crash.phase in ("make", "reset", "step"):
                self.subject.dead = broken
            raise broken from crash

    def _reason(self, law: str, case: Case, found: Broken, tries: int = 1) -> Broken | None:
        """The other law that is the reason why this one does not hold, if it is another."""
        if found.law != law:
            return found
        if law in _COMPARE:
            doubt(self.subject, case)
            for basis in _BASIS[: _BASIS.index(law) if law in _BASIS else None]:
                known = basis in self._rows and self._rows[basis].verdict == "broken"
                for _ in range(_TRIES if known else tries):  # what is left to chance may go well once
                    try:
                        self._hold(basis, case)
                    except Broken as other:
                        if other.law != law:  # the same law, met on the way, is no reason for itself
                            return other
                    except (NotClaimed, Rejected):
                        break
        return None

    # --- a broken law ---
    def _broken(self, law: str, case: Case, found: Broken, tried: int) -> Row:
        dead, self.subject.dead = self.subject.dead, None
        if self._shrinks:
            case, found = self._shrunk(law, case, found, crashed=dead is not None)
        story = tell(self.subject, case, found) if dead is None else _told_dead(self.subject, case, found)
        self.subject.dead = dead
        failure = Failure(law, case, found.step, found.story, story)
        if self._folder is not None and dead is None:
            failure.path = failures.save(self.subject, failure, self._folder)
        return Row(law, "broken", tried, reason=found.story, failure=failure)

    def _shrunk(self, law: str, case: Case, found: Broken, crashed: bool) -> tuple[Case, Broken]:
        def test(other: Case) -> Broken | None:
            self.subject.dead = None
            try:
                self._hold(law, other)
            except Broken as broken:
                return broken if broken.law == law and self._reason(law, other, broken) is None else None
            except (NotClaimed, Rejected):
                return None
            finally:
                self.subject.dead = None
            return None

        case = self._settled(law, case, None if crashed else test)
        hang = "does not come back" in found.story
        budget = 40 if law in book.NEEDS_CHILDREN else 400
        if crashed:
            case = case.replace(length=max(1, min(case.length, found.step)))
            return self._sooner(case, found, test)
        shrinker = Shrinker(law, test, self._what_was_played, 2 if hang else budget)
        shorter = shrinker.shrink(case)
        return shorter, shrinker.fails(shorter) or found

    def _settled(self, law: str, case: Case, test: Callable[[Case], Broken | None] | None) -> Case:
        """The case in its form; in that of one agent where `test` fails there too: its episode is a trace, and easier to read."""
        form = self._form(law, case)
        settled = case.replace(pinned=form, length=self.subject.length(case, form))
        if test is None or "single" not in self.subject.forms or form == "single":
            return settled
        plain = case.replace(pinned="single")
        return plain if self._form(law, plain) == "single" and test(plain) is not None else settled

    def _sooner(self, case: Case, found: Broken, test: Callable[[Case], Broken | None]) -> tuple[Case, Broken]:
        """The shortest of some short episodes that end the process, too: what it did is gone with it, and cannot be cut."""
        for length in range(1, min(found.step, _SHORT)):
            for policy in range(_POLICIES):
                other = case.replace(
                    script=None,
                    prefix=None,
                    scripted_wild=(),
                    before=0,
                    seed=0,
                    length=length,
                    policy=policy,
                    mix=policy % 4,
                )
                broken = test(other)
                if broken is not None:
                    return other, broken
        return case, found

    def _form(self, law: str, case: Case) -> str:
        """The form in which a law plays a case."""
        forms = ("parallel",) if law == "symmetry" and self.subject.ours else book.FORMS.get(law)
        return self.subject.form(case, forms) if forms else self.subject.form(case)

    def _what_was_played(self, case: Case) -> Played:
        """The case's episode, also if it did not come to its end, and the one before."""
        before = self._before(case)
        try:
            episode: Story | None = self.subject.play(case)
        except Broken as broken:
            episode = getattr(broken, "episode", None)
        except (Rejected, Crashed):
            episode = None
        return Played(before=before) if episode is None else Played(episode.actions, episode.wild, before)

    def _before(self, case: Case) -> list[Any] | None:
        if not case.before or case.prefix is not None:
            return None
        try:
            program = [self.subject.make(case), self.subject.elsewhere(case, "a", case.before)]
            return list(self.subject.run(program)[1]["actions"])
        except (Broken, Crashed):
            return None

    # --- all ---
    def report(self, progress: Callable[[str, int, int], None] | None = None) -> Report:
        """Try all laws; `progress` is told the law at hand, its number, and how many there are."""
        for number, law in enumerate(self.names):
            if progress is not None:
                progress(law, number, len(self.names))
            self.row(law)
        for law in list(self._blamed):
            self._rows.pop(law, None) if law in self._rows and self._rows[law].verdict != "broken" else None
            self.row(law)
        rows = [self._rows[law] for law in book.LAWS if law in self._rows]
        return Report(self.subject.name, self.profile.name, rows)


def _told_dead(subject: Subject, case: Case, found: Broken) -> list[str]:
    """The story of an episode that does not let itself be told."""
    options = "".join(f", {name}={value!r}" for name, value in {**subject.options, **dict(case.options)}.items())
    steps = f", then {case.length} steps of policy {case.policy} (mix {case.mix})" if case.length else ""
    return [f"{subject.name}{options}", f"reset(seed={case.seed}){steps}", f"=> {found.law}: {found.story}"]


def check(
    target: str | Callable[..., Any] | Subject, laws: Iterable[str] | None = None, profile: str | Profile = "dev", *,
    seed: int | None = None, guarded: bool = False, python: str | None = None, folder: str | Path | None = None,
    limit: float = 60.0, memory: int = 2 << 30, shrinks: bool = True,
    progress: Callable[[str, int, int], None] | None = None, **options: Any,
) -> Report:  # fmt: skip
    """Hold laws (all of them for None) against an environment; `options` are given whenever it is made.

    `target` is a Gymnasium id, `module:name`, a callable or a `Subject`. `guarded` runs it in a process of its own, in
    which an operation may take `limit` seconds and `memory` bytes more than at first. Failures go to `folder`, if one is
    named, and are tried first the next time. `CheckError` if the environment cannot be made.
    """
    if isinstance(target, Subject):
        return Session(target, profile, laws, seed=seed, folder=_path(folder), shrinks=shrinks).report(progress)
    subject = Subject(target, options, guarded=guarded, python=python, limit=limit, memory=memory)
    try:
        return Session(subject, profile, laws, seed=seed, folder=_path(folder), shrinks=shrinks).report(progress)
    finally:
        subject.close()


def _path(folder: str | Path | None) -> Path | None:
    return None if folder is None else Path(folder)
