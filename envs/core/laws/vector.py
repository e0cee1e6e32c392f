"""Laws 18 to 20: a batch is its episodes side by side, whatever the autoreset mode, with and without the compiler."""

from __future__ import annotations

from typing import Any

from ludarium.envs.core.laws.cases import Case
from ludarium.envs.core.laws.outcome import Broken, NotClaimed
from ludarium.envs.core.laws.rig import Story, same
from ludarium.envs.core.laws.subject import Subject

__all__ = ["autoreset", "batch_rows", "compiled"]

_PLAIN_STEPS = 24
"""Steps without the compiler."""
_MODES = ("next_step", "same_step", "disabled")


def _batched(subject: Subject, case: Case) -> tuple[Story, int]:
    """The case's episodes in the batch, and how many rows it has."""
    form = subject.form(case, ("vector",))
    story = subject.play(case, form)
    return story, len(story.rows[0]) if story.rows else 0


def _segments(story: Story, row: int, mode: str) -> list[tuple[int, int]]:
    """The steps `first..last` (numbers of `rows`) of each episode of a row; the item before `first` is its reset."""
    found, first, step = [], 1, 1
    while step < len(story.rows):
        if any(story.rows[step][row][2]):
            found.append((first, step))
            first = step + (2 if mode == "next_step" else 1)
            step = first
        else:
            step += 1
    if first < len(story.rows) + (mode != "disabled"):  # a beginning can be seen before its first step is taken
        found.append((first, len(story.rows) - 1))
    return found


def _single(subject: Subject, case: Case, story: Story, row: int, segments: list[tuple[int, int]]) -> list[Story]:
    """The same episodes in a single environment: the first from the row's seed, the others by resets without one."""
    key = repr(("alone", row, case))
    if key in subject.singles:
        return subject.singles[key]
    program = [subject.make(case, "a", "single")]
    for number, (first, last) in enumerate(segments):
        script = [item[row] for item in story.actions[first - 1 : last]]
        seed = case.seed + row if number == 0 else None
        program.append(
            ["play", {"world": "a", "seed": seed, "script": script, "length": len(script), "watch": ["rows", "bare"]}]
        )
    subject.singles[key] = [Story(**played) for played in subject.run(program)[1:]]
    return subject.singles[key]


def batch_rows(subject: Subject, case: Case) -> None:
    """Row i of the batch is the single environment with seed + i, from its reset to its first end."""
    story, rows = _batched(subject, case)
    if "single" not in subject.forms:
        raise NotClaimed("it has no single environment beside the batch")
    mode = subject.mode(case) or subject.claims(case, "vector")["mode"]
    for row in range(rows):
        segments = _segments(story, row, mode) or [(1, 0)]
        alone = _single(subject, case, story, row, segments)[0].clean("batch_rows", f"row {row} alone")
        for step in range(segments[0][1] + 1):
            if step >= len(alone.rows):
                raise Broken("batch_rows", f"row {row} goes on after step {step - 1}, where it ends alone", step)
            for what, a, b in zip(
                ("observation", "reward", "flags"), story.rows[step][row], alone.rows[step][0], strict=False
            ):
                if what == "observation" and mode == "same_step" and any(story.rows[step][row][2]):
                    continue  # already the next episode's; the last one is in the info, which is for `autoreset`
                if a != b:
                    values = "" if what == "observation" else f" ({a}, and alone {b})"
                    where = f"at step {step}" if step else f"after reset(seed={case.seed})"
                    told = f"the {what} of row {row} {where} is not that of seed {case.seed + row} alone{values}"
                    raise Broken("batch_rows", told, step)


def autoreset(subject: Subject, case: Case) -> None:
    """Rows that end begin again as the declared mode says, and the other rows go on untouched."""
    story, rows = _batched(subject, case)
    mode = subject.mode(case) or subject.claims(case, "vector")["mode"]
    if mode not in _MODES:
        raise Broken("autoreset", f"metadata['autoreset_mode'] is {mode!r}; expected one of {', '.join(_MODES)}", 0)
    ended = False
    for row in range(rows):
        segments = _segments(story, row, mode)
        done = [last for _, last in segments if any(story.rows[last][row][2])]
        ended = ended or bool(done)
        for last in done:
            _begins_again(story, row, last, mode)
        if done and "single" in subject.forms:
            _goes_on(story, row, mode, segments, _single(subject, case, story, row, segments))
    if not ended:
        raise NotClaimed("no episode ended in the steps tried")


def _begins_again(story: Story, row: int, last: int, mode: str) -> None:
    """What can be seen of a new beginning without a single environment."""
    here = story.rows[last][row]
    after = story.rows[last + 1][row] if last + 1 < len(story.rows) else None
    if mode == "same_step" and here[3] is None:
        raise Broken(
            "autoreset", f"row {row} ended at step {last}, and infos['final_obs'] lacks its last observation", last
        )
    if mode == "next_step" and after is not None and (float(after[1]) != 0.0 or any(after[2])):
        told = f"the step after the end of row {row} is its reset, and has reward {after[1]}, flags {after[2]}"
        raise Broken("autoreset", told, last + 1)
    if mode == "disabled" and after is not None:
        for other, began in enumerate(story.rows[last + 1]):
            if not any(story.rows[last][other][2]) and began[4] != story.rows[last][other][0]:
                raise Broken("autoreset", f"the reset of row {row} after step {last} changed row {other}", last + 1)


def _goes_on(story: Story, row: int, mode: str, segments: list[tuple[int, int]], alone: list[Story]) -> None:
    """Each later episode of a row is the next episode of the single environment, if the first one is (see `batch_rows`)."""
    first, last = segments[0]
    beside = [here[0] for here in alone[0].rows]
    for step in range(first if mode == "same_step" else first - 1, last + (mode != "same_step")):
        if step >= len(beside) or story.rows[step][row][:3] != beside[step][:3]:
            return
    for number, ((first, last), single) in enumerate(zip(segments, alone, strict=True)):
        single.clean("autoreset", f"row {row} alone")
        if number:
            place = {"next_step": (first - 1, 0), "same_step": (first - 1, 0), "disabled": (first, 4)}[mode]
            if story.rows[place[0]][row][place[1]] != single.rows[0][0][0]:
                raise Broken(
                    "autoreset", f"row {row} begins again after step {first - 1} otherwise than alone", first - 1
                )
        for step in range(first, last + 1):
            if step - first + 1 >= len(single.rows):
                raise Broken("autoreset", f"row {row} goes on after step {step - 1}, where it ends alone", step)
            here, beside = story.rows[step][row], single.rows[step - first + 1][0]
            seen = here[3] if mode == "same_step" and any(here[2]) else here[0]
            if number and [seen, *here[1:3]] != beside[:3]:
                raise Broken("autoreset", f"row {row}, episode {number + 1}: step {step} is not as alone", step)
            if not number and seen != beside[0] and mode == "same_step":
                raise Broken("autoreset", f"row {row}: the last observation of step {step} is not as alone", step)


def compiled(subject: Subject, case: Case) -> None:
    """Without the compiler, and in two threads at once, the episode is the same."""
    if not subject.claims(case)["compiled"]:
        raise NotClaimed("it has no compiled code")
    story = subject.play(case)
    plays: list[dict[str, Any]] = [subject.replay(case, story)[1], subject.elsewhere(case, "b", story.steps)[1]]
    at_once = subject.run([subject.make(case), subject.make(case, "b"), ["threads", {"plays": plays}]])[2]
    same("compiled", story, Story(**at_once[0]), "beside another thread")
    few = min(story.steps, _PLAIN_STEPS)
    program = [subject.make(case), subject.replay(case, story, last=few)]
    plain = Story(**subject.run(program, subject.child("plain"))[1])
    head = Story(**{**vars(story), "seen": story.seen[: few + 1]})
    same("compiled", head, plain, "without the compiler")
